"""``/download``: the program itself, for computers that are to be backed up.

The console hands out what it runs, so that both sides fit. The wheel is made from the installed
packages when it is first asked for; no file of it lies anywhere.
"""
