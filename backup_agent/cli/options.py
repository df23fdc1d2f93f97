"""The options every command knows, before or after its name."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

_KIB_PER_SECOND = "KiB/s"


@dataclass(frozen=True, slots=True)
class CommonOptions:
    """As given; ``None`` and 0 where not."""

    repository: str | None = field(default=None, repr=False)  # it may hold credentials
    password_file: Path | None = None
    json: bool = False
    quiet: bool = False
    cacert: Path | None = None
    limit_upload: int = 0
    limit_download: int = 0
    read_back: bool = False
    cache: Path | None = None
    no_cache: bool = False


def add_common_options(parser: argparse.ArgumentParser, *, defaults: bool) -> None:
    """``defaults`` belong to the main parser alone: a command's parser would undo what stood
    before the command.
    """
    group = parser.add_argument_group("common options")

    def add(*names: str, default: object = None, **rest: object) -> None:
        chosen = default if defaults else argparse.SUPPRESS
        # Each keyword has a type of its own there; one dict for all of them can only say object.
        group.add_argument(*names, default=chosen, **rest)  # type: ignore[arg-type]

    add("-r", "--repo", metavar="ADDRESS", help="repository (or EVERBOOT_REPOSITORY)")
    add("--password-file", metavar="FILE", type=Path, help="file that holds the password")
    add("--json", action="store_true", default=False, help="one JSON object a line")
    add("-q", "--quiet", action="store_true", default=False, help="no progress")
    add("--cacert", metavar="FILE", type=Path, help="certificates to trust (or EVERBOOT_CACERT)")
    add("--limit-upload", metavar=_KIB_PER_SECOND, type=_rate, default=0, help="at most so fast")
    add("--limit-download", metavar=_KIB_PER_SECOND, type=_rate, default=0, help="at most so fast")
    add(
        "--read-back",
        action="store_true",
        default=False,
        help="rest: and webdav: read every pack again after its upload",
    )
    add("--cache-dir", metavar="DIR", type=Path, help="where to keep copies of indexes and trees")
    add("--no-cache", action="store_true", default=False, help="keep no copies")


def common_options(args: argparse.Namespace) -> CommonOptions:
    return CommonOptions(
        repository=args.repo,
        password_file=args.password_file,
        json=args.json,
        quiet=args.quiet,
        cacert=args.cacert,
        limit_upload=args.limit_upload,
        limit_download=args.limit_download,
        read_back=args.read_back,
        cache=args.cache_dir,
        no_cache=args.no_cache,
    )


def options_for_failures(arguments: Sequence[str]) -> CommonOptions:
    """What counts while arguments are still being understood: a program that asked for JSON
    gets it for its wrong arguments, too.
    """
    return CommonOptions(json="--json" in arguments)


def _rate(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no number of KiB a second")
    return int(text)
