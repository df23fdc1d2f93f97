"""People and organisations to test with."""

from __future__ import annotations

import base64
import time
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import pyotp
from django.contrib.auth.hashers import make_password
from django.utils import timezone

from console_ui.accounts import totp
from console_ui.accounts.models import Membership, Organisation, Role, User

if TYPE_CHECKING:
    from django.test import Client
    from django.test.client import _MonkeyPatchedWSGIResponse as Answer

PASSWORD = "correct horse battery"


@dataclass(frozen=True, slots=True)
class Office:
    """An organisation with one member in each role; all have the same password."""

    organisation: Organisation
    owner: User
    admin: User
    operator: User
    viewer: User

    def member(self, role: Role) -> User:
        return {
            Role.OWNER: self.owner,
            Role.ADMIN: self.admin,
            Role.OPERATOR: self.operator,
            Role.VIEWER: self.viewer,
        }[role]


def make_office(name: str) -> Office:
    organisation = Organisation.objects.create(name=name)
    slug = name.split(maxsplit=1)[0].lower()
    people = {role: make_member(organisation, role, f"{role}@{slug}.example") for role in Role}
    return Office(
        organisation,
        owner=people[Role.OWNER],
        admin=people[Role.ADMIN],
        operator=people[Role.OPERATOR],
        viewer=people[Role.VIEWER],
    )


@cache
def _hashed() -> str:
    return make_password(PASSWORD)


def make_member(organisation: Organisation, role: Role, email: str) -> User:
    # Hashing is meant to be slow; for people made by the dozen, once is enough.
    user = User.objects.create(email=email, name=f"Some {role.label}", password=_hashed())
    Membership.objects.create(user=user, organisation=organisation, role=role)
    return user


def enrol(user: User) -> totp.Seed:
    """Give somebody an authenticator app, recovery codes kept; the app's seed."""
    seed = totp.new_seed()
    totp.link(user, seed, first_step=0)
    User.objects.filter(pk=user.pk).update(kept_recovery_codes_at=timezone.now())
    return seed


def fresh_code(seed: totp.Seed, *, at: float | None = None) -> str:
    """What the app shows now (or ``at`` seconds since 1970)."""
    generator = pyotp.TOTP(base64.b32encode(seed).decode())
    return generator.at(int(time.time() if at is None else at))


def log_in(client: Client, name: str, password: str = PASSWORD) -> Answer:
    """The first step of a login."""
    return client.post("/", {"name": name, "password": password})
