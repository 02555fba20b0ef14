import django.db.models.deletion
from django.db import migrations, models

import truesend.clock


class Migration(migrations.Migration):
    dependencies = [("connections", "0015_delete_encryptionkey"), ("sending", "0012_what")]

    operations = [
        migrations.AddField("email", "halt", models.CharField(blank=True, db_default="", default="", max_length=7)),
        migrations.AddField("delivery", "values", models.JSONField(db_default={}, default=dict)),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(("sent_at__isnull", False)),
                fields=["connection", "sent_at"],
                name="delivery_sent",
            ),
        ),
        migrations.CreateModel(
            name="PeopleList",
            fields=[
                (
                    "email",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="people_list",
                        serialize=False,
                        to="sending.email",
                    ),
                ),
                ("name", models.CharField(blank=True, max_length=255)),
                ("form", models.CharField(blank=True, max_length=60)),
                ("columns", models.JSONField(default=list)),
                ("people", models.JSONField(default=list)),
                ("bad", models.JSONField(default=list)),
                ("leave_out", models.BooleanField(default=False)),
                ("created_at", models.DateTimeField(default=truesend.clock.now)),
            ],
        ),
        migrations.CreateModel(
            name="MailboxBudget",
            fields=[
                (
                    "connection",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="budget",
                        serialize=False,
                        to="connections.connection",
                    ),
                ),
                ("messages", models.PositiveIntegerField()),
                ("changed_at", models.DateTimeField(default=truesend.clock.now)),
            ],
        ),
    ]
