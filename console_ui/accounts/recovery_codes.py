"""Ten codes on paper, for the day when the phone is lost.

A code is ``XXXX-XXXX-XXXX-XXXX`` in Crockford's base 32. Its first two characters say which
of the ten it is, the other fourteen are 70 random bits and kept as Argon2id only (NIST SP
800-63B asks for 64). So one slow hash tells whether a code is good, not ten.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection, Sequence

from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction
from django.utils import timezone

from console_ui.accounts.login_id import ALPHABET
from console_ui.accounts.models import RecoveryCode, User

COUNT = 10
_SELECTOR_CHARACTERS = 2
_CHARACTERS = 16
_MISREADINGS = str.maketrans("ILOU", "110V")


def renew(user: User) -> tuple[str, ...]:
    """Ten fresh codes; those from before are worthless from now on.

    They count as kept only when one was typed back: see ``User.kept_recovery_codes_at``.
    """
    codes = _make()
    with transaction.atomic():
        _lock(user)
        RecoveryCode.objects.filter(user=user).delete()
        RecoveryCode.objects.bulk_create(
            RecoveryCode(
                user=user,
                number=number,
                selector=plain(code)[:_SELECTOR_CHARACTERS],
                hash=make_password(plain(code)[_SELECTOR_CHARACTERS:]),
            )
            for number, code in enumerate(codes, start=1)
        )
        User.objects.filter(pk=user.pk).update(kept_recovery_codes_at=None)
    user.kept_recovery_codes_at = None
    return codes


def use(user: User, typed: str) -> int | None:
    """Use a code up; its number, or None when it is wrong or was used before."""
    letters = plain(typed)
    code = RecoveryCode.objects.filter(
        user=user, selector=letters[:_SELECTOR_CHARACTERS], used_at=None
    ).first()
    if code is None or not check_password(letters[_SELECTOR_CHARACTERS:], code.hash):
        return None
    used = RecoveryCode.objects.filter(pk=code.pk, used_at=None).update(used_at=timezone.now())
    return code.number if used else None


def are_of(user: User, codes: Collection[str]) -> bool:
    """Whether these are the user's, and not of a list that was made anew meanwhile.

    By their selectors, as a page needs to know it each time: not good enough to let somebody in.
    """
    selectors = RecoveryCode.objects.filter(user=user).values_list("selector", flat=True)
    return {plain(code)[:_SELECTOR_CHARACTERS] for code in codes} == set(selectors)


@transaction.atomic
def keep(user: User, number: int, typed: str) -> bool:
    """Note that the codes were kept if this is the one with the ``number``, and still good."""
    _lock(user)
    letters = plain(typed)
    code = RecoveryCode.objects.filter(
        user=user, number=number, selector=letters[:_SELECTOR_CHARACTERS], used_at=None
    ).first()
    if code is None or not check_password(letters[_SELECTOR_CHARACTERS:], code.hash):
        return False
    User.objects.filter(pk=user.pk).update(kept_recovery_codes_at=timezone.now())
    return True


def left(user: User) -> int:
    return RecoveryCode.objects.filter(user=user, used_at=None).count()


def plain(typed: str) -> str:
    """The bare characters of a typed code: ASCII, in capitals, common misreadings mended."""
    return re.sub(r"[^0-9A-Z]", "", typed.upper()).translate(_MISREADINGS)


def _lock(user: User) -> None:
    """Two that are made at once, or one made while another is typed back, wait for each other."""
    User.objects.select_for_update().get(pk=user.pk)


def _make() -> tuple[str, ...]:
    selectors: set[str] = set()
    while len(selectors) < COUNT:
        selectors.add(_random(_SELECTOR_CHARACTERS))
    return tuple(
        _grouped(selector + _random(_CHARACTERS - _SELECTOR_CHARACTERS)) for selector in selectors
    )


def _random(characters: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(characters))


def _grouped(letters: Sequence[str]) -> str:
    return "-".join("".join(letters[at : at + 4]) for at in range(0, len(letters), 4))
