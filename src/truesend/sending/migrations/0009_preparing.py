from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("sending", "0008_entries")]

    operations = [
        migrations.AddField(
            model_name="attempt",
            name="preparing",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="attempt",
            name="reference",
            field=models.CharField(blank=True, db_default="", default="", max_length=2000),
        ),
    ]
