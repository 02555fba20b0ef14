"""The states that may follow one another, held by triggers: the pairs of `truesend.sending.states` at this time."""

from django.db import migrations, models

_MAY_FOLLOW = {
    ("sending_delivery", "status"): {
        "queued": "cancelled refused sending unknown",
        "sending": "accepted queued refused unknown",
        "unknown": "accepted cancelled queued refused",
    },
    ("sending_email", "status"): {
        "draft": "queued scheduled",
        "scheduled": "cancelled draft failed held paused queued sending unknown",
        "queued": "cancelled draft failed held paused scheduled sending unknown",
        "held": "cancelled draft failed partly paused queued scheduled sending unknown",
        "paused": "cancelled draft failed held partly queued scheduled sending unknown",
        "sending": "cancelled failed held partly paused queued sent unknown",
        "unknown": "cancelled failed held partly paused queued sending sent",
    },
    ("sending_attempt", "outcome"): {
        "": "ACCEPTED NOT_SENT UNKNOWN",
        "UNKNOWN": "ACCEPTED NOT_SENT",
    },
}


def _trigger(table: str, column: str, pairs: dict[str, str]) -> str:
    """A change of ``column`` outside the pairs is refused as the violation of a check."""
    allowed = " OR ".join(
        f"(OLD.{column} = '{old}' AND NEW.{column} IN ({', '.join(repr(new) for new in news.split())}))"
        for old, news in pairs.items()
    )
    name = f"{table}_{column}_follows"
    return f"""
CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT ({allowed}) THEN
    RAISE EXCEPTION '{table}.{column}: % may not follow %', NEW.{column}, OLD.{column}
      USING ERRCODE = 'check_violation', CONSTRAINT = '{name}';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER {name} BEFORE UPDATE OF {column} ON {table}
  FOR EACH ROW WHEN (OLD.{column} IS DISTINCT FROM NEW.{column}) EXECUTE FUNCTION {name}();
"""


def _drop(table: str, column: str) -> str:
    name = f"{table}_{column}_follows"
    return f"DROP TRIGGER {name} ON {table}; DROP FUNCTION {name}();"


class Migration(migrations.Migration):
    dependencies = [("connections", "0005_probe_what_reads"), ("sending", "0002_held_and_looked_up")]

    operations = [
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(condition=models.Q(('look_at__isnull', False)), fields=['look_at', 'connection'], name='delivery_look'),
        ),
        migrations.AddConstraint(
            model_name='delivery',
            constraint=models.CheckConstraint(condition=models.Q(('held_cause', ''), ('status', 'queued'), _connector='OR'), name='delivery_held_only_queued'),
        ),
        migrations.AddConstraint(
            model_name='delivery',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('status', 'queued'), _negated=True), ('due_at__isnull', False), models.Q(('held_cause', ''), _negated=True), _connector='OR'), name='delivery_queued_for_something'),
        ),
        migrations.AddConstraint(
            model_name='delivery',
            constraint=models.CheckConstraint(condition=models.Q(('look_at__isnull', True), ('status', 'unknown'), _connector='OR'), name='delivery_look_only_unknown'),
        ),
        *(
            migrations.RunSQL(_trigger(table, column, pairs), _drop(table, column))
            for (table, column), pairs in _MAY_FOLLOW.items()
        ),
    ]
