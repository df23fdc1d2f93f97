"""The certificate that a console shows, before anybody trusts it."""

from __future__ import annotations

import hashlib
import socket
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from backup_agent.errors import LinkError, TransientStorageError, UsageError
from backup_agent.services.link.identity import Console
from backup_agent.storage.authorities import authorities_file, tls_context

_TIMEOUT_SECONDS = 15
_HTTPS_PORT = 443
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class UnknownCertificate:
    """One that no authority vouches for. ``why`` is a few words."""

    pem: str
    fingerprint: str
    why: str


Confirm = Callable[[UnknownCertificate], bool]
"""Whether a person says that this is the console's own."""


def trusted_console(
    address: str, environment: Mapping[str, str], *, cacert: Path | None, confirm: Confirm
) -> Console:
    """The console at an address that somebody typed, its certificate checked or pinned.

    Raises ``UsageError`` for what is no such address, ``LinkError`` where a person does not
    confirm an unknown certificate, ``TransientStorageError`` where nobody answers.
    """
    parts = urlsplit(address.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
        raise UsageError(
            f"{address!r} is no address of a console.",
            hint="It looks like https://backup.example.org",
        )
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    root = f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port else "")
    if parts.scheme == "http":
        if parts.hostname not in _LOOPBACK:
            raise UsageError(
                "Without TLS everybody on the network could read along.",
                hint=f"Write https://{host}",
            )
        return Console(root)
    trusted = tls_context(authorities_file("https", environment, cacert=cacert))
    unknown = _examine(parts.hostname, parts.port or _HTTPS_PORT, trusted)
    if unknown is None:
        return Console(root, cacert=cacert.absolute() if cacert else None)
    if not confirm(unknown):
        raise LinkError(
            f"The certificate of {root} is not trusted ({unknown.why}).",
            hint="For a private authority give it with --cacert FILE; otherwise compare the "
            "fingerprint with the one on the console's host.",
        )
    return Console(root, certificate=unknown.pem)


def _examine(host: str, port: int, trusted: ssl.SSLContext) -> UnknownCertificate | None:
    """None for a certificate that the authorities vouch for."""
    try:
        _handshake(host, port, trusted)
    except ssl.SSLCertVerificationError as exc:
        why = exc.verify_message
    except OSError as exc:
        raise _unreachable(host, port, exc) from exc
    else:
        return None
    anything = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    anything.check_hostname, anything.verify_mode = False, ssl.CERT_NONE
    try:
        shown = _handshake(host, port, anything)
        pem = ssl.DER_cert_to_PEM_cert(shown)
        # One that would not work pinned either (it has expired) need not be asked about.
        _handshake(host, port, tls_context(None, pinned=pem))
    except ssl.SSLCertVerificationError as exc:
        raise LinkError(
            f"The certificate of {host} cannot be used: {exc.verify_message}.",
            hint="Check this computer's date and time, then the certificate.",
        ) from exc
    except OSError as exc:
        raise _unreachable(host, port, exc) from exc
    digits = hashlib.sha256(shown).hexdigest().upper()
    return UnknownCertificate(
        pem, ":".join(digits[start : start + 2] for start in range(0, 64, 2)), why
    )


def _handshake(host: str, port: int, context: ssl.SSLContext) -> bytes:
    with (
        socket.create_connection((host, port), timeout=_TIMEOUT_SECONDS) as plain,
        context.wrap_socket(plain, server_hostname=host) as secured,
    ):
        return secured.getpeercert(binary_form=True) or b""


def _unreachable(host: str, port: int, error: OSError) -> TransientStorageError:
    return TransientStorageError(
        f"No console answers at {host}, port {port} ({error.strerror or type(error).__name__}).",
        hint="Check the address and the network, then try again.",
    )
