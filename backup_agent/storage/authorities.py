"""Whose certificates are trusted: the file of authorities that every TLS client here is given.

Each of our HTTP libraries would bring its own list (certifi's) and know nothing of the authority
that an office has added to its computers. So the file is chosen here, in this order::

    --cacert                      the command line's word (or EVERBOOT_CACERT, RESTIC_CACERT)
    AWS_CA_BUNDLE, OS_CACERT      the variable of that storage's own tools
    SSL_CERT_FILE                 OpenSSL's variable
    OpenSSL's own file            as it was built
    the distributions' files      where OpenSSL was built to look elsewhere, as in bundled Pythons

Where there is none of them, as on Windows, the clients on httpx ask the system, the others use
the list they bring.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from pathlib import Path

from backup_agent.errors import UsageError

_OPENSSL = "SSL_CERT_FILE"
_OWN_VARIABLES = {"s3": "AWS_CA_BUNDLE", "swift": "OS_CACERT"}
_DISTRIBUTIONS = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Arch, Alpine
    "/etc/pki/tls/certs/ca-bundle.crt",  # Fedora and its relatives
    "/etc/ssl/ca-bundle.pem",  # SUSE
    "/etc/ssl/cert.pem",  # macOS, the BSDs
)


def authorities_file(
    scheme: str, environment: Mapping[str, str], *, cacert: Path | None
) -> Path | None:
    """The PEM file to trust and nothing beside it; ``None`` where the system has no such file.

    ``scheme`` is the address's. Raises :class:`UsageError` for a file that somebody named and
    that holds no certificate: going on without it would only fail later, and in riddles.
    """
    if cacert is not None:
        _require_certificates(cacert, "--cacert")
        return cacert
    for variable in (_OWN_VARIABLES.get(scheme, _OPENSSL), _OPENSSL):
        if named := environment.get(variable):
            _require_certificates(Path(named), variable)
            return Path(named)
    if environment.get("SSL_CERT_DIR"):
        return None  # httpx's context follows it; the others know no folders
    candidates = (ssl.get_default_verify_paths().openssl_cafile, *_DISTRIBUTIONS)
    return next((Path(file) for file in candidates if _has_certificates(file)), None)


def tls_context(authorities: Path | None, *, pinned: str = "") -> ssl.SSLContext:
    """What a client verifies servers with; ``None`` for whatever the system trusts.

    A ``pinned`` certificate (PEM) is trusted, and no other. Whoever pinned it compared its
    fingerprint, which says more than the name in it; many that people make for themselves name
    nobody.
    """
    if pinned:
        return _pinned_context(pinned)
    context = ssl.create_default_context(cafile=str(authorities) if authorities else None)
    return context if authorities or _knows_any(context) else _brought_along()


def _pinned_context(certificate: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    # It may have been issued by an authority that nobody here knows.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.load_verify_locations(cadata=certificate)
    return context


def _knows_any(context: ssl.SSLContext) -> bool:
    # The files of a folder are read when they are needed, and not counted before.
    folder = ssl.get_default_verify_paths().capath
    in_folder = any(Path(folder).iterdir()) if folder else False
    return in_folder or context.cert_store_stats()["x509_ca"] > 0


def _brought_along() -> ssl.SSLContext:
    import httpx

    return httpx.create_ssl_context()


def _require_certificates(file: Path, named_by: str) -> None:
    try:
        ssl.create_default_context(cafile=str(file))
    except OSError as exc:
        # OpenSSL's own words for it name lines of its source.
        why = "it holds no certificate" if isinstance(exc, ssl.SSLError) else exc.strerror
        raise UsageError(
            f"{file} cannot be used as a certificate authority: {why}.",
            hint=f"{named_by} wants a PEM file with one or more certificates.",
        ) from exc


def _has_certificates(file: str) -> bool:
    try:
        ssl.create_default_context(cafile=file)
    except OSError:
        return False
    return True
