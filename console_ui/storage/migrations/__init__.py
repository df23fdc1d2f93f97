"""How the tables of storage came to be."""
