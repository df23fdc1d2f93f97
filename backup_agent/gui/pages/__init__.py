"""What stands in the window, one page a file."""
