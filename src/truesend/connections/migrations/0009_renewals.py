"""Renewals that lose nothing: what is under way and what was lost, when a grant ends, outages, encryption keys."""

from django.db import migrations, models

import truesend.clock
import truesend.connections.models

_PROVIDERS = """
UPDATE connections_token SET provider = connections_connection.provider FROM connections_connection
WHERE connections_connection.id = connections_token.connection_id
"""


class Migration(migrations.Migration):
    dependencies = [("connections", "0008_more_checks")]

    operations = [
        migrations.CreateModel(
            name="EncryptionKey",
            fields=[
                ("id", models.CharField(max_length=255, primary_key=True, serialize=False)),
                ("fingerprint", models.BinaryField(max_length=32)),
                ("first_at", models.DateTimeField(default=truesend.clock.now)),
            ],
        ),
        migrations.CreateModel(
            name="Outage",
            fields=[
                ("provider", models.CharField(max_length=20, primary_key=True, serialize=False)),
                ("misses", models.PositiveIntegerField(default=0)),
                ("last_missed", models.UUIDField(null=True)),
                ("cause", models.CharField(max_length=60)),
                ("words", models.CharField(blank=True, max_length=500)),
                ("began_at", models.DateTimeField()),
                ("ask_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.AddField("token", "begun_at", models.DateTimeField(null=True)),
        migrations.AddField("token", "begun_by", models.UUIDField(null=True)),
        migrations.AddField(
            "token", "begun_where", models.CharField(blank=True, db_default="", default="", max_length=100)
        ),
        migrations.AddField("token", "begun_until", models.DateTimeField(null=True)),
        migrations.AddField("token", "grant_ends_at", models.DateTimeField(null=True)),
        migrations.AddField("token", "lost_at", models.DateTimeField(null=True)),
        migrations.AddField(
            "token", "lost_how", models.CharField(blank=True, db_default="", default="", max_length=60)
        ),
        migrations.AddField(
            "token", "provider", models.CharField(default="", max_length=20), preserve_default=False
        ),
        migrations.RunSQL(_PROVIDERS, migrations.RunSQL.noop),
        migrations.AlterField("token", "due_at", models.DateTimeField()),
        migrations.AlterField(
            "token",
            "version",
            models.PositiveIntegerField(default=truesend.connections.models._first_version),
        ),
        migrations.AddIndex(
            "token",
            models.Index(
                condition=models.Q(("dead_at", None)),
                fields=["provider", "due_at"],
                name="token_due_by_provider",
            ),
        ),
    ]
