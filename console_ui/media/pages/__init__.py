"""What people see of rescue media."""
