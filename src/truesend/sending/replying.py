"""“Reply” on an email's page: a draft in the conversation of one of its copies, to its people, with its quote."""

from __future__ import annotations

from itertools import count
from uuid import uuid5

from django.db import transaction

from truesend import env
from truesend.organizations.models import Member
from truesend.sending import attachments, quoting
from truesend.sending.addresses import Mailbox
from truesend.sending.beginnings import begin
from truesend.sending.models import Delivery, Email, EmailStatus, Recipient
from truesend.writing import signatures


def reply(member: Member, email: Email, copy: Delivery) -> Email:
    """The draft that answers ``copy``; the same one at a second press, until it was sent."""
    connection = email.connection
    assert connection is not None
    signature = "" if connection.disconnected_at else signatures.block(signatures.of(member, connection.pk))
    quote = quoting.quoted(
        email.html,
        email.text,
        who=str(Mailbox(email.sender or connection.address, connection.display_name)),
        at=copy.sent_at or email.created_at,
        keys=env.link_keys(),
    )
    fields = {
        **_people(email, copy),
        "connection": connection,
        "sender": email.sender,
        "subject": quoting.subject_of(email.subject),
        "html": f"<p></p>{signature}{quote}",
        "track": email.track,
        "reply_to": copy,
    }
    for number in count():
        with transaction.atomic():
            draft, made = begin(member, uuid5(copy.pk, f"reply {member.pk} {number}"), **fields)
            if made:
                attachments.copy(email.pk, draft.pk, pictures_only=True)
        if draft.status == EmailStatus.DRAFT and draft.member_id == member.pk:
            return draft
    raise AssertionError("there is always another number")


def _people(email: Email, copy: Delivery) -> dict[str, list[str]]:
    """Everybody whom the copy's recipients see; blind ones stay out, or stay blind where there are no others."""
    if not email.separate_copies:
        if email.to or email.cc or len(email.bcc) > 1:
            blind = [] if email.to or email.cc else email.bcc
            return {"to": email.to, "cc": email.cc, "bcc": blind}
        return {"to": email.bcc, "cc": [], "bcc": []}
    found = Recipient.objects.filter(delivery=copy).order_by("position")
    return {"to": [str(Mailbox(one.address, one.name)) for one in found], "cc": [], "bcc": []}
