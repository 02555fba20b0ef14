"""Years of one member's emails, straight into the database: statuses, copies, tries, and five signals to each.

What triggers would write row by row is written by the same functions for all of a batch.
"""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import psycopg

SIGNALS = 5
SPAN_DAYS = 3 * 365
BATCH = 50_000

PLACES = {
    "half of them": "proposal",
    "one of 20": "renewal",
    "one of 200": "audit",
    "sixty in all": "merger",
    "one": "unicorn",
    "none": "nobodyhere",
}
"""Words to search for, by how many emails have them."""

_BATCH = """
CREATE TEMP TABLE batch ON COMMIT DROP AS
SELECT n, gen_random_uuid() AS email, gen_random_uuid() AS copy,
       now() - n * make_interval(secs => %(span)s::float8 / %(total)s) AS at,
       CASE WHEN n %% 100 = 7 THEN 'failed' WHEN n %% 1000 = 3 THEN 'held' WHEN n %% 1000 = 13 THEN 'cancelled'
            WHEN n %% 100 = 21 THEN 'draft' ELSE 'sent' END AS status,
       (ARRAY['Ines', 'Tom', 'Lena', 'Raj', 'Mia', 'Yuki', 'Omar', 'Eva'])[n %% 8 + 1] || ' '
         || (ARRAY['Moreau', 'Okafor', 'Fischer', 'Patel', 'Rossi', 'Tanaka', 'Haddad'])[n %% 7 + 1] AS name,
       lower((ARRAY['Ines', 'Tom', 'Lena', 'Raj', 'Mia', 'Yuki', 'Omar', 'Eva'])[n %% 8 + 1]) || n || '@c'
         || n %% 5000 || '.example' AS address,
       CASE n %% 2 WHEN 0 THEN 'Proposal' ELSE 'Letter' END || ' ' || n
         || CASE n %% 20 WHEN 11 THEN ' renewal' ELSE '' END || CASE n %% 200 WHEN 44 THEN ' audit' ELSE '' END
         || CASE n %% (%(total)s / 60) WHEN 99 THEN ' merger' ELSE '' END
         || CASE n WHEN 4444 THEN ' unicorn' ELSE '' END AS subject
  FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS n
"""
_ROWS = (
    """
INSERT INTO sending_email (id, organization_id, member_id, connection_id, status, problem, "to", cc, bcc, subject,
    html, text, separate_copies, track, is_test, send_at, undo_until, created_at, updated_at, corrects_id, revision)
SELECT email, %(organization)s, %(member)s, %(connection)s, status,
       CASE status WHEN 'held' THEN 'grant_revoked' WHEN 'failed' THEN 'recipient_refused' ELSE '' END,
       ARRAY[name || ' <' || address || '>'], '{}', '{}', subject,
       '<p>Hello ' || name || ',</p>' || repeat('<p>here is what we talked about on the telephone.</p>', 12)
         || '<p><a href="https://example.com/prices?n=' || n || '">the new price list</a></p>',
       '', false, true, false, NULL, NULL, at, at, NULL, 0
  FROM batch
""",
    """
INSERT INTO sending_delivery (id, email_id, connection_id, position, status, due_at, held_cause, look_at, ask_from,
    sent_at, links, provider_message_id, provider_thread_id, message_id)
SELECT copy, email, %(connection)s, 0,
       CASE status WHEN 'sent' THEN 'accepted' WHEN 'failed' THEN 'refused' WHEN 'held' THEN 'queued'
         ELSE 'cancelled' END,
       NULL, CASE status WHEN 'held' THEN 'grant_revoked' ELSE '' END, NULL, NULL,
       CASE status WHEN 'sent' THEN at END,
       '[{"index": 0, "target": "https://example.com/prices", "text": "the new price list"}]', '', '', ''
  FROM batch WHERE status <> 'draft'
""",
    """
INSERT INTO sending_recipient (delivery_id, position, address, name, type)
SELECT copy, 0, address, name, 'to' FROM batch WHERE status <> 'draft'
""",
    """
INSERT INTO sending_attempt (id, delivery_id, number, started_at, started_real_at, worker, over_at, position,
    finished_at, outcome, cause, words, milliseconds, settled_at, settled_by, arrived_at)
SELECT gen_random_uuid(), copy, 1, at, at, 'bench', at, '', at,
       CASE status WHEN 'sent' THEN 'ACCEPTED' ELSE 'NOT_SENT' END,
       CASE status WHEN 'sent' THEN '' ELSE 'recipient_refused' END, '', 400, NULL, '', NULL
  FROM batch WHERE status IN ('sent', 'failed')
""",
    """
INSERT INTO tracking_signal (organization, email, delivery, hit_id, kind, class, confidence, reason, rule,
    rules_version, at, link, link_label, link_target, recipient, count, changed_at)
SELECT %(organization)s, email, copy, NULL, kind, class, confidence, 'Told by a bench.', 'bench', '2',
       at + (k + 1) * interval '1 minute', CASE kind WHEN 'click' THEN 0 END,
       CASE kind WHEN 'click' THEN 'the new price list' ELSE '' END,
       CASE kind WHEN 'click' THEN 'https://example.com/prices' ELSE '' END, address, 1, at
  FROM batch, generate_series(0, %(signals)s - 1) AS k, LATERAL (SELECT
    CASE WHEN n %% 10 IN (4, 5) AND k > 2 OR n %% 10 = 7 THEN 'click' ELSE 'open' END AS kind,
    CASE WHEN n %% 10 = 6 THEN 'proxy' WHEN n %% 10 = 7 THEN 'scanner' WHEN k = 0 THEN 'prefetch' ELSE 'person'
      END AS class,
    CASE WHEN n %% 10 = 8 THEN 0.7 ELSE 0.9 END AS confidence) AS told
 WHERE status = 'sent'
""",
    """
INSERT INTO sending_emailentry (email_id, member_id, created_at, state, words)
SELECT mail.id, mail.member_id, mail.created_at, sending_email_state(mail.status), sending_email_words(mail)
  FROM sending_email AS mail JOIN batch ON batch.email = mail.id
""",
    "SELECT tracking_recount(array_agg(copy)) FROM batch WHERE status = 'sent'",
)
_TABLES = (
    "sending_email",
    "sending_delivery",
    "sending_recipient",
    "sending_attempt",
    "sending_emailentry",
    "tracking_signal",
    "tracking_copytally",
    "tracking_emailtally",
)


def furnish(url: str, connection_id: str, emails: int, tell: Callable[[int], None]) -> UUID:
    """The member of a connection has written so many emails, over three years.

    ``tell`` hears after each batch how many there are; answers the id of the newest of them.
    """
    with psycopg.connect(url, autocommit=True) as connection:
        owner = connection.execute(
            "SELECT organization_id, member_id FROM connections_connection WHERE id = %s", [connection_id]
        ).fetchone()
        assert owner is not None
        newest: UUID | None = None
        for start in range(0, emails, BATCH):
            end = min(start + BATCH, emails)
            values = {
                "organization": owner[0],
                "member": owner[1],
                "connection": connection_id,
                "first": start,
                "last": end - 1,
                "total": emails,
                "span": SPAN_DAYS * 86_400,
                "signals": SIGNALS,
            }
            with connection.transaction():
                # The batch says itself what triggers and foreign keys would, once for all of it.
                connection.execute("SET LOCAL session_replication_role = replica")
                connection.execute(_BATCH, values)
                for statement in _ROWS:
                    connection.execute(statement, values)
                if newest is None:
                    row = connection.execute(
                        "SELECT email FROM batch WHERE status = 'sent' ORDER BY n"
                    ).fetchone()
                    newest = row[0] if row else None
            tell(end)
        for table in _TABLES:
            connection.execute(f"VACUUM ANALYZE {table}")
        connection.execute("CHECKPOINT")
    assert newest is not None
    return newest
