"""Bringing an older database up to date at start, with a copy of it kept before anything changes.

Only SQLite is copied: it is one file of ours. A PostgreSQL database belongs to a server that has
its own backups, see docs/console.md.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import assert_never

from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from backup_agent.errors import HostError
from console_ui.settings import Database, Postgresql, Sqlite


def upgrade(database: Database) -> Iterator[str]:
    """Apply what is missing; yields what to tell about it.

    Raises ``HostError`` for a database that a newer program has already changed: its tables are
    unknown here, so nothing is touched.
    """
    executor = MigrationExecutor(connection)
    applied = set(executor.loader.applied_migrations)
    if unknown := applied - set(executor.loader.disk_migrations):
        app, name = max(unknown)
        raise HostError(
            f"The database was made by a newer Everboot (it knows {app} {name}).",
            hint="Start the newer version again, or put back the copy from before the upgrade.",
        )
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if applied and missing:
        yield from _copied(database)
    call_command("migrate", interactive=False, verbosity=0)


def _copied(database: Database) -> Iterator[str]:
    match database:
        case Sqlite(file=file):
            copy = file.with_name(f"{file.stem}-before-{timezone.now():%Y%m%d-%H%M%S}.sqlite3")
            copy_database(file, copy)
            yield f"The database is brought up to date; as it was, it is kept in {copy}"
        case Postgresql():
            yield "The database is brought up to date."
        case _:
            assert_never(database)


def copy_database(file: Path, copy: Path) -> None:
    """A complete copy, also of a database in use: SQLite's online backup."""
    copy.touch(mode=0o600, exist_ok=False)
    with (
        contextlib.closing(sqlite3.connect(file)) as source,
        contextlib.closing(sqlite3.connect(copy)) as target,
    ):
        source.backup(target)
