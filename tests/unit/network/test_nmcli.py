"""What NetworkManager is told, seen from a program that takes its place."""

from __future__ import annotations

import json
import stat
import sys
from pathlib import Path

import pytest

from backup_agent.errors import CommandFailedError, UsageError
from rescue_media.network.nmcli import (
    join_wifi,
    network_state,
    use_given_address,
    use_static_address,
    wifi_networks,
)
from rescue_media.network.settings import static_address
from rescue_media.network.state import Link, LinkKind, LinkState, WifiNetwork, WifiSecurity

HOME = WifiNetwork("Home", 80, WifiSecurity.PASSWORD)
WIRED = Link("eth0", LinkKind.WIRED, LinkState.CONNECTED, "Wired connection 1")

_PROGRAM = """\
#!{python}
import json, sys
words = sys.argv[1:]
feed = sys.stdin.read()
with open({log!r}, "a") as log:
    log.write(json.dumps([words, feed]) + "\\n")
for sign, answer, code in {answers!r}:
    if sign in words:
        sys.stdout.write(answer)
        sys.exit(code)
"""


class FakeNetworkManager:
    """Answers by the first sign among the words; remembers what it was told."""

    def __init__(self, folder: Path) -> None:
        self._program = folder / "nmcli"
        self._log = folder / "log"

    def answer(self, *answers: tuple[str, str, int]) -> None:
        self._program.write_text(
            _PROGRAM.format(python=sys.executable, log=str(self._log), answers=answers)
        )
        self._program.chmod(stat.S_IRWXU)

    def told(self) -> list[tuple[str, str]]:
        lines = [json.loads(line) for line in self._log.read_text().splitlines()]
        return [(" ".join(words), feed) for words, feed in lines]


@pytest.fixture(name="manager")
def _manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeNetworkManager:
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    manager = FakeNetworkManager(tmp_path)
    manager.answer()
    return manager


def test_the_state_is_asked_with_addresses_of_what_is_connected(
    manager: FakeNetworkManager,
) -> None:
    manager.answer(
        ("status", "eth0:ethernet:connected:Wired\neth1:ethernet:unavailable:\n", 0),
        ("eth0", "IP4.ADDRESS[1]:10.0.2.15/24\n", 0),
    )
    state = network_state()
    assert [link.addresses for link in state.links] == [("10.0.2.15/24",), ()]
    assert [words for words, _ in manager.told() if "eth1" in words] == []


def test_a_wireless_password_goes_through_standard_input_alone(
    manager: FakeNetworkManager,
) -> None:
    join_wifi(HOME, "correct horse")
    told = manager.told()
    assert not any("horse" in words for words, _ in told)
    words, feed = told[-1]
    assert "passwd-file /dev/stdin" in words
    assert feed == "802-11-wireless-security.psk:correct horse\n"


def test_an_open_network_needs_no_password(manager: FakeNetworkManager) -> None:
    join_wifi(WifiNetwork("Guests", 60, WifiSecurity.OPEN), "")
    assert not any("key-mgmt" in words for words, _ in manager.told())


def test_a_refused_password_says_what_to_check_and_leaves_nothing(
    manager: FakeNetworkManager,
) -> None:
    manager.answer(("up", "Error: Secrets were required, but not provided.", 4))
    with pytest.raises(CommandFailedError, match="Home could not be joined") as caught:
        join_wifi(HOME, "wrong horse")
    assert "password" in caught.value.hint
    assert "connection delete id" in manager.told()[-1][0]


@pytest.mark.parametrize("password", ["", "short", "x" * 65])
def test_a_password_that_cannot_be_right_is_not_tried(
    password: str, manager: FakeNetworkManager, tmp_path: Path
) -> None:
    with pytest.raises(UsageError):
        join_wifi(HOME, password)
    assert not (tmp_path / "log").exists()


def test_networks_in_reach_are_scanned_anew_when_asked(manager: FakeNetworkManager) -> None:
    manager.answer(("list", " :Home:80:WPA2\n", 0))
    assert wifi_networks(rescan=True) == (HOME,)
    assert manager.told()[0][0].endswith("--rescan yes")


def test_an_address_of_ones_own_is_set_and_used(manager: FakeNetworkManager) -> None:
    use_static_address(WIRED, static_address("192.0.2.7/24", "192.0.2.1", "192.0.2.1"))
    (modify, _), (up, _) = manager.told()
    assert "id Wired connection 1 ipv4.method manual ipv4.addresses 192.0.2.7/24" in modify
    assert "ipv4.gateway 192.0.2.1 ipv4.dns 192.0.2.1" in modify
    assert "connection up id Wired connection 1" in up


def test_an_adapter_that_never_connected_gets_a_connection_first(
    manager: FakeNetworkManager,
) -> None:
    use_given_address(Link("eth1", LinkKind.WIRED, LinkState.DISCONNECTED))
    told = [words for words, _ in manager.told()]
    assert "add type ethernet con-name Everboot eth1 ifname eth1" in told[1]
    assert "ipv4.method auto" in told[2]
