"""What a console does by itself, round after round, in a thread of its own.

Bring-backs that were broken off go on, the catalog is compared with the storage after each start
and once a day, and what was hidden 14 days ago goes, as do sessions and counters whose time is
over. Of several processes on one database only the one that holds the lease does it.
"""

from __future__ import annotations

import logging
import secrets
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import connections
from django.utils import timezone

from backup_agent.errors import EverbootError
from backup_agent.services.vault import VaultStore
from console_ui.accounts.forgetting import forget_old
from console_ui.audit.actor import THE_CONSOLE
from console_ui.audit.record import record
from console_ui.storage import alarms, bringing_back, reconcile
from console_ui.storage.held_lease import HeldLease
from console_ui.storage.models import Lease, Vault
from console_ui.storage.purge import purge
from console_ui.storage.stores import stores

_log = logging.getLogger(__name__)

_PAUSE_SECONDS = 600.0
_LEASE = "storage-housekeeping"


class Housekeeping:
    """Rounds over all vaults, ten minutes apart, until it is told to stop."""

    def __init__(self) -> None:
        self._holder = secrets.token_hex(16)
        self._wake = threading.Event()
        self._stopping = False
        self._compared: set[uuid.UUID] = set()
        self._thread = threading.Thread(target=self._run, name="housekeeping", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """Begin the next round now: somebody waits for it."""
        self._wake.set()

    def stop(self) -> None:
        """Wait until the object at hand is done."""
        self._stopping = True
        self._wake.set()
        self._thread.join()

    def round(self, *, now: datetime) -> None:
        """Look after every vault, if nobody else does, and forget what is over."""
        with HeldLease(_LEASE, holder=self._holder) as lease:

            def go_on() -> bool:
                return lease.is_held and not self._stopping

            for vault_id in list(Vault.objects.values_list("pk", flat=True)):
                if not go_on():
                    return
                if vault_id not in self._compared:
                    # The database may be an older copy, put back while the console was off.
                    Vault.objects.filter(pk=vault_id).update(reconciled_at=None)
                    self._compared.add(vault_id)
                _look_after(vault_id, now, go_on)
            if go_on():
                forget_old()

    def _run(self) -> None:
        while not self._stopping:
            with _own_connection():
                try:
                    self.round(now=timezone.now())
                except Exception:
                    # A database that restarts must not end the purging for good.
                    _log.exception("housekeeping failed; it tries again")
            self._wake.wait(_PAUSE_SECONDS)
            self._wake.clear()
        with _own_connection():
            # The next process need not wait until it ends by itself.
            Lease.release(_LEASE, holder=self._holder)


def _look_after(vault_id: uuid.UUID, now: datetime, go_on: Callable[[], bool]) -> None:
    """One vault that is broken, or whose location is down, keeps no other from its turn."""
    try:
        # As it is now: a round over many vaults can take hours.
        vaults = Vault.objects.select_related("location", "organisation")
        vault = vaults.filter(pk=vault_id).first()
        if vault is not None:
            _do_what_is_due(vault, stores.of(vault), now, go_on)
    except EverbootError as exc:
        _log.warning("vault %s: %s", vault_id, exc.message)
    except Exception:
        # Whatever an odd row or an odd answer of a storage server makes of the code.
        _log.exception("vault %s could not be looked after", vault_id)


def _do_what_is_due(
    vault: Vault, store: VaultStore, now: datetime, go_on: Callable[[], bool]
) -> None:
    if vault.bringing_back_to is not None:
        _finish_bringing_back(vault, store, now)
    if vault.reconciled_at is None or now - vault.reconciled_at >= reconcile.EVERY:
        reconcile.reconcile(vault, store, now=now)
    alarms.look_again(vault, now=now)
    gone = purge(vault, store, now=now, go_on=go_on)
    if gone:
        record(
            "vault.purged",
            by=THE_CONSOLE,
            organisation_id=vault.organisation_id,
            about=vault.name,
            details={"objects": gone},
        )


def _finish_bringing_back(vault: Vault, store: VaultStore, now: datetime) -> None:
    moment = vault.bringing_back_to
    bringing_back.carry_out(vault, store, now=now)
    vault.refresh_from_db()
    record(
        "vault.brought_back",
        by=THE_CONSOLE,
        organisation_id=vault.organisation_id,
        about=vault.name,
        details={"moment": moment.isoformat() if moment else ""},
    )


@contextmanager
def _own_connection() -> Iterator[None]:
    try:
        yield
    finally:
        connections.close_all()


housekeeping = Housekeeping()
"""That of this process; the server starts it."""
