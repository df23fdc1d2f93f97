"""Addresses of the storage pages. ``/storage/`` itself is the gateway's (see ``asgi``).

Application passwords are here because making one asks which vaults it is for.
"""

from __future__ import annotations

from django.urls import path

from console_ui.storage.pages import application_passwords, locations, vaults

urlpatterns = [
    path("locations", locations.overview, name="locations"),
    path("locations/add/<str:kind>", locations.add, name="location-add"),
    path("locations/<uuid:location_id>", locations.edit, name="location"),
    path("locations/<uuid:location_id>/test", locations.test, name="location-test"),
    path("locations/<uuid:location_id>/remove", locations.remove, name="location-remove"),
    path(
        "account/application-passwords",
        application_passwords.listing,
        name="application-passwords",
    ),
    path(
        "account/application-passwords/make",
        application_passwords.make,
        name="application-password-make",
    ),
    path(
        "account/application-passwords/revoke",
        application_passwords.revoke_all,
        name="application-passwords-revoke",
    ),
    path(
        "account/application-passwords/<uuid:password_id>/revoke",
        application_passwords.revoke,
        name="application-password-revoke",
    ),
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
