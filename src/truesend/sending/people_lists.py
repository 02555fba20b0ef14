"""The list of people that lies with an email: stored as it was read, and held against the email when it is asked."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from django.db.models import QuerySet

from truesend import clock
from truesend.organizations.models import Member
from truesend.providers import registry
from truesend.sending import copies, merge
from truesend.sending.addresses import nobody_twice, parse_all
from truesend.sending.attachments import NoDraft
from truesend.sending.beginnings import begin
from truesend.sending.copies import People
from truesend.sending.gate import Draft
from truesend.sending.models import Delivery, Email, EmailStatus, Recipient
from truesend.sending.people_file import BadRow, Column, PeopleFile, Person
from truesend.sending.people_models import PeopleList

LONGEST_FILE_NAME = 255


def store(member: Member, email_id: UUID, found: PeopleFile, *, name: str = "") -> PeopleList:
    """Lay a list that was read beside a draft, in place of the one before; the draft is begun where there is none.

    Raises :class:`truesend.sending.attachments.NoDraft` where the email is no draft of the member's.
    """
    _own(member, email_id)
    form = f"{found.encoding}, {found.delimiter}" if name else found.delimiter
    values = _row(People(found.columns, found.people, found.bad))
    kept, _ = PeopleList.objects.update_or_create(
        email_id=email_id,
        defaults={**values, "name": name[:LONGEST_FILE_NAME], "form": form[:60], "created_at": clock.now()},
    )
    return kept


def keep(email: Email, people: People) -> None:
    """Lay a list beside an email that has none."""
    PeopleList.objects.get_or_create(
        email=email, defaults={**_row(people), "leave_out": people.leave_out, "created_at": clock.now()}
    )


def remove(member: Member, email_id: UUID) -> bool:
    """Take the list off a draft; False where there was none. Raises the same as :func:`store`."""
    return bool(_of(member, email_id).delete()[0])


def leave_out(member: Member, email_id: UUID, *, bad_rows: bool) -> bool:
    """Whether rows that cannot be used are left out; False where there is no list. Raises the same."""
    return _of(member, email_id).update(leave_out=bad_rows) == 1


def of(email_id: UUID) -> People | None:
    """The list of an email; None where there is none."""
    row = PeopleList.objects.filter(email_id=email_id).first()
    return read(row) if row is not None else None


def read(row: PeopleList) -> People:
    """A stored list."""
    return People(
        tuple(Column(*one) for one in row.columns),
        tuple(Person(*one) for one in row.people),
        tuple(BadRow(*one) for one in row.bad),
        row.leave_out,
    )


def of_copies(deliveries: list[UUID]) -> People | None:
    """A list of the people of some copies that had values; None where none had."""
    rows = Delivery.objects.filter(pk__in=deliveries).exclude(values={}).order_by("position")
    values = dict(rows.values_list("pk", "values"))
    if not values:
        return None
    found = Recipient.objects.filter(delivery__in=values, position=0).order_by("delivery__position")
    people = [
        Person(number, one.address, one.name, values[one.delivery_id]) for number, one in enumerate(found, 1)
    ]
    names = dict.fromkeys(name for one in people for name in one.values)
    return People(tuple(Column(name, name) for name in names), people)


def typed(email: Email) -> dict[str, list[str]]:
    """`to` of an email as it was typed, without those who stand in its list; empty where it has none."""
    found = of(email.pk)
    if found is None:
        return {}
    listed = {one.address.lower() for one in found.people}
    people, _ = parse_all(email.to)
    kept = [one for one in people if one.address.lower() not in listed]
    return {"to": [str(one) for one in kept]}


def merged(draft: Draft, people: People | None) -> Draft:
    """A draft with its list: who gets a copy, with which values, and what is wrong with rows and fields.

    An email that everybody shares has neither fields nor list.
    """
    rows = people.rows if people else 0
    if not draft.separate_copies:
        return replace(draft, rows=rows)
    described = draft.connection
    limits = registry.provider(described.connection.provider).limits if described else None
    checked = copies.check(
        merge.template(draft.subject, draft.html, draft.text),
        draft.recipients,
        people,
        sender=described.connection.address if described else "",
        fills_in=limits.fills_in if limits else "",
        provider=described.provider_name if described else "",
    )
    to, cc, bcc = nobody_twice([*draft.to, *checked.people], draft.cc, draft.bcc)
    return replace(
        draft,
        to=to,
        cc=cc,
        bcc=bcc,
        values=checked.values,
        rows=rows,
        bad_rows=checked.bad,
        leave_out=people.leave_out if people else False,
        merge_problem=checked.merge_problem,
        problems=[*draft.problems, *checked.problems],
    )


def _row(people: People) -> dict[str, object]:
    return {
        "columns": [[one.name, one.title] for one in people.columns],
        "people": [[one.line, one.address, one.name, dict(one.values)] for one in people.people],
        "bad": [[one.line, one.reason, one.shown] for one in people.bad],
    }


def _own(member: Member, email_id: UUID) -> None:
    email, _ = begin(member, email_id)
    if email.member_id != member.pk or email.status != EmailStatus.DRAFT:
        raise NoDraft


def _of(member: Member, email_id: UUID) -> QuerySet[PeopleList]:
    drafts = Email.objects.filter(pk=email_id, member=member, status=EmailStatus.DRAFT)
    if not drafts.exists():
        raise NoDraft
    return PeopleList.objects.filter(email_id=email_id)
