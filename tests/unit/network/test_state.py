"""NetworkManager's answers, as captured from it, read as values."""

from __future__ import annotations

from rescue_media.network.state import (
    Link,
    LinkKind,
    LinkState,
    NetworkState,
    WifiNetwork,
    WifiSecurity,
    parse_addresses,
    parse_links,
    parse_wifi_list,
)

STATUS = """\
enp0s2:ethernet:connected:Wired connection 1
wlp3s0:wifi:disconnected:
enp5s0:ethernet:unavailable:
enp6s0:ethernet:connecting (getting IP configuration):Wired connection 2
lo:loopback:connected (externally):lo
p2p-dev-wlp3s0:wifi-p2p:disconnected:
"""
DETAILS = """\
IP4.ADDRESS[1]:10.0.2.15/24
IP4.GATEWAY:10.0.2.2
IP4.ROUTE[1]:dst = 0.0.0.0/0, nh = 10.0.2.2, mt = 100
IP4.DNS[1]:10.0.2.3
IP6.ADDRESS[1]:fec0\\:\\:5054\\:ff\\:fe12\\:3456/64
IP6.ADDRESS[2]:fe80\\:\\:1/64
IP6.ADDRESS[3]:2001:db8::5/64
IP6.GATEWAY:fe80\\:\\:2
"""
WIFI = """\
 :Caf\u00e9\\: upstairs:40:WPA2
*:Home:55:WPA1 WPA2
 :Home:90:WPA2
 :Guests:70:
 :Office:60:WPA2 802.1X
 :New:30:WPA3
 ::99:WPA2
"""
WIRED = Link("enp0s2", LinkKind.WIRED, LinkState.CONNECTED, "Wired connection 1")


def test_adapters_are_the_wired_and_wireless_ones_with_their_states() -> None:
    links = parse_links(STATUS)
    assert [(link.device, link.kind, link.state) for link in links] == [
        ("enp0s2", LinkKind.WIRED, LinkState.CONNECTED),
        ("wlp3s0", LinkKind.WIFI, LinkState.DISCONNECTED),
        ("enp5s0", LinkKind.WIRED, LinkState.UNAVAILABLE),
        ("enp6s0", LinkKind.WIRED, LinkState.CONNECTING),
    ]
    assert links[0] == WIRED


def test_addresses_are_those_that_lead_somewhere() -> None:
    link = parse_addresses(WIRED, DETAILS)
    assert link.addresses == ("10.0.2.15/24", "fec0::5054:ff:fe12:3456/64", "2001:db8::5/64")
    assert link.gateway == "10.0.2.2"
    assert link.name_servers == ("10.0.2.3",)


def test_of_several_stations_of_one_name_the_one_in_use_counts() -> None:
    networks = parse_wifi_list(WIFI)
    assert networks == (
        WifiNetwork("Home", 55, WifiSecurity.PASSWORD, in_use=True),
        WifiNetwork("Guests", 70, WifiSecurity.OPEN),
        WifiNetwork("Office", 60, WifiSecurity.UNSUPPORTED),
        WifiNetwork("Caf\u00e9: upstairs", 40, WifiSecurity.PASSWORD),
        WifiNetwork("New", 30, WifiSecurity.PASSWORD_WPA3),
    )


def test_the_sentence_names_the_best_connection() -> None:
    state = NetworkState((*parse_links(STATUS)[1:], parse_addresses(WIRED, DETAILS)))
    assert state.is_connected
    assert state.sentence().startswith("Connected by cable, 10.0.2.15/24")


def test_the_sentence_says_what_to_do_without_a_connection() -> None:
    wired = Link("eth0", LinkKind.WIRED, LinkState.UNAVAILABLE)
    wifi = Link("wlan0", LinkKind.WIFI, LinkState.DISCONNECTED)
    assert NetworkState((wired,)).sentence() == "Not connected. Plug in a cable."
    assert "wireless" in NetworkState((wired, wifi)).sentence()
    assert "no network adapter" in NetworkState(()).sentence()
