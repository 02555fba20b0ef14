"""What the suppression list says of an email's recipients: who stops it, who is left out, of whom it only warns.

By reason (ADR 0023): a single mail is stopped by mail that came back and by what a member put on the list; of others it
is said. Of mail to many everybody on the list is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from django.db import transaction

from truesend import clock
from truesend.connections.causes import Action, Who
from truesend.connections.describe import people_who
from truesend.organizations import roles
from truesend.organizations.models import Member
from truesend.sending.addresses import Mailbox
from truesend.sending.gate import Draft, Gate
from truesend.sending.models import Delivery, DeliveryStatus, Recipient
from truesend.sending.settle import refresh_email
from truesend.suppression.listing import suppressed
from truesend.suppression.models import LeftOut, Reason, Suppression

CODE = "recipient_suppressed"
PAGE = "/settings/suppression"
_SHOWN = 3

_SAID = {
    Reason.HARD_BOUNCE: "mail to {address} came back for good on {day}",
    Reason.BY_HAND: "{address} was put on the suppression list on {day}",
    Reason.ASKED: "{address} unsubscribed on {day}",
    Reason.IMPORTED: "{address} came onto the suppression list with a file on {day}",
}
_WORDS = {
    Reason.HARD_BOUNCE: "mail came back on {day}",
    Reason.BY_HAND: "put on the list on {day}",
    Reason.ASKED: "unsubscribed on {day}",
    Reason.IMPORTED: "imported on {day}",
}


def is_to_many(draft: Draft) -> bool:
    """Whether an email goes in separate copies to more than one person; a shared thread is a single mail."""
    return draft.one_of_many or (draft.separate_copies and len(draft.recipients) > 1)


def gate(member: Member, draft: Draft) -> Gate | None:
    """The gate of the recipients, shut or with a warning; None where nobody is on the list."""
    people = draft.recipients
    found = draft.suppressed
    if found is None:
        found = suppressed(member.organization_id, [one.address for one in people])
    if not found:
        return None
    if is_to_many(draft):
        return _to_many(member, people, found)
    shut = {address: one for address, one in found.items() if one.blocks}
    if not shut:
        meant = "That is about mail to many: this email goes to them if you send it."
        return Gate(
            "recipients",
            True,
            "recipient_suppressed",
            f"{_said(people, found)}. {meant}",
            *_help(member, found),
        )
    sentence = f"{_said(people, shut)}. Nothing goes there until an owner or manager allows it again."
    if len(people) > len(shut):
        sentence += " Without them, it can go to the others."
    return Gate("recipients", False, "recipient_suppressed", sentence, *_help(member, shut))


def _to_many(member: Member, people: Sequence[Mailbox], found: Mapping[str, Suppression]) -> Gate:
    """Some are left out; where that is everybody, there is nothing to send."""
    if len(found) < len(people):
        are = "One person is" if len(found) == 1 else f"{len(found):,} people are"
        sentence = f"{are} left out of {len(people):,}: {_named(people, found)}."
        return Gate("recipients", True, "recipient_suppressed", sentence, *_help(member, found))
    sentence = f"Everybody in it is on the suppression list: {_named(people, found)}."
    return Gate("recipients", False, "recipient_suppressed", sentence, *_help(member, found))


def left_out(organization_id: UUID, people: Sequence[Mailbox]) -> Mapping[str, Suppression]:
    """Who of the people of an email to many gets no copy, as it stands now; by address."""
    return suppressed(organization_id, [one.address for one in people])


def note(
    email_id: UUID, organization_id: UUID, found: Mapping[str, Suppression], delivery: UUID | None = None
) -> None:
    """Note whom an email left out, in the transaction that does it; once more is fine."""
    now = clock.now()
    LeftOut.objects.bulk_create(
        (
            LeftOut(
                organization=organization_id,
                email=email_id,
                delivery=delivery,
                address=address,
                reason=one.reason,
                since=one.at,
                at=now,
            )
            for address, one in found.items()
        ),
        ignore_conflicts=True,
    )


def forget_noted(email_id: UUID) -> None:
    """An email is a draft again: it left out nobody yet. In the transaction that makes it one."""
    LeftOut.objects.filter(email=email_id).delete()


def left_out_as_it_left(delivery: Delivery, draft: Draft, shut: Gate) -> bool:
    """A copy of an email to many whose person is on the list by now: it is cancelled, and that is noted.

    False where the gate that is shut is another, or it is a single mail: a person is waited for.
    """
    if shut.cause != CODE or not is_to_many(draft):
        return False
    email = delivery.email
    found = left_out(email.organization_id, draft.recipients)
    with transaction.atomic():
        waiting = Delivery.objects.filter(pk=delivery.pk, status=DeliveryStatus.QUEUED)
        if waiting.update(status=DeliveryStatus.CANCELLED, due_at=None, held_cause=""):
            note(email.pk, email.organization_id, found, delivery.pk)
            refresh_email(email.pk, problem="")
    return True


def stops(copies: Sequence[Delivery]) -> bool:
    """Whether some of these single mails would be stopped now."""
    if not copies:
        return False
    people = Recipient.objects.filter(delivery__in=copies).values_list("address", flat=True)
    organization = copies[0].connection.organization_id
    return any(one.blocks for one in suppressed(organization, people).values())


def words(one: Suppression | LeftOut) -> str:
    """“unsubscribed on 3 May 2026”."""
    at = one.at if isinstance(one, Suppression) else one.since
    return _WORDS[Reason(one.reason)].format(day=f"{at.day} {at:%b %Y}")


def allow_url(one: Suppression) -> str:
    """The page that lets an address in again."""
    return f"{PAGE}/{one.pk}/allow"


def _help(member: Member, found: Mapping[str, Suppression]) -> tuple[dict[str, str], list[dict[str, str]]]:
    """The button, and who may press it."""
    who = people_who(Who.MEMBER if roles.allows(member.role, roles.Action.SUPPRESS) else Who.OWNER, member)
    if len(found) > 1:
        return {"label": "Suppression list", "url": PAGE}, who
    (one,) = found.values()
    return {"label": Action.ALLOW.value, "url": allow_url(one)}, who


def _said(people: Sequence[Mailbox], found: Mapping[str, Suppression]) -> str:
    """“Mail to ines@globex.example came back for good on 3 May 2026; …”."""
    told = [
        _SAID[Reason(one.reason)].format(address=_label(person), day=f"{one.at.day} {one.at:%b %Y}")
        for person in people
        if (one := found.get(person.address)) is not None
    ]
    said = _some(told)
    # An address is written as it is, also where it begins the sentence.
    if any(said.startswith(_label(person)) for person in people):
        return said
    return said[:1].upper() + said[1:]


def _named(people: Sequence[Mailbox], found: Mapping[str, Suppression]) -> str:
    """“Ines Moreau (ines@globex.example) unsubscribed on 3 May 2026; …”."""
    told = [
        f"{_label(person)} ({words(one)})"
        for person in people
        if (one := found.get(person.address)) is not None
    ]
    return _some(told)


def _some(told: Sequence[str]) -> str:
    more = len(told) - _SHOWN
    return "; ".join([*told[:_SHOWN], *([f"and {more:,} more"] if more > 0 else [])])


def _label(person: Mailbox) -> str:
    return f"{person.name} <{person.address}>" if person.name else person.address


__all__ = [
    "CODE",
    "allow_url",
    "forget_noted",
    "gate",
    "is_to_many",
    "left_out",
    "left_out_as_it_left",
    "note",
    "stops",
    "words",
]
