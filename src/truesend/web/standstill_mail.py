"""The mails about a standstill: to the owners of organizations that have something connected, and to the operators.

Each is a row, taken by a guarded UPDATE: however many web processes there are, one of them sends it. One that was
taken and never sent, since its process or the mail server went away, is taken again.
"""

from __future__ import annotations

import logging
import time
from datetime import datetime, timedelta

from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models import Q

from truesend import clock, env
from truesend.connections.models import Connection
from truesend.organizations import system_mail
from truesend.organizations.models import Member, Role, Standstill, StandstillMail, User

log = logging.getLogger("truesend.web")

_TAKEN_FOR = timedelta(minutes=5)
_GIVEN_UP_AFTER = timedelta(days=1)
_FORGOTTEN_AFTER = timedelta(days=90)
_REASONS = {
    "silent": "its worker shows no life",
    "mail": "mail that is due is not touched",
    "renewals": "the renewals of connections that are due are not touched",
}


def plan(standstill: Standstill) -> None:
    """Who is to be told that nothing is sent; nobody where no system mail can leave."""
    Standstill.objects.filter(ended_at__lt=clock.real_now() - _FORGOTTEN_AFTER).delete()
    if not system_mail.is_configured():
        return
    operators = set(User.objects.filter(is_operator=True, is_active=True).values_list("email", flat=True))
    if not operators and (support := env.get("SUPPORT_EMAIL")):
        operators = {support}
    connected = Connection.objects.filter(disconnected_at=None).values("organization_id")
    owners = Member.objects.active().filter(role=Role.OWNER, organization__in=connected)
    told = operators | set(owners.values_list("user__email", flat=True))
    StandstillMail.objects.bulk_create(
        StandstillMail(standstill=standstill, address=one, to_operator=one in operators, is_over=False)
        for one in sorted(told)
    )


def plan_end(standstill: Standstill) -> None:
    """Whoever was told of it is told that it is over."""
    told = StandstillMail.objects.filter(standstill=standstill, is_over=False, sent_at__isnull=False)
    _plan_end(list(told))


def _plan_end(told: list[StandstillMail]) -> None:
    StandstillMail.objects.bulk_create(
        (
            StandstillMail(
                standstill_id=one.standstill_id,
                address=one.address,
                to_operator=one.to_operator,
                is_over=True,
            )
            for one in told
        ),
        ignore_conflicts=True,
    )


def send_some(seconds: float = 5.0) -> None:
    """Send what is to be sent, for about so long."""
    until = time.monotonic() + seconds
    while time.monotonic() < until and (mail := _take()) is not None:
        try:
            _message(mail).send()
        except system_mail.MailNotSent as error:
            log.warning("A mail about a standstill could not be sent (%s); it is tried again.", error)
            return
        StandstillMail.objects.filter(pk=mail.pk).update(sent_at=clock.real_now())
        if not mail.is_over and not Standstill.objects.filter(pk=mail.standstill_id, lasts=True).exists():
            _plan_end([mail])  # it ended in this very moment


def _take() -> StandstillMail | None:
    now = clock.real_now()
    # That it began is not worth a mail any more when it is over.
    waiting = StandstillMail.objects.filter(
        Q(is_over=True) | Q(standstill__lasts=True),
        Q(claimed_at=None) | Q(claimed_at__lt=now - _TAKEN_FOR),
        sent_at=None,
        standstill__noticed_at__gt=now - _GIVEN_UP_AFTER,
    )
    for mail in waiting.select_related("standstill").order_by("pk")[:20]:
        if StandstillMail.objects.filter(pk=mail.pk, sent_at=None, claimed_at=mail.claimed_at).update(
            claimed_at=now
        ):
            return mail
    return None


def _message(mail: StandstillMail) -> EmailMessage:
    subject, body = over(mail.standstill) if mail.is_over else began(mail.standstill, mail.to_operator)
    if env.environment() != "prod":
        subject = f"[{env.environment()}] {subject}"
    return EmailMessage(subject, body, settings.DEFAULT_FROM_EMAIL, [mail.address])


def began(standstill: Standstill, to_operator: bool) -> tuple[str, str]:
    """Subject and text."""
    what = (
        f"Since {_moment(standstill.began_at)} Truesend at {env.public_url()} sends no email and renews no "
        f"connection: {_REASONS[standstill.reason]}."
    )
    waits = "What is due waits and goes by itself as soon as the worker works again. Nothing is lost."
    if to_operator:
        help_ = (
            "Is `truesend worker` running, and does it reach the database? Its log tells what it did last; with\n"
            f"`truesend up` that is {env.data_dir() / 'log' / 'worker.log'}."
        )
    else:
        operators = User.objects.filter(is_operator=True, is_active=True).order_by("created_at")
        names = ", ".join(f"{one.get_full_name()} <{one.email}>" for one in operators[:3])
        help_ = (
            "You need not send anything again. Who can help: "
            f"{names or env.get('SUPPORT_EMAIL') or 'whoever runs this installation'}."
        )
    return "Nothing is sent or renewed right now", "\n\n".join((what, waits, help_, "Truesend\n"))


def over(standstill: Standstill) -> tuple[str, str]:
    """Subject and text."""
    assert standstill.ended_at is not None
    minutes = max(1, round((standstill.ended_at - standstill.began_at).total_seconds() / 60))
    length = f"{minutes} minute{'s' if minutes != 1 else ''}"
    what = (
        f"Since {_moment(standstill.ended_at)} Truesend at {env.public_url()} sends email and renews connections "
        f"again. It stood still for {length}, from {_moment(standstill.began_at)}."
    )
    return "Sending goes on", "\n\n".join(
        (what, "What fell due meanwhile is going out now. There is nothing for you to do.", "Truesend\n")
    )


def _moment(when: datetime) -> str:
    return f"{when:%H:%M} UTC on {when.day} {when:%B %Y}"
