"""``truesend explain bounce``: a line for each mail, a sentence for each that cannot be read, and the rest goes on."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from truesend.cli import main
from truesend.inbox.test_reading import REPORT

LETTER = b"From: bo@example.org\nTo: ana@example.com\nSubject: Hello\n\nHello\n"


def _lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_each_file_is_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, two = tmp_path / "one.eml", tmp_path / "two"
    one.write_bytes(REPORT)
    two.write_bytes(LETTER)

    assert main(["explain", "bounce", str(one), str(two)]) == 0

    told = _lines(capsys.readouterr().out)
    assert told[0] == {
        "file": str(one),
        "kind": "bounce",
        "about": "recipient",
        "recipients": [
            {
                "address": "bo@example.org",
                "status": "5.1.1",
                "code": "550",
                "hard": True,
                "reason": "no_such_address",
                "sentence": "This address does not exist. Check how it is spelled.",
            }
        ],
        "refers_to": ["sent@example.com", "asked@example.com", "first@example.com"],
        "return_date": None,
    }
    assert (told[1]["file"], told[1]["kind"], told[1]["recipients"]) == (str(two), "other", [])


def test_what_cannot_be_read_stops_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good, empty = tmp_path / "good.eml", tmp_path / "empty"
    good.write_bytes(REPORT)
    empty.mkdir()

    assert main(["explain", "bounce", str(tmp_path / "none.eml"), str(empty), "a\0b", str(good)]) == 1

    said = capsys.readouterr()
    assert [line["kind"] for line in _lines(said.out)] == ["bounce"]
    first, second, third = said.err.splitlines()
    assert first == f"{tmp_path / 'none.eml'} cannot be read: No such file or directory."
    assert second.startswith(f"{empty} cannot be read: there are no mails")
    assert third.startswith("a\N{REPLACEMENT CHARACTER}b cannot be read: ")


def test_folders_and_mailboxes_are_walked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "1700000000.M1.host").write_bytes(LETTER)
    (tmp_path / "b.eml").write_bytes(REPORT)
    (tmp_path / "LICENSE").write_text("no mail")
    (tmp_path / "box.mbox").write_bytes(
        b"From ana Tue Nov  3 10:00:00 2026\n" + LETTER + b"\nFrom bo Tue Nov  3 10:00:00 2026\n" + REPORT
    )

    assert main(["explain", "bounce", str(tmp_path)]) == 0

    told = _lines(capsys.readouterr().out)
    assert [(Path(line["file"]).name, line["kind"]) for line in told] == [
        ("b.eml", "bounce"),
        ("box.mbox#1", "other"),
        ("box.mbox#2", "bounce"),
        ("1700000000.M1.host", "other"),
    ]


def test_standard_input_is_a_mail_too() -> None:
    code = "import sys; from truesend.cli import main; sys.exit(main(['explain', 'bounce', '-']))"
    done = subprocess.run([sys.executable, "-c", code], input=REPORT, capture_output=True, check=True)

    (told,) = _lines(done.stdout.decode())
    assert (told["file"], told["kind"]) == ("-", "bounce")
