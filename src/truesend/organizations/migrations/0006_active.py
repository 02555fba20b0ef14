from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("organizations", "0005_privacy")]

    operations = [
        migrations.AddField(
            model_name="organization",
            name="active_at",
            field=models.DateTimeField(null=True),
        ),
    ]
