"""What people see of storage: locations, vaults, and bringing a vault back."""
