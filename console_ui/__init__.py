"""The web console. Nothing of it is built yet."""
