"""Every proof that may begin or end a trouble has its connection looked at: whoever writes it.

The triggers run when the writer commits. By then it holds all the rows of proofs it will, and the one row they meet in is
the last, so that two writers cannot wait for each other. A good proof of a connection that was never in trouble costs a
look into a primary key.
"""

from django.db import migrations

_LOOK = """
CREATE FUNCTION alerts_look_at_proof() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  -- A scope is proved by a consent alone, which may leave a connection without what it needs.
  IF NEW.ok AND NEW.check_name <> 'scope' THEN
    UPDATE alerts_trouble SET changes = changes + 1, look_at = to_timestamp(0) WHERE connection_id = NEW.connection_id;
  ELSE
    INSERT INTO alerts_trouble (connection_id, changes, look_at, cause, told)
    SELECT NEW.connection_id, 1, to_timestamp(0), '', false
     WHERE EXISTS (SELECT FROM connections_connection WHERE id = NEW.connection_id)
    ON CONFLICT (connection_id) DO UPDATE SET changes = alerts_trouble.changes + 1, look_at = to_timestamp(0);
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER alerts_look_at_proof AFTER INSERT OR UPDATE ON connections_proof
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION alerts_look_at_proof();

CREATE FUNCTION alerts_look_at_connection() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE alerts_trouble SET changes = changes + 1, look_at = to_timestamp(0) WHERE connection_id = NEW.id;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER alerts_look_at_connection AFTER UPDATE OF disconnected_at ON connections_connection
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (OLD.disconnected_at IS DISTINCT FROM NEW.disconnected_at)
  EXECUTE FUNCTION alerts_look_at_connection();

-- What is broken already is told once.
INSERT INTO alerts_trouble (connection_id, changes, look_at, cause, told)
SELECT DISTINCT connection_id, 1, to_timestamp(0), '', false FROM connections_proof WHERE NOT ok;
"""

_DROP = """
DROP TRIGGER alerts_look_at_proof ON connections_proof;
DROP TRIGGER alerts_look_at_connection ON connections_connection;
DROP FUNCTION alerts_look_at_proof();
DROP FUNCTION alerts_look_at_connection();
"""


class Migration(migrations.Migration):
    dependencies = [("alerts", "0001_initial"), ("connections", "0014_sharing")]

    operations = [migrations.RunSQL(_LOOK, _DROP)]
