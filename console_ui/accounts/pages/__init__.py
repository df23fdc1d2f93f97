"""What people see of their accounts, one file a page."""
