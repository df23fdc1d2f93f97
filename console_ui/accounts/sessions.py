"""Sessions in the database, under the hash of what the browser holds.

Whoever reads the table can therefore not take over a session: a cookie cannot be made out
of a hash. A session ends after an hour without a request and twelve hours after its login.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.db.models import Q
from django.utils import timezone

from console_ui.accounts.models.session import SessionRow
from console_ui.accounts.visitor import UNKNOWN_VISITOR, Visitor

IDLE = timedelta(hours=1)
LONGEST = timedelta(hours=12)


def row_key(session_key: str) -> str:
    """The key of the row for what the cookie holds (130 random bits: no salt is needed)."""
    return hashlib.sha256(session_key.encode()).hexdigest()[:40]


class SessionStore(DatabaseStore):
    """Django's database store, with hashed keys and limits."""

    visitor: Visitor = UNKNOWN_VISITOR

    @classmethod
    def get_model_class(cls) -> type[SessionRow]:
        return SessionRow

    def exists(self, session_key: str) -> bool:
        return SessionRow.objects.filter(session_key=row_key(session_key)).exists()

    async def aexists(self, session_key: str) -> bool:
        return await sync_to_async(self.exists)(session_key)

    def create_model_instance(self, data: dict[str, Any]) -> SessionRow:
        key = row_key(self._session_key_or_new())
        # Saving writes all columns: what the row knew about its beginning is kept.
        row = SessionRow.objects.filter(session_key=key).first() or SessionRow(session_key=key)
        row.session_data = self.encode(data)
        row.expire_date = self.get_expiry_date()
        row.user_id = data.get("_auth_user_id")
        row.address = self.visitor.address
        row.browser = self.visitor.browser
        return row

    def _session_key_or_new(self) -> str:
        return str(self._get_or_create_session_key())  # type: ignore[attr-defined] # private, so not in the stubs

    async def acreate_model_instance(self, data: dict[str, Any]) -> SessionRow:
        return await sync_to_async(self.create_model_instance)(data)

    def _get_session_from_db(self) -> SessionRow | None:
        now = timezone.now()
        row = SessionRow.objects.filter(
            session_key=row_key(self.session_key or ""),
            expire_date__gt=now,
            seen_at__gt=now - IDLE,
            created_at__gt=now - LONGEST,
        ).first()
        if row is None:
            self._session_key = None
        return row

    async def _aget_session_from_db(self) -> SessionRow | None:
        return await sync_to_async(self._get_session_from_db)()

    def delete(self, session_key: str | None = None) -> None:
        if (key := session_key or self.session_key) is not None:
            SessionRow.objects.filter(session_key=row_key(key)).delete()

    @classmethod
    def clear_expired(cls) -> None:
        """Delete the rows of sessions that have ended, in whichever way."""
        now = timezone.now()
        idle, old = Q(seen_at__lt=now - IDLE), Q(created_at__lt=now - LONGEST)
        SessionRow.objects.filter(Q(expire_date__lt=now) | idle | old).delete()

    async def adelete(self, session_key: str | None = None) -> None:
        await sync_to_async(self.delete)(session_key)

    def touch(self) -> None:
        """Note that the session is in use, at most once a minute."""
        if self.session_key:
            now = timezone.now()
            SessionRow.objects.filter(
                session_key=row_key(self.session_key), seen_at__lt=now - timedelta(minutes=1)
            ).update(seen_at=now)
