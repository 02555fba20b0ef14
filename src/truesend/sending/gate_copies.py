"""The gates that ask who gets an email, when, and whether its merge fields can be filled."""

from __future__ import annotations

from collections.abc import Sequence

from truesend import clock
from truesend.connections.causes import at_time
from truesend.organizations.models import Member
from truesend.sending import budget as days
from truesend.sending import suppressing
from truesend.sending.copies import MOST_COPIES
from truesend.sending.gate import Draft, Gate, edit
from truesend.sending.people_file import BadRow

OUTSIDE = "What other programs send from this mailbox is not known here."


def budget(member: Member, draft: Draft) -> Gate:
    """What of its day the mailbox has left: what does not fit goes out later, and is told before."""
    plan = draft.plan
    if plan is None or draft.connection is None or not plan.times:
        return Gate("budget", True)
    count, now = len(draft.recipients), clock.now()
    if draft.separate_copies and days.takes_too_long(count, plan.day):
        most = plan.day.copies
        return edit(
            member,
            "budget",
            "too_many_days",
            f"At {most:,} copies in 24 hours these {count:,} would take {-(-count // most)} days; "
            f"{days.MOST_DAYS} is the most. Write to fewer people, or from another account.",
        )
    first, *later = plan.waves
    told = f"{plan.day.told} {OUTSIDE}"
    if plan.late:
        told = f"{draft.connection.connection.address} has used up its day. {told}"
        when = f"goes out by itself {at_time(first.first, now)}; nothing to do"
        said = f"{told} The email {when}." if not later else f"{told} It {when}, {plan.over}."
        return Gate("budget", True, "daily_budget", said, _day(draft), until=first.first)
    if not later:
        return Gate("budget", True)
    following = later[0]
    rest = ", and so on" if len(later) > 1 else ""
    split = f"{first.count:,} at first, {following.count:,} {at_time(following.first, now)}{rest}"
    kept = f"{plan.day.reserve:,} a day are left to single emails. " if plan.day.reserve else ""
    said = f"Goes out {plan.over}: {split}. {plan.day.told} {kept}{OUTSIDE}"
    return Gate("budget", True, "daily_budget", said, _day(draft), names=following.first)


def _day(draft: Draft) -> dict[str, str] | None:
    """Where the mailbox's day is drawn."""
    if draft.connection is None:
        return None
    return {"label": "See the mailbox's day", "url": f"/connections/{draft.connection.connection.pk}/day"}


def recipients(member: Member, draft: Draft) -> Gate:
    """Whether somebody is to receive it, and every address and row can be used."""
    if draft.problems:
        return edit(member, "recipients", "recipient_invalid", some(draft.problems))
    if draft.rows and not draft.separate_copies:
        return edit(
            member,
            "recipients",
            "copies_needed",
            "Everybody on the list gets a copy of their own: choose separate copies, or take the list out.",
        )
    if draft.bad_rows and not draft.leave_out:
        return _rows(member, draft)
    if not draft.recipients:
        return edit(member, "recipients", "recipient_missing", "Add somebody to send to.")
    if len(draft.recipients) > MOST_COPIES:
        return edit(
            member,
            "recipients",
            "too_many_recipients",
            f"{len(draft.recipients):,} people; {MOST_COPIES:,} is the most. Write to fewer at a time.",
        )
    return suppressing.gate(member, draft) or Gate("recipients", True)


def _rows(member: Member, draft: Draft) -> Gate:
    bad = draft.bad_rows
    named = some([row_said(one) for one in bad])
    count = f"{len(bad):,} of {draft.rows:,} rows" if draft.rows > 1 else "The only row"
    said = f"{count} cannot be used. {named} Correct the list, or leave them out."
    return edit(member, "recipients", "rows_bad", said, rows=bad)


def row_said(one: BadRow) -> str:
    """“Line 7 has no address.”"""
    return f"Line {one.line} {one.reason.removesuffix('.')}."


def fields(member: Member, draft: Draft) -> Gate | None:
    """What is wrong with the merge fields."""
    if draft.merge_problem is None:
        return None
    code, said = draft.merge_problem
    if code == "merge_unknown":
        return edit(member, "content", "merge_unknown", said)
    return edit(member, "content", "merge_invalid", said)


def some(problems: Sequence[str]) -> str:
    """The first sentences, and how many more there are."""
    more = len(problems) - 3
    return " ".join([*problems[:3], *([f"And {more} more."] if more > 0 else [])])
