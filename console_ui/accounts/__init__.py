"""People: accounts, organisations and roles, logging in, second factors, sessions.

``models`` holds the tables. Beside them lie the domain modules, one noun each
(``throttle``, ``totp``, ``recovery_codes``, ``passkeys``, …), and ``pages`` are what
people see.
"""
