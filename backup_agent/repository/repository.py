"""One repository: opening, creating, and its small files (config, keys, indexes, snapshots).

Every small file but the config is named by its SHA-256, so what comes back
from storage is checked before it is believed; a mismatch is fetched once more,
since object stores deliver a damaged body now and then.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TypeVar

from backup_agent.crypto.cipher import MasterKey, Sealer
from backup_agent.crypto.password import STRONG, ScryptParameters
from backup_agent.errors import (
    IntegrityError,
    NoSuchPointError,
    ObjectNotFoundError,
    RepositoryExistsError,
    RepositoryNotFoundError,
)
from backup_agent.format.config import (
    NEWEST_VERSION,
    RepositoryConfig,
    decode_config,
    encode_config,
)
from backup_agent.format.envelope import unwrap, wrap
from backup_agent.format.index import IndexedPack, decode_index, encode_index
from backup_agent.format.polynomial import random_polynomial
from backup_agent.format.snapshot import decode_snapshot, encode_snapshot
from backup_agent.model.ids import PackId, SnapshotId
from backup_agent.model.snapshot import Snapshot
from backup_agent.repository.index import BlobIndex
from backup_agent.repository.keys import add_key, unlock_master
from backup_agent.repository.witness import Witness
from backup_agent.storage.backend import CONFIG, Backend, FileKind, ObjectKey

_T = TypeVar("_T")
_PARALLEL_LOADS = 8
_REBUILD = "everboot repair index makes the index anew from the packs."


@dataclass(frozen=True, slots=True)
class DamagedFile:
    """A small file that is there but cannot be believed."""

    key: ObjectKey
    reason: str


class Repository:
    """An open repository. The index is empty until :meth:`load_index`."""

    def __init__(
        self, backend: Backend, config: RepositoryConfig, master: MasterKey, key_name: str
    ) -> None:
        self.backend = backend
        self.config = config
        self.master = master
        self.key_name = key_name
        self.index = BlobIndex()
        self.witness = Witness()

    @property
    def location(self) -> str:
        return self.backend.location

    def sealer(self) -> Sealer:
        """A sealer for the calling thread."""
        return Sealer(self.master)

    # Small files

    def load_file(self, key: ObjectKey) -> bytes:
        """The JSON of an index, snapshot or lock. Raises ``IntegrityError`` naming the file."""
        sealed = load_named(self.backend, key)
        try:
            return unwrap(self.sealer().open(sealed))
        except IntegrityError as exc:
            hint = _REBUILD if key.kind is FileKind.INDEX else exc.hint
            raise IntegrityError(f"{key.path} is damaged: {exc.message}", hint=hint) from exc

    def save_file(self, kind: FileKind, json: bytes) -> str:
        """Seal and save; returns the name."""
        sealed = self.sealer().seal(wrap(json, version=self.config.version))
        # Read back what was sealed before it leaves: a bad index or snapshot costs all behind it.
        if unwrap(self.sealer().open(sealed)) != json:
            raise IntegrityError(
                "Sealing a file did not give back what went in; nothing was saved."
            )
        name = hashlib.sha256(sealed).hexdigest()
        self.backend.save(ObjectKey(kind, name), sealed)
        self.witness.saw(kind, [name])
        return name

    def remove_file(self, key: ObjectKey) -> None:
        self.backend.remove(key)
        self.witness.saw_gone(key.kind, [key.name])

    def names(self, kind: FileKind) -> list[str]:
        """The snapshots or index files there are: those that are listed, and those known to
        this computer that are there although the listing leaves them out.
        """

        def ask(name: str) -> str | None:
            try:
                self.backend.size(ObjectKey(kind, name))
            except ObjectNotFoundError:
                return None
            return name

        listed = {info.name for info in self.backend.list(kind)}
        unlisted = sorted(self.witness.names(kind) - listed)
        with ThreadPoolExecutor(_PARALLEL_LOADS, thread_name_prefix="ask") as pool:
            found = {name for name in pool.map(ask, unlisted) if name is not None}
        self.witness.saw(kind, listed)
        self.witness.saw_gone(kind, set(unlisted) - found)
        return sorted(listed | found)

    # Index

    def load_index(self, *, on_damage: Callable[[DamagedFile], None] | None = None) -> None:
        """Learn every blob, and forget what was known before: another run may have pruned it.

        A damaged index file raises ``IntegrityError``, or goes to ``on_damage``.
        """
        index = BlobIndex()
        for _, packs in self.load_indexes(on_damage=on_damage):
            for pack in packs:
                index.add_pack(pack)
        self.index = index
        if index.has_repeats:
            # What a backup saved again after a pack was lost is found where it lies now.
            index.prefer_others(self.lost_packs())

    def lost_packs(self) -> frozenset[PackId]:
        """The indexed packs that the storage does not list, or lists as cut short.

        A listing that lags behind names too many: good enough to save or look
        elsewhere, not to remove anything.
        """
        sizes = {info.name: info.size for info in self.backend.list(FileKind.PACK)}
        index = self.index
        return frozenset(p for p in index.packs if sizes.get(p, 0) < index.pack_end(p))

    def load_indexes(
        self, *, on_damage: Callable[[DamagedFile], None] | None = None
    ) -> Iterator[tuple[str, tuple[IndexedPack, ...]]]:
        """(name, packs) of every index file; damaged ones raise, or go to ``on_damage``."""
        return self._load_all(FileKind.INDEX, lambda _name, json: decode_index(json), on_damage)

    def save_index(self, packs: tuple[IndexedPack, ...]) -> str:
        return self.save_file(FileKind.INDEX, encode_index(packs))

    # Snapshots

    def snapshots(
        self, *, on_damage: Callable[[DamagedFile], None] | None = None
    ) -> list[Snapshot]:
        """Every snapshot, oldest first; damaged ones raise, or go to ``on_damage``."""
        found = self._load_all(
            FileKind.SNAPSHOT,
            lambda name, json: decode_snapshot(json, SnapshotId(name)),
            on_damage,
        )
        return sorted((s for _, s in found), key=lambda s: (s.time, s.id))

    def snapshot(self, wanted: str) -> Snapshot:
        """The one snapshot whose id starts so, or the ``latest``.

        Raises ``NoSuchPointError``; ``IntegrityError`` where nobody knows which is the latest.
        """
        if wanted == "latest":
            damaged: list[DamagedFile] = []
            points = self.snapshots(on_damage=damaged.append)
            if damaged:
                # One of them may be the newest: an older point must not pass for it.
                names = ", ".join(file.key.path for file in damaged)
                raise IntegrityError(
                    f"Which restore point is the latest cannot be told: {names} is damaged.",
                    hint="Choose a point by its id: everboot points lists them.",
                )
            if not points:
                raise NoSuchPointError(
                    "There is no restore point yet.", hint="Make one: everboot backup PATH"
                )
            return points[-1]
        return self.load_snapshot(self.snapshot_id(wanted))

    def snapshot_id(self, wanted: str) -> SnapshotId:
        """Complete an id prefix. Raises ``NoSuchPointError`` for none or several."""
        names = [name for name in self.names(FileKind.SNAPSHOT) if name.startswith(wanted)]
        if len(names) == 1 and wanted:
            return SnapshotId(names[0])
        several = "Several restore points start" if names and wanted else "No restore point starts"
        raise NoSuchPointError(
            f"{several} with {wanted!r}.", hint="everboot points lists them with their ids."
        )

    def load_snapshot(self, snapshot_id: SnapshotId) -> Snapshot:
        json = self.load_file(ObjectKey(FileKind.SNAPSHOT, snapshot_id))
        return decode_snapshot(json, snapshot_id)

    def save_snapshot(self, snapshot: Snapshot) -> Snapshot:
        """Commit; returns the snapshot with its id."""
        name = self.save_file(FileKind.SNAPSHOT, encode_snapshot(snapshot))
        return replace(snapshot, id=SnapshotId(name))

    def remove_snapshot(self, snapshot_id: SnapshotId) -> None:
        self.remove_file(ObjectKey(FileKind.SNAPSHOT, snapshot_id))

    def _load_all(
        self,
        kind: FileKind,
        decode: Callable[[str, bytes], _T],
        on_damage: Callable[[DamagedFile], None] | None,
    ) -> Iterator[tuple[str, _T]]:
        def load(name: str) -> tuple[str, _T] | DamagedFile | None:
            key = ObjectKey(kind, name)
            try:
                return name, decode(name, self.load_file(key))
            except IntegrityError as exc:
                if on_damage is None:
                    raise
                return DamagedFile(key, exc.message)
            except ObjectNotFoundError:
                # Listed, but removed by another run before it was read: it was superseded.
                return None

        with ThreadPoolExecutor(_PARALLEL_LOADS, thread_name_prefix="load") as pool:
            for result in pool.map(load, self.names(kind)):
                if isinstance(result, DamagedFile):
                    assert on_damage is not None
                    on_damage(result)
                elif result is not None:
                    yield result


def create_repository(
    backend: Backend,
    password: str,
    *,
    version: int = NEWEST_VERSION,
    parameters: ScryptParameters = STRONG,
) -> Repository:
    """Make a new repository. Raises ``RepositoryExistsError`` where there is one."""
    backend.prepare()
    if _exists(backend):
        raise RepositoryExistsError(
            f"There is a repository at {backend.location} already.",
            hint="Use it as it is, or name another place.",
        )
    master = MasterKey.generate()
    config = RepositoryConfig(version, os.urandom(32).hex(), random_polynomial())
    key_name = add_key(backend, master, password, parameters=parameters)
    # The config last: a repository without one does not exist, so a crash before leaves none.
    backend.save(CONFIG, Sealer(master).seal(encode_config(config)))
    return Repository(backend, config, master, key_name)


def open_repository(backend: Backend, password: str | Callable[[], str]) -> Repository:
    """A password that is asked for is asked for only where there is something to open.

    Raises ``RepositoryNotFoundError``, ``WrongPasswordError``, ``IntegrityError``,
    ``UnsupportedVersionError``.
    """
    try:
        sealed = backend.load(CONFIG)
    except ObjectNotFoundError as exc:
        raise RepositoryNotFoundError(
            f"There is no repository at {backend.location}.",
            hint="Check the address, or create one with: everboot init",
        ) from exc
    asked = password if isinstance(password, str) else password()
    key_name, master = unlock_master(backend, asked, fits=lambda key: _opens(key, sealed))
    try:
        config = decode_config(Sealer(master).open(sealed))
    except IntegrityError as exc:
        raise IntegrityError(
            f"The file config of the repository is damaged: {exc.message}",
            hint="Put it back from a copy of the repository; the data are not affected.",
        ) from exc
    return Repository(backend, config, master, key_name)


def load_named(backend: Backend, key: ObjectKey) -> bytes:
    """A whole file whose name is its hash. Raises ``IntegrityError`` when it twice is not."""
    for _ in range(2):
        data = backend.load(key)
        if hashlib.sha256(data).hexdigest() == key.name:
            return data
    raise IntegrityError(
        f"{key.path} is damaged: its content does not match its name.",
        hint=_REBUILD if key.kind is FileKind.INDEX else "everboot check tells what is affected.",
    )


def _opens(master: MasterKey, sealed: bytes) -> bool:
    try:
        Sealer(master).open(sealed)
    except IntegrityError:
        return False
    return True


def _exists(backend: Backend) -> bool:
    try:
        backend.size(CONFIG)
    except ObjectNotFoundError:
        # Snapshots without a config: a repository that lost it, which must not be written over.
        return any(True for _ in backend.list(FileKind.SNAPSHOT))
    return True
