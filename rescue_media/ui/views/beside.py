"""What stands on the right of the first page: network, clock, and what computer this is."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtWidgets import QVBoxLayout, QWidget

from backup_agent.qtkit import words
from backup_agent.qtkit.controls import button, label, panel, row
from rescue_media.flow import moves as m
from rescue_media.flow.values import Computer, Status
from rescue_media.network.state import LinkState, NetworkState
from rescue_media.ui.views.settings import clock_words, link_name
from rescue_media.ui.views.shown import Ground


def beside_the_start(ground: Ground) -> QWidget:
    column = QWidget()
    inside = QVBoxLayout(column)
    inside.setContentsMargins(0, 0, 0, 0)
    inside.setSpacing(10)
    inside.addWidget(_network(ground))
    inside.addWidget(_clock(ground))
    if ground.flow.status.computer is not None:
        inside.addWidget(_computer(ground.flow.status.computer))
    inside.addStretch(1)
    return column


def network_in_brief(status: Status) -> str:
    """For the bar above every page."""
    state = status.network
    if state is None:
        return "Network unknown"
    if not state.links:
        return "No network"
    link = next((one for one in state.links if one.state is LinkState.CONNECTED), None)
    if link is None:
        return "Not connected"
    address = link.addresses[0].partition("/")[0] if link.addresses else "no address yet"
    return f"{link_name(link)}, {address}"


def _network(ground: Ground) -> QWidget:
    frame, inside = panel(margin=16)
    state = ground.flow.status.network
    inside.addWidget(label("Network", "heading"))
    sentence = state.sentence() if state else "Nothing is known of the network yet."
    colour = "ok" if state is not None and state.is_connected else "warn"
    inside.addWidget(label(sentence, "strong", state=colour, wraps=True))
    settings = button("&Network settings", ground.does(m.OpenNetwork()))
    inside.addLayout(row(settings, button("Pro&xy", ground.does(m.OpenProxy()))))
    if _can_choose_wifi(state):
        inside.addLayout(row(button("Choose &WiFi", ground.does(m.OpenNetwork()))))
    return frame


def _can_choose_wifi(state: NetworkState | None) -> bool:
    return state is not None and state.has_wifi and not state.is_connected


def _computer(computer: Computer) -> QWidget:
    frame, inside = panel(margin=16)
    inside.addWidget(label("This computer", "heading"))
    inside.addWidget(label(computer.shown, "secondary", wraps=True))
    for name, what in computer.disks:
        inside.addWidget(label(name, "strong"))
        inside.addWidget(label(what, "secondary", wraps=True))
    if not computer.disks:
        inside.addWidget(label("No disk is seen in it.", "strong", state="warn"))
    return frame


def _clock(ground: Ground) -> QWidget:
    frame, inside = panel(margin=16)
    inside.addWidget(label("Date and time", "heading"))
    inside.addWidget(label(words.moment(datetime.now().astimezone())))
    inside.addWidget(label(clock_words(ground.flow.status.clock), "secondary", wraps=True))
    inside.addLayout(row(button("Set &date and time", ground.does(m.OpenClock()))))
    return frame
