"""Django for the tests in this folder: every test that asks for a database runs on both."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from console_ui.django_settings import configure
from console_ui.settings import Settings, Sqlite
from tests.servers.postgresql import postgresql

if TYPE_CHECKING:
    from django.test import Client
    from pytest_django import Settings as DjangoSettings

    from tests.console.gateways import Device
    from tests.console.people import Office
    from tests.console.restoring import Restorer, Stored

_FOLDER = pytest.StashKey[Path]()


def pytest_configure(config: pytest.Config) -> None:
    """Django is one for the whole process, so it is told here, before tests are imported."""
    folder = Path(tempfile.mkdtemp(prefix="everboot-console-"))
    config.stash[_FOLDER] = folder
    configure(
        Settings(
            data=folder,
            public_address="http://localhost:8470",
            database=Sqlite(file=folder / "console.sqlite3"),
            storage_roots=(folder / "vaults",),
        )
    )


def pytest_unconfigure(config: pytest.Config) -> None:
    shutil.rmtree(config.stash[_FOLDER])


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Iterator[str]:
    """Which database the test runs on."""
    from django.conf import settings

    sqlite = dict(settings.DATABASES["default"])
    # A file, not memory: threads that write at once must meet the locks of real life.
    sqlite["TEST"] = {"NAME": str(request.config.stash[_FOLDER] / "test.sqlite3")}
    if request.param == "sqlite":
        _use(sqlite)
        yield "sqlite"
        return
    with postgresql() as cluster:
        _use(
            {
                "ENGINE": "django.db.backends.postgresql",
                "NAME": "console",
                "USER": cluster.user,
                "HOST": str(cluster.folder),
            }
        )
        yield "postgresql"
        from django.db import connections

        connections.close_all()
    _use(sqlite)


def _use(database: dict[str, object]) -> None:
    """Point Django at another database: it has no public way for that."""
    from django.conf import settings
    from django.db import connections

    connections.close_all()
    settings.DATABASES = {"default": database}
    connections._settings = None  # type: ignore[attr-defined]
    connections.__dict__.pop("settings", None)
    connections.__dict__.pop("databases", None)
    if connections.all(initialized_only=True):
        del connections["default"]


@pytest.fixture(scope="session")
def django_db_modify_db_settings(database: str) -> None:
    """pytest-django makes the test database after this, so once for each."""


@pytest.fixture(scope="session", autouse=True)
def audit_log_emptied_between_tests() -> Iterator[None]:
    """Tests that commit have their tables emptied after them, which the log's guards refuse.

    Django emits ``post_migrate`` afterwards, so that the next test finds the guards again.
    """
    from django.db import connection
    from django.test import TransactionTestCase

    from console_ui.audit.append_only import unguard

    # No part of Django's public interface, and so not of its type stubs.
    empty = TransactionTestCase._fixture_teardown  # type: ignore[attr-defined]

    def unguarded(case: TransactionTestCase) -> None:
        unguard(connection)
        empty(case)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", unguarded)
        yield


@pytest.fixture(scope="session", autouse=True)
def permissions_not_made() -> None:
    """Nothing of ours asks for Django's permissions, and making them anew for each emptied
    database takes longer than all else that is done between two tests.
    """
    from django.db.models.signals import post_migrate

    maker = "django.contrib.auth.management.create_permissions"
    assert post_migrate.disconnect(dispatch_uid=maker)


@pytest.fixture(autouse=True)
def done_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is put off until after an answer is done before it: a test's transaction is seen by
    its own thread only.
    """
    monkeypatch.setattr("console_ui.accounts.pages.password.do_afterwards", lambda work: work())


@pytest.fixture
def office(db: None) -> Office:
    """An organisation with one member in each role."""
    from tests.console.people import make_office

    return make_office("Keller Fontana Architects")


@pytest.fixture
def other_office(db: None) -> Office:
    """Another one, which must never see or touch the first."""
    from tests.console.people import make_office

    return make_office("Other & Co")


@pytest.fixture
def owner(client: Client, office: Office) -> Client:
    """A browser in which the owner is logged in."""
    client.force_login(office.owner)
    return client


@pytest.fixture
def device(transactional_db: None, tmp_path: Path) -> Iterator[Device]:
    """A device with a vault in a folder, in front of a gateway that listens."""
    from console_ui.django_settings import console_settings
    from console_ui.storage.models import LocationKind
    from tests.console.gateways import (
        Device,
        make_location,
        make_password,
        make_vault,
        running_gateway,
    )
    from tests.console.people import make_office

    office = make_office("Keller Fontana Architects")
    root = console_settings().storage_roots[0]
    root.mkdir(exist_ok=True)
    fields = {"root": str(root), "folder": tmp_path.name}
    location = make_location(office.organisation, LocationKind.FOLDER, fields)
    vault = make_vault(office.organisation, location)
    password = make_password(office.owner, office.organisation)
    with running_gateway(tmp_path) as gateway:
        yield Device(gateway, vault, office.owner.login_id, password, tmp_path)


@pytest.fixture(scope="session")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Stored:
    """A repository with files and a disk in it; each test has a copy of it."""
    from tests.console.restoring import store_documents

    return store_documents(tmp_path_factory.mktemp("stored"))


@pytest.fixture
def mira(
    stored: Stored, transactional_db: None, office: Office, settings: DjangoSettings, tmp_path: Path
) -> Iterator[Restorer]:
    """The owner, who restores from a vault with files and a disk in it."""
    from tests.console.restoring import restorer

    with restorer(stored, office, settings, tmp_path) as found:
        yield found
