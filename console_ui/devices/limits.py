"""How often devices may ask, and people may guess device codes."""

from __future__ import annotations

from datetime import timedelta

from console_ui.accounts.throttle import Rule

_MINUTE = timedelta(minutes=1)

# At 5 a minute, somebody who guesses for the ten minutes that a code lives finds it with a
# chance of 50 in 20 to the power of 8.
CODE_ENTRY = Rule(
    name="device-code", free=5, window=_MINUTE, first_wait=_MINUTE, longest=10 * _MINUTE
)
# Never cleared by success: a code of one's own must not buy guesses at others'.
CODE_ENTRY_ADDRESS = Rule(
    name="device-code-address",
    free=30,
    window=10 * _MINUTE,
    first_wait=_MINUTE,
    longest=15 * _MINUTE,
    by_address=True,
)
# High enough for an office in which every computer is linked on the same morning.
NEW_REQUEST = Rule(
    name="device-request",
    free=300,
    window=10 * _MINUTE,
    first_wait=_MINUTE,
    longest=10 * _MINUTE,
    by_address=True,
)
# A restore asks once for each command; nobody needs hundreds.
PASSWORD_FETCH = Rule(
    name="managed-password",
    free=30,
    window=10 * _MINUTE,
    first_wait=_MINUTE,
    longest=10 * _MINUTE,
)
BAD_PROOF = Rule(
    name="device-proof",
    free=60,
    window=10 * _MINUTE,
    first_wait=_MINUTE,
    longest=10 * _MINUTE,
    by_address=True,
)
