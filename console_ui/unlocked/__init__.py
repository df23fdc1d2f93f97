"""One unlocked vault in a process of its own, which may die without harm to anybody else.

A person's session opens a vault; from then on one process holds that repository's key, and it
holds nothing else: no key file, no database, no secret of the storage. It reads the vault through
the console's own gateway, with a token that reads this vault and only while the session lasts
(docs/adr/0005). Any process of the console asks it through a Unix socket in the data folder.

The way of a request: ``asking`` (the console's side) → ``frames`` → ``service`` (the process's
side: who may ask, and until when) → ``vault`` (what is answered) → the engine's services.
``messages`` are what passes between them; ``starting`` starts the process, ``__main__`` is it.

Nothing here knows Django, and an import contract keeps it so.
"""
