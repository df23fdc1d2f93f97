"""The way from "Rescue Media" to a computer that is back, without a window and without a disk.

``advance(flow, move)`` answers with the next :class:`~rescue_media.flow.pages.Flow` and, where
something must be done, one wish for it. What came of the wish is the next move.
"""
