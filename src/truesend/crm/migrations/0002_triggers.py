"""A copy that is accepted is to be recorded, whoever learns that it was; and the states that may follow one another.

The copy's acceptance is never at risk: where nobody wants recordings nothing is done but one look into an index, and
whatever might go wrong with them is a warning.
"""

from django.db import migrations

_PLAN = """
CREATE FUNCTION crm_plan_recordings() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  -- By far the most frequent: nobody records at all.
  IF NOT EXISTS (SELECT FROM crm_recorder) THEN
    RETURN NULL;
  END IF;
  IF NOT EXISTS (SELECT FROM crm_recorder AS w JOIN sending_email AS e ON e.organization_id = w.organization_id
                  WHERE e.id = NEW.email_id AND NOT e.is_test) THEN
    RETURN NULL;
  END IF;
  BEGIN
    INSERT INTO crm_recording (id, connection_id, delivery_id, recipient_id, place, status, due_at, tries, created_at)
    SELECT DISTINCT ON (r.id, w.place)
           gen_random_uuid(), w.connection_id, NEW.id, r.id, w.place, 'waiting',
           coalesce(NEW.sent_at, now()), 0, coalesce(NEW.sent_at, now())
      FROM sending_email AS e
      JOIN organizations_organization AS o ON o.id = e.organization_id
      JOIN crm_recorder AS w ON w.organization_id = e.organization_id
      JOIN connections_connection AS c ON c.id = w.connection_id AND c.disconnected_at IS NULL
      JOIN connections_connection AS s ON s.id = NEW.connection_id AND s.provider <> c.provider
      LEFT JOIN connections_token AS t ON t.connection_id = c.id
      JOIN sending_recipient AS r ON r.delivery_id = NEW.id
     WHERE e.id = NEW.email_id
       AND (c.kind = 'organization' OR (c.member_id = e.member_id AND o.personal_connections_allowed))
       AND NOT EXISTS (SELECT FROM tracking_forgotten AS f WHERE f.delivery = NEW.id)
     -- Two connections of one account: the one that works, the organization's, the older one.
     ORDER BY r.id, w.place, (t.connection_id IS NOT NULL AND t.dead_at IS NULL) DESC,
              (c.kind = 'organization') DESC, c.created_at
    ON CONFLICT DO NOTHING;
  EXCEPTION WHEN OTHERS THEN
    RAISE WARNING 'delivery % is accepted, but not to be recorded: %', NEW.id, SQLERRM;
  END;
  RETURN NULL;
END $$;
CREATE TRIGGER crm_plan_recordings AFTER UPDATE OF status ON sending_delivery
  FOR EACH ROW WHEN (NEW.status = 'accepted' AND OLD.status IS DISTINCT FROM 'accepted')
  EXECUTE FUNCTION crm_plan_recordings();
"""
_FOLLOWS = {
    "waiting": "no_contact posting refused stopped",
    "posting": "recorded refused stopped waiting",
    "stopped": "recorded",
}
_allowed = " OR ".join(
    f"(OLD.status = '{old}' AND NEW.status IN ({', '.join(repr(new) for new in news.split())}))"
    for old, news in _FOLLOWS.items()
)
_HOLD = f"""
CREATE FUNCTION crm_recording_status_follows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT ({_allowed}) THEN
    RAISE EXCEPTION 'crm_recording.status: % may not follow %', NEW.status, OLD.status
      USING ERRCODE = 'check_violation', CONSTRAINT = 'crm_recording_status_follows';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER crm_recording_status_follows BEFORE UPDATE OF status ON crm_recording
  FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION crm_recording_status_follows();
"""
_DROP = """
DROP TRIGGER crm_plan_recordings ON sending_delivery;
DROP TRIGGER crm_recording_status_follows ON crm_recording;
DROP FUNCTION crm_plan_recordings();
DROP FUNCTION crm_recording_status_follows();
"""


class Migration(migrations.Migration):
    dependencies = [("crm", "0001_initial"), ("tracking", "0004_signal_trouble")]

    operations = [migrations.RunSQL([_PLAN, _HOLD], _DROP)]
