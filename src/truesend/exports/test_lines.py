"""What stands in an archive, whatever people typed: every line is one, and no cell computes anything."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truesend import spreadsheets
from truesend.exports import lines, names

# What PostgreSQL keeps: no NUL, no half of a pair.
_text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))


@given(st.dictionaries(_text, st.one_of(_text, st.none(), st.booleans(), st.integers(), st.lists(_text))))
def test_a_line_of_json_is_one_line_and_reads_as_it_was(row: dict[str, object]) -> None:
    told = lines.line(row)
    assert told.endswith("\n")
    assert len(told.splitlines()) == 1
    assert json.loads(told) == row


def test_times_are_utc_and_ids_are_text() -> None:
    east = datetime(2026, 3, 1, 10, 30, tzinfo=timezone(timedelta(hours=1)))
    row = {"at": east, "id": UUID(int=7), "none": None}
    assert json.loads(lines.line(row)) == {"at": "2026-03-01T09:30:00Z", "id": str(UUID(int=7)), "none": None}
    with pytest.raises(TypeError):
        lines.line({"secret": b"bytes"})


@given(st.lists(_text, min_size=1))
def test_cells_read_as_they_were_and_none_is_a_formula(texts: list[str]) -> None:
    row = {str(at): one for at, one in enumerate(texts)}
    (read,) = csv.reader(io.StringIO(lines.cells(row, list(row)), newline=""))
    for shown, typed in zip(read, texts, strict=True):
        assert not shown.startswith(spreadsheets.FORMULA)
        assert shown.removeprefix("'") == typed.removeprefix("'") or shown == typed


def test_cells_of_other_kinds() -> None:
    row = {
        "yes": True,
        "no": False,
        "at": datetime(2026, 3, 1, tzinfo=UTC),
        "to": ["a@x.example", "=b"],
        "n": -3,
    }
    told = lines.cells(row, ["yes", "no", "at", "to", "n", "missing"])
    assert told == 'yes,no,2026-03-01T00:00:00Z,"a@x.example, =b",\'-3,\r\n'


def test_a_table_begins_with_the_mark_that_spreadsheets_go_by() -> None:
    assert lines.title(["a", "b"]).encode() == b"\xef\xbb\xbfa,b\r\n"


@given(_text)
def test_a_file_is_unpacked_where_it_belongs(name: str) -> None:
    told = names.safe(name)
    assert told
    assert told not in {".", ".."}
    assert not set(told) & set('/\\:*?"<>|\r\n\t')
    assert len(told) <= 110
    assert told == told.strip(" .")


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("prices.pdf", "prices.pdf"),
        ("Grüße 你好.docx", "Grüße 你好.docx"),
        ("../../etc/passwd", "_.._etc_passwd"),
        ("C:\\autoexec.bat", "C__autoexec.bat"),
        ("invoice\u202efdp.exe", "invoice_fdp.exe"),
        ("CON.txt", "file_CON.txt"),
        ("...", "file_"),
        ("", "file_"),
        ("x" * 300 + ".pdf", "x" * 96 + ".pdf"),
    ],
)
def test_names_that_people_gave(name: str, safe: str) -> None:
    assert names.safe(name) == safe
