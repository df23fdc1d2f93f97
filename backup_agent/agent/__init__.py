"""The agent: keeps this device's plans, and tells faces and its console how things stand.

A ``plan`` says when it is ``due``; the ``agenda`` adds its history and how things are now, and
the ``service`` does one order after the other, each in a process of its own (``separate_jobs``).
Whatever happens goes into the ``ledger`` first. Faces ask at the ``desk``: of this process
(``own_desk``) or, through the ``front_door`` of a service, from another (``remote_desk``); the
``courier`` brings news from the ledger to the console, however long that is away, and the
``listener`` fetches what people there ask for. Without a console the rest works alone.
"""
