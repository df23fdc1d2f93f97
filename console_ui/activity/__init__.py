"""What devices do: which plans they keep, how their backups ran, what they are asked to do.

Devices report by themselves (``reports``); people ask them for something through ``commands``,
which devices fetch. ``state`` makes one word of it all, ``glance`` the lines of the list of
devices, and ``live`` tells open pages and waiting devices that something is new.
"""
