"""Held copies say why; unknown ones are looked up. What was held or unknown before is told the same way."""

from django.db import migrations, models

_TELL = """
UPDATE sending_delivery d SET held_cause = coalesce(nullif(e.problem, ''), 'not_tried')
  FROM sending_email e WHERE e.id = d.email_id AND d.status = 'queued' AND d.due_at IS NULL;
UPDATE sending_delivery SET look_at = now(), ask_from = now() WHERE status = 'unknown';
"""


class Migration(migrations.Migration):
    dependencies = [("connections", "0005_probe_what_reads"), ("sending", "0001_initial")]

    operations = [
        migrations.AddField("attempt", "over_at", models.DateTimeField(null=True)),
        migrations.AddField("attempt", "position", models.CharField(blank=True, max_length=64)),
        migrations.AddField("attempt", "settled_at", models.DateTimeField(null=True)),
        migrations.AddField(
            "attempt",
            "settled_by",
            models.CharField(
                blank=True,
                choices=[("sent", "Sent"), ("person", "Person"), ("worker", "Worker")],
                max_length=8,
            ),
        ),
        migrations.AddField("delivery", "ask_from", models.DateTimeField(null=True)),
        migrations.AddField("delivery", "held_cause", models.CharField(blank=True, max_length=60)),
        migrations.AddField("delivery", "look_at", models.DateTimeField(null=True)),
        migrations.RunSQL(_TELL, migrations.RunSQL.noop),
    ]
