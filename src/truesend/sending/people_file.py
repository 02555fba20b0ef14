"""A list of people as a spreadsheet writes it: CSV in, checked people out, and every bad row by its line. Pure.

What programs write differs in everything but the idea: the character between cells, the encoding, whether a header
stands above. All of it is found by looking. A row that cannot be used is named with its line, as an editor counts them,
and the reason; the others stand.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from truesend.sending import merge
from truesend.sending.addresses import LONGEST_NAME, AddressError, parse
from truesend.sending.lines import storable

MOST_BYTES, MOST_ROWS = 5 * 1024 * 1024, 10_000
LONGEST_CELL, MOST_COLUMNS = 5_000, 100

_DELIMITERS = ",;\t|"
_LOOKED_AT = 50
_SEP = re.compile(r"sep=(.)\r?\n", re.IGNORECASE)
_TITLES = """
email e_mail mail email_address e_mail_address mail_address emailaddress emails address_email
adresse_e_mail adresse_email adresse_mail courriel correo correo_electronico correo_electrónico
e_mail_adresse email_adresse mailadresse emailadresse indirizzo_email posta_elettronica e_post epost
email_1 e_mail_1_value primary_email work_email
"""
_ADDRESS_TITLES = frozenset(_TITLES.split())
_FULL = (
    "name",
    "full_name",
    "fullname",
    "display_name",
    "nom_complet",
    "nombre_completo",
    "vollständiger_name",
)
_FIRST = ("first_name", "firstname", "given_name", "vorname", "prénom", "prenom", "nombre", "nome")
_LAST = (
    "last_name",
    "lastname",
    "surname",
    "family_name",
    "nachname",
    "nom",
    "apellido",
    "apellidos",
    "cognome",
)
# Text of UTF-8 that was read as Windows-1252 and saved so: “FranÃ§ois”.
_TWICE_ENCODED = re.compile(
    "[\u00c2\u00c3\u00e2][\u0080-\u00bf\u20ac\u2122\u0153\u0152\u0161\u0160\u017e\u017d\u201a-\u203a]"
)
_KEPT_CONTROLS = frozenset("\n\r\t")
_SHOWN = 60


class Unreadable(ValueError):
    """Nothing of the file can be used; the message says why and what to do."""


@dataclass(frozen=True)
class Column:
    """``name`` is what a merge field says (:func:`truesend.sending.merge.key`), ``title`` what stands above it."""

    name: str
    title: str


@dataclass(frozen=True)
class Person:
    """One usable row, from line ``line`` of the file; ``values`` by the names of the columns."""

    line: int
    address: str
    name: str
    values: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True)
class BadRow:
    """One row that cannot be used: its line, the reason as the end of “Line 7 …”, and what stands there."""

    line: int
    reason: str
    shown: str


@dataclass(frozen=True)
class PeopleFile:
    """What a file holds. ``encoding`` and ``delimiter`` are words for people; ``rows`` counts good and bad ones."""

    columns: tuple[Column, ...]
    people: tuple[Person, ...]
    bad: tuple[BadRow, ...]
    encoding: str
    delimiter: str
    has_header: bool

    @property
    def rows(self) -> int:
        """How many rows there are, the header and empty lines not counted."""
        return len(self.people) + len(self.bad)


class _Record(NamedTuple):
    line: int
    cells: list[str]
    broken: str = ""


def read(
    content: bytes,
    *,
    most_bytes: int = MOST_BYTES,
    most_rows: int = MOST_ROWS,
    apart: Callable[[Person], str] = lambda _: "",
) -> PeopleFile:
    """The people in a file. ``apart`` tells rows of one address apart. Raises :class:`Unreadable`."""
    if len(content) > most_bytes:
        raise Unreadable(f"The file is larger than {most_bytes // (1024 * 1024)} MB. Split it.")
    text, encoding = _decoded(content)
    return read_text(text, encoding=encoding, most_bytes=most_bytes, most_rows=most_rows, apart=apart)


def read_text(
    text: str,
    *,
    encoding: str = "text",
    most_bytes: int = MOST_BYTES,
    most_rows: int = MOST_ROWS,
    apart: Callable[[Person], str] = lambda _: "",
) -> PeopleFile:
    """The people in a text that was pasted; as :func:`read`. Raises :class:`Unreadable`."""
    if len(text) > most_bytes:
        raise Unreadable("The list is larger than 5 MB. Split it.")
    if not text.strip("\ufeff \r\n\t,;"):
        raise Unreadable("There is nothing in it.")
    text = text.removeprefix("\ufeff")
    skipped = 0
    if found := _SEP.match(text):
        delimiter, text, skipped = found[1], text[found.end() :], 1
    else:
        delimiter = _delimiter(text)
    records = [
        one for one in _records(text, delimiter, skipped) if one.broken or any(map(str.strip, one.cells))
    ]
    if not records:
        raise Unreadable("There is nothing in it.")
    return _read(records, delimiter, encoding, most_rows, apart)


# -- bytes and cells -------------------------------------------------------------------------------------------------


def _decoded(content: bytes) -> tuple[str, str]:
    if content.startswith(b"PK\x03\x04"):
        raise Unreadable(
            "This is a workbook or an archive, not a CSV. In your spreadsheet choose Save as, “CSV UTF-8”."
        )
    if content.startswith((b"\xd0\xcf\x11\xe0", b"%PDF", b"{\\rtf")):
        raise Unreadable("This is not a CSV. In your spreadsheet choose Save as, “CSV UTF-8”.")
    if content.startswith(codecs.BOM_UTF8):
        return content[3:].decode("utf-8", "replace"), "UTF-8"
    wide = _wide(content)
    if wide:
        return content.decode(wide, "replace").removeprefix("\ufeff"), "UTF-16"
    try:
        return content.decode("utf-8"), "UTF-8"
    except UnicodeDecodeError as error:
        # Cut off in the middle of a character, or one wrong byte in much that is right: still UTF-8.
        if _mostly_utf8(content, error):
            return content.decode("utf-8", "replace"), "UTF-8"
    return content.decode("cp1252", "replace"), "Windows-1252"


def _wide(content: bytes) -> str:
    if content.startswith(codecs.BOM_UTF16_LE):
        return "utf-16-le"
    if content.startswith(codecs.BOM_UTF16_BE):
        return "utf-16-be"
    first = content[:400]
    zeros = (first[0::2].count(0), first[1::2].count(0))
    if max(zeros) * 3 < len(first) or len(first) < 4:
        return ""
    return "utf-16-le" if zeros[1] > zeros[0] else "utf-16-be"


def _mostly_utf8(content: bytes, error: UnicodeDecodeError) -> bool:
    decoded = content.decode("utf-8", "replace")
    wrong = decoded.count("\N{REPLACEMENT CHARACTER}")
    right = sum(1 for one in decoded if one > "\x7f") - wrong
    return error.start > 0 and right > 3 * wrong


def _delimiter(text: str) -> str:
    """The character that cuts the first lines into equally many cells, the more the better."""
    best, most = ",", (0.0, 0)
    for one in _DELIMITERS:
        lengths = [
            len(record.cells) for record, _ in zip(_records(text, one, 0), range(_LOOKED_AT), strict=False)
        ]
        common, times = Counter(lengths).most_common(1)[0] if lengths else (1, 0)
        score = (times / len(lengths), common) if common > 1 else (0.0, 0)
        if score[0] * min(score[1], 3) > most[0] * min(most[1], 3):
            best, most = one, score
    return best


def _records(text: str, delimiter: str, line: int) -> Iterator[_Record]:
    """The records with the lines they begin in. A quotation mark that is never closed spoils its own line alone."""
    lines = io.StringIO(text, newline="").readlines()
    start, again = 0, 0
    while start < len(lines):
        reader = csv.reader(lines[start:], delimiter=delimiter, strict=True)
        before = 0
        try:
            for cells in reader:
                yield _Record(line + start + before + 1, cells)
                before = reader.line_num
            return
        except csv.Error as error:
            # After so many it is no CSV, and reading on would take long.
            again += 1
            # A cell that goes on over lines until something in it makes no sense was never meant to.
            ends = "expected after" not in str(error) or reader.line_num > before + 1
            why = "has a quotation mark that is opened and never closed" if ends else (
                "has a quotation mark in the middle of a cell; inside quotation marks it is written twice"
            )  # fmt: skip
            yield _Record(line + start + before + 1, [lines[start + before].strip()], why)
            start += before + 1
            if again > 100:
                yield _Record(line + start + 1, [""], "and all lines after it have stray quotation marks")
                return


# -- rows ------------------------------------------------------------------------------------------------------------


def _read(
    records: Sequence[_Record],
    delimiter: str,
    encoding: str,
    most_rows: int,
    apart: Callable[[Person], str],
) -> PeopleFile:
    whole = [one for one in records if not one.broken]
    width = max((len(one.cells) for one in whole[:_LOOKED_AT]), default=0)
    header = whole[0] if whole and _is_header(whole) else None
    if header is not None:
        width = _used(header.cells) or width
        titles = [header.cells[at].strip() if at < len(header.cells) else "" for at in range(width)]
    else:
        titles = [""] * width
    if width > MOST_COLUMNS:
        raise Unreadable(f"{width} columns; {MOST_COLUMNS} is the most. Leave out what no field needs.")
    at = _address_column(titles, [one.cells for one in whole if one is not header])
    columns = _columns(titles, at)
    rows = [one for one in records if one is not header]
    if len(rows) > most_rows:
        raise Unreadable(f"{len(rows):,} rows; {most_rows:,} is the most. Split the list.")
    people: dict[tuple[str, str], Person] = {}
    bad: list[BadRow] = []
    for record in rows:
        found = _person(record, columns, at, has_header=header is not None)
        if isinstance(found, BadRow):
            bad.append(found)
            continue
        first = people.setdefault((found.address.lower(), apart(found)), found)
        if first is not found:
            bad.append(BadRow(record.line, f"has the address of line {first.line} once more", found.address))
    words = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}.get(delimiter, delimiter)
    return PeopleFile(
        tuple(columns), tuple(people.values()), tuple(bad), encoding, words, has_header=header is not None
    )


def _used(cells: Sequence[str]) -> int:
    """The columns up to the last that has a title."""
    return max((number for number, one in enumerate(cells, 1) if one.strip()), default=0)


def _is_header(records: Sequence[_Record]) -> bool:
    """Titles hold no address; where they name none as well, something below them has to hold one."""
    cells = records[0].cells
    if any("@" in one for one in cells):
        return False
    if any(merge.key(one) in _ADDRESS_TITLES for one in cells):
        return True
    return any("@" in one for record in records[1:_LOOKED_AT] for one in record.cells)


def _address_column(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> int:
    """By its title, else by what stands in it. Raises :class:`Unreadable`."""
    counts = [
        sum(1 for row in rows[: 10 * _LOOKED_AT] if at < len(row) and "@" in row[at])
        for at in range(len(titles))
    ]
    named = [at for at, title in enumerate(titles) if merge.key(title) in _ADDRESS_TITLES]
    if named:
        return max(named, key=lambda at: (counts[at], -at))
    if not any(counts):
        raise Unreadable(
            "No column holds email addresses. Name one “email”, or check that this is the right file."
        )
    return counts.index(max(counts))


def _columns(titles: Sequence[str], address: int) -> list[Column]:
    """Every column with a name of its own; that of the addresses is always `email`."""
    taken: set[str] = {"email"}
    columns = []
    for number, title in enumerate(titles):
        if number == address:
            columns.append(Column("email", title or "email"))
            continue
        base = wanted = merge.key(title) or f"column_{number + 1}"
        again = 2
        while wanted in taken:
            wanted, again = f"{base}_{again}", again + 1
        taken.add(wanted)
        columns.append(Column(wanted, title or f"Column {number + 1}"))
    return columns


def _person(record: _Record, columns: Sequence[Column], at: int, *, has_header: bool) -> Person | BadRow:
    line, cells = record.line, record.cells
    typed = cells[at].strip() if at < len(cells) and not record.broken else ""
    shown = _short(typed or " ".join(filter(None, map(str.strip, cells))))
    if record.broken:
        return BadRow(line, record.broken, shown)
    if _used(cells) > len(columns):
        than = "the header has" if has_header else "the others have"
        return BadRow(
            line,
            f"has {_used(cells)} cells where {than} {len(columns)}: a cell with the separating character in it "
            "needs quotation marks",
            shown,
        )
    for column, cell in zip(columns, cells, strict=False):
        if why := unusable(cell):
            return BadRow(line, f"has {why} in “{_short(column.title)}”", shown)
    if not typed:
        return BadRow(line, "has no address", shown)
    try:
        mailbox = parse(typed)
    except AddressError as error:
        return BadRow(line, f"cannot be used: {error}", shown)
    values = {one.name: cell.strip() for one, cell in zip(columns, cells, strict=False)}
    values = {one.name: values.get(one.name, "") for one in columns}
    values["email"] = mailbox.address
    name = (_named(values) or mailbox.name)[:LONGEST_NAME]
    values.setdefault("name", name)
    return Person(line, mailbox.address, name, values)


def _named(values: Mapping[str, str]) -> str:
    """The display name that the columns give, on one line."""
    full = next((values[one] for one in _FULL if values.get(one)), "")
    if not full:
        parts = (next((values[one] for one in names if values.get(one)), "") for names in (_FIRST, _LAST))
        full = " ".join(filter(None, parts))
    return "" if "@" in full else " ".join(full.split())


def unusable(cell: str) -> str:
    """What is wrong with the characters of a cell, as in “has … in”; empty for nothing."""
    if len(cell) > LONGEST_CELL:
        return f"more than {LONGEST_CELL:,} characters"
    if cell.isascii() and cell.isprintable():
        return ""
    if "\N{REPLACEMENT CHARACTER}" in cell:
        return "a character that cannot be read; save the file as UTF-8"
    if not storable(cell) or any(
        unicodedata.category(one) == "Cc" and one not in _KEPT_CONTROLS for one in cell
    ):
        return "a control character"
    if _TWICE_ENCODED.search(cell):
        return f"wrongly encoded letters (“{_short(cell)}”); save the file as UTF-8"
    return ""


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN else f"{line[: _SHOWN - 1]}…"
