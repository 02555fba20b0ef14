"""A list of people that a program sends as rows: held to the same as one from a file. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from truesend.sending import merge
from truesend.sending.addresses import LONGEST_NAME, AddressError, parse
from truesend.sending.copies import People
from truesend.sending.lines import broken
from truesend.sending.people_file import BadRow, Column, Person, unusable


@dataclass(frozen=True)
class Entry:
    """One person as a program names them; ``values`` by any spelling of a merge field."""

    address: str
    name: str = ""
    values: Mapping[str, str] = field(default_factory=dict, repr=False)


def people(entries: Sequence[Entry], *, leave_out: bool) -> People:
    """The list; a row's line is its place, counted from 1."""
    columns = {"email": Column("email", "email"), "name": Column("name", "name")}
    for entry in entries:
        for title in entry.values:
            columns.setdefault(merge.key(title) or title, Column(merge.key(title) or title, title))
    found: dict[str, Person] = {}
    bad: list[BadRow] = []
    for line, entry in enumerate(entries, 1):
        person = _person(line, entry, columns)
        if isinstance(person, BadRow):
            bad.append(person)
            continue
        first = found.setdefault(person.address.lower(), person)
        if first is not person:
            bad.append(BadRow(line, f"has the address of line {first.line} once more", person.address))
    return People(tuple(columns.values()), tuple(found.values()), tuple(bad), leave_out)


def _person(line: int, entry: Entry, columns: Iterable[str]) -> Person | BadRow:
    shown = entry.address[:60]
    for title, value in (("name", entry.name), *entry.values.items()):
        if why := unusable(value):
            return BadRow(line, f"has {why} in “{title[:60]}”", shown)
    if broken(entry.name):
        return BadRow(line, "has a line break in its name", shown)
    if not entry.address.strip():
        return BadRow(line, "has no address", entry.name[:60])
    try:
        mailbox = parse(entry.address)
    except AddressError as error:
        return BadRow(line, f"cannot be used: {error}", shown)
    given = {merge.key(title) or title: value.strip() for title, value in entry.values.items()}
    name = (entry.name.strip() or given.get("name", "") or mailbox.name)[:LONGEST_NAME]
    values = {one: given.get(one, "") for one in columns} | {"email": mailbox.address, "name": name}
    return Person(line, mailbox.address, name, values)
