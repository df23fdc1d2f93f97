r"""A repository's address, as people type it, turned into a backend that speaks to the place.

::

    /srv/backup   C:\backup   local:/srv/backup
    s3:https://host[:port]/bucket[/prefix]      (https:// may be left out)
    swift:container:/[prefix]
    rest:https://host[:port]/path/
    webdav:https://host/path

Concrete backends are imported when one is asked for: boto3 alone takes a
fifth of a second, which a repository in a folder must not pay.
"""

from __future__ import annotations

import re
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from posixpath import normpath
from typing import TYPE_CHECKING, NoReturn
from urllib.parse import unquote, urlsplit

from backup_agent.errors import UsageError
from backup_agent.model.events import Emit, ignore
from backup_agent.storage.backend import Backend
from backup_agent.storage.direct import DirectReads
from backup_agent.storage.egress import ConfinedBackend, EgressPolicy
from backup_agent.storage.failures import Failures
from backup_agent.storage.retry import RetryingBackend
from backup_agent.storage.throttle import Throttle, ThrottledBackend

if TYPE_CHECKING:
    from backup_agent.storage.web_client import TokenSource

# Two letters at least: C: is a Windows drive.
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):(.*)", re.DOTALL)
_AUTHORITY = re.compile(r"[A-Za-z0-9+.-]{2,}:(?:(?:[A-Za-z]+:)?//)?([^/?#]*)")
_HOST_AND_PORT = re.compile(r"(\[[^\]]*\]|[^:]*)(:\d*)?")
_KIB = 1024


@dataclass(frozen=True, slots=True)
class StorageOptions:
    """What the command line says about storage; limits in KiB/s, 0 for none.

    ``egress`` confines connections where somebody else has typed the address. ``tokens`` and
    ``certificate`` (PEM) are those of a REST server that knows this device: a console.
    """

    cacert: Path | None = None
    limit_upload: int = 0
    limit_download: int = 0
    egress: EgressPolicy | None = None
    tokens: TokenSource | None = None
    certificate: str = ""


def open_backend(
    address: str,
    environment: Mapping[str, str],
    options: StorageOptions = StorageOptions(),
    *,
    emit: Emit = ignore,
) -> Backend:
    """The backend for an address, with retries and limits. Nothing is contacted yet.

    Raises :class:`UsageError` for an address that makes no sense or whose
    credentials are missing. ``emit`` is told of retries.
    """
    remote = is_remote(address)
    if remote and options.cacert:
        _require_authority(options.cacert)
    backend = _bare_backend(address, environment, options)
    if remote and options.egress is not None:
        backend = ConfinedBackend(backend, options.egress)
    if options.limit_upload or options.limit_download:
        backend = ThrottledBackend(
            backend,
            upload=Throttle(options.limit_upload * _KIB),
            download=Throttle(options.limit_download * _KIB),
        )
    if remote:
        # Outside the limits, so that what is sent again is paid for again.
        backend = RetryingBackend(backend, emit=emit, sleep=time.sleep, clock=time.monotonic)
    return backend


def open_direct_reads(
    address: str, environment: Mapping[str, str], options: StorageOptions = StorageOptions()
) -> DirectReads | None:
    """Who gives out addresses to read single objects from; None where the place has none such.

    Raises :class:`UsageError`, as ``open_backend`` does.
    """
    if _scheme(address) not in ("s3", "swift"):
        return None
    backend = _bare_backend(address, environment, options)
    return backend if isinstance(backend, DirectReads) else None


def is_remote(address: str) -> bool:
    """Whether the address leads over a network."""
    return _scheme(address) not in ("", "local")


def is_vault(address: str) -> bool:
    """Whether a console must say where it leads (``services.link``)."""
    return _scheme(address) == "vault"


def masked(address: str) -> str:
    """The address without its secrets, for showing it."""
    span = _user_info(address)
    if span is None:
        return address
    user, colon, _password = address[slice(*span)].partition(":")
    # A name without a password may itself be a token.
    shown = f"{user}:***" if colon else "***"
    return address[: span[0]] + shown + address[span[1] :]


def embedded_credentials(address: str) -> bool:
    """Whether the address holds a user name or password, which other people may then read."""
    return _user_info(address) is not None


def _user_info(address: str) -> tuple[int, int] | None:
    """Where ``user:password`` stands in the address, without the ``@`` after it."""
    if _scheme(address) in ("", "local", "swift"):
        return None
    authority = _AUTHORITY.match(address)
    if authority is None:
        return None
    start, end = authority.span(1)
    at = address.rfind("@", start, end)
    if at < 0 and not _HOST_AND_PORT.fullmatch(authority.group(1)):
        # A password with an unescaped slash in it: what follows "host:" is no port number.
        at = address.rfind("@")
    return None if at < 0 else (start, at)


def _scheme(address: str) -> str:
    match = _SCHEME.match(address)
    return match.group(1).lower() if match else ""


def _bare_backend(address: str, environment: Mapping[str, str], options: StorageOptions) -> Backend:
    rest = address.partition(":")[2]
    match _scheme(address):
        case "":
            return _local(address, address)
        case "local":
            return _local(address, rest)
        case "s3":
            return _s3(address, rest, environment, options)
        case "swift":
            return _swift(address, rest, environment, options)
        case "rest":
            return _rest(address, rest, environment, options)
        case "webdav":
            return _webdav(address, rest, environment, options)
        case scheme:
            raise UsageError(
                f"{masked(address)} is no repository address: {scheme}: is not known.",
                hint="Known are a path, s3:, swift:, rest:, webdav: and vault:. "
                "Write local: before a path that looks like an address.",
            )


def _local(address: str, path: str) -> Backend:
    from backup_agent.storage.local import LocalBackend

    if not path:
        _refuse(address, "the path is missing")
    return LocalBackend(Path(path))


def _s3(address: str, url: str, environment: Mapping[str, str], options: StorageOptions) -> Backend:
    from backup_agent.storage.s3 import Bucket, S3Backend
    from backup_agent.storage.s3_login import VARIABLES, S3Login, find_login

    if not url.startswith(("http://", "https://")):
        url = "https://" + url.removeprefix("//")  # restic's short form
    server = _server(address, url)
    name, _, prefix = server.path.strip("/").partition("/")
    if not name:
        _refuse(address, "the bucket is missing: s3:https://host/bucket")
    bucket = Bucket(
        endpoint=server.root,
        name=name,
        prefix=_clean(prefix),
        region=environment.get("AWS_DEFAULT_REGION") or environment.get("AWS_REGION") or "",
    )
    login = S3Login(server.user, server.password) if server.password else find_login(environment)
    return S3Backend(
        bucket,
        failures=Failures(masked(address), VARIABLES),
        login=login,
        cacert=options.cacert,
    )


def _swift(
    address: str, rest: str, environment: Mapping[str, str], options: StorageOptions
) -> Backend:
    from backup_agent.storage.swift import SwiftBackend
    from backup_agent.storage.swift_login import VARIABLES, connector

    container, colon, prefix = rest.partition(":")
    if not container or "/" in container or not colon or not prefix.startswith("/"):
        _refuse(address, "a container and a path are needed: swift:container:/prefix")
    return SwiftBackend(
        container,
        _clean(prefix),
        failures=Failures(masked(address), VARIABLES),
        connect=connector(environment, options.cacert),
    )


def _rest(
    address: str, url: str, environment: Mapping[str, str], options: StorageOptions
) -> Backend:
    from backup_agent.storage.rest import RestBackend
    from backup_agent.storage.web_client import Login

    server = _server(address, url)
    if options.tokens is not None:
        return RestBackend(
            server.folder,
            failures=Failures(masked(address), "this device's link (everboot link --status)"),
            login=options.tokens,
            cacert=options.cacert,
            certificate=options.certificate,
        )
    user = environment.get("EVERBOOT_REST_USERNAME") or environment.get("RESTIC_REST_USERNAME")
    password = environment.get("EVERBOOT_REST_PASSWORD") or environment.get("RESTIC_REST_PASSWORD")
    return RestBackend(
        server.folder,
        failures=Failures(masked(address), "EVERBOOT_REST_USERNAME and EVERBOOT_REST_PASSWORD"),
        login=Login(server.user or user or "", server.password or password or ""),
        cacert=options.cacert,
    )


def _webdav(
    address: str, url: str, environment: Mapping[str, str], options: StorageOptions
) -> Backend:
    from backup_agent.storage.web_client import Login
    from backup_agent.storage.webdav import WebdavBackend

    server = _server(address, url)
    user = environment.get("EVERBOOT_WEBDAV_USERNAME", "")
    password = environment.get("EVERBOOT_WEBDAV_PASSWORD", "")
    return WebdavBackend(
        server.folder,
        failures=Failures(masked(address), "EVERBOOT_WEBDAV_USERNAME and EVERBOOT_WEBDAV_PASSWORD"),
        login=Login(server.user or user, server.password or password),
        cacert=options.cacert,
    )


@dataclass(frozen=True, slots=True)
class _Server:
    """A URL taken apart; ``root`` is ``https://host[:port]``, without credentials."""

    root: str
    path: str
    user: str
    password: str

    @property
    def folder(self) -> str:
        return f"{self.root}/{self.path.strip('/')}/" if self.path.strip("/") else f"{self.root}/"


def _server(address: str, url: str) -> _Server:
    try:
        split = urlsplit(url)
        port = split.port
    except ValueError:
        _refuse(address, "the host or its port makes no sense")
    if split.scheme not in ("http", "https") or not split.hostname:
        _refuse(address, "after the colon it needs https://host or http://host")
    host = f"[{split.hostname}]" if ":" in split.hostname else split.hostname
    return _Server(
        root=f"{split.scheme}://{host}" + (f":{port}" if port else ""),
        path=split.path,
        user=unquote(split.username or ""),
        password=unquote(split.password or ""),
    )


def _require_authority(cacert: Path) -> None:
    """Find out now, and not as one library's odd error in the first request."""
    try:
        ssl.create_default_context(cafile=str(cacert))
    except OSError as exc:
        raise UsageError(
            f"{cacert} cannot be used as a certificate authority: {exc.strerror}",
            hint="--cacert wants a PEM file with one or more certificates.",
        ) from exc


def _clean(prefix: str) -> str:
    """The prefix as restic writes it: no slash at its ends, none doubled."""
    return normpath(f"/{prefix}").strip("/")


def _refuse(address: str, why: str) -> NoReturn:
    raise UsageError(
        f"{masked(address)} is no repository address: {why}.",
        hint="For example s3:https://host/bucket, swift:container:/, rest:https://host/path/, "
        "webdav:https://host/path, or a path.",
    )
