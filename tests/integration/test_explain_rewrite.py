"""`truesend explain rewrite`: any file, no database, links that are what they say."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from truesend.cli import main
from truesend.tracking import explain_rewrite, tokens

KEYS = [("k", b"k" * 32)]
BASE = "https://track.example"
HTML = (
    '<p>Grüße <a href="https://a.example/?x=1&amp;y=2">shop</a> <a href="https://b.example/u">Unsubscribe</a> '
    '<a href="mailto:a@b.example">write</a></p>'
)


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("LINK_KEYS", "LINK_KEYS_FILE", "DATABASE_URL"):
        monkeypatch.delenv(f"TRUESEND_{name}", raising=False)
    monkeypatch.setenv("TRUESEND_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("TRUESEND_TRACKING_URL", f"{BASE}/")


def explained(path: Path, capsys: pytest.CaptureFixture[str]) -> tuple[dict[str, Any], str]:
    assert main(["explain", "rewrite", "--json", str(path)]) == 0
    out, err = capsys.readouterr()
    return json.loads(out), err


def test_every_web_link_stands_there_with_its_target_and_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRUESEND_LINK_KEYS", "k:" + "a2tr" * 10 + "a2s=")
    file = tmp_path / "mail.html"
    file.write_text(HTML, encoding="utf-8")
    answer, err = explained(file, capsys)
    assert err == ""
    shop, unsubscribe = answer["links"]
    assert set(shop) == {"url", "target", "text"}
    assert shop["target"] == "https://a.example/?x=1&y=2"
    token = tokens.read(KEYS, shop["url"].removeprefix(f"{BASE}/t/c/"))
    assert isinstance(token, tokens.ClickToken)
    assert token.target == shop["target"]
    assert unsubscribe["url"] == unsubscribe["target"] == "https://b.example/u"
    assert unsubscribe["reason"] == "unsubscribe links stay as they are"
    before, after = HTML.split("https://a.example/?x=1&amp;y=2")
    assert answer["html"].startswith(before + shop["url"] + after + '<img src="')


def test_it_finds_the_keys_of_the_data_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "mail.html"
    file.write_text(HTML, encoding="utf-8")
    answer, err = explained(file, capsys)
    assert err == "There are no link keys here: these links would lead nowhere.\n"
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "link_keys").write_text("k:" + "a2tr" * 10 + "a2s=\n")
    answer, err = explained(file, capsys)
    assert err == ""
    tokens.read(KEYS, answer["links"][0]["url"].removeprefix(f"{BASE}/t/c/"))


def test_a_person_reads_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "mail.html"
    file.write_text(
        HTML + '<a href="https://evil.example">bank.example</a><a href="#">\x1b[2Jx</a>', encoding="utf-8"
    )
    assert main(["explain", "rewrite", str(file)]) == 0
    out, _ = capsys.readouterr()
    assert f"{file}: " in out
    assert "1 of 5 links are tracked" in out
    assert "tracked   shop" in out
    assert "as it is  write" in out
    assert "(unsubscribe links stay as they are)" in out
    assert "leads to evil.example" in out
    assert "\x1b" not in out


@pytest.mark.parametrize(
    ("content", "encoding", "doubted"),
    [
        ("é".encode(), "utf-8", False),
        (b"\xef\xbb\xbf" + "é".encode(), "utf-8", False),
        (b"\xff\xfe" + "é".encode("utf-16-le"), "utf-16-le", False),
        (b"\xfe\xff" + "é".encode("utf-16-be"), "utf-16-be", False),
        (b"<meta charset=iso-8859-1>\xe9", "iso8859-1", False),
        (b"<META http-equiv=x content='text/html; charset=windows-1252'>\xe9\x80", "cp1252", False),
        ('<meta charset="shift_jis">é'.encode("shift_jisx0213"), "latin-1", True),
        ('<meta charset="shift_jis">あ'.encode("shift_jis"), "shift_jis", False),
        ('<meta charset="utf-16">é'.encode(), "utf-8", False),
        ('<meta charset="nonsense">é'.encode(), "utf-8", False),
        (b"<meta charset=rot13>a", "utf-8", False),
        (b"<meta charset=utf-7>+AGE-", "utf-8", False),
        (b"<meta charset=hex>00", "utf-8", False),
        (b"\xe9", "latin-1", True),
        (b"\xff\xfe\x00", "latin-1", True),
        (b"", "utf-8", False),
    ],
)
def test_encodings(content: bytes, encoding: str, doubted: bool) -> None:
    read = explain_rewrite.decode(content)
    assert (read.encoding, bool(read.doubt)) == (encoding, doubted)
    assert read.text.encode(encoding) == content


@given(
    st.one_of(
        st.binary(), st.binary().map(lambda tail: b"<meta charset=utf-8><a href=https://a.example>" + tail)
    )
)
@example(b"\xff\xfe\x00\xd8<a")
@settings(deadline=None)
@example(b"<meta charset=utf-8 \x00><a href='https://\xff'>")
def test_no_bytes_are_too_odd(content: bytes) -> None:
    read = explain_rewrite.decode(content)
    result = explain_rewrite.explain(read.text, KEYS, BASE)
    assert json.loads(json.dumps(explain_rewrite.as_json(result)))["html"] == result.html
    table = explain_rewrite.as_table("x", read, len(content), result)
    assert all(line.isprintable() for line in table.split("\n"))


def test_standard_input_and_files_that_cannot_be_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"<a href=https://a.example/\xe9>x</a>")))
    answer, err = explained(Path("-"), capsys)
    assert answer["links"][0]["target"] == "https://a.example/é"
    assert "read as Latin-1" in err
    for path in (tmp_path, tmp_path / "none.html"):
        assert main(["explain", "rewrite", str(path)]) == 1
        out, err = capsys.readouterr()
        assert (out, "cannot be read" in err) == ("", True)
