"""The list of people of a draft, as Compose shows it: what was found, what cannot be used, what a field may say."""

from __future__ import annotations

from typing import Any

from truesend.sending import merge, people_lists
from truesend.sending.gate import Draft
from truesend.sending.models import Email
from truesend.sending.people_models import PeopleList
from truesend.sending.submit import draft_of
from truesend.web.drafts import written

# Bad rows on the page at most; the others follow once these are mended.
SHOWN = 50


def of_draft(draft: Email) -> dict[str, Any]:
    """Context of partials/people_list.html.

    {separate, people (how many get a copy), touches, list: {name, form, rows, good, bad [{line, reason, shown}],
    bad_count, more, columns [{field, title}], leave_out, defaults}|None}
    """
    row = PeopleList.objects.filter(email_id=draft.pk).first() if not draft._state.adding else None
    judged = draft_of(written(draft))
    return {
        "separate": draft.separate_copies,
        "people": len(judged.recipients),
        "list": _list(row, judged) if row is not None else None,
        "touches": merge_fields(draft) if not draft.separate_copies else "",
    }


def merge_fields(draft: Email) -> str:
    """The first merge field of a draft as it is written; empty for none."""
    found = merge.template(draft.subject, draft.html, draft.text).fields
    return found[0].written if found else ""


def _list(row: PeopleList, judged: Draft) -> dict[str, Any]:
    people = people_lists.read(row)
    bad = judged.bad_rows if judged.separate_copies else people.bad
    written_with = merge.template(judged.subject, judged.html, judged.text)
    names = frozenset({"email", "name", *(one.name for one in people.columns)})
    defaulted = [one for one in merge.unknown(written_with, names) if one.default is not None]
    return {
        "name": row.name,
        "form": row.form,
        "rows": people.rows,
        "good": people.rows - len(bad),
        "bad": [
            {"line": one.line, "reason": one.reason.removesuffix("."), "shown": one.shown}
            for one in bad[:SHOWN]
        ],
        "bad_count": len(bad),
        "more": max(0, len(bad) - SHOWN),
        "columns": [{"field": f"{{{{{one.name}}}}}", "title": one.title} for one in people.columns],
        "leave_out": row.leave_out,
        "defaults": [f"{one.written} is no column: everybody gets “{one.default}”." for one in defaulted],
    }
