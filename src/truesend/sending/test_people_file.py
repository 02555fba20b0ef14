"""Lists of people as programs write them, and every kind of bad row by its line."""

from __future__ import annotations

import csv
import io
from contextlib import suppress

import pytest

from truesend.sending.people_file import MOST_BYTES, PeopleFile, Unreadable, read, read_text

PEOPLE = [
    ["Email", "First name", "City"],
    ["ines@globex.example", "Inès", "Lyon"],
    ["tom@initech.example", "Tom", "São Paulo"],
]


def table(rows: list[list[str]] = PEOPLE, delimiter: str = ",", end: str = "\r\n") -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator=end).writerows(rows)
    return out.getvalue()


def bad(found: PeopleFile) -> list[tuple[int, str]]:
    return [(one.line, one.reason) for one in found.bad]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_what_spreadsheets_write_is_read(delimiter: str, end: str, encoding: str) -> None:
    found = read(table(delimiter=delimiter, end=end).encode(encoding))
    assert found.bad == ()
    assert [one.name for one in found.columns] == ["email", "first_name", "city"]
    assert [(one.line, one.address, one.name, one.values["city"]) for one in found.people] == [
        (2, "ines@globex.example", "Inès", "Lyon"),
        (3, "tom@initech.example", "Tom", "São Paulo"),
    ]
    assert found.has_header


def test_a_cell_may_hold_lines_commas_and_quotation_marks() -> None:
    text = 'name,mail,note\r\n"Moreau, Inès",ines@globex.example,"one\r\ntwo ""three"""\r\n\r\n'
    text += "Tom,tom@initech.example,=1+1\r\n"
    found = read_text(text)
    assert [(one.line, one.name, one.values["note"]) for one in found.people] == [
        (2, "Moreau, Inès", 'one\r\ntwo "three"'),
        (5, "Tom", "=1+1"),
    ]


def test_excels_first_line_names_the_delimiter() -> None:
    found = read_text("sep=;\r\nemail;note\r\nines@globex.example;a,b,c\r\n")
    assert [(one.line, one.values["note"]) for one in found.people] == [(3, "a,b,c")]


def test_without_a_header_the_column_with_addresses_is_found() -> None:
    found = read_text("Ines;ines@globex.example;Lyon\nTom;tom@initech.example;Austin\n")
    assert not found.has_header
    assert [one.name for one in found.columns] == ["column_1", "email", "column_3"]
    assert [one.line for one in found.people] == [1, 2]


def test_one_address_a_line_is_a_list() -> None:
    found = read_text("ines@globex.example\nTom Reed <tom@initech.example>\n")
    assert [(one.address, one.name) for one in found.people] == [
        ("ines@globex.example", ""),
        ("tom@initech.example", "Tom Reed"),
    ]


@pytest.mark.parametrize(
    ("header", "address"),
    [
        ("Name,E-Mail Address,Website", 1),
        ("Correo electrónico,Nombre,Otro", 0),
        ("Owner,Contact,Note", 1),
        ("Email,Work email,Note", 1),
    ],
)
def test_the_column_of_addresses_is_found_by_name_or_by_what_is_in_it(header: str, address: int) -> None:
    cells = ["Ines", "Ines", "x"]
    cells[address] = "ines@globex.example"
    found = read_text(f"{header}\n{','.join(cells)}\n")
    assert found.columns[address].name == "email"
    assert [one.address for one in found.people] == ["ines@globex.example"]


def test_columns_of_one_title_have_names_of_their_own() -> None:
    found = read_text("email,Note,note,,email\nines@globex.example,a,b,c,d\n")
    assert [one.name for one in found.columns] == ["email", "note", "note_2", "column_4", "email_2"]


EVERY_KIND = "\n".join(
    [
        "email,first name,city",
        "ines@globex.example,Ines,Lyon",
        ",Tom,Austin",
        "tom@initech,Tom,Austin",
        "tom at initech.example,Tom,Austin",
        "INES@globex.example,Ines again,Lyon",
        "bo@hooli.example,Bo,Austin,TX,USA",
        "cy@hooli.example,C\u0000y,Austin",
        "di@hooli.example,D\ufffdi,Austin",
        "ed@hooli.example,FranÃ§ois,Austin",
        'fe@hooli.example,"Fe,Austin',
        "gu@hooli.example,Gu,Austin",
        'ha@hooli.example,"H"a,Austin',
        "jörg@hooli.example,Jörg,Austin",
        "ki@hooli.example,Ki,Austin,,",
        "lo@hooli.example",
        f"mo@hooli.example,{'m' * 5_001},Austin",
        "ni@hooli.example; no@hooli.example,Ni,Austin",
    ]
)


def test_every_kind_of_bad_row_is_named_by_its_line() -> None:
    found = read_text(EVERY_KIND)
    reasons = dict(bad(found))
    assert [one.address for one in found.people] == [
        "ines@globex.example",
        "gu@hooli.example",
        "ki@hooli.example",
        "lo@hooli.example",
    ]
    for line, words in {
        3: "has no address",
        4: "has no ending such as .com",
        5: "has no @",
        6: "has the address of line 2 once more",
        7: "has 5 cells where the header has 3",
        8: "has a control character in “first name”",
        9: "has a character that cannot be read",
        10: "has wrongly encoded letters (“FranÃ§ois”)",
        11: "has a quotation mark that is opened and never closed",
        13: "has a quotation mark in the middle of a cell",
        14: "letters before the @",
        17: "has more than 5,000 characters in “first name”",
        18: "holds more than one address",
    }.items():
        assert words in reasons.pop(line)
    assert reasons == {}
    assert found.rows == 17


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "nothing in it"),
        (b"\xef\xbb\xbf\r\n,,\r\n", "nothing in it"),
        (b"PK\x03\x04rest", "CSV UTF-8"),
        (b"\xd0\xcf\x11\xe0rest", "CSV UTF-8"),
        (b"name,city\nInes,Lyon\n", "No column holds email addresses"),
        (b"a" * (MOST_BYTES + 1), "larger than 5 MB"),
        (b"email\n" + b"x@y.example\n" * 10_001, "10,001 rows"),
        (
            (",".join(f"c{n}" for n in range(101)) + "\n" + ",".join(["a@b.example"] * 101)).encode(),
            "columns",
        ),
    ],
)
def test_what_is_no_list_is_refused_in_words(content: bytes, said: str) -> None:
    with pytest.raises(Unreadable, match=said):
        read(content)


def test_one_wrong_byte_spoils_one_row() -> None:
    content = table([["email", "name"], *[[f"p{n}@globex.example", "Zoë"] for n in range(9)]]).encode()
    found = read(content + b"q@globex.example,Zo\xeb\r\n")
    assert found.encoding == "UTF-8"
    assert [one.line for one in found.bad] == [11]
    assert "character that cannot be read" in found.bad[0].reason
    assert len(found.people) == 9


def test_ten_thousand_rows_are_read() -> None:
    rows = [["email", "first name"], *[[f"person{n}@globex.example", f"P{n}"] for n in range(10_000)]]
    found = read(table(rows).encode())
    assert len(found.people) == 10_000
    assert found.people[-1].line == 10_001


@pytest.mark.parametrize(
    "content", [b'"' * 200_000, b'a@b.example\n"' * 300, b"\x00" * 1000, b",@," * 50_000]
)
def test_what_is_meant_to_take_long_does_not(content: bytes) -> None:
    with suppress(Unreadable):
        assert read(content).rows
