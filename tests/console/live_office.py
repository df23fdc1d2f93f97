"""Run as a program: fills a console with all that its pages can show, and tells their addresses.

The organisation is the one that was set up through the printed link. Printed is one JSON object:
the address of every page in the URLconf, and the codes that two waiting devices show.
"""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from console_ui.django_settings import configure
from console_ui.settings import Settings, Sqlite
from tests.console.running import REPOSITORY

if TYPE_CHECKING:
    from datetime import datetime

    from console_ui.accounts.models import Organisation, User
    from console_ui.devices.models import Device
    from console_ui.storage.models import Location, Vault

# A name as long as a form takes, without a place to break it.
LONG_NAME = "Planungsrechnerarchitekturbuero-Erdgeschoss-links-hinten-03"
_NOT_FOR_PEOPLE = ("api/", "oauth/", "static/")


@dataclass(frozen=True, slots=True)
class LiveOffice:
    """``pages`` are addresses, from ``/`` on, by their name in the URLconf."""

    pages: dict[str, str]
    waiting_codes: list[str]


def fill(data: Path, root: Path, address: str) -> LiveOffice:
    """Fill the console whose data lie in ``data``, vaults in ``root``."""
    told = subprocess.run(
        [sys.executable, "-m", "tests.console.live_office", str(data), str(root), address],
        cwd=REPOSITORY,
        check=True,
        stdout=subprocess.PIPE,
    ).stdout
    return LiveOffice(**json.loads(told))


def main(data: Path, root: Path, address: str) -> None:
    settings = Settings(
        data=data,
        public_address=address,
        database=Sqlite(file=data / "console.sqlite3"),
        storage_roots=(root,),
    )
    configure(settings)
    from django.utils import timezone

    from console_ui.accounts import application_passwords, secret_links
    from console_ui.accounts.models import (
        Membership,
        Organisation,
        Purpose,
        Role,
        Scope,
        SecretLink,
        SecurityKey,
        TrustedBrowser,
        User,
    )
    from tests.console.people import make_member

    now = timezone.now()
    organisation, owner = Organisation.objects.get(), User.objects.get()
    members = [make_member(organisation, role, f"{role}@keller.example") for role in Role]
    User.objects.filter(pk=members[0].pk).update(name=LONG_NAME)
    for email in ("newer@keller.example", "new@keller.example"):
        secret_links.make(
            Purpose.INVITATION, email=email, organisation=organisation, role=Role.VIEWER
        )
    password, _ = application_passwords.make(
        owner, organisation, name="restic on render-node", scopes=[Scope.STORAGE]
    )
    browser = TrustedBrowser.objects.create(
        user=owner,
        token_hash="0" * 64,
        browser="Firefox on Linux",
        address="203.0.113.24",
        expires_at=now + timedelta(days=30),
    )
    key = SecurityKey.objects.create(
        user=owner, name="blue key", credential_id="a2V5", public_key=b"none"
    )
    _give_up_mails(organisation, now)
    device = _add_devices(organisation, owner, now)
    location, vault = _add_vaults(organisation, root, now)
    ids = {
        "location_id": location.pk,
        "vault_id": vault.pk,
        "device_id": device.pk,
        "membership_id": Membership.objects.get(user=members[0]).pk,
        "link_id": SecretLink.objects.filter(purpose=Purpose.INVITATION)[0].pk,
        "password_id": password.pk,
        "browser_id": browser.pk,
        "key_id": key.pk,
        "kind": "s3",
        "key": "x",
        # No such restore point: what is in one is looked at where a vault is unlocked.
        "point": "0" * 64,
        "reference": "0" * 32,
        "name": "constraints.txt",
    }
    told = {"pages": _pages(ids), "waiting_codes": [_wait(now), _wait(now)]}
    sys.stdout.write(json.dumps(told))


def _give_up_mails(organisation: Organisation, now: datetime) -> None:
    """Two that never arrived."""
    from console_ui.web import mail
    from console_ui.web.models import OutgoingMail

    for subject in ("A new password for Everboot", f"Unusual deletions in the vault {LONG_NAME}"):
        to = f"{LONG_NAME}@keller.example"
        mail.post(to=to, subject=subject, body="", organisation_id=organisation.pk)
    OutgoingMail.objects.update(given_up_at=now, attempts=51, failure="SMTPServerDisconnected")


def _add_devices(organisation: Organisation, owner: User, now: datetime) -> Device:
    """Two that back up, one long since removed, and one started from rescue media."""
    from console_ui.devices.models import Device, Kind

    names = (
        ("ATELIER-01", "Windows 11 Pro 24H2", Kind.BACKUP),
        (LONG_NAME, "Debian GNU/Linux 13 (trixie) on a rather long machine name", Kind.BACKUP),
        ("Rescue media on ATELIER-01", "Everboot Rescue Media", Kind.RESTORE),
    )
    made = [
        Device.objects.create(
            organisation=organisation,
            name=name,
            system=system,
            kind=kind,
            client_id=f"{number:x}" * 64,
            public_key=bytes([number]) * 32,
            linked_by=owner,
            linked_at=now - timedelta(days=40 * number),
            seen_at=now - timedelta(hours=200 * number),
            seen_address="2001:db8:1234:5678:9abc:def0:1234:5678",
            expires_at=now + timedelta(hours=20) if kind == Kind.RESTORE else None,
        )
        for number, (name, system, kind) in enumerate(names, start=1)
    ]
    _tell_of_runs(made[0], now)
    return made[0]


def _tell_of_runs(device: Device, now: datetime) -> None:
    """A plan, a run that left something out, which is an alert, and one that lasts."""
    from console_ui.activity import reports, told

    plan = told.ToldPlan(key=uuid.uuid4(), name=LONG_NAME, what=f"/srv/{LONG_NAME}", every_hours=6)
    beat = told.Heartbeat(plans=(plan,))
    reports.take_heartbeat(device, beat, address=device.seen_address, now=now)
    omission = told.ToldOmission(path=f"/srv/{LONG_NAME}/notes", reason="Permission denied")
    ended = told.RunEnded(
        kind="run_ended",
        run=uuid.uuid4(),
        at=now - timedelta(hours=1),
        started_at=now - timedelta(hours=2),
        outcome="incomplete",
        plan=plan.key,
        plan_name=LONG_NAME,
        bytes_added=3_000_000_000,
        omitted=1,
        omissions=(omission,),
    )
    begun = told.RunStarted(
        kind="run_started", run=uuid.uuid4(), at=now, plan=plan.key, plan_name=LONG_NAME
    )
    reports.take_events(device, (ended, begun), now=now)


def _add_vaults(organisation: Organisation, root: Path, now: datetime) -> tuple[Location, Vault]:
    """A vault in every state, in a location that works; one that does not, one never tested."""
    from console_ui.storage.locations import try_connection
    from console_ui.storage.models import Alarm, LocationKind, Reason, State, StoredObject, Vault
    from tests.console.gateways import make_location, make_vault

    cellar = make_location(
        organisation, LocationKind.FOLDER, {"root": str(root), "folder": "vaults"}
    )
    try_connection(cellar)
    s3 = {"endpoint": "https://s3.example", "bucket": "keller-fontana-architects-backups"}
    far = make_location(organisation, LocationKind.S3, s3, name=LONG_NAME)
    far.tested_at = now
    far.test_failure = "s3.example cannot be reached. Check its name and your network."
    far.save()
    make_location(organisation, LocationKind.WEBDAV, {"url": "https://dav.example/"}, name="New")
    vaults = [
        make_vault(organisation, cellar, quota_bytes=(500 << 30) * number) for number in range(4)
    ]
    names = ("Till's PC", "ATELIER-01", LONG_NAME, "render-node")
    for number, (vault, name) in enumerate(zip(vaults, names, strict=True)):
        Vault.objects.filter(pk=vault.pk).update(
            name=name,
            made_at=now - timedelta(days=30),
            visible_bytes=(240 << 30) * (number + 1),
            hidden_bytes=(3 << 30) * number,
            quota_bytes=None if number == 0 else (500 << 30) * number,
        )
    Vault.objects.filter(pk=vaults[3].pk).update(bringing_back_to=now - timedelta(days=1))
    shown = vaults[1]
    Vault.objects.filter(pk=shown.pk).update(console_key="0" * 64)
    Alarm.objects.create(vault=shown, reason=Reason.MANY_POINTS, raised_at=now)
    StoredObject.objects.bulk_create(
        StoredObject(
            vault=shown,
            kind="snapshots",
            name=f"{number:064x}",
            size=400,
            state=State.HIDDEN if number % 3 else State.VISIBLE,
            stored_at=now - timedelta(days=9),
            hidden_at=now - timedelta(hours=number * 5) if number % 3 else None,
        )
        for number in range(12)
    )
    shown.refresh_from_db()
    return cellar, shown


def _wait(now: datetime) -> str:
    """The code of a device that waits for an answer."""
    from backup_agent.services.link.assertion import PublicKey
    from console_ui.devices import linking
    from console_ui.devices.models import Kind

    candidate = linking.Candidate(
        public_key=PublicKey(bytes([9]) * 32),
        name=LONG_NAME,
        system="Windows 11 Pro 24H2",
        address="2001:db8:1234:5678:9abc:def0:1234:5678",
        wish=Kind.BACKUP,
    )
    return linking.begin(candidate, now=now).user_code


def _pages(ids: dict[str, object]) -> dict[str, str]:
    """An address for every pattern in the URLconf that is for people."""
    from django.urls import URLPattern, URLResolver, get_resolver, reverse

    def walk(patterns: list[URLPattern | URLResolver]) -> dict[str, str]:
        found: dict[str, str] = {}
        for each in patterns:
            if str(each.pattern).startswith(_NOT_FOR_PEOPLE):
                continue
            if isinstance(each, URLResolver):
                found |= walk(each.url_patterns)
            else:
                parts = {name: ids[name] for name in each.pattern.converters}
                found[str(each.name)] = reverse(str(each.name), kwargs=parts)
        return found

    return walk(get_resolver("console_ui.urls").url_patterns)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
