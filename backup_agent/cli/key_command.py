"""``everboot key``"""

from __future__ import annotations

import argparse
from pathlib import Path

from backup_agent.cli import words
from backup_agent.cli.session import Session
from backup_agent.errors import UsageError

_NEW_PASSWORD = "EVERBOOT_NEW_PASSWORD"  # noqa: S105 - the name of a variable


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = ["list", "add", "remove", "passwd"]
    parser.add_argument(
        "what", choices=actions, metavar="|".join(actions), help="what to do with the passwords"
    )
    parser.add_argument("key", nargs="?", default="", metavar="KEY", help="id, for remove")
    parser.add_argument(
        "--new-password-file",
        type=Path,
        metavar="FILE",
        help=f"file that holds the new password (or {_NEW_PASSWORD})",
    )
    parser.add_argument(
        "--managed",
        action="store_true",
        help="add a random password and let the console keep it: who may restore need not know it",
    )


def run(args: argparse.Namespace, session: Session) -> int:
    if bool(args.key) != (args.what == "remove"):
        raise UsageError(
            "An id belongs to remove, and only there.", hint="everboot key list shows the ids."
        )
    if args.managed and args.what != "add":
        raise UsageError("--managed belongs to add, and only there.")
    match args.what:
        case "add" if args.managed:
            _add_managed(session)
        case "list":
            _list(session)
        case "remove":
            _remove(args.key, session)
        case _:
            _add(args, session)
    return 0


def _list(session: Session) -> None:
    from backup_agent.services.keys import list_passwords

    with session.opened() as repository:
        found = list_passwords(repository)
    session.render.say(f"  {'ID':<10}{'Created':<21}User")
    for key in found.keys:
        mark = "*" if key.in_use else " "
        who = words.printable(f"{key.username}@{key.hostname}")
        session.render.show(
            {
                "message_type": "key",
                "id": key.name,
                "current": key.in_use,
                "username": key.username,
                "hostname": key.hostname,
                "created": key.created.isoformat(),
            },
            f"{mark} {key.short_id:<10}{words.moment(key.created):<21}{who}",
        )
    for path in found.damaged:
        session.render.warn(f"{path} is damaged and opens nothing.")


def _remove(wanted: str, session: Session) -> None:
    from backup_agent.services.keys import remove_password

    with session.opened() as repository:
        name = remove_password(repository, wanted)
    session.render.show(
        {"message_type": "summary", "removed": name}, f"Removed the key {name[:8]}."
    )


def _add(args: argparse.Namespace, session: Session) -> None:
    from backup_agent.services.keys import add_password, change_password

    with session.opened() as repository:
        password = session.new_password(
            repository.location, file=args.new_password_file, variable=_NEW_PASSWORD
        )
        if args.what == "add":
            name = add_password(repository, password)
            done = f"Added the key {name[:8]}."
        else:
            name = change_password(repository, password)
            done = "The password was changed."
    session.render.show({"message_type": "summary", "added": name}, done)


def _add_managed(session: Session) -> None:
    from backup_agent.services.link.managed import add_managed_password

    with session.opened() as repository:
        name, console = add_managed_password(
            repository, session.access().address, session.environment, session.cacert()
        )
    session.render.show(
        {"message_type": "summary", "added": name, "console": console},
        f"Added the key {name[:8]}. {console} keeps its password, sealed, and gives it to devices "
        "that somebody there allows to read this vault. Whoever has that console's database and "
        "key file can read it, too.",
    )
