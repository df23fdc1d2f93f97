"""Storage locations, vaults, and the gateway through which devices reach theirs.

A *location* is a place to keep backups, with credentials that only the console has. A *vault*
is one repository there. Devices come through ``gateway``, which speaks restic's REST protocol
and lets nothing be overwritten: what a device deletes is only hidden, and purged 14 days later.

A deletion leaves a *mark* beside the repository (``marks``), then a note in the database's
``catalog`` of what each vault holds. The catalog answers listings, sums up sizes, and knows
since when an object is there; so a whole vault can be brought back to a moment
(``bringing_back``). ``alarms`` watch what is hidden, ``purge`` ends it, ``reconcile`` makes
catalog and storage agree again after a crash, or anew from storage alone after a loss.
"""
