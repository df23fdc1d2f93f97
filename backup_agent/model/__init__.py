"""Plain values that every other part speaks in. No I/O, no clock, no threads."""
