"""Tables of what devices report."""
