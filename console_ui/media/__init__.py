"""Rescue media: the ISO image to download and the media codes."""
