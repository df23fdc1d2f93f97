"""The firmware's list of what to start, as efibootmgr of two versions shows it."""

from __future__ import annotations

from pathlib import Path

import pytest

from backup_agent.errors import CommandFailedError
from rescue_media.boot_repair.efi import (
    FirmwareEntry,
    create_entry,
    parse_firmware_list,
    put_first,
    why_no_firmware_list,
)
from tests.helpers.fake_firmware import FakeFirmware

GUID = "4D8B9E7A-1111-2222-3333-444455556666"
LOADER = r"\EFI\Microsoft\Boot\bootmgfw.efi"
OLDER = (
    "BootCurrent: 0003\nTimeout: 1 seconds\nBootOrder: 0003,0000,2001\n"
    f"Boot0000* Windows Boot Manager\tHD(1,GPT,{GUID.lower()},0x800,0x32000)/File({LOADER})"
    "WINDOWS.........x...B.C.D.\n"
    "Boot0003* debian\tHD(2,GPT,aaaaaaaa-1111-2222-3333-444455556666,0x800,0x1000)"
    "/File(\\EFI\\debian\\shimx64.efi)\n"
    "Boot2001* EFI USB Device\tRC\n"
)
NEWER = OLDER.replace("/File(", "/").replace(".efi)", ".efi")


def test_entries_are_found_by_partition_and_loader_whatever_the_case() -> None:
    listed = parse_firmware_list(OLDER)
    assert listed.order == ("0003", "0000", "2001")
    assert listed.entries[0] == FirmwareEntry("0000", "Windows Boot Manager", GUID, LOADER)
    assert listed.entries[2] == FirmwareEntry("2001", "EFI USB Device")
    assert listed.find(GUID.lower(), LOADER.upper()) == listed.entries[0]
    assert listed.find("AAAAAAAA-1111-2222-3333-444455556666", LOADER) is None


def test_the_newer_notation_says_the_same_of_loaders_without_data() -> None:
    assert parse_firmware_list(NEWER).entries[1:] == parse_firmware_list(OLDER).entries[1:]


def test_a_new_entry_is_the_first_and_the_next() -> None:
    firmware = FakeFirmware({1: GUID})
    number = create_entry("/dev/sda", 1, LOADER, "Windows Boot Manager", ask=firmware.ask)
    put_first(number, ask=firmware.ask)
    assert (firmware.order, firmware.next) == (["0001", "0000"], "0001")
    assert parse_firmware_list(firmware.ask("-v")).find(GUID, LOADER) is not None


def test_an_older_entry_is_put_before_the_others() -> None:
    firmware = FakeFirmware({}, order=["0003", "0000", "0001"])
    put_first("0001", ask=firmware.ask)
    assert (firmware.order, firmware.next) == (["0001", "0003", "0000"], "0001")


def test_a_firmware_that_keeps_no_entry_is_told() -> None:
    firmware = FakeFirmware({1: GUID}, forgetful=True)
    with pytest.raises(CommandFailedError, match="did not keep"):
        create_entry("/dev/sda", 1, LOADER, "Windows", ask=firmware.ask)


def test_a_computer_without_a_list_says_why(tmp_path: Path) -> None:
    assert "BIOS" in why_no_firmware_list(tmp_path / "efivars")
    (tmp_path / "efivars").mkdir()
    assert "does not show" in why_no_firmware_list(tmp_path / "efivars")
    (tmp_path / "efivars" / "BootOrder-8be4df61").touch()
    assert why_no_firmware_list(tmp_path / "efivars") == ""
