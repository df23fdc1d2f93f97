"""``everboot iso``: make, write and test the bootable rescue key."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from backup_agent.errors import UsageError
from backup_agent.model.cancel import CancelToken
from backup_agent.model.events import Emit, Notice
from backup_agent.model.media import MediaSettings
from iso_builder.qemu import Firmware, Shape

if TYPE_CHECKING:
    from iso_builder.personalise import BuiltImage

_MIB = 1 << 20
_BOOT_SECONDS = 900.0
# What is done -> the names it takes.
_WORDS: Mapping[str, tuple[str, ...]] = {
    "build": (),
    "write": ("FILE", "DEVICE"),
    "test": ("FILE",),
}


class Render(Protocol):
    """Where the answers go."""

    @property
    def emit(self) -> Emit: ...

    def show(self, record: Mapping[str, object], text: str) -> None: ...

    def say(self, text: str) -> None: ...


class CommandSession(Protocol):
    """What these commands need of the command line's session."""

    @property
    def environment(self) -> Mapping[str, str]: ...

    @property
    def cancel(self) -> CancelToken: ...

    @property
    def render(self) -> Render: ...


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", choices=list(_WORDS), metavar="|".join(_WORDS))
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help="write: FILE and DEVICE, all of which is overwritten; test: FILE",
    )
    build = parser.add_argument_group("build: make rescue media as one file")
    build.add_argument("-o", "--output", type=Path, metavar="FILE")
    build.add_argument("--console", default="", metavar="URL", help="whose devices it restores")
    build.add_argument("--code", default="", help="the media code that the console showed")
    build.add_argument(
        "--console-certificate", type=Path, metavar="FILE", help="an authority to trust (PEM)"
    )
    build.add_argument(
        "--from",
        dest="prebuilt",
        type=Path,
        metavar="IMAGE",
        help="personalise a copy of this image instead; needs no tools",
    )
    build.add_argument("--mirror", metavar="URL", help="a Debian archive; default: this system's")
    build.add_argument("--fresh", action="store_true", help="fetch today's Debian packages")

    write = parser.add_argument_group("write: put rescue media on a USB key")
    write.add_argument("--yes", action="store_true", help="do not ask")

    test = parser.add_argument_group("test: boot rescue media in a virtual machine")
    test.add_argument("--firmware", type=Firmware, choices=list(Firmware), default=Firmware.UEFI)
    test.add_argument("--as", dest="shape", type=Shape, choices=list(Shape), default=Shape.USB)
    test.add_argument("--memory", type=int, default=1024, metavar="MIB")
    test.add_argument("--disk", type=Path, action="append", default=[], metavar="IMAGE")
    test.add_argument(
        "--run", action="append", default=[], metavar="COMMAND", help="run this on it; repeatable"
    )
    test.add_argument(
        "--screenshot", type=Path, metavar="FILE", help="a picture of its window (PNG)"
    )
    test.add_argument(
        "--safe-graphics", action="store_true", help="without graphics drivers, as in the menu"
    )
    test.add_argument("--kvm", action="store_true", help="use this computer's virtualisation")


def run(args: argparse.Namespace, session: CommandSession) -> int:
    names = _WORDS[args.what]
    if len(args.names) != len(names):
        raise UsageError(
            f"everboot iso {' '.join((args.what, *names))}: that many names, and no others.",
            hint="everboot iso --help tells how.",
        )
    match args.what:
        case "build":
            return _build(args, session)
        case "write":
            return _write(Path(args.names[0]), args.names[1], session, ask=not args.yes)
        case _:
            return _test(Path(args.names[0]), args, session)


def cache_folder(environment: Mapping[str, str]) -> Path:
    """Where the base is kept, by the XDG Base Directory Specification."""
    if own := environment.get("EVERBOOT_CACHE"):
        return Path(own)
    return Path(environment.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "everboot"


def _build(args: argparse.Namespace, session: CommandSession) -> int:
    from backup_agent.services.media.slot import checked_settings

    if args.output is None:
        raise UsageError("The image needs a name.", hint="Give -o FILE.")
    settings = checked_settings(
        console=args.console, code=args.code, certificate=_text(args.console_certificate)
    )
    if args.prebuilt:
        built = _personalise(args.prebuilt, args.output, settings)
    else:
        built = _build_anew(args, settings, session)
    session.render.show(
        {
            "message_type": "summary",
            "file": str(built.file),
            "size": built.size,
            "sha256": built.sha256,
        },
        f"{built.file}: {built.size / _MIB:.0f} MiB\nSHA-256 {built.sha256}",
    )
    return 0


def _build_anew(
    args: argparse.Namespace, settings: MediaSettings, session: CommandSession
) -> BuiltImage:
    from iso_builder.build import build
    from iso_builder.config import BuildConfig, Mirror

    config = BuildConfig(
        output=args.output.absolute(),
        cache=cache_folder(session.environment).absolute(),
        mirror=Mirror(args.mirror) if args.mirror else None,
        fresh=args.fresh,
    )
    return build(config, settings, emit=session.render.emit, cancel=session.cancel)


def _personalise(image: Path, output: Path, settings: MediaSettings) -> BuiltImage:
    from iso_builder.personalise import personalise

    return personalise(image, output, settings)


def _text(file: Path | None) -> str:
    if file is None:
        return ""
    try:
        return file.read_text()
    except (OSError, UnicodeDecodeError) as exc:
        raise UsageError(f"{file} cannot be read.", hint="Check its path.") from exc


def _write(image: Path, device: str, session: CommandSession, *, ask: bool) -> int:
    from backup_agent.services.media.key import plan_key, write_key

    plan = plan_key(image, device)
    disk = plan.disk
    session.render.say(
        f"All that is on {disk.path} will be lost:\n"
        f"  {disk.model or 'a disk without a name'}, {disk.size / 1e9:.1f} GB, {disk.transport}"
    )
    if ask:
        _confirm(disk.path)
    write_key(plan, emit=session.render.emit, cancel=session.cancel)
    session.render.show(
        {"message_type": "summary", "device": disk.path, "size": plan.size, "verified": True},
        f"{disk.path} holds the rescue media, and reads as it was written.",
    )
    return 0


def _confirm(device: str) -> None:
    if not sys.stdin.isatty():
        raise UsageError(
            "Nobody is here to confirm that.", hint="Give --yes to write without being asked."
        )
    if input(f"Type {device} to go on: ").strip() != device:
        raise UsageError("Nothing was written.")


def _test(image: Path, args: argparse.Namespace, session: CommandSession) -> int:
    from iso_builder.proof import check_image
    from iso_builder.qemu import TrialMachine
    from iso_builder.trial import try_out

    if not image.exists():
        raise UsageError(f"There is no {image}.")
    check_image(image, cancel=session.cancel)
    machine = TrialMachine(
        firmware=args.firmware,
        shape=args.shape,
        memory=args.memory * _MIB,
        disks=tuple(args.disk),
        kvm=args.kvm,
        safe_graphics=args.safe_graphics,
    )
    way = f"{args.firmware.value}, {args.shape.value}"
    session.render.emit(Notice(f"Starting a virtual machine ({way}); this may take minutes."))
    trial = try_out(
        image,
        machine,
        commands=tuple(args.run),
        screenshot=args.screenshot,
        limit_seconds=_BOOT_SECONDS,
        cancel=session.cancel,
    )
    session.render.show(
        {
            "message_type": "summary",
            "reached": "window",
            "display": trial.display,
            "answers": trial.answers,
        },
        "\n".join([*trial.answers, f"It reached its window, by {trial.display} ({way})."]),
    )
    return 0
