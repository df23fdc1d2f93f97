"""The Debian packages beneath Everboot's commands: which, whether, and how to get them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

# What the demo makes its small computer with, and has judge what came back.
DEMO_PACKAGES = ("fdisk", "dosfstools", "mtools", "ntfs-3g", "wimtools", "restic")

TEST_PACKAGES = (
    *DEMO_PACKAGES,
    # storage servers that the tests start
    "rclone",
    "memcached",
    "radosgw",
    "ceph-mon",
    "ceph-osd",
    "ceph-base",
    "ceph-common",
    "ceph-mgr",
    # time zones and patterns that other programs judge, loop devices
    "tzdata",
    "git",
    "mount",
    # permissions, partition tables and file systems to protect
    "acl",
    "attr",
    "e2fsprogs",
    "gdisk",
    "cryptsetup-bin",
    "exfatprogs",
    # mounted by a test of names that differ only in case, and to fill volumes
    "exfat-fuse",
    # the console's other database, its messages, its browser, and outside judges of codes
    "postgresql",
    "gettext",
    "chromium",
    "chromium-driver",
    "oathtool",
    "curl",
    "zbar-tools",
    "fonts-inter",
    # virtual machines for what this computer's kernel cannot show, and what they show there
    "qemu-system-x86",
    "busybox-static",
    "kmod",
    "lvm2",
    # what the bootable key is made with, and the firmware that starts it
    "mmdebstrap",
    "uidmap",
    "squashfs-tools",
    "xorriso",
    "debian-archive-keyring",
    "ovmf",
    # what the small disk starts by that comes back from it
    "grub-common",
    "grub-efi-amd64-bin",
    "grub-pc-bin",
    # what Qt links, and the letters it writes
    "libegl1",
    "libgl1",
    "libfontconfig1",
    "libxkbcommon0",
    # a screen of its own for the window, hands on its keyboard, and what Qt needs to draw there
    "xvfb",
    "xdotool",
    "libxcb-cursor0",
    "libxcb-icccm4",
    "libxcb-image0",
    "libxcb-keysyms1",
    "libxcb-randr0",
    "libxcb-render-util0",
    "libxcb-shape0",
    "libxcb-xkb1",
    "libxkbcommon-x11-0",
    # edits Windows' registry
    "libhivex0",
    # compresses files as Windows does
    "libwim15",
    # mounts restore points
    "fuse3",
    # other programs that read our zips
    "p7zip-full",
    "unzip",
    "libarchive-tools",
)


def ensure_installed(packages: tuple[str, ...], *, purpose: str) -> None:
    """Install what is missing when root; otherwise say what to ask for and exit with 1.

    On a system without dpkg nothing can be known, so only the names are told.
    """
    if not packages:
        return
    if shutil.which("dpkg-query") is None:
        _say(f"Not a Debian system: {purpose} needs what Debian calls {' '.join(packages)}")
        return
    missing = [package for package in packages if not _is_installed(package)]
    if not missing:
        return
    if os.geteuid() != 0:
        _say(
            f"{purpose[0].upper()}{purpose[1:]} needs Debian packages that are not installed.\n"
            f"Ask your administrator to run:\n\n"
            f"    apt-get install --no-install-recommends {' '.join(missing)}\n"
        )
        raise SystemExit(1)
    _say(f"Installing Debian packages for {purpose}: {' '.join(missing)}")
    _apt_get("update")
    _apt_get("install", "--yes", "--no-install-recommends", *missing)


def _is_installed(package: str) -> bool:
    answer = subprocess.run(
        ["dpkg-query", "--show", "--showformat=${db:Status-Status}", package],
        capture_output=True,
        text=True,
        check=False,
    )
    return answer.stdout == "installed"


def _apt_get(*arguments: str) -> None:
    # Another apt may be at work, the nightly one for instance: wait for it.
    command = ["apt-get", "--quiet=2", "-o", "DPkg::Lock::Timeout=300", *arguments]
    answer = subprocess.run(
        command,
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        # Hundreds of lines "Unpacking ..." tell nobody anything unless it fails.
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if answer.returncode != 0:
        _say(f"{answer.stdout}\nThis failed: {' '.join(command)}")
        raise SystemExit(1)


def _say(message: str) -> None:
    # Standard output belongs to the command that is being set up.
    print(message, file=sys.stderr, flush=True)
