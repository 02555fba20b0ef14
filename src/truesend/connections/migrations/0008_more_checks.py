"""A renewal is a check of its own: a key that still works does not say that the grant can be renewed."""

from django.db import migrations, models

_CHECKS = ["grant", "scope", "renew", "reach", "send", "read", "contacts"]


class Migration(migrations.Migration):
    dependencies = [("connections", "0007_ledger_outcome")]

    operations = [
        migrations.RemoveConstraint(model_name="proof", name="proof_check_known"),
        migrations.AlterField(
            model_name="proof",
            name="check_name",
            field=models.CharField(
                max_length=10,
                choices=[
                    ("grant", "an identity call, a refresh or another call with its key was answered"),
                    ("scope", "the granted list names the scope"),
                    ("renew", "a refresh was answered"),
                    ("reach", "the sending call was answered as it has to be when there is nothing to send"),
                    ("send", "a send was accepted or refused"),
                    ("read", "a list, history or profile call was answered"),
                    ("contacts", "a list of contacts was answered"),
                ],
            ),
        ),
        migrations.AddConstraint(
            model_name="proof",
            constraint=models.CheckConstraint(
                condition=models.Q(("check_name__in", _CHECKS)), name="proof_check_known"
            ),
        ),
        # What failed as a renewal is contradicted by a renewal alone; of the good ones the newest stays a proof of both.
        migrations.RunSQL(
            sql=[
                "UPDATE connections_proof SET check_name = 'renew'"
                " WHERE check_name = 'grant' AND NOT ok AND call = 'token.refresh'",
                "INSERT INTO connections_proof (connection_id, check_name, ok, cause, call, words, at, until)"
                " SELECT connection_id, 'renew', ok, cause, call, words, at, until FROM connections_proof"
                " WHERE check_name = 'grant' AND ok ON CONFLICT DO NOTHING",
                # Connections that could only send were not probed until now.
                "UPDATE connections_token SET probe_due_at = now() WHERE probe_due_at IS NULL AND dead_at IS NULL",
            ],
            reverse_sql=[
                "DELETE FROM connections_proof WHERE check_name IN ('reach', 'contacts') OR (check_name = 'renew' AND ok)",
                "UPDATE connections_proof SET check_name = 'grant' WHERE check_name = 'renew' AND NOT EXISTS ("
                "SELECT FROM connections_proof AS other WHERE other.connection_id = connections_proof.connection_id"
                " AND other.check_name = 'grant' AND NOT other.ok)",
                "DELETE FROM connections_proof WHERE check_name = 'renew'",
            ],
        ),
    ]
