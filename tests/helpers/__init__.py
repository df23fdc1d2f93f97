"""What several tests need: makers of input, and witnesses other than the product."""
