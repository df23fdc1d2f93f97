"""The recovery sheet's commands, for a POSIX shell and stock restic: they run as printed."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from console_ui.certificate import own_fingerprint
from console_ui.restore.stock_restic import repository_address
from console_ui.settings import Settings
from console_ui.storage.models import Vault

_CERTIFICATE = "console.pem"


@dataclass(frozen=True, slots=True)
class SheetCommands:
    """Each is some lines. ``join`` makes raw volumes of the parts in which disk backups keep them;
    ``certificate`` is empty unless the console's certificate is vouched for by itself.
    """

    read: str
    restore: str
    join: str
    certificate: str
    fingerprint: str
    gateway: str


def sheet_commands(vault: Vault, settings: Settings, *, login: str) -> SheetCommands:
    """``login`` is the name with which a person comes to the gateway."""
    restic = f"restic -r {shlex.quote(repository_address(vault))}"
    # A proxy's certificate is the proxy's affair.
    fingerprint = own_fingerprint(settings.tls.certificate) if settings.tls else ""
    return SheetCommands(
        read=f"{restic} snapshots\n{restic} check",
        restore=f"POINT=latest\n{restic} restore --target ./restored $POINT",
        join="for image in ./restored/disks/*/volumes/*/image; do\n"
        '  cat "$image"/*/part > "$image.img"\ndone',
        certificate=_fetch_certificate(settings) if fingerprint else "",
        fingerprint=fingerprint,
        gateway=_gateway(vault, settings, login=login, is_own=bool(fingerprint)),
    )


def _gateway(vault: Vault, settings: Settings, *, login: str, is_own: bool) -> str:
    """The login stands in a variable's address: RESTIC_REST_USERNAME is newer than restic 0.14,
    and arguments can be read by everybody on the computer.
    """
    address = urlsplit(settings.public_address)
    door = f"rest:{address.scheme}://{quote(login, safe='')}:$PASSWORD@"
    place = f"{address.netloc}/storage/{vault.pk}/"
    trust = f" --cacert {_CERTIFICATE}" if is_own else ""
    return (
        "printf 'Application password: '; read -r PASSWORD\n"
        f'export RESTIC_REPOSITORY="{door}{place}"\n'
        f"restic{trust} snapshots"
    )


def _fetch_certificate(settings: Settings) -> str:
    address = urlsplit(settings.public_address)
    place = shlex.quote(f"{address.hostname}:{address.port or 443}")
    return (
        f"openssl s_client -connect {place} </dev/null | openssl x509 > {_CERTIFICATE}\n"
        f"openssl x509 -in {_CERTIFICATE} -noout -fingerprint -sha256"
    )
