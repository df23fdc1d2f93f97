"""Network, proxy and clock of the rescue media, asked and set."""

from __future__ import annotations

import os
from pathlib import Path
from typing import assert_never

from backup_agent.errors import HostError, TargetError
from rescue_media.clock.setting import ClockState, clock_state, set_by_hand, set_by_network
from rescue_media.errands.this_computer import this_computer
from rescue_media.flow import answers as a
from rescue_media.flow import wishes as w
from rescue_media.flow.values import Status
from rescue_media.network.nmcli import (
    join_wifi,
    network_state,
    use_given_address,
    use_static_address,
    wifi_networks,
)
from rescue_media.network.settings import proxy, static_address
from rescue_media.network.state import NetworkState


def status() -> Status:
    """What cannot be asked is ``None``: nobody has done anything that could have failed."""
    return Status(_network(), _clock(), this_computer())


def grant_setting(wish: w.SettingsWish) -> a.Answer:
    """Raises ``UsageError`` for what cannot be right, ``HostError`` for what did not work."""
    match wish:
        case w.FindNetwork(rescan):
            state = network_state()
            return a.NetworkFound(state, wifi_networks(rescan=rescan) if state.has_wifi else ())
        case w.JoinWifi(network, password):
            join_wifi(network, password)
        case w.UseAddress(link, address, gateway, name_servers):
            use_static_address(link, static_address(address, gateway, name_servers))
        case w.UseGivenAddress(link):
            use_given_address(link)
        case w.UseProxy(address, user, password):
            _use_proxy(address, user, password)
        case w.AskTimeServers():
            set_by_network()
        case w.SetTime(moment):
            set_by_hand(moment)
        case _:
            assert_never(wish)
    return a.SettingMade(status())


def use_keyboard(layout: str, folder: Path) -> None:
    """Ask for the window once more, with that layout, from what has started this one.

    ``folder`` is that of what lasts until the restart. Raises ``TargetError``.
    """
    try:
        (folder / "keyboard").write_text(f"{layout}\n")
        (folder / "window-again").touch()
    except OSError as exc:
        raise TargetError(
            f"The keyboard stays as it is: {exc.strerror}.",
            hint="Choose the layout in the boot menu.",
        ) from exc


def _use_proxy(address: str, user: str, password: str) -> None:
    """For this process and what it starts; an empty address is no proxy any more."""
    if address:
        os.environ.update(proxy(address, user=user, password=password).environment())
        return
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY"):
        os.environ.pop(name, None)


def _network() -> NetworkState | None:
    try:
        return network_state()
    except HostError:
        return None


def _clock() -> ClockState | None:
    try:
        return clock_state()
    except HostError:
        return None
