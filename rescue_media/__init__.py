"""The full-screen restore application of the bootable key. Nothing of it is built yet."""
