"""Rescue media as files and keys: the settings slot of an image, and writing one to a USB key.

Needs nothing but Python, on any system: ``slot`` personalises a finished image,
``image`` reads files out of one, and ``key`` writes it to a removable disk.
"""
