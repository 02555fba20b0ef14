"""An organization's past, brought to a stricter level: by its emails, newest first, a step at a time."""

from __future__ import annotations

from uuid import UUID

from django.db import connection, transaction

from truesend import clock, live_events
from truesend.organizations.models import Privacy
from truesend.privacy.hits import COLUMNS, OWNERS, Facts, treat
from truesend.privacy.models import History
from truesend.sending.models import Email, EmailStatus

EMAILS = 200
"""Emails of one step."""

HITS = 2000
"""Hits that are looked at together."""

_EMAILS = """
SELECT id, created_at FROM sending_email
 WHERE organization_id = %(organization)s AND status <> 'draft'
   AND (%(at)s::timestamptz IS NULL
        OR created_at <= %(at)s AND NOT (created_at = %(at)s AND id <= %(email)s))
 ORDER BY created_at DESC, id LIMIT %(most)s
"""
# By delivery whatever the statistics say: in the order of ids it would read the whole table for a few.
_HITS = f"""
WITH theirs AS MATERIALIZED (
    SELECT hit.* FROM sending_delivery AS copy CROSS JOIN LATERAL (
        SELECT * FROM tracking_hit WHERE delivery = copy.id AND reduced < %s AND id > %s OFFSET 0) AS hit
     WHERE copy.email_id = ANY(%s)
)
SELECT {COLUMNS} FROM (SELECT * FROM theirs ORDER BY id LIMIT %s) AS h {OWNERS} ORDER BY h.id
"""  # noqa: S608
_LEVELS = [one.value for one in Privacy]


def is_stricter(level: str, than: str) -> bool:
    """Whether ``level`` keeps less."""
    return _LEVELS.index(level) > _LEVELS.index(than)


def begin(organization: UUID) -> None:
    """Bring all that is past to the organization's level, in the running transaction that sets it."""
    sent = Email.objects.filter(organization=organization).exclude(status=EmailStatus.DRAFT)
    History.objects.update_or_create(
        organization_id=organization,
        defaults={
            "total": sent.count(),
            "done": 0,
            "at": None,
            "email": None,
            "started_at": clock.now(),
            "finished_at": None,
        },
    )


def forget(organization: UUID) -> None:
    """Nothing past is to be changed any more."""
    History.objects.filter(organization=organization).delete()


def step() -> bool:
    """The next emails of the organization that waits longest; whether there was one."""
    with transaction.atomic():
        waiting = History.objects.filter(finished_at=None).order_by("started_at")
        history = (
            waiting.select_for_update(skip_locked=True, of=("self",)).select_related("organization").first()
        )
        if history is None:
            return False
        _go_on(history)
        live_events.publish(history.organization_id, "account", [history.organization_id])
        return True


def _go_on(history: History) -> None:
    now = clock.now()
    own = History.objects.filter(pk=history.pk)
    with connection.cursor() as cursor:
        cursor.execute(
            _EMAILS,
            {
                "organization": history.organization_id,
                "at": history.at,
                "email": history.email,
                "most": EMAILS,
            },
        )
        emails = cursor.fetchall()
    if not emails:
        own.update(finished_at=now, done=history.done, total=history.done)
        return
    last = 0
    wanted = _LEVELS.index(history.organization.privacy)
    while True:
        with connection.cursor() as cursor:
            cursor.execute(_HITS, [wanted, last, [email for email, _ in emails], HITS])
            found = [Facts(*row) for row in cursor.fetchall()]
        treat(found, now)
        if len(found) < HITS:
            break
        last = found[-1].id
    own.update(done=history.done + len(emails), email=emails[-1][0], at=emails[-1][1])
