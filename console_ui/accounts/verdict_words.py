"""What a page says about a code of an authenticator app that was not accepted."""

from __future__ import annotations

from typing import assert_never

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from console_ui.accounts.totp import Accepted, AlreadyUsed, OutOfSync, Verdict, Wrong

_MINUTE_SECONDS = 60


def verdict_words(verdict: Verdict) -> str:
    """Empty for an accepted code."""
    match verdict:
        case Accepted():
            return ""
        case AlreadyUsed():
            return _("This code was used already. Wait for the next one, up to 30 seconds.")
        case OutOfSync(seconds=seconds):
            return _out_of_sync(seconds)
        case Wrong():
            return _("This code is not right. Type the 6 digits that the app shows now.")
        case _:
            assert_never(verdict)


def _out_of_sync(seconds: int) -> str:
    minutes = max(1, round(abs(seconds) / _MINUTE_SECONDS))
    if seconds < 0:
        words = ngettext(
            "Right code, but your phone's clock is %(count)d minute late.",
            "Right code, but your phone's clock is %(count)d minutes late.",
            minutes,
        )
    else:
        words = ngettext(
            "Right code, but your phone's clock is %(count)d minute ahead.",
            "Right code, but your phone's clock is %(count)d minutes ahead.",
            minutes,
        )
    advice = _("Turn on automatic time on the phone, then type the next code.")
    return f"{words % {'count': minutes}} {advice}"
