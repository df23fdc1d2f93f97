"""Triggers that make the database itself refuse to change the audit log.

``models.Entry`` refuses in Python; these refuse whatever else writes to the same database: a
shell, another program, a mistake of ours in SQL. Whoever owns the database can drop a trigger,
so that the chain of hashes stays the proof (``chain.first_broken_link``); the triggers keep
honest hands off.

They are put in place after every migration, not by one: SQLite builds a table anew to change
it, and its triggers go with the old one.
"""

from __future__ import annotations

from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

_TOLD = "The audit log can only be added to."

_SQLITE = (
    f"""CREATE TRIGGER IF NOT EXISTS audit_entry_unchanged BEFORE UPDATE ON audit_entry
        BEGIN SELECT RAISE(ABORT, '{_TOLD}'); END""",
    f"""CREATE TRIGGER IF NOT EXISTS audit_entry_kept BEFORE DELETE ON audit_entry
        BEGIN SELECT RAISE(ABORT, '{_TOLD}'); END""",
    # REPLACE deletes what is in its way, and fires no trigger for that.
    f"""CREATE TRIGGER IF NOT EXISTS audit_entry_added BEFORE INSERT ON audit_entry
        WHEN EXISTS (SELECT 1 FROM audit_entry WHERE id = NEW.id
            OR (organisation_id = NEW.organisation_id AND sequence = NEW.sequence))
        BEGIN SELECT RAISE(ABORT, '{_TOLD}'); END""",  # noqa: S608 (nothing comes from outside)
)

_POSTGRESQL = (
    f"""CREATE OR REPLACE FUNCTION audit_entry_refuse() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION '{_TOLD}'; END $$""",
    """CREATE OR REPLACE TRIGGER audit_entry_unchanged BEFORE UPDATE OR DELETE ON audit_entry
        FOR EACH ROW EXECUTE FUNCTION audit_entry_refuse()""",
    # TRUNCATE fires no trigger for rows.
    """CREATE OR REPLACE TRIGGER audit_entry_kept BEFORE TRUNCATE ON audit_entry
        FOR EACH STATEMENT EXECUTE FUNCTION audit_entry_refuse()""",
)

_TRIGGERS = ("audit_entry_unchanged", "audit_entry_kept", "audit_entry_added")


def guard(connection: BaseDatabaseWrapper) -> None:
    """Put the triggers in place; those that stand there stay."""
    statements = _SQLITE if connection.vendor == "sqlite" else _POSTGRESQL
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def unguard(connection: BaseDatabaseWrapper) -> None:
    """Take the triggers away, as only the database's owner can."""
    on = "" if connection.vendor == "sqlite" else " ON audit_entry"
    with connection.cursor() as cursor:
        for trigger in _TRIGGERS:
            cursor.execute(f"DROP TRIGGER IF EXISTS {trigger}{on}")


def guard_after_migration(*, using: str, **_signal: Any) -> None:
    """For Django's ``post_migrate``."""
    guard(connections[using])
