"""Opening and creating repositories by their address: the faces' way in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from backup_agent.errors import RepositoryLockedError, StorageError, UsageError
from backup_agent.format.config import NEWEST_VERSION, READABLE_VERSIONS
from backup_agent.model.cancel import CancelToken
from backup_agent.model.events import Emit, Notice
from backup_agent.repository.locks import RepositoryLock
from backup_agent.repository.pack_file import take_up_unindexed
from backup_agent.repository.read_ahead import ReadAhead
from backup_agent.repository.reader import BlobReader
from backup_agent.repository.repository import (
    DamagedFile,
    Repository,
    create_repository,
    open_repository,
)
from backup_agent.repository.witness import Witness
from backup_agent.storage.addresses import (
    StorageOptions,
    embedded_credentials,
    is_remote,
    is_vault,
    local_folder,
    masked,
    open_backend,
)
from backup_agent.storage.backend import Backend
from backup_agent.storage.cache import CachingBackend
from backup_agent.storage.discarding import DiscardingBackend

__all__ = [
    "Access",
    "BlobReader",
    "ReadAhead",
    "Repository",
    "StorageOptions",
    "create",
    "embedded_credentials",
    "is_vault",
    "local_folder",
    "masked",
    "opened",
    "reading",
]


@dataclass(frozen=True, slots=True)
class Access:
    """How to reach a repository. ``cache``: where copies of indexes and trees may be kept."""

    address: str = field(repr=False)  # it may hold credentials
    password: Callable[[], str]
    environment: Mapping[str, str]
    options: StorageOptions = field(default_factory=StorageOptions)
    cache: Path | None = None


def create(
    access: Access, *, version: int = NEWEST_VERSION, emit: Emit, cancel: CancelToken
) -> Repository:
    """The caller closes its backend. Raises ``RepositoryExistsError``, ``StorageError``,
    ``UsageError``, ``LinkError``.
    """
    if version not in READABLE_VERSIONS:
        raise UsageError(f"Format version {version} is not known.", hint="There are 1 and 2.")
    backend = _backend(access, emit=emit, cancel=cancel)
    try:
        return create_repository(backend, access.password(), version=version)
    except BaseException:
        backend.close()
        raise


@contextmanager
def opened(
    access: Access, *, dry_run: bool = False, cached: bool = True, emit: Emit, cancel: CancelToken
) -> Iterator[Repository]:
    """The repository, until the end of the ``with``; a dry run writes nothing to it.

    ``cached``: false for those who judge what is there, not what this computer
    remembers. Even for them the cache bears witness against a listing that
    leaves something out.

    Raises ``RepositoryNotFoundError``, ``WrongPasswordError``, ``StorageError``,
    ``IntegrityError``, ``UnsupportedVersionError``, ``LinkError``.
    """
    backend = _backend(access, emit=emit, cancel=cancel)
    try:
        repository = open_repository(
            DiscardingBackend(backend) if dry_run else backend, access.password
        )
        if access.cache is not None and is_remote(access.address):
            folder = access.cache / repository.config.id
            repository.witness = Witness(folder)
            if cached:
                repository.backend = CachingBackend(repository.backend, folder)
        yield repository
    finally:
        backend.close()


def _backend(access: Access, *, emit: Emit, cancel: CancelToken) -> Backend:
    address, options = access.address, access.options
    if is_vault(address):
        from backup_agent.services.link.vaults import reach

        vault = reach(address, access.environment, options)
        address, options = vault.address, vault.options
    return open_backend(address, access.environment, options, emit=emit, cancel=cancel)


@contextmanager
def reading(repository: Repository, *, emit: Emit, with_lock: bool = True) -> Iterator[BlobReader]:
    """A reader with the index loaded, for restoring and looking.

    Takes a shared lock where it can, so that nobody prunes meanwhile; but a
    lock in the way, or storage that cannot be written, keeps nobody from their data.
    Nor does a damaged index file: the packs it spoke of are asked themselves.
    Without a lock (``with_lock``) only where what is pruned meanwhile can still be read.
    """
    damaged: list[DamagedFile] = []

    def load_index() -> None:
        damaged.clear()
        repository.load_index(on_damage=damaged.append)

    with ExitStack() as stack:
        if with_lock:
            try:
                stack.enter_context(RepositoryLock(repository, meanwhile=load_index))
            except (RepositoryLockedError, StorageError):
                # Whoever has it may have pruned what was loaded meanwhile.
                load_index()
        else:
            load_index()
        for file in damaged:
            emit(
                Notice(
                    f"An index file is damaged: {file.reason} What it told is read from the "
                    "packs themselves, as far as they do; everboot repair index rebuilds it."
                )
            )
        if damaged:
            take_up_unindexed(repository)
        yield stack.enter_context(BlobReader(repository))
