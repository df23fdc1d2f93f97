"""How passwords are hashed."""

from __future__ import annotations

from django.contrib.auth.hashers import Argon2PasswordHasher


class Argon2id(Argon2PasswordHasher):
    """Argon2id as OWASP's Password Storage Cheat Sheet recommends: 19 MiB, 2 passes, 1 lane.

    Django's 100 MiB for each attempt would let a few dozen guesses at once exhaust a small
    server's memory.
    """

    time_cost = 2
    memory_cost = 19 * 1024
    parallelism = 1
