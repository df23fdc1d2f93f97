"""The command line: asks and shows, decides nothing.

One file per command (``init``, ``backup``, …), each with ``add_arguments`` and
``run``; ``main`` finds the right one, ``session`` holds what they share,
``render`` puts news and results into words or into JSON.
"""
