from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("organizations", "0012_sessions")]

    operations = [
        migrations.AddField(
            model_name="organization",
            name="zone",
            field=models.CharField(blank=True, db_default="", default="", max_length=64),
        ),
        migrations.AddField(
            model_name="organization",
            name="tracking_url",
            field=models.CharField(blank=True, db_default="", default="", max_length=300),
        ),
        migrations.AddField(
            model_name="organization",
            name="tracking_checked_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="organization",
            name="tracking_failed_at",
            field=models.DateTimeField(null=True),
        ),
    ]
