"""The files inside a volume: one reader for each file system, and the process they run in.

Every reader is a :class:`~backup_agent.filesystems.files.file_tree.FileTree` over the
volume's bytes. NTFS is read by libfsntfs; FAT, exFAT and ext are read here, for what
there is for them in Python lost names, times and attributes when it was tried.
"""
