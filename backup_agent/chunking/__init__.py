"""Where a stream is cut into blobs: by content for files, every MiB for volumes."""
