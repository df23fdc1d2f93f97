"""Browsing restore points and downloading files from them."""
