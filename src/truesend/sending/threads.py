"""The conversation an email goes into: the copy that it answers, and what mail programs and its mailbox know of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q

from truesend.organizations.models import Member
from truesend.sending.addresses import AddressError, parse
from truesend.sending.models import Delivery, DeliveryStatus, Email, EmailStatus

# Answers to answers whose Message-IDs are named; RFC 5322 sets no number, and old ones help nobody.
_MOST = 20
_MESSAGE_ID = re.compile(r"<[!-;=?-~]{3,900}>")


@dataclass(frozen=True)
class Thread:
    """``references`` are Message-IDs, from the first email to the one that is answered; empty where none is known.

    ``id`` is the mailbox's own number of the conversation, where the email goes out from the mailbox that has it.
    """

    references: tuple[str, ...]
    id: str = ""


def of(email: Email, connection_id: UUID | None) -> Thread | None:
    """The thread of an email that is sent from a connection; None where it begins one of its own."""
    if email.reply_to_id is None:
        return None
    answered = _copy(email.reply_to_id)
    own = answered.provider_thread_id if answered.connection_id == connection_id else ""
    found: list[str] = []
    while len(found) < _MOST:
        if _MESSAGE_ID.fullmatch(answered.message_id):
            found.append(answered.message_id)
        if answered.email.reply_to_id is None:
            break
        answered = _copy(answered.email.reply_to_id)
    return Thread(tuple(dict.fromkeys(reversed(found))), own)


def _copy(delivery_id: UUID) -> Delivery:
    found = Delivery.objects.select_related("email").only(
        "connection", "provider_thread_id", "message_id", "email__reply_to"
    )
    return found.get(pk=delivery_id)


class NotSent(Exception):
    """Nothing of the email was sent: there is no conversation."""


class Ambiguous(Exception):
    """It went as separate copies, each with a conversation of its own, and nobody said which."""


def answered(email: Email, to: Sequence[str]) -> Delivery:
    """The copy of an email that a new one to these people answers: the only one, or that of the first of them.

    Raises :class:`NotSent` or :class:`Ambiguous`.
    """
    sent = list(Delivery.objects.filter(email=email, status=DeliveryStatus.ACCEPTED).order_by("position"))
    if not sent:
        raise NotSent
    if len(sent) == 1:
        return sent[0]
    try:
        first = parse(to[0]).address.lower() if to else ""
    except AddressError:
        first = ""
    theirs = {one.pk: one for one in sent if first and one.recipients.filter(address__iexact=first).exists()}
    if len(theirs) != 1:
        raise Ambiguous
    return next(iter(theirs.values()))


def beside(member: Member, email: Email) -> list[Email]:
    """What the member has sent right before and after an email in its conversations, the oldest first; one query."""
    near = Q(reply_to__email=email)
    if email.reply_to_id is not None:
        near |= Q(pk__in=Delivery.objects.filter(pk=email.reply_to_id).values("email"))
    sent = Email.objects.filter(near, member=member).exclude(status=EmailStatus.DRAFT)
    return list(sent.only("id", "subject", "created_at", "reply_to").order_by("created_at")[:_MOST])
