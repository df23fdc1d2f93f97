"""A stock Debian kernel, from the package archive this computer uses, unpacked in the cache."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from tests.servers.environments import cached
from tests.servers.process import run

_PACKAGE = "linux-image-amd64"
_DOWNLOAD_SECONDS = 900.0


@dataclass(frozen=True, slots=True)
class Kernel:
    """``modules`` is what belongs at ``/lib/modules`` in a machine that runs it."""

    image: Path
    modules: Path
    release: str

    def module_files(self, *names: str) -> list[Path]:
        """The files of these modules and of all that they need, in the order to load them.

        A module that is built into the kernel is not there to be named.
        """
        folder = self.modules / self.release
        needs: dict[str, list[str]] = {}
        for line in (folder / "modules.dep").read_text().splitlines():
            file, _, others = line.partition(":")
            # What a module needs comes before the module; the list names the nearest first.
            needs[_module_name(file)] = [*reversed(others.split()), file]
        files = [folder / file for name in names for file in needs[name]]
        return list(dict.fromkeys(files))


def debian_kernel() -> Kernel:
    """The newest kernel of this computer's Debian release, downloaded if it is not there yet."""
    depends = run(["apt-cache", "depends", _PACKAGE], folder=Path("/"))
    (package,) = re.findall(r"Depends: (linux-image-\S+)", depends)
    release = package.removeprefix("linux-image-")

    def build(folder: Path) -> None:
        # Downloaded, not installed: what this computer itself boots is none of our business.
        run(["apt-get", "download", package], folder=folder, timeout_seconds=_DOWNLOAD_SECONDS)
        (archive,) = folder.glob("*.deb")
        run(["dpkg-deb", "--extract", archive, folder], folder=folder)
        archive.unlink()
        run(["/sbin/depmod", "--basedir", folder, release], folder=folder)

    folder = cached("kernel", package, build)
    return Kernel(folder / "boot" / f"vmlinuz-{release}", folder / "lib" / "modules", release)


def _module_name(file: str) -> str:
    """As the kernel spells it: files have dashes or underscores, and may be compressed."""
    return file.rpartition("/")[2].partition(".")[0].replace("-", "_")
