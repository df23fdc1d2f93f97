"""What people see of devices."""
