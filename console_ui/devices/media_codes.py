"""Media codes of the form ``AA11-BB22-CC33``: shown with the ISO image, typed on the rescue media.

A code addresses the media's request to an account, so that people there see it waiting. It
grants nothing: the media still shows a device code, which somebody types in the console.
"""

from __future__ import annotations

import re
import secrets
from datetime import datetime, timedelta

from console_ui.accounts.models import Organisation, User
from console_ui.devices.models import MediaCode
from console_ui.sealing import keyed_hash

LIFE = timedelta(days=7)

# Neither I nor O, 0 nor 1: these are written down by hand.
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
_DIGITS = "23456789"
_GROUPS = 3
_FORM = re.compile(rf"([{_LETTERS}]{{2}}[{_DIGITS}]{{2}}){{{_GROUPS}}}")
_PREFIX = 4


def make(organisation: Organisation, *, by: User, now: datetime) -> str:
    """A fresh code, which can be shown now and never again."""
    code = "-".join(_group() for _ in range(_GROUPS))
    MediaCode.objects.filter(expires_at__lte=now).delete()
    MediaCode.objects.create(
        organisation=organisation,
        made_by=by,
        prefix=code[:_PREFIX],
        code_hash=_hash(code),
        made_at=now,
        expires_at=now + LIFE,
    )
    return code


def resolve(typed: str, *, now: datetime) -> Organisation | None:
    """Whom a code addresses; None for one that is mistyped, unknown or too old."""
    bare = re.sub(r"[^A-Za-z0-9]", "", typed).upper()
    if not _FORM.fullmatch(bare):
        return None
    code = "-".join(bare[start : start + 4] for start in range(0, len(bare), 4))
    found = (
        MediaCode.objects.select_related("organisation")
        .filter(prefix=code[:_PREFIX], code_hash=_hash(code), expires_at__gt=now)
        .first()
    )
    return found.organisation if found else None


def _group() -> str:
    letters = "".join(secrets.choice(_LETTERS) for _ in range(2))
    return letters + "".join(secrets.choice(_DIGITS) for _ in range(2))


def _hash(code: str) -> str:
    return keyed_hash(code, context="media-code")
