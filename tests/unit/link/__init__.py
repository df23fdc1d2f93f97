"""The device's side of a console."""
