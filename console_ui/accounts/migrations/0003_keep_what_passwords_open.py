"""Application passwords open named vaults only; those that exist keep what they opened."""

from typing import Any

from django.db import migrations


def keep_what_they_open(apps: Any, _schema: object) -> None:
    """All vaults of their organisation, but those of devices that were removed."""
    password_model = apps.get_model("accounts", "ApplicationPassword")
    reach_model = apps.get_model("accounts", "Reach")
    vault_model = apps.get_model("storage", "Vault")
    devices = apps.get_model("devices", "Device").objects
    removed = set(devices.exclude(revoked_at=None).values_list("pk", flat=True))
    vaults = [vault for vault in vault_model.objects.all() if vault.device_id not in removed]
    for password in password_model.objects.filter(revoked_at=None).exclude(scopes=["api"]):
        reach_model.objects.bulk_create(
            reach_model(password=password, target_id=vault.device_id or vault.pk)
            for vault in vaults
            if vault.organisation_id == password.organisation_id
        )


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_reach"),
        ("devices", "0001_first"),
        ("storage", "0001_first"),
    ]

    operations = [migrations.RunPython(keep_what_they_open, migrations.RunPython.noop)]
