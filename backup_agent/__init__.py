"""Everboot's engine, command line and desktop agent.

Read it in the direction the bytes move: ``sources`` (what is read) →
``chunking`` → ``repository`` (what is kept) over ``format`` and ``crypto`` →
``storage`` (where), and back the same road into ``targets``. ``services`` is
the only place where both ends meet; ``cli`` is a face on it.
"""

__version__ = "0.1.0"
