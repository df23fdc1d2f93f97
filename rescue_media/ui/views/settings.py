"""Network, wireless password, address, proxy, clock."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtCore import QDateTime, Qt
from PySide6.QtWidgets import (
    QDateTimeEdit,
    QFormLayout,
    QLineEdit,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from backup_agent.qtkit import words
from backup_agent.qtkit.controls import button, label, panel, row
from rescue_media.clock.setting import ClockState
from rescue_media.flow import moves as m
from rescue_media.flow import pages as p
from rescue_media.network.state import Link, LinkKind, LinkState, WifiSecurity
from rescue_media.ui.views.shown import Ground, Shown, main_button, page
from rescue_media.ui.views.tables import KEY, line, table
from rescue_media.ui.views.way_in import show_box, text_field

_SECURITY = {
    WifiSecurity.OPEN: "Open",
    WifiSecurity.PASSWORD: "Password",
    WifiSecurity.PASSWORD_WPA3: "Password (WPA3)",
    WifiSecurity.UNSUPPORTED: "A login of its own: not possible here",
}
_STATES = {
    LinkState.CONNECTED: "Connected",
    LinkState.CONNECTING: "Connecting",
    LinkState.DISCONNECTED: "Not connected",
    LinkState.UNAVAILABLE: "No cable, or switched off",
}

_LAYOUTS = {
    "us": "English, United States",
    "gb": "English, United Kingdom",
    "de": "German",
    "fr": "French",
    "ch": "German, Switzerland",
    "es": "Spanish",
    "it": "Italian",
    "pt": "Portuguese",
    "be": "Belgian",
    "nl": "Dutch",
    "dk": "Danish",
    "se": "Swedish",
    "no": "Norwegian",
    "fi": "Finnish",
    "pl": "Polish",
    "cz": "Czech",
}
"""Those of the boot menu."""


def link_name(link: Link) -> str:
    return "Wired" if link.kind is LinkKind.WIRED else "WiFi"


def show_network(network: p.Network, ground: Ground) -> Shown:
    content, inside = page("Network", network.state.sentence() if network.state else "")
    links = network.state.links if network.state else ()
    for link in links:
        inside.addWidget(_link(link, ground))
    if network.state is not None and network.state.has_wifi:
        inside.addWidget(label("Wireless networks", "heading"))
        inside.addWidget(_wifi(network, ground), stretch=1)
    else:
        inside.addStretch(1)
    return Shown(
        content,
        buttons=[
            button("&Proxy…", ground.does(m.OpenProxy())),
            button("&Search again", ground.does(m.SearchNetworks())),
        ],
        focus="wireless networks" if network.wifi else "Search again",
    )


def _link(link: Link, ground: Ground) -> QWidget:
    frame, inside = panel(margin=14)
    inside.addWidget(label(f"{link_name(link)} ({link.device})", "strong"))
    facts = (_STATES[link.state], link.connection, ", ".join(link.addresses))
    inside.addWidget(label(", ".join(filter(None, facts)), "secondary", wraps=True))
    name = f"address of {link.device}"
    says = f"Address of {link_name(link)} {link.device}"
    inside.addLayout(
        row(button("&Address…", ground.does(m.ChooseLink(link)), name=name, says=says))
    )
    return frame


def _wifi(network: p.Network, ground: Ground) -> QWidget:
    tree = table(
        "wireless networks",
        ("Network", "Signal", "Joining"),
        says="Wireless networks. Enter joins",
    )
    for found in network.wifi:
        joining = "Joined" if found.in_use else _SECURITY[found.security]
        tree.addTopLevelItem(line(found.name, found.name, f"{found.signal} %", joining))
    by_name = {found.name: found for found in network.wifi}

    def activated(item: QTreeWidgetItem, _column: int) -> None:
        ground.send(m.ChooseWifi(by_name[str(item.data(0, KEY))]))

    tree.itemActivated.connect(activated, Qt.ConnectionType.QueuedConnection)
    return tree


def show_wifi(wifi: p.Wifi, ground: Ground) -> Shown:
    content, inside = page(wifi.network.name, "The password of this network", trail="Network")
    frame, lines = panel()
    password = _secret("wireless password", "Password of the wireless network")
    lines.addWidget(password)
    lines.addWidget(show_box([password]))
    inside.addWidget(frame)
    _name_keyboard(inside, ground)
    inside.addStretch(1)
    join = main_button("&Join", lambda: ground.send(m.GivePassword(password.text())))
    return Shown(content, buttons=[join], main=join, focus="wireless password")


def show_link_address(page_: p.LinkAddress, ground: Ground) -> Shown:
    link = page_.link
    content, inside = page(f"{link_name(link)} ({link.device})", trail="Network")
    frame, lines = panel()
    form = QFormLayout()
    fields = {
        title: text_field(title.lower(), title, known, example)
        for title, known, example in (
            ("Address and mask", next(iter(link.addresses), ""), "192.168.1.50/24"),
            ("Gateway", link.gateway, "192.168.1.1"),
            ("Name servers", ", ".join(link.name_servers), "192.168.1.1"),
        )
    }
    for title, field in fields.items():
        form.addRow(label(title), field)
    lines.addLayout(form)
    inside.addWidget(frame)
    inside.addStretch(1)

    def use() -> None:
        address, gateway, servers = (field.text().strip() for field in fields.values())
        ground.send(m.UseAddress(address, gateway, servers))

    given = button("&The one that the network gives", ground.does(m.UseGivenAddress()))
    accept = main_button("&OK", use)
    return Shown(content, buttons=[given, accept], main=accept, focus="address and mask")


def show_proxy(_page: p.Proxy, ground: Ground) -> Shown:
    lead = "Between here and the storage. Left empty, there is none."
    content, inside = page("Proxy", lead, trail="Network")
    frame, lines = panel()
    form = QFormLayout()
    address = text_field("proxy", "Address", "", "proxy.example.org:3128")
    user = text_field("proxy user", "User", "", "if it wants one")
    password = _secret("proxy password", "Password")
    for title, field in (("Address", address), ("User", user), ("Password", password)):
        form.addRow(label(title), field)
    lines.addLayout(form)
    lines.addWidget(show_box([password]))
    inside.addWidget(frame)
    inside.addStretch(1)

    def use() -> None:
        ground.send(m.UseProxy(address.text().strip(), user.text().strip(), password.text()))

    accept = main_button("&OK", use)
    return Shown(content, buttons=[accept], main=accept, focus="proxy")


def clock_words(clock: ClockState | None) -> str:
    if clock is None:
        return "Not known yet."
    if clock.synchronised:
        return "Right: a time server was heard."
    return "Time servers are asked." if clock.by_network else "Set by hand."


def show_clock(_page: p.DateAndTime, ground: Ground) -> Shown:
    lead = "Certificates and storage are refused while the clock is wrong."
    content, inside = page("Date and time", lead)
    frame, lines = panel()
    lines.addWidget(label(clock_words(ground.flow.status.clock), "strong"))
    now = datetime.now().astimezone()
    lines.addWidget(label(f"{words.moment(now)}, time zone {now.tzname()}", "secondary"))
    moment = QDateTimeEdit(QDateTime.currentDateTime())
    moment.setObjectName("moment")
    moment.setAccessibleName("Date and time")
    moment.setDisplayFormat("yyyy-MM-dd HH:mm:ss")
    lines.addWidget(moment)
    inside.addWidget(frame)
    inside.addStretch(1)

    def use() -> None:
        seconds = moment.dateTime().toSecsSinceEpoch()
        ground.send(m.SetTime(datetime.fromtimestamp(seconds).astimezone()))

    ask = button("Ask &time servers", ground.does(m.AskTimeServers()))
    accept = main_button("&Set", use)
    return Shown(content, buttons=[ask, accept], main=accept, focus="moment")


def show_keyboard(_page: p.Keyboard, ground: Ground) -> Shown:
    lead = "The window begins anew on its first page with the layout that is chosen."
    content, inside = page("Keyboard", lead)
    tree = table("layouts", ("Layout", "Name"), says="Keyboard layouts. Enter chooses")
    for layout, title in _LAYOUTS.items():
        tree.addTopLevelItem(line(layout, title, layout))
    tree.itemActivated.connect(
        lambda item, _column: ground.send(m.UseKeyboard(str(item.data(0, KEY)))),
        Qt.ConnectionType.QueuedConnection,
    )
    inside.addWidget(tree, stretch=1)
    return Shown(content, focus="layouts")


def _secret(name: str, says: str) -> QLineEdit:
    field = text_field(name, says, "", "")
    field.setEchoMode(QLineEdit.EchoMode.Password)
    return field


def _name_keyboard(inside: QVBoxLayout, ground: Ground) -> None:
    if keyboard := ground.flow.surroundings.keyboard:
        inside.addWidget(label(f"The keyboard's layout is {keyboard}.", "caption"))
