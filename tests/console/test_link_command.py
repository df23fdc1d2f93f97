"""``everboot link`` and ``vault:`` against a console that runs; curl plays RFC 8628."""

from __future__ import annotations

import contextlib
import hashlib
import json
import sqlite3
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from backup_agent.crypto.signature import SigningKey, fingerprint, new_signing_key
from backup_agent.errors import LinkRefusedError
from backup_agent.services.link.assertion import ASSERTION_TYPE, encode_public_key, make
from backup_agent.services.link.console import ConsoleClient
from backup_agent.services.link.identity import Console, DeviceIdentity, identity_file, keep
from backup_agent.services.link.vaults import reach
from backup_agent.storage.addresses import StorageOptions, open_backend
from backup_agent.storage.backend import Backend, FileKind, ObjectKey
from tests.command_line import CommandLine
from tests.console.live_owner import LiveOwner, add_folder, become_owner
from tests.console.running import RunningConsole, running_console
from tests.servers.authority import make_certificates

pytestmark = pytest.mark.usefixtures("weak_keys")

_PASSWORD = "a password of mine"
GRANT = "urn:ietf:params:oauth:grant-type:device_code"


@pytest.fixture
def owner(tmp_path: Path) -> Iterator[LiveOwner]:
    with live(tmp_path) as found:
        add_folder(found.console, tmp_path)
        yield found


@contextlib.contextmanager
def live(folder: Path, *options: str, authority: Path | None = None) -> Iterator[LiveOwner]:
    verify = ssl.create_default_context(cafile=authority) if authority else True
    with (
        running_console(folder, "--storage-root", str(folder), *options) as console,
        httpx.Client(base_url=console.address, verify=verify) as http,
    ):
        yield become_owner(console, http)


def test_curl_plays_every_answer_of_rfc_8628(owner: LiveOwner) -> None:
    address, key = owner.console.address, new_signing_key()
    codes = curl(address, "device_authorization", key, public_key=encode_public_key(key.public_key))
    poll = {"grant_type": GRANT, "device_code": codes["device_code"]}

    assert curl(address, "token", key, **poll)["error"] == "authorization_pending"
    assert curl(address, "token", key, **poll)["error"] == "slow_down"
    owner.approve(codes["user_code"])
    granted = curl(address, "token", key, **poll)
    assert granted["token_type"] == "Bearer"
    assert curl(address, "token", key, **poll)["error"] == "invalid_grant"
    assert "access_token" in curl(address, "token", key, grant_type="client_credentials")

    refused, late = new_signing_key(), new_signing_key()
    for other, wanted in ((refused, "access_denied"), (late, "expired_token")):
        shown = encode_public_key(other.public_key)
        codes = curl(address, "device_authorization", other, public_key=shown)
        if other is refused:
            owner.refuse(codes["user_code"])
        else:
            change(owner.console, "UPDATE devices_linkrequest SET expires_at = made_at")
        answer = curl(address, "token", other, grant_type=GRANT, device_code=codes["device_code"])
        assert answer["error"] == wanted


def test_a_linked_device_backs_up_to_its_vault_and_is_cut_off_when_removed(
    owner: LiveOwner, tmp_path: Path
) -> None:
    shell = a_shell(tmp_path / "home")
    linked = link(shell, owner, "--name", "ATELIER-01")
    assert (linked["device_name"], linked["organisation"]) == ("ATELIER-01", "Keller")
    identity = shell.home / ".config" / "everboot" / "device.json"
    assert identity.stat().st_mode & 0o777 == 0o600
    (tmp_path / "letter.txt").write_text("Dear Till")

    shell.ok("init")
    shell.ok("backup", tmp_path / "letter.txt")
    shell.ok("check", "--read-data")
    shell.ok("restore", "latest", "--target", tmp_path / "back")

    assert next((tmp_path / "back").rglob("letter.txt")).read_text() == "Dear Till"
    status = shell.ok("link", "--status", "--json")
    assert [each["right"] for each in status.of_type("vault")] == ["own"]
    owner.remove("ATELIER-01")
    cut_off = shell.run("points")
    assert cut_off.code == 1
    assert "does not know this device any more" in cut_off.err
    owner.console.server.log.read_text()
    secret = json.loads(identity.read_text())["key"]
    assert secret not in owner.console.server.log.read_text() + cut_off.err + status.out


def test_rescue_reads_another_vault_with_its_managed_password_and_cannot_write(
    owner: LiveOwner, tmp_path: Path
) -> None:
    source, rescue = a_shell(tmp_path / "source"), a_shell(tmp_path / "rescue", password="")
    be_linked(source, owner, "PLAN-SERVER")
    (tmp_path / "plan.txt").write_text("north elevation")
    source.ok("init")
    source.ok("backup", tmp_path / "plan.txt")
    source.ok("key", "add", "--managed")
    link(
        rescue, owner, "--name", "RESCUE", "--restore-only", may_read="PLAN-SERVER", kind="restore"
    )

    rescue.ok("-r", "vault:plan-server", "restore", "latest", "--target", tmp_path / "back")

    assert next((tmp_path / "back").rglob("plan.txt")).read_text() == "north elevation"
    assert rescue.run("-r", "vault:PLAN-SERVER", "backup", tmp_path / "plan.txt").code == 1
    own = rescue.run("points")
    assert "no vault of its own" in own.err
    other = rescue.run("-r", "vault:RECEPTION", "points")
    assert "It may reach: vault:PLAN-SERVER" in other.err
    assert "managed_password.fetched" in owner.actions()


def test_unlink_tells_the_console_and_forgets_the_key(owner: LiveOwner, tmp_path: Path) -> None:
    shell = a_shell(tmp_path / "home")
    be_linked(shell, owner, "ATELIER-01")
    again = shell.run("link", owner.console.address)
    assert (again.code, "linked already" in again.err) == (1, True)

    shell.ok("link", "--unlink")

    assert "device.removed" in owner.actions()
    assert "not linked" in shell.run("link", "--status").err
    assert "No repository was named" in shell.run("points").err


def test_a_kill_between_approval_and_redemption_loses_nothing(tmp_path: Path) -> None:
    key = new_signing_key()
    with live(tmp_path) as owner:
        shown = encode_public_key(key.public_key)
        codes = curl(owner.console.address, "device_authorization", key, public_key=shown)
        owner.approve(codes["user_code"])
        owner.console.server.process.kill()

    with running_console(tmp_path) as again:
        poll = {"grant_type": GRANT, "device_code": codes["device_code"]}
        granted = curl(again.address, "token", key, **poll)
        assert curl(again.address, "token", key, **poll)["error"] == "invalid_grant"

    assert granted["device_name"] == "?"


def test_an_unknown_certificate_is_pinned_once_its_fingerprint_is_confirmed(tmp_path: Path) -> None:
    files = make_certificates(tmp_path)
    options = ("--tls-certificate", str(files.certificate), "--tls-key", str(files.key))
    shell = a_shell(tmp_path / "home")
    with live(tmp_path, *options, authority=files.authority) as owner:
        add_folder(owner.console, tmp_path)
        refused = shell.run("link", owner.console.address)
        assert (refused.code, "fingerprint" in refused.err) == (1, True)
        wrong = shell.run("link", owner.console.address, "--fingerprint", "00" * 32)
        assert wrong.code == 1
        shown = refused.err.partition("SHA-256 fingerprint: ")[2].split()[0]

        link(shell, owner, "--name", "PINNED", "--fingerprint", shown.lower())
        assert shell.ok("link", "--status", "--json").of_type("vault")[0]["right"] == "own"


def test_a_device_whose_clock_is_a_day_late_is_linked_and_stays_so(
    owner: LiveOwner, tmp_path: Path
) -> None:
    key, console = new_signing_key(), Console(owner.console.address)
    with ConsoleClient(console, key, {}, clock=lambda: time.time() - 86_400) as client:
        codes = client.ask_for_codes(name="LATE", system="Rescue media", scope="backup")
        owner.approve(codes.user_code)
        first = client.redeem(codes.device_code)
        again = client.fresh_token()

    assert first.device_name == again.device_name == "LATE"
    assert first.access_token != again.access_token


def test_a_backend_goes_on_when_its_token_is_taken_no_longer(
    owner: LiveOwner, tmp_path: Path
) -> None:
    shell = a_shell(tmp_path / "home")
    be_linked(shell, owner, "ATELIER-01")
    backend = own_vault(shell)
    content = b"a lock"
    lock = ObjectKey(FileKind.LOCK, hashlib.sha256(content).hexdigest())
    try:
        backend.prepare()
        change(owner.console, "DELETE FROM devices_accesstoken")

        backend.save(lock, content)

        assert backend.load(lock) == content
        owner.remove("ATELIER-01")
        with pytest.raises(LinkRefusedError):
            backend.load(lock)
    finally:
        backend.close()


def test_an_address_in_clear_text_is_refused_beyond_this_computer(tmp_path: Path) -> None:
    answer = a_shell(tmp_path).run("link", "http://192.0.2.1")

    assert (answer.code, "Write https://192.0.2.1" in answer.err) == (1, True)


def a_shell(home: Path, *, password: str = _PASSWORD) -> CommandLine:
    home.mkdir(exist_ok=True)
    return CommandLine(home).having(EVERBOOT_REPOSITORY="", EVERBOOT_PASSWORD=password)


def be_linked(shell: CommandLine, owner: LiveOwner, name: str) -> None:
    """What ``everboot link`` leaves behind, without its pauses between two questions."""
    key, console = new_signing_key(), Console(owner.console.address)
    with ConsoleClient(console, key, shell.environment()) as client:
        codes = client.ask_for_codes(name=name, system="Debian 13", scope="backup")
        owner.approve(codes.user_code)
        token = client.redeem(codes.device_code)
    identity = DeviceIdentity(console, key, token.device_id, name, "Keller", "backup")
    keep(identity, identity_file(shell.environment()))


def own_vault(shell: CommandLine) -> Backend:
    vault = reach("vault:", shell.environment(), StorageOptions())
    return open_backend(vault.address, shell.environment(), vault.options)


def link(
    shell: CommandLine, owner: LiveOwner, *options: str, kind: str = "backup", may_read: str = ""
) -> dict[str, Any]:
    """Run ``everboot link``, approve as the owner what it shows; its last words."""
    process = shell.start("link", owner.console.address, "--json", *options)
    assert process.stdout is not None
    codes = json.loads(process.stdout.readline())
    assert codes["message_type"] == "link_code"
    owner.approve(codes["user_code"], kind=kind, may_read=may_read)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err.decode()
    linked: dict[str, Any] = json.loads(out)
    return linked


def curl(address: str, endpoint: str, key: SigningKey, **fields: str) -> dict[str, Any]:
    """One request as curl sends it, with a proof made for it."""
    form = {
        "client_id": fingerprint(key.public_key),
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": make(key, audience=address, now=time.time()),
        **fields,
    }
    command = ["curl", "--silent", "--show-error", f"{address}/oauth/{endpoint}"]
    for name, value in form.items():
        command += ["--data-urlencode", f"{name}={value}"]
    answer: dict[str, Any] = json.loads(subprocess.check_output(command))
    return answer


def change(console: RunningConsole, statement: str) -> None:
    """Do to the database what time would do."""
    with contextlib.closing(sqlite3.connect(console.data / "console.sqlite3", timeout=20)) as base:
        base.execute(statement)
        base.commit()
