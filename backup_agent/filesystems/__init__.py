"""What bytes on a disk mean: partition tables, and the file systems at a volume's start.

Everything here reads out of any seekable binary file (a device, an image, a
repository's blobs), believes nothing it reads, and writes nothing.
"""
