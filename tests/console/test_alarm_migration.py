"""What vaults of an older database are given: a retention, and how far back they can go."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

BEFORE, AFTER = [("storage", "0002_uploads")], [("storage", "0003_alarms")]
DAY = timedelta(days=1)


@pytest.fixture
def older(transactional_db: None) -> Iterator[Any]:
    """The models of the database as it was."""
    executor = MigrationExecutor(connection)
    executor.migrate(BEFORE)
    yield executor.loader.project_state(BEFORE).apps
    MigrationExecutor(connection).migrate(MigrationExecutor(connection).loader.graph.leaf_nodes())


def test_older_vaults_get_a_retention_and_a_way_back_of_fourteen_days(older: Any) -> None:
    organisation = older.get_model("accounts", "Organisation").objects.create(name="Keller")
    location = older.get_model("storage", "Location").objects.create(
        organisation=organisation, name="Cellar", kind="folder", sealed_secrets=b""
    )
    vaults = older.get_model("storage", "Vault").objects

    def make(name: str, *, age: timedelta, **values: int) -> None:
        vault = vaults.create(organisation=organisation, location=location, name=name, **values)
        vaults.filter(pk=vault.pk).update(made_at=timezone.now() - age)

    make("no rules", age=90 * DAY)
    make("own rules", age=90 * DAY, keep_last=3)
    make("young", age=3 * DAY)
    make("alarmed", age=90 * DAY)
    older.get_model("storage", "Alarm").objects.create(
        vault=vaults.get(name="alarmed"), reason="points", raised_at=timezone.now() - 20 * DAY
    )

    executor = MigrationExecutor(connection)
    executor.migrate(AFTER)
    newer = executor.loader.project_state(AFTER).apps.get_model("storage", "Vault").objects
    rules = ("keep_last", "keep_daily", "keep_weekly", "keep_monthly")
    kept = {v["name"]: tuple(v[r] for r in rules) for v in newer.values("name", *rules)}
    ago = {
        v.name: v.purged_until and round((timezone.now() - v.purged_until) / DAY)
        for v in newer.all()
    }

    assert kept["no rules"] == kept["young"] == kept["alarmed"] == (0, 7, 4, 12)
    assert kept["own rules"] == (3, 0, 0, 0)
    assert ago == {"no rules": 14, "own rules": 14, "young": None, "alarmed": 34}
