"""Writing again what did not reach somebody: a draft to those people alone, with the files of the first one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import count
from typing import Any
from uuid import UUID, uuid5

from django.db import transaction
from django.utils.html import escape

from truesend.organizations.models import Member
from truesend.sending import attachments, people_lists
from truesend.sending.addresses import AddressError, Mailbox, parse
from truesend.sending.beginnings import begin
from truesend.sending.models import Email, EmailStatus, Recipient

Unreached = Sequence[tuple[UUID, str]]
"""Copies that came back: each with the address it did not reach, in lower case."""


def of_copies(member: Member, email: Email, copies: Sequence[UUID]) -> tuple[Email, bool]:
    """The draft to the people of copies that did not leave, and whether it was made just now.

    Two presses at once make one draft; where that was sent meanwhile, another follows.
    """
    people = _apart(copies) if email.separate_copies else _headers(email)
    return _draft(member, email, ",".join(map(str, sorted(copies))), people, copies)


def of_bounced(member: Member, email: Email, bounced: Unreached) -> tuple[Email, bool]:
    """The draft to the people at whom it bounced, each in the header they were in; else as :func:`of_copies`."""
    copies = sorted({copy for copy, _ in bounced})
    addresses = {address for _, address in bounced}
    people = _apart(copies) if email.separate_copies else _headers(email, addresses)
    return _draft(member, email, f"bounced {','.join(sorted(addresses))}", people, copies)


def written_again(email: Email) -> frozenset[str]:
    """The addresses, in lower case, of everybody to whom it was written again, and sent."""
    sent = Recipient.objects.filter(delivery__email__corrects=email)
    found = sent.exclude(delivery__email__status=EmailStatus.DRAFT).values_list("address", flat=True)
    return frozenset(one.lower() for one in found)


def _headers(email: Email, only: Iterable[str] | None = None) -> dict[str, list[str]]:
    headers = {"to": email.to, "cc": email.cc, "bcc": email.bcc}
    if only is None:
        return headers
    return {name: [one for one in people if _address(one) in only] for name, people in headers.items()}


def _apart(copies: Sequence[UUID]) -> dict[str, list[str]]:
    """Who had a copy of their own gets one again: nobody shall learn of the others. Who had values is in the list."""
    found = Recipient.objects.filter(delivery__in=copies, delivery__values={}).order_by("delivery__position")
    return {"to": [str(Mailbox(one.address, one.name)) for one in found], "cc": [], "bcc": []}


def _address(text: str) -> str:
    try:
        return parse(text).address.lower()
    except AddressError:
        return text.lower()


def _draft(
    member: Member, email: Email, what: str, people: dict[str, list[str]], copies: Sequence[UUID]
) -> tuple[Email, bool]:
    """Its id follows from ``what`` is written again."""
    fields: dict[str, Any] = {
        **people,
        "connection": email.connection,
        "subject": email.subject,
        "html": email.html or f"<pre>{escape(email.text)}</pre>",
        "track": email.track,
        "corrects": email,
        "reply_to_id": email.reply_to_id,
        "sender": email.sender,
        "separate_copies": email.separate_copies,
    }
    values = people_lists.of_copies(list(copies))
    for number in count():
        with transaction.atomic():
            draft, made = begin(member, uuid5(email.pk, f"{member.pk} {what} {number}"), **fields)
            if made:
                attachments.copy(email.pk, draft.pk)
                if values is not None:
                    people_lists.keep(draft, values)
        if draft.status == EmailStatus.DRAFT and draft.member_id == member.pk:
            break
    return draft, made
