"""What a restore writes to."""
