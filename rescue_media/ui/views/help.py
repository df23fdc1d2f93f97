"""What F1 says about the page that is shown."""

from __future__ import annotations

from typing import assert_never

from rescue_media.flow import pages as p

KEYS = "Tab goes on, Space ticks, Enter accepts, Escape goes back. F1 closes this."


def help_with(page: p.Page) -> str:
    """What the page is for, and what to do on it."""
    match page:
        case p.Start() | p.Manage() | p.Begin() | p.Browse() | p.Disks():
            return _help_at_the_beginning(page)
        case p.Cloud() | p.LogIn() | p.Certificate() | p.Code() | p.Address() | p.Password():
            return _help_on_the_way_in(page)
        case p.Select() | p.Mapping() | p.Confirm() | p.BackUpPlan() | p.Files():
            return _help_with_choices(page)
        case p.Running():
            return (
                "Pause holds the work between two blocks, Resume goes on from there. Cancel ends "
                "it; begun again with the same choices, it keeps what was written already."
            )
        case p.Done():
            return (
                "Read what was not done before you restart. Save the log if you want to show it "
                "to somebody: it is lost when this computer restarts."
            )
        case p.Network() | p.Wifi() | p.LinkAddress() | p.Proxy() | p.DateAndTime() | p.Keyboard():
            return _help_with_settings(page)
        case _:
            assert_never(page)


def _help_at_the_beginning(page: p.Start | p.Manage | p.Begin | p.Browse | p.Disks) -> str:
    match page:
        case p.Start() | p.Manage():
            return (
                "Restore brings back a whole computer or single volumes; nothing is written "
                "before the last OK. Backing up only reads this computer's disks."
            )
        case p.Begin():
            return "First choose the restore point that is to come back: Select data."
        case p.Browse():
            return (
                "Choose Cloud Storage if the computer was linked to a console. For a USB disk or "
                "storage of your own choose its kind; you need its address and logins."
            )
        case p.Disks():
            return "A drive that reports errors should be replaced before anything goes onto it."
        case _:
            assert_never(page)


def _help_on_the_way_in(
    page: p.Cloud | p.LogIn | p.Certificate | p.Code | p.Address | p.Password,
) -> str:
    match page:
        case p.Cloud() | p.LogIn():
            return (
                "The registration code works for every account: it is typed in the console, in a "
                "browser on any other device, so no password is typed here."
            )
        case p.Certificate():
            return (
                "Compare the fingerprint with the one that whoever runs the console tells you. "
                "Go on only if they are the same."
            )
        case p.Code():
            return "Open the address in a browser, log in, type the code and approve this device."
        case p.Address():
            return "Type the address as your storage names it. A folder is given by its whole path."
        case p.Password():
            return (
                "It is the encryption password of the backups, not that of your account. Nobody "
                "can tell it to you; Show makes what you type readable."
            )
        case _:
            assert_never(page)


def _help_with_choices(
    page: p.Select | p.Mapping | p.Confirm | p.BackUpPlan | p.Files,
) -> str:
    match page:
        case p.Select():
            return (
                "The arrow before a workstation unfolds its restore points. Choose one, untick "
                "what need not come back, and press OK."
            )
        case p.Mapping():
            return (
                "Give each line a destination: a disk of this computer, or an image file. A line "
                "that has none yet shows Required; one that cannot be used tells why."
            )
        case p.Confirm():
            return "Look at what will be lost. OK is the last question: then writing begins."
        case p.BackUpPlan():
            return "These disks are read and not changed. OK begins."
        case p.Files():
            return "Enter opens a folder, Space ticks a file or folder to be copied."
        case _:
            assert_never(page)


def _help_with_settings(page: p.SettingsPage) -> str:
    match page:
        case p.Network() | p.Wifi() | p.LinkAddress():
            return (
                "A cable works by itself in most places. Otherwise choose a wireless network, or "
                "give an adapter the address that whoever runs the network tells you."
            )
        case p.Proxy():
            return "Only where the network lets nobody out without one. Empty: no proxy."
        case p.DateAndTime():
            return "A wrong clock makes certificates and signatures fail. Time servers set it."
        case p.Keyboard():
            return "Choose the layout printed on your keys; passwords depend on it."
        case _:
            assert_never(page)
