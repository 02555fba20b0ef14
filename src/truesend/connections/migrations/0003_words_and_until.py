"""What a consent ended in, in the provider's words; and when a failure ends by the provider's own account."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("connections", "0002_initial")]

    operations = [
        migrations.AddField("consent", "words", models.CharField(blank=True, max_length=500, default=""), preserve_default=False),
        migrations.AddField("proof", "until", models.DateTimeField(null=True)),
    ]
