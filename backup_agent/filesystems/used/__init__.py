"""Which clusters of a volume are in use, out of the file systems' own accounts.

``survey`` asks the file system that was recognised; each has its file here,
which ends in a :class:`~backup_agent.filesystems.used.bitmap.ClusterBitmap`.
An account that cannot be believed raises ``SpaceUnknownError``: then the whole
volume is stored, and the restore point says why. In doubt a cluster is in use:
storing one too many costs some bytes, leaving one out costs a file.
"""
