"""``everboot link``"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from backup_agent.cli.session import Session
from backup_agent.errors import EverbootError, UsageError

if TYPE_CHECKING:
    from backup_agent.services.link.certificate import UnknownCertificate
    from backup_agent.services.link.console import Codes
    from backup_agent.services.link.identity import Console


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("console", nargs="?", default="", metavar="CONSOLE_URL")
    parser.add_argument("--status", action="store_true", help="show how this device is linked")
    parser.add_argument("--unlink", action="store_true", help="forget the console, and tell it")
    parser.add_argument("--name", default="", help="what to call this device (its host name)")
    parser.add_argument("--restore-only", action="store_true", help="ask to read, not to back up")
    parser.add_argument(
        "--fingerprint",
        default="",
        metavar="SHA256",
        help="of the console's certificate, where no authority vouches for it",
    )


def run(args: argparse.Namespace, session: Session) -> int:
    if bool(args.console) + args.status + args.unlink != 1:
        raise UsageError(
            "Either the console's address, or --status, or --unlink.",
            hint="For example: everboot link https://backup.example.org",
        )
    if args.status:
        return _status(session)
    return _unlink(session) if args.unlink else _link(args, session)


def _link(args: argparse.Namespace, session: Session) -> int:
    from backup_agent.services.link.certificate import trusted_console
    from backup_agent.services.link.console import ConsoleClient
    from backup_agent.services.link.identity import DeviceIdentity, identity_file, keep
    from backup_agent.services.link.linking import new_key, this_device, wait_for_answer

    file = identity_file(session.environment)
    if file.exists():
        raise UsageError("This device is linked already.", hint="everboot link --unlink ends that.")
    console = trusted_console(
        args.console,
        session.environment,
        cacert=session.cacert(),
        confirm=lambda unknown: _confirm(unknown, args.fingerprint, session),
    )
    device, key = this_device(args.name), new_key()
    with ConsoleClient(console, key, session.environment) as client:
        codes = client.ask_for_codes(
            name=device.name,
            system=device.system,
            scope="restore" if args.restore_only else "backup",
        )
        _show(codes, client.short_fingerprint, session)
        token = wait_for_answer(client, codes, wait=session.cancel.wait)
    identity = DeviceIdentity(
        console, key, token.device_id, token.device_name, token.organisation, token.scope
    )
    keep(identity, file)
    _told(identity.name, identity.organisation, identity.kind, console, session)
    return 0


def _status(session: Session) -> int:
    from backup_agent.services.link.identity import identity_file, load
    from backup_agent.services.link.vaults import reachable

    identity = load(identity_file(session.environment))
    _told(identity.name, identity.organisation, identity.kind, identity.console, session)
    for vault in reachable(session.environment, session.cacert()):
        session.render.show(
            {"message_type": "vault", "id": vault.id, "name": vault.name, "right": vault.right},
            f"  vault:{'' if vault.right == 'own' else vault.name}  {vault.name} ({vault.right})",
        )
    return 0


def _unlink(session: Session) -> int:
    from backup_agent.services.link.console import ConsoleClient
    from backup_agent.services.link.identity import forget, identity_file, load

    file = identity_file(session.environment)
    identity = load(file)
    with ConsoleClient(identity.console, identity.key, session.environment) as client:
        try:
            client.leave(client.fresh_token().access_token)
        except EverbootError as exc:
            session.render.warn(f"The console could not be told: {exc.message}")
    forget(file)
    session.render.show(
        {"message_type": "unlinked", "console": identity.console.address},
        f"This device is linked to {identity.console.address} no longer.",
    )
    return 0


def _confirm(unknown: UnknownCertificate, expected: str, session: Session) -> bool:
    """By ``--fingerprint``, else by a person at the terminal."""
    if expected:
        return _digits(expected) == _digits(unknown.fingerprint)
    session.render.warn(
        f"No authority vouches for the console's certificate ({unknown.why}).\n"
        f"Its SHA-256 fingerprint: {unknown.fingerprint}"
    )
    if not sys.stdin.isatty():
        return False
    sys.stderr.write("Is it the one on the console's host? Type yes to trust it: ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() == "yes"


def _digits(fingerprint: str) -> str:
    return fingerprint.replace(":", "").replace(" ", "").lower()


def _show(codes: Codes, key: str, session: Session) -> None:
    session.render.show(
        {
            "message_type": "link_code",
            "user_code": codes.user_code,
            "verification_uri": codes.verification_uri,
            "expires_in": codes.expires_in,
            "key": key,
        },
        f"Open {codes.verification_uri} and type this code:\n\n    {codes.user_code}\n\n"
        f"The page must show this key: {key}",
    )
    if sys.stdout.isatty() and not session.options.json:
        import segno

        # The address alone: a code that came with it would be approved without a look.
        segno.make(codes.verification_uri, micro=False).terminal(compact=True)
    session.render.say("Waiting for an answer...")


def _told(name: str, organisation: str, kind: str, console: Console, session: Session) -> None:
    may = "backs up and restores" if kind == "backup" else "restores only"
    session.render.show(
        {
            "message_type": "linked",
            "console": console.address,
            "device_name": name,
            "organisation": organisation,
            "kind": kind,
        },
        f"Linked to {console.address} as {name}, of {organisation}: {may}.",
    )
