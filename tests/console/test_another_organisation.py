"""More than one organisation on a console: a link that only whoever runs it can make."""

from __future__ import annotations

import sys
from pathlib import Path

import httpx
import pytest
from django.test import Client

from console_ui.accounts import secret_links
from console_ui.accounts.models import Organisation, Purpose, User
from tests.console.people import Office
from tests.console.running import REPOSITORY, running_console
from tests.console.test_survival import create_owner
from tests.servers.process import ServerFailedError, run

FORM = {
    "organisation": "Fontana",
    "name": "Ada Fontana",
    "email": "ada@fontana.example",
    "password": "several words of mine",
}


def token() -> str:
    return secret_links.make(Purpose.SET_UP).partition("#")[2]


def test_a_link_makes_another_organisation_beside_the_first(client: Client, office: Office) -> None:
    assert client.get("/setup").status_code == 404
    link = token()
    assert "Set up an organisation" in client.get("/setup").content.decode()

    answer = client.post("/setup", {**FORM, "token": link})

    assert answer.headers["Location"] == "/2fa"
    membership = User.objects.get(email="ada@fontana.example").memberships.get()
    assert (membership.organisation.name, membership.role) == ("Fontana", "owner")
    people = client.get("/people").content.decode()
    assert office.owner.email not in people
    assert Client().get("/setup").status_code == 404


def test_without_the_token_nobody_makes_an_organisation(client: Client, office: Office) -> None:
    token()

    answer = client.post("/setup", {**FORM, "token": "x" * 43})

    assert answer.status_code == 200
    assert Organisation.objects.count() == 1


def test_an_address_that_has_an_account_is_refused_and_the_link_goes_on_working(
    client: Client, office: Office
) -> None:
    link = token()

    refused = client.post("/setup", {**FORM, "email": office.viewer.email, "token": link})

    assert "account with this address already" in refused.content.decode()
    assert Organisation.objects.count() == 1
    assert client.post("/setup", {**FORM, "token": link}).status_code == 302


def test_who_has_no_link_does_not_learn_which_addresses_have_accounts(
    client: Client, office: Office
) -> None:
    token()

    refused = client.post("/setup", {**FORM, "email": office.viewer.email, "token": "x" * 43})

    assert "account with this address" not in refused.content.decode()


def test_an_empty_console_says_where_its_link_is(db: None, client: Client) -> None:
    assert "--set-up-link" in client.get("/").content.decode()


def test_a_console_with_accounts_does_not_speak_of_set_up(client: Client, office: Office) -> None:
    assert "--set-up-link" not in client.get("/").content.decode()


def test_the_command_prints_a_link_beside_a_running_console(tmp_path: Path) -> None:
    with running_console(tmp_path) as console:
        with httpx.Client(base_url=console.address) as client:
            client.get("/setup")
            create_owner(client, console, "everboot-csrf")
        printed = set_up_link(tmp_path, "--public-address", console.address)
        assert printed.startswith(f"{console.address}/setup#")
        with httpx.Client(base_url=console.address) as client:
            client.get("/setup")
            form = {
                **FORM,
                "csrfmiddlewaretoken": client.cookies["everboot-csrf"],
                "token": printed.partition("#")[2],
            }
            assert client.post("/setup", data=form).headers["Location"] == "/2fa"


def test_a_link_for_a_console_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ServerFailedError, match="no console in"):
        set_up_link(tmp_path)
    assert not (tmp_path / "data").exists()


def set_up_link(folder: Path, *options: str) -> str:
    command = (sys.executable, "-m", "backup_agent", "console", "--set-up-link")
    environment = {"PYTHONPATH": str(REPOSITORY)}
    return run(
        (*command, "--data", str(folder / "data"), *options), folder=folder, environment=environment
    ).strip()
