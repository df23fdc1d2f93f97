"""The whole main job on a small made-up computer, in one folder, with proof.

``scratch`` is the folder, ``documents`` and ``computer`` make what is backed up
and change it, ``proof`` compares what comes back with what was there, and
``recipe`` is the story itself: the steps in their order. The proofs read the
files, the disk image and the zip with Python's own means, never with the code
that wrote them.
"""
