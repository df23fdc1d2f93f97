"""The parts of the recipe, as values: menu, initrd, manifest, mirror, commands."""

from __future__ import annotations

import gzip
import json
import subprocess
from pathlib import Path

import pytest

from backup_agent.errors import (
    CommandFailedError,
    IntegrityError,
    JobCancelledError,
    UnsupportedError,
)
from backup_agent.model.cancel import CancelToken
from iso_builder.bootloader import KEYBOARDS, menu
from iso_builder.command import require, run
from iso_builder.config import MEDIUM, Mirror
from iso_builder.initrd import make_initrd
from iso_builder.manifest import Layer, Manifest, Package, layers_from_json, parse_packages
from iso_builder.mirror import mirror_from_addresses
from iso_builder.qemu import NEIGHBOUR, Firmware, Shape, TrialMachine
from iso_builder.rootfs import debootstrap, packages

MANIFEST = Manifest(
    "1.2",
    (Layer("base.squashfs", 7, "ab" * 32), Layer("top.squashfs", 8, "cd" * 32)),
    (Package("zstd", "1.5"), Package("httpx", "0.28", kind="pypi")),
)


def test_the_manifest_tells_its_layers_from_the_lowest_up() -> None:
    assert layers_from_json(MANIFEST.to_json()) == MANIFEST.layers


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"manifest_version": 1, "layers": [{}]}'])
def test_what_is_no_manifest_is_refused(text: str) -> None:
    with pytest.raises(IntegrityError):
        layers_from_json(text)


def test_another_layer_is_another_build() -> None:
    other = Manifest("1.2", MANIFEST.layers[:1], MANIFEST.packages)
    assert other.build_id != MANIFEST.build_id


def test_the_list_of_packages_names_each_by_its_package_url() -> None:
    components = json.loads(MANIFEST.to_cyclonedx())["components"]
    assert [one["purl"] for one in components] == [
        "pkg:deb/debian/zstd@1.5",
        "pkg:pypi/httpx@0.28",
    ]


def test_packages_are_read_as_dpkg_tells_them() -> None:
    assert parse_packages("bash\t5.2.37-2\nzlib1g\t1:1.3\n") == (
        Package("bash", "5.2.37-2"),
        Package("zlib1g", "1:1.3"),
    )


def test_the_initrd_carries_the_hashes_and_loads_modules_in_their_order(tmp_path: Path) -> None:
    kit = tmp_path / "kit"
    (kit / "modules").mkdir(parents=True)
    (kit / "busybox").write_bytes(b"shell")
    for name in ("102-isofs.ko", "101-loop.ko"):
        (kit / "modules" / name).write_bytes(name.encode())
    archive = gzip.decompress(make_initrd(kit, MANIFEST))
    assert make_initrd(kit, MANIFEST) == make_initrd(kit, MANIFEST)
    root = tmp_path / "root"
    root.mkdir()
    # Another program that knows the format.
    subprocess.run(["bsdcpio", "-id", "--quiet"], cwd=root, input=archive, check=True)
    assert (root / "layers").read_text() == MANIFEST.checksums()
    assert (root / "build").read_text().strip() == MANIFEST.build_id
    assert (root / "init").read_bytes() == (MEDIUM / "initrd" / "init").read_bytes()
    assert (root / "init").stat().st_mode & 0o111
    listing = subprocess.run(
        ["bsdcpio", "-it", "--quiet"], input=archive, capture_output=True, check=True, text=False
    ).stdout.decode()
    assert listing.index("101-loop") < listing.index("102-isofs")


def test_nothing_on_the_medium_runs_before_the_layers_were_checked() -> None:
    script = (MEDIUM / "initrd" / "init").read_text()
    assert script.index("sha256sum -c /layers") < script.index("mount -t squashfs")


def test_every_keyboard_of_the_menu_is_known_to_the_medium() -> None:
    script = (MEDIUM / "root/usr/lib/everboot/keyboard").read_text()
    for layout in KEYBOARDS:
        assert f"set keyboard={layout}\n" in menu()
        assert f"\n{layout}) map=" in script


def test_the_menu_has_no_blank_left_to_fill_in() -> None:
    assert "@" not in menu()
    assert 'menuentry "Rescue Media" ' in menu()


@pytest.mark.parametrize(
    "script",
    ["initrd/init", "customise", "root/usr/lib/everboot/keyboard", "root/usr/local/bin/everboot"],
)
def test_the_scripts_on_the_medium_are_whole(script: str) -> None:
    subprocess.run(["sh", "-n", MEDIUM / script], check=True)


def test_the_mirror_is_the_one_that_this_system_uses() -> None:
    addresses = (
        "'https://others.example.net/debian/dists/bookworm/InRelease' others 0 \n"
        "'http://debian.example.net/debian/dists/bookworm/InRelease' debian 0 \n"
        "'http://debian.example.net/debian/dists/bookworm-updates/InRelease' updates 0 \n"
        "'http://security.example.net/dists/bookworm-security/InRelease' security 0 \n"
        "'http://debian.example.net/debian/dists/bookworm/main/binary-amd64/Packages.xz' p 0 \n"
    )
    assert mirror_from_addresses(addresses, codename="bookworm") == Mirror(
        "http://debian.example.net/debian/", "http://security.example.net/"
    )
    assert mirror_from_addresses(addresses, codename="trixie") is None


def test_a_mirror_without_security_updates_is_one_all_the_same() -> None:
    addresses = "'http://debian.example.net/dists/bookworm/InRelease' debian 0 \n"
    assert mirror_from_addresses(addresses, codename="bookworm") == Mirror(
        "http://debian.example.net/"
    )


def test_the_base_holds_the_packages_of_the_list_and_security_updates(tmp_path: Path) -> None:
    mirror = Mirror("http://debian.example.net/", "http://security.example.net/")
    words = [str(word) for word in debootstrap(tmp_path, tmp_path / "base.tar", mirror)]
    assert f"--include={','.join(packages())}" in words
    assert "linux-image-amd64" in packages()
    assert len(packages()) == len(set(packages()))
    assert words[-1].startswith("deb http://security.example.net/ trixie-security ")
    # There lie mmdebstrap's own settings: without them it would clean up this computer's apt.
    assert not any("/tmp/*" in word for word in words)


@pytest.mark.parametrize("firmware", list(Firmware))
def test_a_key_is_a_usb_disk_and_a_cd_is_a_drive(firmware: Firmware, tmp_path: Path) -> None:
    def words(shape: Shape) -> str:
        machine = TrialMachine(firmware=firmware, shape=shape)
        return " ".join(
            machine.arguments(tmp_path / "a,b.iso", tmp_path / "variables", tmp_path / "m")
        )

    assert "usb-storage,id=key,drive=medium" in words(Shape.USB)
    assert "ide-cd,drive=medium" in words(Shape.CD)
    assert "a,,b.iso" in words(Shape.CD)
    assert ("pflash" in words(Shape.CD)) == (firmware is not Firmware.BIOS)


def test_a_machine_reaches_its_neighbours_and_nothing_else(tmp_path: Path) -> None:
    machine = TrialMachine(neighbours=(8000, 8001))
    words = machine.arguments(tmp_path / "iso", tmp_path / "variables", tmp_path / "monitor")
    network = words[words.index("-nic") + 1]
    assert "restrict=on" in network
    assert f"guestfwd=tcp:{NEIGHBOUR}:8001-cmd:busybox nc 127.0.0.1 8001" in network
    assert network.count("guestfwd") == 2


def test_a_failing_program_is_told_in_its_own_words() -> None:
    with pytest.raises(CommandFailedError, match=r"sh failed \(3\): out of luck"):
        run(["sh", "-c", "echo out of luck >&2; exit 3"], cancel=CancelToken())


def test_a_cancelled_build_ends_the_program_it_waits_for() -> None:
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(JobCancelledError):
        run(["sleep", "1000"], cancel=cancel)


def test_missing_tools_are_named_by_their_packages() -> None:
    with pytest.raises(UnsupportedError) as caught:
        require({"no-such-program": "its-package", "sh": "dash"}, purpose="A test")
    assert "its-package" in caught.value.hint
    assert "dash" not in caught.value.hint
