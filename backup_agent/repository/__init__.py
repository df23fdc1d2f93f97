"""What is kept: a repository in the restic format over any storage backend.

``repository`` opens and creates one and knows its small files. ``writer``
packs blobs and ``reader`` fetches them; ``index`` knows where each one lies.
``locks`` keeps others from pruning under our feet. ``prune``, ``check`` and
``repair`` look after it.
"""
