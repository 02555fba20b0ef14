"""Separate copies: who gets one, with which values, and what keeps somebody from getting theirs. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from truesend.sending import merge
from truesend.sending.addresses import Mailbox
from truesend.sending.people_file import BadRow, Column, Person

MOST_COPIES = 10_000
_LONGEST_SUBJECT = 998
Values = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class People:
    """A list of people as it was read. ``leave_out``: the bad rows may be left out."""

    columns: Sequence[Column] = ()
    people: Sequence[Person] = ()
    bad: Sequence[BadRow] = ()
    leave_out: bool = False

    @property
    def rows(self) -> int:
        """Good and bad ones."""
        return len(self.people) + len(self.bad)


@dataclass(frozen=True)
class Checked:
    """What of a list and of those who were typed can be used for this mail.

    ``people`` are those of the list that get a copy; ``values`` are theirs, by the address in lower case.
    ``problems`` are sentences about those who were typed, ``merge_problem`` is a cause and its sentence.
    """

    people: Sequence[Mailbox]
    values: Values
    bad: Sequence[BadRow]
    problems: Sequence[str]
    merge_problem: tuple[str, str] | None


def own_values(one: Mailbox) -> dict[str, str]:
    """What is known of anybody."""
    return {"email": one.address, "name": one.name}


def check(
    written: merge.Template,
    typed: Iterable[Mailbox],
    found: People | None,
    *,
    sender: str = "",
    fills_in: str = "",
    provider: str = "",
) -> Checked:
    """Hold everybody against a mail with its fields.

    ``sender`` is the address it leaves from; ``fills_in`` what the ``provider`` would replace in a subject
    (:class:`truesend.providers.contract.Limits`).
    """
    names = {"email", "name", *(one.name for one in found.columns)} if found else {"email", "name"}
    known = _only(written, frozenset(names))
    values: dict[str, Mapping[str, str]] = {}
    people: list[Mailbox] = []
    bad = list(found.bad) if found else []
    for person in found.people if found else ():
        address = person.address.lower()
        why = _why_not(known, person.values, fills_in, provider)
        if address == sender.lower():
            why = "is the address it is sent from"
        if why:
            bad.append(BadRow(person.line, why, person.address))
        else:
            people.append(Mailbox(person.address, person.name))
            values[address] = person.values
    problems = []
    for one in typed:
        mine = values.get(one.address.lower()) or own_values(one)
        why = merge.unfilled(known, mine)
        if why:
            problems.append(
                f"“{one.name or one.address}” {why}. Give the field a default: {{{{field|default}}}}."
            )
    return Checked(
        people, values, sorted(bad, key=lambda row: row.line), problems, _merge_problem(written, found, names)
    )


def _why_not(known: merge.Template, values: Mapping[str, str], fills_in: str, provider: str) -> str:
    why = merge.unfilled(known, values)
    if why or all(isinstance(one, str) for one in known.subject):
        return why
    subject = merge.line(known, values)
    if len(subject) > _LONGEST_SUBJECT:
        return f"makes a subject of more than {_LONGEST_SUBJECT} characters"
    taken = re.search(fills_in, subject) if fills_in else None
    return (
        f"makes a subject with “{taken[0]}”, in place of which {provider} may put something" if taken else ""
    )


def _only(written: merge.Template, names: frozenset[str]) -> merge.Template:
    """The mail without the fields that nobody can have a value for: these are told once, not at each row."""

    def known(pieces: merge.Pieces) -> merge.Pieces:
        return tuple(
            one for one in pieces if isinstance(one, str) or one.name in names or one.default is not None
        )

    return merge.Template(known(written.subject), known(written.html), known(written.text), ())


def _merge_problem(
    written: merge.Template, found: People | None, names: Iterable[str]
) -> tuple[str, str] | None:
    if written.problems:
        more = len(written.problems) - 2
        rest = f" And {more} more." if more > 0 else ""
        return "merge_invalid", " ".join(written.problems[:2]) + rest
    missing = [one for one in merge.unknown(written, frozenset(names)) if one.default is None]
    if not missing:
        return None
    shown = " and ".join(one.written for one in missing[:3])
    given = f"{missing[0].written[:-2]}|there}}}}"
    if found is None:
        said = f"Nobody has anything for {shown}. Add a list of people with such a column"
    else:
        columns = ", ".join(one.name for one in found.columns[:12])
        said = f"No column is called {shown}; there are {columns}. Correct it"
    return "merge_unknown", f"{said}, or give it a default: {given}."
