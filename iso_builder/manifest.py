"""What is on a medium: its layers with their hashes, its packages with their versions.

``manifest.json`` names the layers in the order they are laid on each other;
``sbom.cdx.json`` is the list of packages in CycloneDX 1.5, which scanners for
known weaknesses read.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from backup_agent.errors import IntegrityError
from iso_builder.config import EPOCH

_VERSION = 1


@dataclass(frozen=True, slots=True)
class Package:
    """``kind`` as in package URLs: ``deb`` or ``pypi``."""

    name: str
    version: str
    kind: str = "deb"

    @property
    def url(self) -> str:
        """Its package URL (purl)."""
        owner = "debian/" if self.kind == "deb" else ""
        return f"pkg:{self.kind}/{owner}{self.name}@{self.version}"


@dataclass(frozen=True, slots=True)
class Layer:
    """A squashfs on the medium; ``sha256`` in hex."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """``layers`` from the lowest to the topmost."""

    version: str
    """Everboot's."""
    layers: tuple[Layer, ...]
    packages: tuple[Package, ...]

    @property
    def build_id(self) -> str:
        """16 hex digits that name the content of all layers."""
        return hashlib.sha256(self.checksums().encode()).hexdigest()[:16]

    def checksums(self) -> str:
        """One line for each layer, as ``sha256sum`` reads it; the initrd carries them."""
        return "".join(f"{layer.sha256}  {layer.name}\n" for layer in self.layers)

    def to_json(self) -> str:
        return _json(
            {
                "manifest_version": _VERSION,
                "everboot": self.version,
                "build_id": self.build_id,
                "layers": [
                    {"name": layer.name, "size": layer.size, "sha256": layer.sha256}
                    for layer in self.layers
                ],
            }
        )

    def to_cyclonedx(self) -> str:
        """Without a serial number, which would have to be random."""
        return _json(
            {
                "bomFormat": "CycloneDX",
                "specVersion": "1.5",
                "version": 1,
                "metadata": {
                    "timestamp": datetime.fromtimestamp(EPOCH, UTC).isoformat(),
                    "component": {
                        "type": "operating-system",
                        "name": "Everboot Rescue Media",
                        "version": self.version,
                    },
                },
                "components": [
                    {
                        "type": "library",
                        "name": package.name,
                        "version": package.version,
                        "purl": package.url,
                    }
                    for package in sorted(
                        self.packages, key=lambda one: (one.kind, one.name, one.version)
                    )
                ],
            }
        )


def layers_from_json(text: str) -> tuple[Layer, ...]:
    """Raises :class:`IntegrityError` for what is no manifest."""
    try:
        record = json.loads(text)
        if record["manifest_version"] != _VERSION:
            raise IntegrityError("The medium was made by a newer version of Everboot.")
        return tuple(
            Layer(str(layer["name"]), int(layer["size"]), str(layer["sha256"]))
            for layer in record["layers"]
        )
    except (ValueError, KeyError, TypeError) as exc:
        raise IntegrityError("The medium's manifest cannot be understood.") from exc


def layer_of(file: Path) -> Layer:
    with file.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return Layer(file.name, file.stat().st_size, digest)


def parse_packages(text: str) -> tuple[Package, ...]:
    """From lines of name, tab, version."""
    rows = (line.split("\t") for line in text.splitlines() if line)
    return tuple(Package(name, version) for name, version in rows)


def _json(record: dict[str, object]) -> str:
    return json.dumps(record, indent=1) + "\n"
