"""Network, proxy and clock stand beside the way: nothing of it is lost by going there."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from rescue_media.clock.setting import ClockState
from rescue_media.flow import answers as a
from rescue_media.flow import moves as m
from rescue_media.flow import pages as p
from rescue_media.flow import settings_moves as s
from rescue_media.flow import wishes as w
from rescue_media.flow.machine import advance
from rescue_media.flow.pages import Flow
from rescue_media.flow.values import Purpose, Status
from rescue_media.network.state import (
    Link,
    LinkKind,
    LinkState,
    NetworkState,
    WifiNetwork,
    WifiSecurity,
)
from tests.unit.rescue.test_flow import walk

WIRED = Link("eth0", LinkKind.WIRED, LinkState.CONNECTED, addresses=("192.0.2.7/24",))
STATE = NetworkState((WIRED, Link("wlan0", LinkKind.WIFI, LinkState.DISCONNECTED)))
HOME = WifiNetwork("Home", 80, WifiSecurity.PASSWORD)
CAFE = WifiNetwork("Cafe", 40, WifiSecurity.OPEN)
STATUS = Status(STATE, ClockState(synchronised=True, by_network=True))


def test_wifi_is_joined_with_a_password_and_the_list_is_looked_at_anew() -> None:
    browse = Flow(p.Browse(Purpose.RESTORE), (p.Start(),))
    flow, wish = walk(s.OpenNetwork(), flow=browse)
    assert wish == w.FindNetwork()
    flow, _ = walk(a.NetworkFound(STATE, (HOME, CAFE)), s.ChooseWifi(HOME), flow=flow)
    assert flow.page == p.Wifi(HOME)
    flow, wish = walk(m.GivePassword("correct horse"), flow=flow)
    assert wish == w.JoinWifi(HOME, "correct horse")
    assert "correct horse" not in repr(wish)
    flow, wish = walk(a.SettingMade(STATUS), flow=flow)
    assert isinstance(flow.page, p.Network)
    assert wish == w.FindNetwork()
    assert flow.status == STATUS
    flow, _ = walk(a.NetworkFound(STATE, ()), m.GoBack(), flow=flow)
    assert flow.page == browse.page
    assert flow.trail == browse.trail


def test_an_open_network_is_joined_without_asking() -> None:
    flow = Flow(p.Network(STATE, (CAFE,)), (p.Start(),))
    assert advance(flow, s.ChooseWifi(CAFE)).wish == w.JoinWifi(CAFE)


def test_an_address_of_ones_own_and_a_proxy_are_asked_for_as_typed() -> None:
    flow = Flow(p.Network(STATE), (p.Start(),))
    flow, wish = walk(
        s.ChooseLink(WIRED), s.UseAddress("192.0.2.9/24", "192.0.2.1", "192.0.2.1"), flow=flow
    )
    assert wish == w.UseAddress(WIRED, "192.0.2.9/24", "192.0.2.1", "192.0.2.1")
    _, wish = walk(s.OpenProxy(), s.UseProxy("proxy:3128", "me", "secret"))
    assert wish == w.UseProxy("proxy:3128", "me", "secret")
    assert "secret" not in repr(wish)


def test_the_clock_is_set_by_servers_or_by_hand_and_back_on_the_page_before() -> None:
    moment = datetime(2026, 11, 16, 18, 4, tzinfo=UTC)
    flow, wish = walk(s.OpenClock(), s.SetTime(moment))
    assert wish == w.SetTime(moment)
    flow, _ = walk(a.SettingMade(STATUS), flow=flow)
    assert flow.page == p.Start()
    assert walk(s.OpenClock(), s.AskTimeServers())[1] == w.AskTimeServers()


def test_what_is_waited_for_is_not_given_up_for_a_setting() -> None:
    waiting = replace(Flow(p.Code(p.Cloud(Purpose.RESTORE)), (p.Start(),)), busy="Waiting")
    running = Flow(p.Running("Restoring", Purpose.RESTORE))
    for flow in (waiting, running):
        for move in (s.OpenNetwork(), s.OpenProxy(), s.OpenClock()):
            assert advance(flow, move) == advance(flow, a.LookedAround(flow.status))


def test_looking_around_changes_nothing_but_what_is_known() -> None:
    waiting = Flow(p.Browse(Purpose.RESTORE), (p.Start(),), busy="Opening")
    step = advance(waiting, m.LookAround())
    assert (step.flow, step.wish) == (waiting, w.LookAround())
    assert advance(waiting, a.LookedAround(STATUS)).flow == replace(waiting, status=STATUS)
