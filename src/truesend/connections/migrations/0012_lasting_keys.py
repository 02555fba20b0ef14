"""A key that needs no renewal is never due for one."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("connections", "0011_ledger_went_wrong")]

    operations = [migrations.AlterField("token", "due_at", models.DateTimeField(null=True))]
