"""What decoding JSON from storage can raise; every decoder turns it into ``IntegrityError``."""

from __future__ import annotations

import msgspec

# RecursionError: a hostile file that nests thousands of brackets.
MALFORMED = (msgspec.DecodeError, ValueError, KeyError, RecursionError)
