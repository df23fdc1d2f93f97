"""Every error Everboot raises on purpose.

The class tells code what to do, the message tells a person what happened, the
hint what to try::

    EverbootError
    ├── UsageError                      the command line or a setting makes no sense
    ├── RepositoryError
    │   ├── RepositoryNotFoundError     exit 10
    │   ├── RepositoryExistsError
    │   ├── RepositoryLockedError       exit 11
    │   ├── WrongPasswordError          exit 12
    │   ├── UnsupportedVersionError
    │   ├── NoSuchPointError            no restore point (or path in it) like that
    │   └── IntegrityError              corrupt or missing data; never retried, never softened
    ├── StorageError
    │   ├── TransientStorageError       the only one that is retried
    │   ├── ObjectNotFoundError
    │   ├── StorageFullError
    │   └── AccessDeniedError
    ├── SourceError
    │   ├── UnreadableError             one item; the run goes on without it
    │   │   └── LeftOutError            because the backup did not store it, as it was told
    │   ├── ChangedWhileReadError       one item; kept as read, reported
    │   ├── FreezeFailedError           the run ends
    │   ├── PartitionTableError         it is not believed; what it divides is stored as a whole
    │   └── SpaceUnknownError           a volume's account of its space; all of it is stored
    │       └── UncleanVolumeError      because it was not unmounted cleanly
    ├── TargetError
    │   ├── TargetTooSmallError
    │   ├── TargetInUseError
    │   └── UnsafePathError
    ├── HostError
    │   ├── CommandFailedError
    │   ├── PrivilegeError
    │   ├── HungUpError                 another program of this computer does not answer (any more)
    │   └── UnsupportedError
    ├── LinkError                       between this device and its console
    │   ├── NotLinkedError              this device knows no console, or the console no such vault
    │   └── LinkRefusedError            a person said no, the code ran out, the device was removed
    └── JobCancelledError               exit 130
"""

from __future__ import annotations

from typing import ClassVar


class EverbootError(Exception):
    """Base of all; ``code`` is stable for scripts, ``hint`` may be empty."""

    code: ClassVar[str] = "everboot"
    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(EverbootError):
    code = "usage"


class RepositoryError(EverbootError):
    code = "repository"


class RepositoryNotFoundError(RepositoryError):
    code = "repository.not_found"
    exit_code = 10


class RepositoryExistsError(RepositoryError):
    code = "repository.exists"


class RepositoryLockedError(RepositoryError):
    code = "repository.locked"
    exit_code = 11


class WrongPasswordError(RepositoryError):
    code = "repository.wrong_password"
    exit_code = 12


class UnsupportedVersionError(RepositoryError):
    code = "repository.unsupported_version"


class NoSuchPointError(RepositoryError):
    code = "repository.no_such_point"


class IntegrityError(RepositoryError):
    code = "repository.integrity"


class StorageError(EverbootError):
    code = "storage"


class TransientStorageError(StorageError):
    code = "storage.transient"


class ObjectNotFoundError(StorageError):
    code = "storage.not_found"


class StorageFullError(StorageError):
    code = "storage.full"


class AccessDeniedError(StorageError):
    code = "storage.access_denied"


class SourceError(EverbootError):
    code = "source"


class UnreadableError(SourceError):
    code = "source.unreadable"


class LeftOutError(UnreadableError):
    code = "source.left_out"


class ChangedWhileReadError(SourceError):
    code = "source.changed_while_read"


class FreezeFailedError(SourceError):
    code = "source.freeze_failed"


class PartitionTableError(SourceError):
    code = "source.partition_table"


class SpaceUnknownError(SourceError):
    code = "source.space_unknown"


class UncleanVolumeError(SpaceUnknownError):
    code = "source.unclean_volume"


class TargetError(EverbootError):
    code = "target"


class TargetTooSmallError(TargetError):
    code = "target.too_small"


class TargetInUseError(TargetError):
    code = "target.in_use"


class UnsafePathError(TargetError):
    code = "target.unsafe_path"


class HostError(EverbootError):
    code = "host"


class CommandFailedError(HostError):
    code = "host.command_failed"


class PrivilegeError(HostError):
    code = "host.privilege"


class HungUpError(HostError):
    code = "host.hung_up"


class UnsupportedError(HostError):
    code = "host.unsupported"


class LinkError(EverbootError):
    code = "link"


class NotLinkedError(LinkError):
    code = "link.not_linked"


class LinkRefusedError(LinkError):
    code = "link.refused"


class JobCancelledError(EverbootError):
    code = "cancelled"
    exit_code = 130
