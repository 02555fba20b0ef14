r"""Lists that count nothing: an entry to an email that finds it by index, and tallies kept with the signals.

Both are written by triggers, so that whoever changes an email or a signal changes what lists say of it in the same
statement: the program in several places, a restore, an operator by hand.

Words are split here alone, for what is stored and for what is searched: lower case, no accents, letters of Chinese and
Japanese one by one; at most 6,000 to an email (a tsvector ends at 1 MB). Each stands behind twelve digits of its
member's id: GIN knows no second column without an extension, and a search shall read nobody else's postings.
"""

import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.deletion
from django.db import migrations, models

# Controls and punctuation of ASCII, Latin-1, general, arrows and signs, CJK, full width.
_BETWEEN = (
    r"[\u0001-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u00bf\u2000-\u206f\u20a0-\u20cf\u2190-\u2bff\u3000-\u303f"
    r"\ufe30-\ufe4f\uff00-\uff0f]+"
)
_WORDS = rf"""
CREATE FUNCTION truesend_words(text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT coalesce(array_agg(word), '{{}}') FROM (
    SELECT DISTINCT left(piece, 30) AS word FROM regexp_split_to_table(
      regexp_replace(
        regexp_replace(lower(normalize(left($1, 400000), NFKD)), '[\u0300-\u036f]', '', 'g'),
        '([\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff])', ' \1 ', 'g'),
      '{_BETWEEN}') AS piece
    WHERE piece <> '' LIMIT 6000) AS words
$$;
CREATE FUNCTION truesend_terms(member uuid, wanted text) RETURNS tsquery[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT array_agg(('''' || left(replace(member::text, '-', ''), 12) || word || ''':*')::tsquery)
    FROM unnest(truesend_words(wanted)) AS word
$$;
CREATE FUNCTION truesend_all(terms tsquery[]) RETURNS tsquery LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT string_agg('(' || term::text || ')', ' & ')::tsquery FROM unnest(terms) AS term
$$;
"""
_WORDS_DROP = """
DROP FUNCTION truesend_all(tsquery[]);
DROP FUNCTION truesend_terms(uuid, text);
DROP FUNCTION truesend_words(text);
"""

# An email on its usual way: it changes its status three times within a second, and its entry not once.
_STATE = """
CREATE FUNCTION sending_email_state(status text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN status IN ('queued', 'sending', 'sent') THEN 'moving' ELSE status END
$$;
"""
_ENTRY = r"""
CREATE FUNCTION sending_email_words(mail sending_email) RETURNS tsvector LANGUAGE sql STABLE AS $$
  SELECT array_to_tsvector(ARRAY(
    SELECT left(replace(mail.member_id::text, '-', ''), 12) || word FROM unnest(truesend_words(
      mail.subject || ' ' || array_to_string(mail."to" || mail.cc || mail.bcc, ' ') || ' ' || CASE
        WHEN mail.status = 'draft' THEN ''
        ELSE coalesce((SELECT string_agg(found[1], ' ') FROM regexp_matches(
          left(mail.html, 200000), 'href\s*=\s*["'']?\s*(https?://[^"''\s>]+)', 'gi') AS found), '')
      END)) AS word))
$$;
CREATE FUNCTION sending_email_entry() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO sending_emailentry (email_id, member_id, created_at, state, words)
  VALUES (NEW.id, NEW.member_id, NEW.created_at, sending_email_state(NEW.status), sending_email_words(NEW))
  ON CONFLICT (email_id) DO UPDATE SET member_id = excluded.member_id, created_at = excluded.created_at,
    state = excluded.state, words = excluded.words;
  RETURN NULL;
END $$;
CREATE FUNCTION sending_email_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE sending_emailentry SET state = sending_email_state(NEW.status) WHERE email_id = NEW.id;
  RETURN NULL;
END $$;
CREATE TRIGGER sending_email_entry_made AFTER INSERT ON sending_email
  FOR EACH ROW WHEN (NOT NEW.is_test) EXECUTE FUNCTION sending_email_entry();
CREATE TRIGGER sending_email_entry_written
  AFTER UPDATE OF member_id, created_at, subject, "to", cc, bcc, html ON sending_email
  FOR EACH ROW WHEN (NOT NEW.is_test) EXECUTE FUNCTION sending_email_entry();
CREATE TRIGGER sending_email_state_moved AFTER UPDATE OF status ON sending_email
  FOR EACH ROW WHEN (NOT NEW.is_test AND sending_email_state(OLD.status) <> sending_email_state(NEW.status))
  EXECUTE FUNCTION sending_email_moved();
INSERT INTO sending_emailentry (email_id, member_id, created_at, state, words)
  SELECT id, member_id, created_at, sending_email_state(status), sending_email_words(sending_email)
    FROM sending_email WHERE NOT is_test;
"""
_ENTRY_DROP = """
DROP TRIGGER sending_email_state_moved ON sending_email;
DROP TRIGGER sending_email_entry_written ON sending_email;
DROP TRIGGER sending_email_entry_made ON sending_email;
DROP FUNCTION sending_email_moved();
DROP FUNCTION sending_email_entry();
DROP FUNCTION sending_email_words(sending_email);
"""

# The levels are those of truesend.tracking.query.rank; a test holds the two against each other.
_RECOUNT = """
CREATE FUNCTION tracking_level(kind text, class text, confidence float8, struck boolean) RETURNS smallint
  LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT (CASE
    WHEN struck THEN 0
    WHEN kind = 'reply' THEN 6
    WHEN kind NOT IN ('open', 'click') THEN 0
    WHEN class = 'person' AND kind = 'click' THEN 5
    WHEN class = 'person' AND confidence >= 0.8 THEN 4
    WHEN class IN ('person', 'proxy', 'unknown') THEN 3
    WHEN class = 'self' THEN 0
    ELSE 2 END)::smallint
$$;
CREATE FUNCTION tracking_recount(wanted uuid[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  mails uuid[];
BEGIN
  -- Joined, not compared with the array: a plan kept for many calls would look through all of it for each row.
  SELECT array_agg(mail ORDER BY mail) INTO mails FROM (
    SELECT DISTINCT e.id AS mail FROM unnest(wanted) AS w JOIN sending_delivery AS d ON d.id = w
      JOIN sending_email AS e ON e.id = d.email_id WHERE NOT e.is_test) AS found;
  IF mails IS NULL THEN
    RETURN;
  END IF;
  -- Of an email one counts at a time: what another has just written of its copies is seen here.
  INSERT INTO tracking_emailtally
    (email, member, created_at, opened, clicked, answered, level, clicks, scanned, proxied)
  SELECT e.id, e.member_id, e.created_at, 0, 0, 0, 0, 0, 0, false
    FROM unnest(mails) AS mail JOIN sending_email AS e ON e.id = mail ORDER BY e.id
  ON CONFLICT (email) DO NOTHING;
  PERFORM t.email FROM unnest(mails) AS mail JOIN tracking_emailtally AS t ON t.email = mail
    ORDER BY t.email FOR UPDATE OF t;
  DELETE FROM tracking_copytally AS c USING unnest(wanted) AS w
   WHERE c.delivery = w AND NOT EXISTS (SELECT FROM tracking_signal AS s WHERE s.delivery = c.delivery);
  WITH told AS MATERIALIZED (
    SELECT s.delivery, s.email, s.id, s.at, s.kind, s.class, s.link, s.struck, s.count,
           tracking_level(s.kind, s.class, s.confidence, s.struck) AS level
      FROM (SELECT DISTINCT w FROM unnest(wanted) AS w) AS w
      JOIN tracking_signal AS s ON s.delivery = w.w
      JOIN tracking_emailtally AS t ON t.email = s.email
  ), best AS (
    SELECT DISTINCT ON (delivery) delivery, id, at, link, level FROM told WHERE level > 0
     ORDER BY delivery, level DESC, at DESC, id DESC
  )
  INSERT INTO tracking_copytally AS old
    (delivery, email, level, best, best_at, opened, clicked, answered, clicks, scanned, proxied)
  SELECT t.delivery, t.email, coalesce(b.level, 0), b.id, b.at,
         bool_or(t.level >= 4), bool_or(t.level = 5), bool_or(t.level = 6),
         coalesce(sum(t.count) FILTER (WHERE t.level = 5 AND t.link IS NOT DISTINCT FROM b.link), 0),
         count(DISTINCT t.link) FILTER (WHERE t.kind = 'click' AND NOT t.struck),
         bool_or(t.class = 'proxy' AND NOT t.struck)
    FROM told AS t LEFT JOIN best AS b USING (delivery)
   GROUP BY t.delivery, t.email, b.level, b.id, b.at, b.link
   ORDER BY t.delivery
  ON CONFLICT (delivery) DO UPDATE SET
    level = excluded.level, best = excluded.best, best_at = excluded.best_at, opened = excluded.opened,
    clicked = excluded.clicked, answered = excluded.answered, clicks = excluded.clicks,
    scanned = excluded.scanned, proxied = excluded.proxied;
  WITH copies AS MATERIALIZED (
    SELECT mail, c.* FROM unnest(mails) AS mail LEFT JOIN tracking_copytally AS c ON c.email = mail
  ), summed AS (
    SELECT mail, count(*) FILTER (WHERE opened) AS opened, count(*) FILTER (WHERE clicked) AS clicked,
           count(*) FILTER (WHERE answered) AS answered, coalesce(bool_or(proxied), false) AS proxied
      FROM copies GROUP BY mail
  ), best AS (
    SELECT DISTINCT ON (mail) mail, level, best, best_at, clicks, scanned FROM copies
     ORDER BY mail, level DESC NULLS LAST, best_at DESC NULLS LAST, best DESC
  )
  UPDATE tracking_emailtally AS t SET
    opened = s.opened, clicked = s.clicked, answered = s.answered, proxied = s.proxied,
    level = coalesce(b.level, 0), best = b.best, best_at = b.best_at, clicks = coalesce(b.clicks, 0),
    scanned = coalesce(b.scanned, 0)
    FROM summed AS s JOIN best AS b USING (mail) WHERE t.email = s.mail;
END $$;
CREATE FUNCTION tracking_signals_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  touched uuid[];
BEGIN
  SELECT array_agg(DISTINCT delivery) INTO touched FROM changed;
  IF touched IS NOT NULL THEN
    PERFORM tracking_recount(touched);
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER tracking_signal_counted_new AFTER INSERT ON tracking_signal REFERENCING NEW TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION tracking_signals_changed();
CREATE TRIGGER tracking_signal_counted_changed AFTER UPDATE ON tracking_signal REFERENCING NEW TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION tracking_signals_changed();
CREATE TRIGGER tracking_signal_counted_gone AFTER DELETE ON tracking_signal REFERENCING OLD TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION tracking_signals_changed();
SELECT tracking_recount(array_agg(delivery)) FROM (SELECT DISTINCT delivery FROM tracking_signal) AS told;
"""
_RECOUNT_DROP = """
DROP TRIGGER tracking_signal_counted_gone ON tracking_signal;
DROP TRIGGER tracking_signal_counted_changed ON tracking_signal;
DROP TRIGGER tracking_signal_counted_new ON tracking_signal;
DROP FUNCTION tracking_signals_changed();
DROP FUNCTION tracking_recount(uuid[]);
DROP FUNCTION tracking_level(text, text, float8, boolean);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("connections", "0007_ledger_outcome"),
        ("sending", "0007_narrower"),
        ("tracking", "0002_tallies"),
    ]

    operations = [
        migrations.CreateModel(
            name="EmailEntry",
            fields=[
                (
                    "email",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="entry",
                        serialize=False,
                        to="sending.email",
                    ),
                ),
                ("member_id", models.UUIDField()),
                ("created_at", models.DateTimeField()),
                ("state", models.CharField(max_length=10)),
                ("words", django.contrib.postgres.search.SearchVectorField()),
            ],
        ),
        migrations.AddIndex(
            model_name="attempt",
            index=models.Index(
                condition=models.Q(("arrived_at__isnull", False)), fields=["delivery"], name="attempt_arrived"
            ),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(("due_at__isnull", True), ("status", "queued")),
                fields=["connection", "held_cause"],
                name="delivery_held",
            ),
        ),
        migrations.AddIndex(
            model_name="emailentry",
            index=models.Index(fields=["member_id", "-created_at", "-email"], name="emailentry_newest"),
        ),
        migrations.AddIndex(
            model_name="emailentry",
            index=models.Index(
                fields=["member_id", "state", "-created_at", "-email"], name="emailentry_state"
            ),
        ),
        migrations.AddIndex(
            model_name="emailentry",
            index=django.contrib.postgres.indexes.GinIndex(fields=["words"], name="emailentry_words"),
        ),
        migrations.RunSQL(_WORDS, _WORDS_DROP),
        migrations.RunSQL(_STATE, "DROP FUNCTION sending_email_state(text)"),
        migrations.RunSQL(_ENTRY, _ENTRY_DROP),
        migrations.RunSQL(_RECOUNT, _RECOUNT_DROP),
    ]
