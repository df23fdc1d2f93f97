"""What other parts of the console, above this one, may wish to hear."""

from __future__ import annotations

from django.dispatch import Signal

linked = Signal()
"""A device was linked (``device``). Sent inside the transaction: who fails here undoes it."""
