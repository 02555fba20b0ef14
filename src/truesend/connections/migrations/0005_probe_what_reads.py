"""Connections that may read already are tried at once. Apart from the column: its index waits for no update."""

from django.db import migrations

_DUE = """
UPDATE connections_token SET probe_due_at = connections_token.access_issued_at
FROM connections_connection
WHERE connections_connection.id = connections_token.connection_id
  AND 'read' = ANY (connections_connection.asked)
"""


class Migration(migrations.Migration):
    dependencies = [("connections", "0004_probe_due_at")]

    operations = [migrations.RunSQL(_DUE, migrations.RunSQL.noop)]
