"""From a code on a device's screen to a linked device: the Device Authorization Grant, RFC 8628.

::

    device    begin()    -> device code (secret), user code (shown to people)
    person    find()        types the user code, sees what asks
              approve() or refuse()
    device    poll()     -> waiting ... then, once, the linked device

Each step is one transaction. Where two could meet, a conditional UPDATE decides who was first,
so that a code is approved once and redeemed once, whatever is killed in between.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import TypeAlias

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from backup_agent.services.link.assertion import PublicKey, fingerprint
from console_ui.accounts import application_passwords
from console_ui.accounts.models import Organisation, User
from console_ui.audit.actor import Actor, ActorKind
from console_ui.audit.record import record
from console_ui.devices import tokens, user_codes
from console_ui.devices.models import Answer, Device, Kind, LinkRequest, ReadGrant
from console_ui.sealing import keyed_hash

CODE_LIFE = timedelta(minutes=10)
RESTORE_LIFE = timedelta(hours=24)
INTERVAL_SECONDS = 5
_SLOWER_BY_SECONDS = 5  # RFC 8628, 3.5
# Long enough for a device to be told that its code has run out.
_REMEMBERED = timedelta(hours=1)
_DEVICE_CODE_BYTES = 32
_ATTEMPTS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """What a device says about itself. None of it is proved but ``public_key``."""

    public_key: PublicKey
    name: str
    system: str
    address: str
    wish: Kind
    addressed_to: Organisation | None = None


@dataclass(frozen=True, slots=True)
class Begun:
    """Both codes, which are kept nowhere in clear."""

    request: LinkRequest
    user_code: str
    device_code: str


class NotYet(Enum):
    """Why a poll brings no device; the values are RFC 8628's error codes."""

    PENDING = "authorization_pending"
    SLOW_DOWN = "slow_down"
    REFUSED = "access_denied"
    EXPIRED = "expired_token"
    USED_UP = "invalid_grant"


Poll: TypeAlias = NotYet | Device


def begin(candidate: Candidate, *, now: datetime) -> Begun:
    """A new request. What is long over is forgotten."""
    LinkRequest.objects.filter(expires_at__lte=now - _REMEMBERED).delete()
    for _attempt in range(_ATTEMPTS):
        user_code, device_code = user_codes.make(), secrets.token_urlsafe(_DEVICE_CODE_BYTES)
        try:
            with transaction.atomic():
                request = _create(candidate, user_code, device_code, now)
        except IntegrityError:
            continue  # one chance in billions: somebody waits with the same user code
        return Begun(request, user_code, device_code)
    raise RuntimeError("no free device code in five attempts")


def find(typed: str, organisation: Organisation, *, now: datetime) -> LinkRequest | None:
    """The request that waits with this code, for anybody or for this organisation."""
    code = user_codes.parse(typed)
    if code is None:
        return None
    return waiting(organisation, now=now).filter(user_code_hash=_hash_user_code(code)).first()


def waiting(organisation: Organisation, *, now: datetime) -> QuerySet[LinkRequest]:
    """What this organisation may answer, were its code typed."""
    return LinkRequest.objects.filter(
        Q(organisation=None) | Q(organisation=organisation),
        answer=Answer.WAITING,
        expires_at__gt=now,
    )


@transaction.atomic
def approve(
    request: LinkRequest,
    organisation: Organisation,
    *,
    by: User,
    actor: Actor,
    kind: Kind,
    sources: Collection[Device],
    now: datetime,
) -> bool:
    """Whether the caller's answer was the one that counts."""
    answered = (
        waiting(organisation, now=now)
        .filter(pk=request.pk)
        .update(
            answer=Answer.APPROVED,
            answered_at=now,
            answered_by=by,
            organisation=organisation,
            kind=kind,
            source_ids=[str(source.pk) for source in sources],
        )
    )
    if answered:
        _record("device.approved", actor, request, organisation, kind, sources)
    return answered > 0


@transaction.atomic
def refuse(
    request: LinkRequest, organisation: Organisation, *, by: User, actor: Actor, now: datetime
) -> bool:
    """Whether the caller's answer was the one that counts."""
    answered = (
        waiting(organisation, now=now)
        .filter(pk=request.pk)
        .update(answer=Answer.REFUSED, answered_at=now, answered_by=by, organisation=organisation)
    )
    if answered:
        record("device.refused", by=actor, organisation_id=organisation.pk, about=request.name)
    return answered > 0


def find_by_device_code(device_code: str) -> LinkRequest | None:
    return LinkRequest.objects.filter(device_code_hash=_hash_device_code(device_code)).first()


@transaction.atomic
def poll(request: LinkRequest, *, address: str, now: datetime) -> Poll:
    """What became of the request; the device must have proved that it holds the key."""
    request = LinkRequest.objects.select_for_update().get(pk=request.pk)
    match Answer(request.answer):
        case Answer.REDEEMED:
            return NotYet.USED_UP
        case Answer.REFUSED:
            return NotYet.REFUSED
        case _ if request.expires_at <= now:
            return NotYet.EXPIRED
        case Answer.APPROVED:
            return _redeem(request, address=address, now=now)
        case Answer.WAITING:
            return _wait(request, now)


def _wait(request: LinkRequest, now: datetime) -> NotYet:
    earliest = request.polled_at and request.polled_at + timedelta(seconds=request.interval)
    request.polled_at = now
    too_early = earliest is not None and now < earliest
    if too_early:
        request.interval += _SLOWER_BY_SECONDS
    request.save(update_fields=["polled_at", "interval"])
    return NotYet.SLOW_DOWN if too_early else NotYet.PENDING


def _redeem(request: LinkRequest, *, address: str, now: datetime) -> Poll:
    """Make the device. The caller holds the row, so this happens once for each request; of two
    approved requests with the same key, the second finds its device there already.
    """
    request.answer = Answer.REDEEMED
    request.save(update_fields=["answer"])
    assert request.organisation is not None, "an approved request has an organisation"
    assert request.answered_at is not None, "an approved request was answered"
    kind, until = Kind(request.kind), request.answered_at + RESTORE_LIFE
    try:
        with transaction.atomic():
            device = Device.objects.create(
                organisation=request.organisation,
                name=request.name,
                system=request.system,
                kind=kind,
                client_id=request.client_id,
                public_key=request.public_key,
                linked_by=request.answered_by,
                linked_at=now,
                expires_at=until if kind is Kind.RESTORE else None,
                seen_at=now,
                seen_address=address,
            )
    except IntegrityError:
        return NotYet.USED_UP
    sources = Device.objects.of(request.organisation).filter(pk__in=request.source_ids)
    ReadGrant.objects.bulk_create(
        ReadGrant(reader=device, source=source, expires_at=until) for source in sources
    )
    record(
        "device.linked",
        by=actor_of(device, address=address),
        organisation_id=request.organisation.pk,
        about=device.name,
        details={"kind": kind.value, "key": device.short_key},
    )
    return device


@transaction.atomic
def remove(device: Device, *, actor: Actor, now: datetime) -> None:
    """Its tokens, its key and the application passwords made for it open nothing from now on.
    What it has backed up stays.
    """
    Device.objects.filter(pk=device.pk).update(revoked_at=now)
    tokens.revoke_all(device)
    record(
        "device.removed",
        by=actor,
        organisation_id=device.organisation_id,
        about=device.name,
        details={"application_passwords_revoked": application_passwords.close(device.pk)},
    )


def actor_of(device: Device, *, address: str) -> Actor:
    """How the audit log names a device."""
    return Actor(kind=ActorKind.DEVICE, id=str(device.pk), name=device.name, address=address)


def _create(candidate: Candidate, user_code: str, device_code: str, now: datetime) -> LinkRequest:
    return LinkRequest.objects.create(
        user_code_hash=_hash_user_code(user_code),
        device_code_hash=_hash_device_code(device_code),
        client_id=fingerprint(candidate.public_key),
        public_key=candidate.public_key,
        name=candidate.name,
        system=candidate.system,
        address=candidate.address,
        wish=candidate.wish,
        made_at=now,
        expires_at=now + CODE_LIFE,
        interval=INTERVAL_SECONDS,
        organisation=candidate.addressed_to,
    )


def _record(
    action: str,
    actor: Actor,
    request: LinkRequest,
    organisation: Organisation,
    kind: Kind,
    sources: Collection[Device],
) -> None:
    record(
        action,
        by=actor,
        organisation_id=organisation.pk,
        about=request.name,
        details={
            "kind": kind.value,
            "key": request.short_key,
            "from": request.address,
            "may_read": ", ".join(sorted(source.name for source in sources)),
        },
    )


def _hash_user_code(code: str) -> str:
    return keyed_hash(code, context="device-code")


def _hash_device_code(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
