"""The programs the servers need from Debian, and the packages they come in."""

from __future__ import annotations

from shutil import which

_PACKAGE_OF = {
    "ceph": "ceph-common",
    "ceph-mon": "ceph-mon",
    "ceph-osd": "ceph-osd",
    "memcached": "memcached",
    "monmaptool": "ceph-base",
    "radosgw": "radosgw",
    "radosgw-admin": "radosgw",
    "rclone": "rclone",
}

DEBIAN_PACKAGES = frozenset(_PACKAGE_OF.values())
"""What a machine needs to run the tests that need servers."""


class MissingProgramError(AssertionError):
    """A server cannot start: a failure and not a skip, or its tests would vanish unnoticed."""


def find_program(name: str) -> str:
    """The program's path; ``MissingProgramError`` says which package to install."""
    # Daemons lie in sbin, which is not in everybody's PATH.
    path = which(name) or which(name, path="/usr/local/sbin:/usr/sbin:/sbin")
    if path is None:
        raise MissingProgramError(f"{name} is not installed: apt-get install {_PACKAGE_OF[name]}")
    return path
