"""The full-screen restore application of the bootable key (``everboot rescue``).

``flow`` is the way a person goes, as a state machine of plain values: it draws nothing and does
nothing. ``errands`` does what the flow wishes, by the engine's services. ``ui`` shows the pages and
is the only part that knows Qt.
"""
