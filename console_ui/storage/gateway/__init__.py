"""``/storage/<vault>/``: restic's REST protocol, for stock restic and for our own engine.

An ASGI application of its own, beside Django's: Django takes in a whole upload before anybody
has looked who sends it. Here a request is authorised first (``access``); an upload is then
streamed into a file (``spool``), and stored only when its bytes have its name for their
SHA-256; a download is read and sent piece by piece (``reading``). Nothing waits for a disk, a
database or a storage server in the event loop (``work``); what all requests together may hold
in memory and in files is limited (``budget``).

Its source is restic's document "REST Backend".
"""
