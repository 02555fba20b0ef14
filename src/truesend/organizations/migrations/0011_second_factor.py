import uuid

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("organizations", "0010_audit")]

    operations = [
        migrations.CreateModel(
            name="FactorSecret",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("sealed", models.BinaryField()),
            ],
        ),
        migrations.AddField(
            model_name="organization",
            name="second_factor_required",
            field=models.BooleanField(db_default=False, default=False),
        ),
    ]
