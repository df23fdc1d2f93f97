"""The agent: keeps this device's plans, and its console informed.

``service`` runs plans when they are due or asked for, one after the other. Whatever happens goes
into the ``ledger`` first; the ``courier`` brings it from there to the console, however long that
is away, and the ``listener`` fetches what people ask for. Without a console the rest works alone.
"""
