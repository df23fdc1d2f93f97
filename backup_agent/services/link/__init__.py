"""The device's side of a console: linking it, proving who it is, reaching its vaults.

A device makes a key of its own and asks the console to be linked (``linking``, RFC 8628). A
person approves that there. From then on the device proves itself by signing short statements
(``assertion``), gets access tokens that live for ten minutes (``tokens``), and opens its vault
with them (``vaults``). The key never leaves the device; it lies in one file (``identity``).
"""
