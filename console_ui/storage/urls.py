"""Addresses of the storage pages. ``/storage/`` itself is the gateway's (see ``asgi``)."""

from __future__ import annotations

from django.urls import path

from console_ui.storage.pages import locations, vaults

urlpatterns = [
    path("locations", locations.overview, name="locations"),
    path("locations/add/<str:kind>", locations.add, name="location-add"),
    path("locations/<uuid:location_id>", locations.edit, name="location"),
    path("locations/<uuid:location_id>/test", locations.test, name="location-test"),
    path("locations/<uuid:location_id>/remove", locations.remove, name="location-remove"),
    path("vaults", vaults.overview, name="vaults"),
    path("vaults/add", vaults.add, name="vault-add"),
    path("vaults/<uuid:vault_id>", vaults.vault, name="vault"),
    path("vaults/<uuid:vault_id>/limits", vaults.limit, name="vault-limits"),
    path("vaults/<uuid:vault_id>/bring-back", vaults.bring_back, name="vault-bring-back"),
    path(
        "vaults/<uuid:vault_id>/console-key/remove",
        vaults.remove_console_key,
        name="vault-console-key-remove",
    ),
    path("vaults/<uuid:vault_id>/confirm", vaults.confirm_alarm, name="vault-confirm"),
]
