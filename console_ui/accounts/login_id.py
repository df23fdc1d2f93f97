"""Login IDs of the form ``SBA-XXXX-ADMIN``: an alias of the e-mail address for logging in."""

from __future__ import annotations

import re
import secrets

# Crockford's base 32 (https://www.crockford.com/base32.html): no I, L, O and U, because
# people read these from paper and type them on keyboards of other countries.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_MISREADINGS = str.maketrans("ILO", "110")
_FORM = re.compile(rf"SBA([{ALPHABET}]{{4}})ADMIN")


def make() -> str:
    """A fresh one; whether it is taken already, the database knows."""
    middle = "".join(secrets.choice(ALPHABET) for _ in range(4))
    return f"SBA-{middle}-ADMIN"


def parse(typed: str) -> str | None:
    """The login ID somebody typed, whatever their spaces, dashes and case; None if it is none."""
    letters = re.sub(r"[\s-]", "", typed).upper()
    if not (letters.startswith("SBA") and letters.endswith("ADMIN")):
        return None
    middle = letters[3:-5].translate(_MISREADINGS)
    match = _FORM.fullmatch(f"SBA{middle}ADMIN")
    return f"SBA-{match[1]}-ADMIN" if match else None
