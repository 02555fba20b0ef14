"""The keys of an installation are remembered in one place: `organizations_knownkey`."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("connections", "0014_sharing")]

    operations = [migrations.DeleteModel("EncryptionKey")]
