"""The token in a secret link, as the link is shown or as it is mailed."""

from __future__ import annotations

import re

from django.core import mail as django_mail

from console_ui.web import mail


def token_of(link: str) -> str:
    return link.partition("#")[2]


def mailed_token() -> str:
    mail.wait_until_sent()
    found = re.search(r"#([\w-]{43})", str(django_mail.outbox[-1].body))
    assert found is not None
    return found[1]
