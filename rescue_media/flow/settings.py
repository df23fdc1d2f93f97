"""Network, proxy and clock: pages beside the way, from which "Back" leads to where one was."""

from __future__ import annotations

from dataclasses import replace

from rescue_media.flow import answers as a
from rescue_media.flow import moves as m
from rescue_media.flow import pages as p
from rescue_media.flow import settings_moves as s
from rescue_media.flow import wishes as w
from rescue_media.flow.pages import Flow
from rescue_media.flow.steps import Step, behind, go, stay, wait
from rescue_media.network.state import WifiSecurity


def open_settings(flow: Flow, move: s.OpenSettings) -> Step:
    """From anywhere, but not while something is waited for: that would be given up."""
    if flow.busy or isinstance(flow.page, p.Running | p.SettingsPage):
        return Step(flow)
    match move:
        case s.OpenNetwork():
            return wait(go(flow, p.Network()).flow, "Looking for networks", w.FindNetwork())
        case s.OpenProxy():
            return go(flow, p.Proxy())
        case s.OpenClock():
            return go(flow, p.DateAndTime())
        case s.OpenKeyboard():
            return go(flow, p.Keyboard())


def advance_settings(flow: Flow, page: p.SettingsPage, move: m.Move) -> Step:
    match page, move:
        case p.Network(), a.NetworkFound(state, wifi):
            return stay(flow, p.Network(state, wifi))
        case p.Network(), s.SearchNetworks():
            return wait(flow, "Looking for networks", w.FindNetwork(rescan=True))
        case p.Network(), s.ChooseLink(link):
            return go(flow, p.LinkAddress(link))
        case p.Network(), s.ChooseWifi(network) if network.security is WifiSecurity.OPEN:
            return wait(flow, f"Joining {network.name}", w.JoinWifi(network))
        case p.Network(), s.ChooseWifi(network):
            return go(flow, p.Wifi(network))
        case p.Wifi(network), m.GivePassword(password):
            return wait(flow, f"Joining {network.name}", w.JoinWifi(network, password))
        case p.LinkAddress(link), s.UseAddress(address, gateway, name_servers):
            wish = w.UseAddress(link, address, gateway, name_servers)
            return wait(flow, "Setting the address", wish)
        case p.LinkAddress(link), s.UseGivenAddress():
            return wait(flow, "Asking the network for an address", w.UseGivenAddress(link))
        case p.Proxy(), s.UseProxy(address, user, password):
            return wait(flow, "Setting the proxy", w.UseProxy(address, user, password))
        case p.DateAndTime(), s.AskTimeServers():
            return wait(flow, "Asking time servers", w.AskTimeServers())
        case p.DateAndTime(), s.SetTime(moment):
            return wait(flow, "Setting the clock", w.SetTime(moment))
        case p.Keyboard(), s.UseKeyboard(layout):
            return wait(flow, "Beginning anew", w.UseKeyboard(layout))
        case _, a.SettingMade(status):
            return _made(replace(flow, status=status))
        case _:
            return stay(flow)


def _made(flow: Flow) -> Step:
    """Done: what was set shows on the page before, which is looked at anew where it must be."""
    if not isinstance(flow.page, p.Network):
        flow = behind(flow)
    if isinstance(flow.page, p.Network):
        return wait(flow, "Looking for networks", w.FindNetwork())
    return stay(flow)
