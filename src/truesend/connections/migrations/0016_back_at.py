"""A shared account that comes back after a disconnect is news to whoever asked for one."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("connections", "0015_delete_encryptionkey")]

    operations = [migrations.AddField("connection", "back_at", models.DateTimeField(null=True))]
