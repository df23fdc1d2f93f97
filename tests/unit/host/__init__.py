"""Operating systems as Everboot sees them."""
