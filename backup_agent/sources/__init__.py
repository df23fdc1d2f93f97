"""What is read: trees of files, disks and images. Strictly read-only.

``entry`` says what a source must offer; the backup service knows nothing else of it.
"""
