"""Codes of an authenticator app: TOTP (RFC 6238) with 6 digits, 30 seconds, SHA-1.

``judge`` says what a code is worth, from values alone. ``accept`` also uses it up: one
conditional UPDATE moves the last used step forward, so that of two requests with the same
code, however close, one is refused, and so is the same code 32 seconds later. A code of the
future that was told to be one is used up by that: otherwise a guess would hit twelve steps.
"""

from __future__ import annotations

import base64
import hmac
import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from typing import NewType, TypeAlias

import pyotp
from django.db import transaction

from console_ui.accounts.models import AuthenticatorApp, User
from console_ui.sealing import seal, unseal

Seed = NewType("Seed", bytes)

STEP_SECONDS = 30
_SEED_BYTES = 20  # RFC 4226, section 4: 160 bits are recommended
_TOLERATED_STEPS = 1
# As far as PyPI looks to tell a wrong clock from a wrong code.
_SEARCHED_STEPS = 10


@dataclass(frozen=True, slots=True)
class Accepted:
    """A good code that was never used; ``step`` is its number of 30-second steps since 1970."""

    step: int


@dataclass(frozen=True, slots=True)
class AlreadyUsed:
    """A good code, for the second time."""


@dataclass(frozen=True, slots=True)
class OutOfSync:
    """The code of another time: the phone's clock is ``seconds`` ahead (negative: late)."""

    seconds: int


@dataclass(frozen=True, slots=True)
class Wrong:
    """No code of this seed, or not even six digits."""


Verdict: TypeAlias = Accepted | AlreadyUsed | OutOfSync | Wrong


def new_seed() -> Seed:
    return Seed(secrets.token_bytes(_SEED_BYTES))


def secret_text(seed: Seed) -> str:
    """The seed as people type it: base 32 in groups of four."""
    letters = base64.b32encode(seed).decode()
    return " ".join(letters[at : at + 4] for at in range(0, len(letters), 4))


def enrolment_address(seed: Seed, *, account: str, issuer: str) -> str:
    """What the QR code says: an ``otpauth`` URI that every authenticator app understands."""
    return _generator(seed).provisioning_uri(name=account, issuer_name=issuer)


def judge(
    seed: Seed, typed: str, *, now: float, last_step: int, told_steps: Collection[int] = ()
) -> Verdict:
    """What the typed code is worth at ``now`` (seconds since 1970)."""
    code = re.sub(r"[\s-]", "", typed)
    if re.fullmatch(r"[0-9]{6}", code) is None:
        return Wrong()
    today = int(now) // STEP_SECONDS
    # The nearest step first: a code might fit two of them by chance.
    for offset in sorted(range(-_SEARCHED_STEPS, _SEARCHED_STEPS + 1), key=abs):
        step = today + offset
        if not hmac.compare_digest(_generator(seed).at(step * STEP_SECONDS), code):
            continue
        if abs(offset) > _TOLERATED_STEPS:
            return OutOfSync(offset * STEP_SECONDS)
        is_fresh = step > last_step and step not in told_steps
        return Accepted(step) if is_fresh else AlreadyUsed()
    return Wrong()


@transaction.atomic
def accept(user: User, typed: str, *, now: float) -> Verdict:
    """Judge the code and, if it is good, use it up for ever."""
    app = AuthenticatorApp.objects.select_for_update().filter(user=user).first()
    if app is None:
        return Wrong()
    verdict = judge(
        _unsealed(app), typed, now=now, last_step=app.last_step, told_steps=app.told_steps
    )
    match verdict:
        case Accepted(step=step):
            moved = AuthenticatorApp.objects.filter(user=user, last_step__lt=step).update(
                last_step=step
            )
            return verdict if moved else AlreadyUsed()
        case OutOfSync(seconds=seconds) if seconds > 0:
            _note_told(app, ahead=seconds // STEP_SECONDS, today=int(now) // STEP_SECONDS)
    return verdict


def _note_told(app: AuthenticatorApp, *, ahead: int, today: int) -> None:
    to_come = {each for each in app.told_steps if each >= today - _TOLERATED_STEPS}
    app.told_steps = sorted(to_come | {today + ahead})
    app.save(update_fields=["told_steps"])


def link(user: User, seed: Seed, *, first_step: int) -> None:
    """Make this seed the user's; ``first_step`` is that of the code which proved it."""
    sealed = seal(seed, context=_context(user))
    AuthenticatorApp.objects.update_or_create(
        user=user, defaults={"sealed_seed": sealed, "last_step": first_step, "told_steps": []}
    )


def check_key_file() -> None:
    """Open one seed, as a sample. Raises ``IntegrityError`` if the key file is another one.

    At the start, when somebody looks, and not at the first login.
    """
    if app := AuthenticatorApp.objects.select_related("user").first():
        _unsealed(app)


def _unsealed(app: AuthenticatorApp) -> Seed:
    return Seed(unseal(bytes(app.sealed_seed), context=_context(app.user)))


def _context(user: User) -> str:
    return f"totp:{user.pk}"


def _generator(seed: Seed) -> pyotp.TOTP:
    return pyotp.TOTP(base64.b32encode(seed).decode())
