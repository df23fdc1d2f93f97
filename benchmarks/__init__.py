"""Paired runs against stock restic on the same data: CPU seconds, wall time, memory."""
