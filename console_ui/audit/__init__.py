"""The audit log: who did what, from where, and how it ended.

Entries are only ever added. Each carries the hash of the one before it in the same
organisation, so that taking one out or changing one shows. Nothing here points at other
tables: an entry outlives the people and things it tells about.
"""
