"""People and organisations to test with."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from django.contrib.auth.hashers import make_password

from console_ui.accounts.models import Membership, Organisation, Role, User

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
