"""Looking for what did not happen: devices that fell silent, and vaults that fill up.

A thread of its own in each server process; of several on one database, the one with the lease
does it.
"""

from __future__ import annotations

import logging
import secrets
import threading
from datetime import datetime, timedelta

from django.db import connections
from django.utils import timezone

from console_ui.accounts.models import Organisation
from console_ui.activity.glance import judged_devices
from console_ui.activity.models import Thresholds
from console_ui.activity.state import State
from console_ui.alerts.models import Alert, AlertKind
from console_ui.alerts.outlived import end_outlived
from console_ui.alerts.raising import end_alerts, raise_alert
from console_ui.storage.models import Lease, Vault

_log = logging.getLogger(__name__)

_PAUSE_SECONDS = 300.0
_LEASE = "alerts-watch"
_LEASE_LENGTH = timedelta(minutes=15)
_ALL_PERCENT = 100


def look(*, now: datetime) -> None:
    """Once over all organisations."""
    for organisation in Organisation.objects.all():
        thresholds = Thresholds.of(organisation)
        end_outlived(organisation, now=now)
        _look_at_devices(organisation, now)
        _look_at_vaults(organisation, thresholds.full_percent, now)


def _look_at_devices(organisation: Organisation, now: datetime) -> None:
    silent = set()
    for judged in judged_devices(organisation, now=now):
        if judged.state is not State.SILENT:
            continue
        silent.add(str(judged.device.pk))
        raise_alert(
            AlertKind.SILENT,
            organisation,
            subject_id=judged.device.pk,
            subject=judged.device.name,
            number=judged.judgement.silent_days,
            now=now,
        )
    _end_others(organisation, AlertKind.SILENT, silent, now)


def _look_at_vaults(organisation: Organisation, full_percent: int, now: datetime) -> None:
    full = set()
    for vault in Vault.objects.of(organisation).exclude(quota_bytes=None):
        percent = _ALL_PERCENT * vault.visible_bytes // max(vault.quota_bytes or 0, 1)
        if percent < full_percent:
            continue
        full.add(str(vault.pk))
        raise_alert(
            AlertKind.VAULT_FULL,
            organisation,
            subject_id=vault.pk,
            subject=vault.name,
            number=percent,
            now=now,
        )
    _end_others(organisation, AlertKind.VAULT_FULL, full, now)


def _end_others(
    organisation: Organisation, kind: AlertKind, still: set[str], now: datetime
) -> None:
    lasting = Alert.objects.of(organisation).filter(kind=kind, ended_at=None)
    for alert in lasting.exclude(subject_id__in=still):
        end_alerts(kind, subject_id=alert.subject_id, now=now)


class Watch:
    """Rounds, some minutes apart, until it is told to stop."""

    def __init__(self) -> None:
        self._holder = secrets.token_hex(16)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Wait until the round at hand is done."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                now = timezone.now()
                if Lease.take(_LEASE, holder=self._holder, now=now, length=_LEASE_LENGTH):
                    look(now=now)
            except Exception:
                # A database that restarts must not end the watch for good.
                _log.exception("the watch failed; it tries again")
            finally:
                connections.close_all()
            self._stop.wait(_PAUSE_SECONDS)
        try:
            Lease.release(_LEASE, holder=self._holder)
        finally:
            connections.close_all()


watch = Watch()
"""That of this process; the server starts it."""
