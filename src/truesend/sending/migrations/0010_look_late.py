from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("sending", "0009_preparing")]

    operations = [
        migrations.AddField(model_name="delivery", name="look_late_at", field=models.DateTimeField(null=True)),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(("look_late_at__isnull", False), ("status", "unknown")),
                fields=["look_late_at", "connection"],
                name="delivery_look_late",
            ),
        ),
    ]
