"""Device codes of the form ``ABCD-ABCD``: shown by the device, typed in the console."""

from __future__ import annotations

import re
import secrets

# RFC 8628, 6.1: no vowels, so that no words come up, and nothing that looks like a digit.
ALPHABET = "BCDFGHJKLMNPQRSTVWXZ"
_LETTERS = 8
_FORM = re.compile(f"[{ALPHABET}]{{{_LETTERS}}}")


def make() -> str:
    """A fresh one, 34.6 random bits."""
    letters = "".join(secrets.choice(ALPHABET) for _ in range(_LETTERS))
    return f"{letters[:4]}-{letters[4:]}"


def parse(typed: str) -> str | None:
    """The code somebody typed, whatever their spaces, dashes and case; None if it is none."""
    letters = re.sub(r"[^A-Za-z0-9]", "", typed).upper()
    if not _FORM.fullmatch(letters):
        return None
    return f"{letters[:4]}-{letters[4:]}"
