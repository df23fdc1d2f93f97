"""The recipe: from packages and code to a checked image."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from backup_agent import __version__
from backup_agent.model.cancel import CancelToken
from backup_agent.model.events import Emit, Notice
from backup_agent.model.media import MediaSettings
from backup_agent.services.media.slot import SLOT_PATH, empty_slot
from iso_builder.application import (
    SERVICES,
    lay_out_application,
    lay_out_libraries,
    library_packages,
)
from iso_builder.bootloader import make_efi_partition, menu
from iso_builder.bytecode import OPTIONS as BYTECODE
from iso_builder.bytecode import translate
from iso_builder.command import require
from iso_builder.config import BuildConfig
from iso_builder.initrd import make_initrd
from iso_builder.iso import write_iso
from iso_builder.manifest import Manifest, Package, layer_of
from iso_builder.mirror import own_mirror
from iso_builder.personalise import BuiltImage, finish
from iso_builder.proof import check_image
from iso_builder.qt import KEPT, lay_out_qt, qt_packages
from iso_builder.rootfs import Base, cached_base, make_base
from iso_builder.squashfs import OPTIONS, pack_folder
from iso_builder.wheels import PLATFORMS

_PACKING_PROGRAMS = {
    "mksquashfs": "squashfs-tools",
    "mformat": "mtools",
    "xorriso": "xorriso",
}
_BASE_PROGRAMS = {"mmdebstrap": "mmdebstrap", "apt-get": "apt"}
_UNROOTED_PROGRAMS = {"newuidmap": "uidmap"}


def build(
    config: BuildConfig, settings: MediaSettings, *, emit: Emit, cancel: CancelToken
) -> BuiltImage:
    """Build ``config.output`` and check it; a build that fails leaves no file there.

    Raises :class:`UnsupportedError` where tools are missing, with their
    packages' names, and :class:`CommandFailedError`.
    """
    require(_PACKING_PROGRAMS, purpose="Building the ISO")
    base = _base(config, emit=emit, cancel=cancel)
    libraries, qt = library_packages(), qt_packages()
    cache, kit = config.cache, base.kit
    libraries_layer = _libraries_layer(cache, libraries, kit, emit=emit, cancel=cancel)
    qt_layer = _qt_layer(cache, qt, kit, emit=emit, cancel=cancel)
    config.output.parent.mkdir(parents=True, exist_ok=True)
    # Beside the result, for it is renamed at the end, and /tmp may be small memory.
    with tempfile.TemporaryDirectory(dir=config.output.parent, prefix=".everboot-iso-") as name:
        work = Path(name)
        emit(Notice("Packing Everboot."))
        application_layer = _application_layer(work, kit, cancel=cancel)
        layers = (base.layer, libraries_layer, qt_layer, application_layer)
        manifest = Manifest(
            __version__,
            tuple(layer_of(layer) for layer in layers),
            (*base.packages(), *libraries, *qt),
        )
        emit(Notice("Writing the image."))
        image = _write(work, base, layers, manifest, cancel=cancel)
        emit(Notice("Checking the image."))
        check_image(image, cancel=cancel)
        return finish(image, config.output, settings)


def _base(config: BuildConfig, *, emit: Emit, cancel: CancelToken) -> Base:
    base = None if config.fresh else cached_base(config.cache)
    if base is not None:
        emit(Notice("Taking the base from the cache; --fresh makes it anew."))
        return base
    require(_BASE_PROGRAMS, purpose="Building the ISO's base")
    mirror = config.mirror or own_mirror(cancel)
    return make_base(config.cache, mirror, emit=emit, cancel=cancel)


def _libraries_layer(
    cache: Path, packages: tuple[Package, ...], kit: Path, *, emit: Emit, cancel: CancelToken
) -> Path:
    def lay_out(root: Path) -> None:
        emit(Notice("Fetching and packing the libraries."))
        lay_out_libraries(packages, root, cancel=cancel)
        translate(root, kit, cancel=cancel)

    recipe = repr((packages, OPTIONS, PLATFORMS, SERVICES, BYTECODE))
    return _cached_layer(cache, "libraries", recipe, lay_out, cancel=cancel)


def _qt_layer(
    cache: Path, packages: tuple[Package, ...], kit: Path, *, emit: Emit, cancel: CancelToken
) -> Path:
    def lay_out(root: Path) -> None:
        emit(Notice("Fetching and packing Qt."))
        lay_out_qt(packages, root, cancel=cancel)
        translate(root, kit, cancel=cancel)

    recipe = repr((packages, OPTIONS, PLATFORMS, KEPT, BYTECODE))
    return _cached_layer(cache, "qt", recipe, lay_out, cancel=cancel)


def _cached_layer(
    cache: Path, name: str, recipe: str, lay_out: Callable[[Path], None], *, cancel: CancelToken
) -> Path:
    """From the cache where it was packed by this very recipe before."""
    folder = cache / f"iso-{name}-{hashlib.sha256(recipe.encode()).hexdigest()[:16]}"
    layer = folder / f"{name}.squashfs"
    if layer.exists():
        return layer
    shutil.rmtree(folder, ignore_errors=True)
    root = folder / "root"
    lay_out(root)
    unfinished = folder / "unfinished"
    pack_folder(root, unfinished, cancel=cancel)
    shutil.rmtree(root)
    unfinished.rename(layer)
    return layer


def _application_layer(work: Path, kit: Path, *, cancel: CancelToken) -> Path:
    root = work / "application"
    root.mkdir()
    lay_out_application(root)
    translate(root, kit, cancel=cancel)
    layer = work / "application.squashfs"
    pack_folder(root, layer, cancel=cancel)
    return layer


def _write(
    work: Path, base: Base, layers: tuple[Path, ...], manifest: Manifest, *, cancel: CancelToken
) -> Path:
    """The image, nobody's yet."""

    def made(name: str, content: str | bytes) -> Path:
        file = work / name
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return file

    kit = base.kit
    files = {
        ".disk/info": made("info", f"Everboot Rescue Media {manifest.version}\n"),
        "boot/grub/grub.cfg": made("grub.cfg", menu()),
        "boot/vmlinuz": kit / "vmlinuz",
        "boot/initrd": made("initrd", make_initrd(kit, manifest)),
        "boot/memtest.bin": kit / "memtest" / "memtest.bin",
        "boot/memtest.efi": kit / "memtest" / "memtest.efi",
        f"everboot/build-{manifest.build_id}": made("build", ""),
        "everboot/manifest.json": made("manifest.json", manifest.to_json()),
        "everboot/sbom.cdx.json": made("sbom.cdx.json", manifest.to_cyclonedx()),
        SLOT_PATH: made("settings", empty_slot()),
        **{f"everboot/layers/{layer.name}": layer for layer in layers},
    }
    efi_partition = work / "efi.img"
    make_efi_partition(kit, efi_partition, cancel=cancel)
    image = work / "image.iso"
    write_iso(files, kit=kit, efi_partition=efi_partition, target=image, cancel=cancel)
    return image
