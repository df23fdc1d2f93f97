"""The builder of the bootable key. Nothing of it is built yet."""
