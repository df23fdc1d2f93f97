"""Linux's answers to :class:`~backup_agent.host.senses.Senses`.

Power by the kernel (Documentation/ABI/testing/sysfs-class-power), networks by NetworkManager,
people by logind, both over D-Bus with systemd's own ``busctl``.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

from backup_agent.errors import HostError
from backup_agent.host.command import run
from backup_agent.host.linux.mountinfo import Mounted, parse_mountinfo
from backup_agent.host.senses import MountedFileSystem

_BUSCTL_SECONDS = 5
_NETWORK_MANAGER = (
    "org.freedesktop.NetworkManager",
    "/org/freedesktop/NetworkManager",
    "org.freedesktop.NetworkManager",
)
_LOGIND = (
    "org.freedesktop.login1",
    "/org/freedesktop/login1",
    "org.freedesktop.login1.Manager",
)
_METERED = {"1": True, "2": False, "3": True, "4": False}
"""NMMetered: yes, no, guessed yes, guessed no; 0 is unknown."""

Ask = Callable[[Sequence[str]], str]
"""Runs ``busctl get-property`` with those arguments; its answer. Raises ``HostError``."""


def ask_bus(arguments: Sequence[str]) -> str:
    answer = run(
        ("busctl", "--system", "get-property", *arguments), timeout_seconds=_BUSCTL_SECONDS
    )
    return answer.output.decode(errors="replace")


class LinuxSenses:
    """``root`` stands before the paths of the system; tests give it another one."""

    def __init__(
        self,
        *,
        root: Path = Path("/"),
        ask: Ask = ask_bus,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        self._root = root
        self._ask = ask
        self._environment = environment

    def on_battery(self) -> bool | None:
        mains, discharging = list[bool](), list[bool]()
        for supply in sorted((self._root / "sys/class/power_supply").glob("*")):
            # Batteries of mice and keyboards say nothing of the computer.
            if _read(supply / "scope") == "Device":
                continue
            match _read(supply / "type"):
                case "Mains" | "USB":
                    mains.append(_read(supply / "online") == "1")
                case "Battery":
                    discharging.append(_read(supply / "status") == "Discharging")
        if not discharging:
            return None
        return any(discharging) and not any(mains)

    def metered(self) -> bool | None:
        answer = self._property(*_NETWORK_MANAGER, "Metered")
        return _METERED.get(answer[0].removeprefix("u ")) if answer else None

    def idle_seconds(self) -> float | None:
        answer = self._property(*_LOGIND, "IdleHint", "IdleSinceHintMonotonic")
        if len(answer) != 2:
            return None
        hint, since = (line.split(" ", 1)[-1] for line in answer)
        if hint != "true":
            return 0.0
        return max(0.0, time.clock_gettime(time.CLOCK_MONOTONIC) - int(since) / 1e6)

    def zone(self) -> tzinfo:
        name = self._environment.get("TZ", "").removeprefix(":")
        try:
            if name:
                return ZoneInfo(name)
            file = self._root / "etc/localtime"
            return _zone_of(file, file.stat().st_mtime_ns)
        except (OSError, ValueError, KeyError):
            offset = datetime.now().astimezone().utcoffset()
            return timezone(offset or timedelta(0))

    def mounted_at(self, file_system: str) -> Path | None:
        # An id comes out of a file that people may edit: it is a name, and never a path.
        if not file_system or "/" in file_system or file_system in (".", ".."):
            return None
        device = self._by_uuid / file_system
        if not device.exists():
            return None
        real = device.resolve()
        number = _number(real)
        for mounted in self._mounts():
            if mounted.root == "/" and (
                mounted.number == number or _is(mounted.source, real, self._root)
            ):
                return self._root / mounted.place.lstrip("/")
        return None

    def file_system_of(self, path: Path) -> MountedFileSystem | None:
        wanted = path.resolve()
        around = [
            mounted
            for mounted in self._mounts()
            if mounted.root == "/" and wanted.is_relative_to(self._root / mounted.place.lstrip("/"))
        ]
        if not around:
            return None
        # The innermost; of several at one place the last, which covers the others.
        best = max(enumerate(around), key=lambda each: (len(each[1].place), each[0]))[1]
        for link in sorted(self._by_uuid.glob("*")):
            real = link.resolve()
            if best.number == _number(real) or _is(best.source, real, self._root):
                place = self._root / best.place.lstrip("/")
                return MountedFileSystem(link.name, self._label(real), place)
        return None

    @property
    def _by_uuid(self) -> Path:
        return self._root / "dev/disk/by-uuid"

    def _label(self, device: Path) -> str:
        links = sorted((self._root / "dev/disk/by-label").glob("*"))
        return next((_unescaped(link.name) for link in links if link.resolve() == device), "")

    def _mounts(self) -> list[Mounted]:
        try:
            text = (self._root / "proc/self/mountinfo").read_text(errors="surrogateescape")
        except OSError:
            return []
        return list(parse_mountinfo(text))

    def _property(self, *arguments: str) -> list[str]:
        try:
            return self._ask(arguments).splitlines()
        except HostError:
            return []


def _read(file: Path) -> str:
    try:
        return file.read_text().strip()
    except OSError:
        return ""


@lru_cache(maxsize=1)
def _zone_of(file: Path, _changed: int) -> ZoneInfo:
    with file.open("rb") as stream:
        return ZoneInfo.from_file(stream)


def _number(device: Path) -> str:
    try:
        number = device.stat().st_rdev
    except OSError:
        return ""
    return f"{os.major(number)}:{os.minor(number)}" if number else ""


def _is(source: str, device: Path, root: Path) -> bool:
    """Whether a mount's source, as it was named, leads to the device (btrfs has numbers of its
    own).
    """
    return source.startswith("/") and (root / source.lstrip("/")).resolve() == device


def _unescaped(name: str) -> str:
    r"""Udev writes what is unsafe in a name as ``\x20``."""
    return name.encode().decode("unicode_escape") if "\\x" in name else name
