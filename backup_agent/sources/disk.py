"""Disks as a tree of entries: layout, areas around the volumes, volumes in parts.

The stored tree (docs/format-disks.md)::

    /machine.json
    /disks/0/layout.json, head.img, ebr-0.img …, tail.img
    /disks/0/volumes/2/volume.json
    /disks/0/volumes/2/image/0000/part, 0001/part …

Every node of it is the same from run to run, so that an unchanged part, and a
folder of unchanged parts, costs a repository nothing.
"""

from __future__ import annotations

import io
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from backup_agent import __version__
from backup_agent.errors import SourceError, UsageError
from backup_agent.filesystems.layout import read_layout, read_volumes
from backup_agent.filesystems.used.survey import survey_volume
from backup_agent.format.disk_layout import encode_layout, encode_machine, encode_volume
from backup_agent.format.tree import encode_head
from backup_agent.host.api import Host
from backup_agent.model.disk import PART_SIZE, Disk, DiskLayout, Extent, Volume
from backup_agent.model.machine import Machine
from backup_agent.model.node import Node, NodeKind, go_mode
from backup_agent.sources.disk_at_rest import open_at_rest
from backup_agent.sources.disk_reader import DiskReader
from backup_agent.sources.disk_stream import DiskStream, TextStream, UsedVolume
from backup_agent.sources.entry import Entry
from backup_agent.sources.file_finder import FileFinder

_FILE_KIND, _FILE_MODE = go_mode(stat.S_IFREG | 0o600)
_FOLDER_KIND, _FOLDER_MODE = go_mode(stat.S_IFDIR | 0o700)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Content that is still on the disk."""

    reader: DiskReader
    extent: Extent
    sector_size: int
    used: UsedVolume | None = None
    """The volume it lies in."""


Content: TypeAlias = bytes | Stretch


@dataclass(frozen=True, slots=True)
class DiskEntry:
    """A file (with ``content``) or a folder of the stored tree."""

    node: Node
    path: bytes
    content: Content | None = None
    children: tuple[DiskEntry, ...] = ()
    doubt: str = ""
    """Why what it tells may not be the whole truth."""

    @property
    def kind(self) -> NodeKind:
        return self.node.kind

    @property
    def size(self) -> int:
        return self.node.size

    def head(self) -> bytes:
        return encode_head(self.node)

    @property
    def mtime_from_content(self) -> bool:
        return self.content is not None


@dataclass(frozen=True, slots=True)
class OpenedDisk:
    """A disk that is being backed up, with all that was learnt of it."""

    reader: DiskReader
    layout: DiskLayout
    volumes: tuple[UsedVolume, ...]


class DiskSource:
    """One or more whole disks; close it when the backup ends."""

    def __init__(
        self, machine: Machine, disks: Sequence[OpenedDisk], *, finder: FileFinder | None = None
    ) -> None:
        """``finder`` tells the files that bad sectors hit."""
        self.disks = tuple(disks)
        self._finder = finder
        machine_file = _file(b"/machine.json", encode_machine(machine))
        folders = [_disk_folder(number, disk) for number, disk in enumerate(disks)]
        self._roots = _sorted([_folder(b"/disks", folders), machine_file])

    @property
    def paths(self) -> tuple[str, ...]:
        """The disks' lasting names: what parents are found by and retention groups by."""
        return tuple(disk.reader.disk.identity for disk in self.disks)

    @property
    def remarks(self) -> tuple[str, ...]:
        """What a person should know of the disks, such as a table's damaged second copy."""
        return tuple(remark for disk in self.disks for remark in _remarks(disk))

    @property
    def left_out(self) -> tuple[str, ...]:
        return tuple(
            f"/disks/{number}/volumes/{used.volume.number}/{path}"
            for number, disk in enumerate(self.disks)
            for used in disk.volumes
            for path in used.volume.left_out
        )

    def roots(self) -> Sequence[DiskEntry]:
        return self._roots

    def children(self, folder: Entry) -> Sequence[DiskEntry]:
        return _own(folder).children

    def complete(self, entry: Entry) -> Node:
        return entry.node

    def open(self, file: Entry) -> DiskStream | TextStream:
        own = _own(file)
        match own.content:
            case bytes() as data:
                return TextStream(data, doubt=own.doubt)
            case Stretch(reader, extent, sector_size, used):
                return DiskStream(
                    reader, extent, sector_size=sector_size, used=used, finder=self._finder
                )
            case None:
                raise IsADirectoryError(file.path)

    def close(self) -> None:
        for disk in self.disks:
            disk.reader.close()


def open_disk_source(
    host: Host,
    paths: Iterable[str],
    *,
    allow_mounted: bool = False,
    include_all: bool = False,
    sector_size: int | None = None,
    part_size: int = PART_SIZE,
    finder: FileFinder | None = None,
) -> DiskSource:
    """The disks and image files at those paths, opened for reading and understood.

    ``include_all``: swap and Windows' temporary files, too. ``sector_size`` is
    for image files, where it is otherwise found by looking. ``finder`` tells
    the files that bad sectors hit.

    A disk in use is read through a frozen view where the system offers one.
    Raises :class:`~backup_agent.errors.FreezeFailedError` where it does not,
    unless ``allow_mounted``, :class:`SourceError` and :class:`PrivilegeError` for
    one that cannot be opened or read, :class:`UsageError` for one named twice.
    """
    opened: list[OpenedDisk] = []
    try:
        for path in paths:
            disk = host.disk(path)
            _refuse_twice(disk, opened)
            file = open_at_rest(host, disk, allow_mounted=allow_mounted)
            opened.append(
                _open(
                    disk,
                    file,
                    sector_size=sector_size,
                    part_size=part_size,
                    include_all=include_all,
                )
            )
    except BaseException:
        for one in opened:
            one.reader.close()
        raise
    machine = Machine(
        hostname=host.hostname,
        operating_system=host.operating_system,
        firmware=host.firmware,
        tool_version=__version__,
    )
    return DiskSource(machine, opened, finder=finder)


def _refuse_twice(disk: Disk, opened: list[OpenedDisk]) -> None:
    if any(disk.identity == other.reader.disk.identity for other in opened):
        raise UsageError(f"{disk.path} is named twice.")


def _open(
    disk: Disk, file: io.RawIOBase, *, sector_size: int | None, part_size: int, include_all: bool
) -> OpenedDisk:
    try:
        layout = read_layout(file, disk, sector_size=disk.sector_size or sector_size)
        volumes = read_volumes(file, layout)
        used = [
            _survey(file, replace(volume, part_size=part_size), include_all=include_all)
            for volume in volumes
        ]
    except SourceError as exc:
        file.close()
        raise SourceError(f"{disk.path}: {exc.message}", hint=exc.hint) from exc
    except OSError as exc:
        file.close()
        raise SourceError(f"{disk.path} cannot be read: {exc.strerror}") from exc
    except BaseException:
        file.close()
        raise
    return OpenedDisk(DiskReader(disk, file), layout, tuple(used))


def _survey(file: io.RawIOBase, volume: Volume, *, include_all: bool) -> UsedVolume:
    survey = survey_volume(file, volume, include_all=include_all)
    described = replace(
        volume,
        used_bytes=survey.space.used_bytes if survey.space else None,
        left_out=survey.left_out,
        remarks=survey.remarks,
        unclean=survey.unclean,
    )
    return UsedVolume(described, survey.space)


def _remarks(disk: OpenedDisk) -> Iterator[str]:
    path = disk.reader.disk.path
    table = disk.layout.table
    # Partitions that are not known are no remark but an omission.
    for flaw in () if table.undivided else table.flaws:
        yield f"{path}: {flaw}"
    for used in disk.volumes:
        for remark in used.volume.remarks:
            yield f"{path}, volume {used.volume.number}: {remark}"


def _disk_folder(number: int, disk: OpenedDisk) -> DiskEntry:
    path = b"/disks/%d" % number
    table = disk.layout.table
    doubt = " ".join(table.flaws) if table.undivided else ""
    entries = [_file(path + b"/layout.json", encode_layout(disk.layout), doubt=doubt)]
    for area in disk.layout.areas:
        content = Stretch(disk.reader, area.extent, table.sector_size)
        entries.append(_file(b"%s/%s" % (path, area.name.encode()), content))
    volumes = [_volume_folder(path, disk, used) for used in disk.volumes]
    return _folder(path, [*entries, _folder(path + b"/volumes", volumes)])


def _volume_folder(disk_path: bytes, disk: OpenedDisk, used: UsedVolume) -> DiskEntry:
    volume = used.volume
    path = b"%s/volumes/%d" % (disk_path, volume.number)
    parts: list[DiskEntry] = []
    for number, part in enumerate(volume.parts()):
        folder = b"%s/image/%04d" % (path, number)
        extent = Extent(volume.start + part.start, part.size)
        stretch = Stretch(disk.reader, extent, disk.layout.table.sector_size, used)
        parts.append(_folder(folder, [_file(folder + b"/part", stretch)]))
    description = _file(path + b"/volume.json", encode_volume(volume))
    return _folder(path, [_folder(path + b"/image", parts), description])


def _file(path: bytes, content: Content, *, doubt: str = "") -> DiskEntry:
    size = len(content) if isinstance(content, bytes) else content.extent.size
    node = Node(name=_name(path), kind=_FILE_KIND, mode=_FILE_MODE, size=size, links=1)
    return DiskEntry(node, path, content, doubt=doubt)


def _folder(path: bytes, children: list[DiskEntry]) -> DiskEntry:
    node = Node(name=_name(path), kind=_FOLDER_KIND, mode=_FOLDER_MODE)
    return DiskEntry(node, path, children=_sorted(children))


def _name(path: bytes) -> bytes:
    return path.rpartition(b"/")[2]


def _sorted(entries: list[DiskEntry]) -> tuple[DiskEntry, ...]:
    return tuple(sorted(entries, key=lambda entry: entry.node.name))


def _own(entry: Entry) -> DiskEntry:
    assert isinstance(entry, DiskEntry), "an entry of another source"
    return entry
