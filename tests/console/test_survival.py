"""TLS, proxies, and what a console that was killed still knows."""

from __future__ import annotations

import itertools
import json
import ssl
import threading
from http.cookies import SimpleCookie
from pathlib import Path

import httpx
import pytest

from tests.console.running import RunningConsole, running_console
from tests.servers.authority import make_certificates

_WRITTEN_BEFORE_THE_KILL = 8


def test_with_tls_every_cookie_is_bound_to_the_host_and_never_leaves_it_in_clear(
    tmp_path: Path,
) -> None:
    files = make_certificates(tmp_path)
    options = ("--tls-certificate", str(files.certificate), "--tls-key", str(files.key))
    with (
        running_console(tmp_path, *options) as console,
        httpx.Client(
            base_url=console.address, verify=ssl.create_default_context(cafile=files.authority)
        ) as client,
    ):
        answers = [client.get("/setup"), create_owner(client, console, "__Host-everboot-csrf")]

    cookies = [SimpleCookie(text) for a in answers for text in a.headers.get_list("set-cookie")]
    found = {name: morsel for cookie in cookies for name, morsel in cookie.items()}
    assert set(found) == {"__Host-everboot-csrf", "__Host-everboot-session"}
    assert all(each["secure"] and each["httponly"] for each in found.values())
    assert {each["path"] for each in found.values()} == {"/"}
    assert {each["domain"] for each in found.values()} == {""}
    assert "max-age" in answers[0].headers["Strict-Transport-Security"]


@pytest.mark.parametrize(("trusted", "told"), [(True, "203.0.113.9"), (False, "127.0.0.1")])
def test_only_a_trusted_proxy_may_say_who_the_client_is(
    tmp_path: Path, trusted: bool, told: str
) -> None:
    options = ("--trust-proxy", "127.0.0.1") if trusted else ()
    with (
        running_console(tmp_path, *options) as console,
        httpx.Client(
            base_url=console.address, headers={"X-Forwarded-For": "203.0.113.9"}
        ) as client,
    ):
        client.get("/setup")
        create_owner(client, console, "everboot-csrf")
        exported = client.get("/audit/export").text

    assert {json.loads(line)["address"] for line in exported.splitlines()} == {told}


@pytest.mark.parametrize(("proxy", "promised"), [("127.0.0.1", True), ("192.0.2.7", False)])
def test_only_a_trusted_proxy_may_say_that_tls_was_spoken(
    tmp_path: Path, proxy: str, promised: bool
) -> None:
    with running_console(tmp_path, "--trust-proxy", proxy) as console:
        answer = httpx.get(console.address, headers={"X-Forwarded-Proto": "https"})

    assert ("Strict-Transport-Security" in answer.headers) is promised


@pytest.mark.parametrize("round_number", range(3))
def test_a_console_that_is_killed_while_it_writes_loses_nothing_it_has_answered(
    tmp_path: Path, round_number: int
) -> None:
    answered: list[str] = []
    enough = threading.Event()
    with running_console(tmp_path) as console, httpx.Client(base_url=console.address) as client:
        client.get("/setup")
        create_owner(client, console, "everboot-csrf")

        def write() -> None:
            for number in itertools.count():
                email = f"guest{number}@keller.example"
                try:
                    post_form(client, "/people/invite", email=email, role="viewer")
                except httpx.TransportError:
                    return
                answered.append(email)
                if len(answered) == _WRITTEN_BEFORE_THE_KILL + round_number:
                    enough.set()

        writer = threading.Thread(target=write)
        writer.start()
        assert enough.wait(60)
        console.server.process.kill()
        writer.join()
        cookies = dict(client.cookies)

    with (
        running_console(tmp_path) as again,
        httpx.Client(base_url=again.address, cookies=cookies) as client,
    ):
        page = client.get("/people").text
        lines = [json.loads(each) for each in client.get("/audit/export").text.splitlines()]
        checked = client.get("/audit?check").text

    written = [line["about"] for line in lines if line["action"] == "member.invited"]
    assert [email for email in answered if email not in page or email not in written] == []
    assert "chain is whole" in checked


def create_owner(client: httpx.Client, console: RunningConsole, cookie: str) -> httpx.Response:
    answer = client.post(
        "/setup",
        headers={"Referer": f"{console.address}/setup"},
        data={
            "csrfmiddlewaretoken": client.cookies[cookie],
            "token": console.set_up_link.partition("#")[2],
            "organisation": "Keller",
            "name": "Mira Keller",
            "email": "mira@keller.example",
            "password": "several words of mine",
        },
    )
    assert answer.headers.get("Location") == "/2fa", answer.text
    return answer


def post_form(client: httpx.Client, path: str, **fields: str) -> None:
    token = client.cookies["everboot-csrf"]
    answer = client.post(path, data={"csrfmiddlewaretoken": token, **fields})
    assert answer.headers.get("Location") == "/people", answer.text
