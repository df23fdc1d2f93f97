"""What is written: restored trees, zip archives, disks.

A tree target takes files in any order and blob by blob, because a restore reads
packs, not files. Names come from a repository that may be hostile: nothing is
ever written outside the folder a person named (``confined``).
"""
