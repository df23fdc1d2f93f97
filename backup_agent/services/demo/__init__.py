"""The whole main job on a small made-up computer, in one folder, with proof.

``scratch`` is the folder. ``documents`` makes a folder of files and ``computer``
a disk (``windows`` is what lies on it); both change them, too. ``repository``
keeps their backups, ``looking`` and ``bringing_back`` take from them, and
``recipe`` is the story itself: the steps in their order.

The proofs read nothing with the code that wrote it. ``proof`` looks at files and
zips with Python's own means, ``disk_proof`` at disks with other programs, and
``proving`` compares that with what was there before each backup.
"""
