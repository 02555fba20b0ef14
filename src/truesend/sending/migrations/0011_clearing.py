from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("sending", "0010_look_late")]

    operations = [
        migrations.AddField(
            model_name="delivery",
            name="clear_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(("clear_at__isnull", False)),
                fields=["clear_at", "connection"],
                name="delivery_clear",
            ),
        ),
    ]
