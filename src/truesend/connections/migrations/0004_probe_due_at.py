"""When reading is to be tried next."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("connections", "0003_words_and_until")]

    operations = [
        migrations.AddField("token", "probe_due_at", models.DateTimeField(db_index=True, null=True)),
    ]
