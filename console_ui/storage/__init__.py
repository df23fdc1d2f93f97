"""Storage locations, vaults, and the gateway through which devices reach theirs."""
