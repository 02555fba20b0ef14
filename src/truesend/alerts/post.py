"""The way out of the mails: each row is taken by one worker, and one that was taken and never sent is taken again."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from datetime import timedelta

from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models import Q

from truesend import clock
from truesend.alerts.models import Letter
from truesend.alerts.texts import Text
from truesend.organizations import system_mail

log = logging.getLogger("truesend.alerts")

_TAKEN_FOR = timedelta(minutes=5)
_GIVEN_UP_AFTER = timedelta(days=1)
_FORGOTTEN_AFTER = timedelta(days=90)
# Until then the others wait too: a mail server that is away is not asked for each of them.
_REST_SECONDS = 15.0
_rests_until = float("-inf")


def plan(kind: Letter.Kind, about: str, addresses: Iterable[str], text: Text) -> int:
    """Write a mail to each address, in the transaction of what it tells of; none where no system mail can leave.

    The same about the same thing is written once.
    """
    if not system_mail.is_configured():
        return 0
    letters = [
        Letter(about=about, kind=kind, address=one, subject=text.subject, body=text.body)
        for one in dict.fromkeys(addresses)
        if one
    ]
    Letter.objects.bulk_create(letters, ignore_conflicts=True)
    return len(letters)


def take_back(kind: Letter.Kind, about: str) -> None:
    """Do not send what nobody has begun to send: it is not true any more."""
    Letter.objects.filter(kind=kind, about=about, claimed_at=None, sent_at=None).delete()


def told(kind: Letter.Kind, about: str) -> list[str]:
    """Whom it was sent to, or is being sent to."""
    return list(Letter.objects.filter(kind=kind, about=about).values_list("address", flat=True))


def send_some(seconds: float = 5.0) -> None:
    """Send what waits, for about so long."""
    global _rests_until  # noqa: PLW0603 - one number of this process
    until = time.monotonic() + seconds
    while _rests_until < time.monotonic() < until and (letter := _take()) is not None:
        message = EmailMessage(letter.subject, letter.body, settings.DEFAULT_FROM_EMAIL, [letter.address])
        try:
            message.send()
        except system_mail.MailNotSent as error:
            log.warning("A mail about a connection could not be sent (%s); it is tried again.", error)
            Letter.objects.filter(pk=letter.pk).update(claimed_at=None)
            _rests_until = time.monotonic() + _REST_SECONDS
            return
        _sent(letter)


def _sent(letter: Letter) -> None:
    row = Letter.objects.filter(pk=letter.pk)
    if letter.kind == Letter.Kind.CLOSED:
        row.delete()
    else:
        row.update(sent_at=clock.real_now())


def _take() -> Letter | None:
    now = clock.real_now()
    waiting = Letter.objects.filter(
        Q(claimed_at=None) | Q(claimed_at__lt=now - _TAKEN_FOR),
        sent_at=None,
        planned_at__gt=now - _GIVEN_UP_AFTER,
    )
    for letter in waiting.order_by("planned_at", "pk")[:20]:
        if Letter.objects.filter(pk=letter.pk, sent_at=None, claimed_at=letter.claimed_at).update(
            claimed_at=now
        ):
            return letter
    return None


def forget() -> None:
    """Drop what was sent, or given up, long ago."""
    now = clock.real_now()
    Letter.objects.filter(planned_at__lt=now - _FORGOTTEN_AFTER).delete()
    Letter.objects.filter(kind=Letter.Kind.CLOSED, planned_at__lt=now - _GIVEN_UP_AFTER).delete()
