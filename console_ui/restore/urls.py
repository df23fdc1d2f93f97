"""Addresses of restoring. Those of what is in a vault hold references, never a name."""

from __future__ import annotations

from django.urls import path, register_converter

from console_ui.restore.pages import download, files, overview, recovery_sheet, unlock


class PointConverter:
    """A restore point's whole id."""

    regex = "[0-9a-f]{64}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


class ReferenceConverter(PointConverter):
    """What an unlocked vault calls a thing in it."""

    regex = "[0-9a-f]{32}"


register_converter(PointConverter, "point")
register_converter(ReferenceConverter, "reference")

_POINT = "vaults/<uuid:vault_id>/restore/<point:point>"

urlpatterns = [
    path("devices/<uuid:device_id>/restore", overview.of_device, name="restore-device"),
    path("vaults/<uuid:vault_id>/restore", overview.of_vault, name="restore-vault"),
    path("vaults/<uuid:vault_id>/restore/open", overview.open_point, name="restore-open"),
    path("vaults/<uuid:vault_id>/restore/unlock", unlock.unlock, name="restore-unlock"),
    path("vaults/<uuid:vault_id>/restore/lock", overview.lock, name="restore-lock"),
    path(
        "vaults/<uuid:vault_id>/recovery-sheet",
        recovery_sheet.recovery_sheet,
        name="recovery-sheet",
    ),
    path(f"{_POINT}/files", files.folder, name="restore-files"),
    path(f"{_POINT}/files/<reference:reference>", files.folder, name="restore-folder"),
    path(f"{_POINT}/search", files.search, name="restore-search"),
    path(f"{_POINT}/found/<reference:reference>", files.found, name="restore-found"),
    path(f"{_POINT}/preview/<reference:reference>", files.preview, name="restore-preview"),
    path(f"{_POINT}/picture/<reference:reference>", files.picture, name="restore-picture"),
    path(f"{_POINT}/download", download.select, name="restore-download"),
    path(f"{_POINT}/zip/<reference:reference>", download.zip_file, name="restore-zip"),
    path(f"{_POINT}/zip/<reference:reference>/state", download.zip_state, name="restore-zip-state"),
]
