"""restic's repository format, version 2 (and reading 1): bytes to values and back, no I/O.

The specification is restic's public design document
(https://restic.readthedocs.io/en/stable/100_references.html#design).
"""
