"""The outbox."""

import uuid

from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = ()

    operations = [
        migrations.CreateModel(
            name="OutgoingMail",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("organisation_id", models.UUIDField(null=True)),
                ("recipient", models.CharField(max_length=254)),
                ("subject", models.CharField(max_length=300)),
                ("sealed_body", models.BinaryField()),
                ("is_urgent", models.BooleanField(default=False)),
                ("posted_at", models.DateTimeField()),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("next_attempt_at", models.DateTimeField()),
                ("given_up_at", models.DateTimeField(null=True)),
                ("failure", models.CharField(blank=True, max_length=100)),
            ],
            options={
                "ordering": ("-posted_at",),
                "indexes": [
                    models.Index(
                        fields=["given_up_at", "next_attempt_at"],
                        name="web_outgoin_given_u_7a8b00_idx",
                    )
                ],
            },
        ),
    ]
