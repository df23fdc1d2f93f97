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
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from posixpath import normpath
from typing import TYPE_CHECKING, NoReturn
from urllib.parse import unquote, urlsplit

from backup_agent.errors import UsageError
from backup_agent.model.cancel import CancelToken
from backup_agent.model.events import Emit, ignore
from backup_agent.storage.authorities import authorities_file
from backup_agent.storage.backend import Backend
from backup_agent.storage.cancellable import CancellableBackend
from backup_agent.storage.direct import DirectReads
from backup_agent.storage.egress import ConfinedBackend, EgressPolicy
from backup_agent.storage.failures import Failures
from backup_agent.storage.read_back import ReadBackBackend
from backup_agent.storage.retry import RetryingBackend
from backup_agent.storage.throttle import Throttle, ThrottledBackend

if TYPE_CHECKING:
    from backup_agent.storage.web_client import TokenSource

# Two letters at least: C: is a Windows drive.
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):(.*)", re.DOTALL)
_BEFORE_AUTHORITY = re.compile(r".*?://|[A-Za-z0-9+.-]{2,}:(?://)?", re.DOTALL)
_HOST_ALONE = re.compile(r"\[[^\]]*\](:\d*)?|[^:/?#@]*")
_BEFORE_ADDRESS = re.compile(r"[\s\"'`\u2018\u2019“”„«»]*")
"""What comes along when an address is copied out of a text."""
_LOGIN = re.compile(r"[^/\\:]+:(?![/\\]).*@", re.DOTALL)
"""``user:password@``, where neither a path nor ``container:/`` can be meant."""
_REMOTE = ("s3", "swift", "rest", "webdav")
_BUCKET_NAME = re.compile(r"[A-Za-z0-9._-]{3,255}")
"""What any server allows. Amazon's own rules are stricter, and its oldest buckets break them."""
_UNPROVEN = ("rest", "webdav")
"""Servers that need not notice when what arrives is not what was sent."""
_KIB = 1024


@dataclass(frozen=True, slots=True)
class StorageOptions:
    """What the command line says about storage; limits in KiB/s, 0 for none.

    ``rates`` tells limits that change while a job runs (up, down); the stricter one counts.

    ``egress`` confines connections where somebody else has typed the address. ``tokens`` and
    ``certificate`` (PEM) are those of a REST server that knows this device: a console.
    ``read_back``: compare every pack after its upload, where the server proves nothing.
    """

    cacert: Path | None = None
    limit_upload: int = 0
    limit_download: int = 0
    egress: EgressPolicy | None = None
    tokens: TokenSource | None = None
    certificate: str = ""
    read_back: bool = False
    rates: Callable[[], tuple[int, int]] | None = None


def open_backend(
    address: str,
    environment: Mapping[str, str],
    options: StorageOptions = StorageOptions(),
    *,
    emit: Emit = ignore,
    cancel: CancelToken | None = None,
) -> Backend:
    """The backend for an address, with retries and limits. Nothing is contacted yet.

    Raises :class:`UsageError` for an address that makes no sense or whose
    credentials are missing. ``emit`` is told of retries; ``cancel`` ends their
    pauses, those of the limits, and requests under way, with ``JobCancelledError``.
    """
    remote = is_remote(address)
    if remote:
        trusted = authorities_file(_scheme(address), environment, cacert=options.cacert)
        options = replace(options, cacert=trusted)
    backend = _bare_backend(address, environment, options)
    if remote and options.egress is not None:
        backend = ConfinedBackend(backend, options.egress)
    cancel = cancel or CancelToken()
    wait = cancel.wait
    if options.limit_upload or options.limit_download or options.rates is not None:
        backend = ThrottledBackend(
            backend,
            upload=Throttle(lambda: _limits(options)[0] * _KIB, wait=wait),
            download=Throttle(lambda: _limits(options)[1] * _KIB, wait=wait),
        )
    if _scheme(address) in _UNPROVEN:
        backend = ReadBackBackend(backend, every_pack=options.read_back)
    if remote:
        backend = CancellableBackend(backend, cancel)
        # Outside the limits, so that what is sent again is paid for again.
        backend = RetryingBackend(backend, emit=emit, wait=wait, clock=time.monotonic)
    return backend


def _limits(options: StorageOptions) -> tuple[int, int]:
    """KiB/s up and down at this moment; 0 is no limit."""
    up, down = options.rates() if options.rates is not None else (0, 0)
    return _stricter(up, options.limit_upload), _stricter(down, options.limit_download)


def _stricter(one: int, other: int) -> int:
    return min(one or other, other or one)


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


def local_folder(address: str) -> Path | None:
    """The folder that a repository on this computer lies in; ``None`` for one elsewhere."""
    if is_remote(address):
        return None
    return Path(address.partition(":")[2] if _scheme(address) else address)


def masked(address: str) -> str:
    """The address without its secrets, for showing it.

    Where it can be read in two ways, more is hidden than need be.
    """
    lead = _before(address)
    if lead:
        return lead + masked(address.removeprefix(lead))
    if not _is_url(address):
        return address
    start, at = _user_info(address)
    user, colon, _password = address[start:at].partition(":")
    # A name without a password may itself be a token.
    shown = (f"{user}:***" if colon else "***") if at > start else ""
    # Links that carry their own permission have it in the query, or behind a #.
    place, mark, _token = _cut_at(address[at:], "?#")
    return f"{address[:start]}{shown}{place}{mark}" + ("***" if mark else "")


def embedded_credentials(address: str) -> bool:
    """Whether the address holds a user name or password, which other people may then read."""
    return masked(address) != address


def _is_url(address: str) -> bool:
    match _scheme(address):
        case "" | "local" | "swift" as scheme:
            rest = address[len(scheme) + 1 :] if scheme else address
            return "://" in address or _LOGIN.match(rest) is not None
        case _:
            return True


def _before(address: str) -> str:
    """The spaces and quotes before an address, which make a path of it."""
    found = _BEFORE_ADDRESS.match(address)
    return found[0] if found else ""


def _user_info(address: str) -> tuple[int, int]:
    """Where ``user:password`` stands in a URL, without the ``@`` after it; empty if there is none.

    It ends at the last ``@``: passwords hold ``/``, ``?``, ``#`` and ``@`` that nobody escaped.
    An ``@`` behind a bare host belongs to the path; behind ``host:8000/``, nobody can tell that
    from a password which begins with digits.
    """
    before = _BEFORE_AUTHORITY.match(address)
    start = before.end() if before else 0
    host = _HOST_ALONE.match(address, start)
    if host and (host.end() == len(address) or address[host.end()] in "/?#"):
        return start, start
    return start, max(start, address.rfind("@"))


def _cut_at(text: str, marks: str) -> tuple[str, str, str]:
    """Like ``partition``, at the first of several characters."""
    place = next((i for i, character in enumerate(text) if character in marks), len(text))
    return text[:place], text[place : place + 1], text[place + 1 :]


def _scheme(address: str) -> str:
    match = _SCHEME.match(address)
    return match.group(1).lower() if match else ""


def _bare_backend(address: str, environment: Mapping[str, str], options: StorageOptions) -> Backend:
    rest = address.partition(":")[2]
    match _scheme(address):
        case "":
            meant = address.removeprefix(_before(address))
            if "://" in address or _scheme(meant) in _REMOTE:
                _refuse(address, "something stands before the URL, perhaps a space or a quote")
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
    if embedded_credentials(address):
        # Else a folder of that name would show the password to everybody.
        _refuse(address, "it looks like a login (before a path that does write ./)")
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
    if not _BUCKET_NAME.fullmatch(name):
        _refuse(
            address,
            f"{name!r} can be no bucket's name, which has 3 characters or more, "
            "letters, digits, dots and dashes",
        )
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
    password: str = field(repr=False)

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
    if split.query or split.fragment:
        _refuse(address, "nothing can follow ? or # (in a name or password write %3F or %23)")
    host = f"[{split.hostname}]" if ":" in split.hostname else split.hostname
    return _Server(
        root=f"{split.scheme}://{host}" + (f":{port}" if port else ""),
        path=split.path,
        user=unquote(split.username or ""),
        password=unquote(split.password or ""),
    )


def _clean(prefix: str) -> str:
    """The prefix as restic writes it: no slash at its ends, none doubled."""
    return normpath(f"/{prefix}").strip("/")


def _refuse(address: str, why: str) -> NoReturn:
    raise UsageError(
        f"{masked(address)} is no repository address: {why}.",
        hint="For example s3:https://host/bucket, swift:container:/, rest:https://host/path/, "
        "webdav:https://host/path, or a path.",
    )
