"""How the tables of devices came to be."""
