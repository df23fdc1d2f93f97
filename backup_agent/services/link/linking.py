"""Being linked: show a code, wait until a person has typed it in the console (RFC 8628)."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from backup_agent.crypto.signature import SigningKey, new_signing_key
from backup_agent.errors import LinkRefusedError, TransientStorageError
from backup_agent.host.select import current_host
from backup_agent.services.link.console import Codes, OauthError, Token

_SLOWER_BY_SECONDS = 5  # RFC 8628, 3.5
_LONGEST_INTERVAL_SECONDS = 60

Wait = Callable[[float], None]
"""Lets seconds pass, or raises ``JobCancelledError``."""

Clock = Callable[[], float]
"""Monotonic seconds."""


@dataclass(frozen=True, slots=True)
class SelfDescription:
    """What people see of a device before they approve it."""

    name: str
    system: str


class Redeemer(Protocol):
    """The part of ``ConsoleClient`` that waiting needs."""

    def redeem(self, device_code: str) -> Token: ...

    def fresh_token(self) -> Token: ...


def this_device(name: str = "") -> SelfDescription:
    """``name`` empty: the host's own. Raises ``HostError``."""
    host = current_host()
    return SelfDescription(name or host.hostname, host.operating_system)


def new_key() -> SigningKey:
    """Each link has a key of its own: a removed one is never linked again."""
    return new_signing_key()


def wait_for_answer(
    client: Redeemer, codes: Codes, *, wait: Wait, clock: Clock = time.monotonic
) -> Token:
    """The first token, once a person has approved.

    Raises ``LinkRefusedError`` when they refuse or the code runs out, ``JobCancelledError``. A
    console that does not answer for a while is asked again, more and more seldom.
    """
    interval = codes.interval
    ends_at = clock() + codes.expires_in
    while clock() < ends_at:
        wait(interval)
        try:
            return client.redeem(codes.device_code)
        except TransientStorageError:
            interval = min(2 * interval, _LONGEST_INTERVAL_SECONDS)
        except OauthError as exc:
            match exc.error:
                case "authorization_pending":
                    continue
                case "slow_down":
                    interval += _SLOWER_BY_SECONDS
                case "access_denied":
                    raise LinkRefusedError(
                        "The console's people refused this device.", hint="Ask them why."
                    ) from exc
                case "expired_token":
                    break
                case "invalid_grant":
                    # Redeemed already, by us: only the answer was lost. Our key tells.
                    return client.fresh_token()
                case _:
                    raise
    raise LinkRefusedError(
        "Nobody typed the code in time.", hint="Run everboot link again for a fresh one."
    )
