"""One copy of a draft as its person gets it: which of them is looked at, and what is written in it."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from truesend.sending import merge
from truesend.sending.addresses import Mailbox
from truesend.sending.copies import own_values
from truesend.sending.gate import Draft
from truesend.sending.models import Email


@dataclass(frozen=True)
class Copy:
    """One of ``of`` copies, counted from 0, and the draft with its person's values; ``problem``: what they lack."""

    number: int
    of: int
    person: Mailbox
    email: Email
    problem: str
    sought: str
    found: bool

    def context(self, path: str) -> dict[str, Any]:
        """{number, of, to, previous, next, sought, found, problem} with addresses of the preview at ``path``."""
        return {
            "number": self.number + 1,
            "of": self.of,
            "to": self.person.name or self.person.address,
            "previous": self._at(path, self.number - 1) if self.number else "",
            "next": self._at(path, self.number + 1) if self.number + 1 < self.of else "",
            "sought": self.sought,
            "found": self.found,
            "problem": self.problem,
        }

    @staticmethod
    def _at(path: str, number: int) -> str:
        return f"{path}?{urlencode({'copy': number + 1})}"


def copy_of(draft: Email, people: Draft, asked: Mapping[str, str]) -> Copy | None:
    """The copy that ``asked`` names by its number (`copy`, from 1) or by words about its person (`q`).

    None where everybody shares one email, or nobody is to get it.
    """
    recipients = people.recipients
    if not draft.separate_copies or not recipients:
        return None
    sought = asked.get("q", "").strip()[:200]
    number = _number(asked.get("copy", ""), len(recipients))
    hit = _seek(recipients, people, sought) if sought else None
    number = hit if hit is not None else number
    person = recipients[number]
    values = {**own_values(person), **people.values.get(person.address.lower(), {})}
    filled, problem = copy(draft), ""
    try:
        found = merge.fill(merge.template(draft.subject, draft.html, draft.text), values)
        filled.subject, filled.html, filled.text = found.subject, found.html, found.text
    except merge.Unfilled as error:
        problem = f"{person.name or person.address} {error}. It is shown as it is written."
    return Copy(number, len(recipients), person, filled, problem, sought, not sought or hit is not None)


def _number(text: str, most: int) -> int:
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 1
    return min(max(number, 1), most) - 1


def _seek(recipients: list[Mailbox], people: Draft, sought: str) -> int | None:
    """The first whose name or address holds the words, else the first with a value that does."""
    words = sought.casefold()
    for number, one in enumerate(recipients):
        if words in one.address.casefold() or words in one.name.casefold():
            return number
    for number, one in enumerate(recipients):
        values = people.values.get(one.address.lower(), {}).values()
        if any(words in value.casefold() for value in values):
            return number
    return None
