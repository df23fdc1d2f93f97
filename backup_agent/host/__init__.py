"""The computer underneath: its disks, its name, its commands.

``api`` says what the rest may ask, ``select`` gives the answerer for this
operating system; nothing else knows which one that is. ``command`` is the one
door to other programs.
"""
