"""Every refusal says what to do and who can, and none is made beside the table."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from truesend import refusals
from truesend.refusals import REFUSALS, Refusal, document

SOURCE = Path(refusals.__file__).parent
NAMES = {name for name, value in vars(refusals).items() if isinstance(value, Refusal)}


def sources() -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted(SOURCE.rglob("*.py")):
        if not path.name.startswith("test_") and path != Path(refusals.__file__):
            yield path, ast.parse(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("code", sorted(REFUSALS))
def test_a_refusal_says_what_to_do_and_who_can(code: str) -> None:
    body = document(REFUSALS[code])
    assert (body["code"], body["cause"], body["status"]) == (code, code, REFUSALS[code].status)
    assert 400 <= body["status"] <= 599
    assert body["sentence"] == body["title"]
    assert body["sentence"].endswith(".")
    assert body["fix"]["label"][:1].isupper()
    assert body["fix"]["url"].startswith("/")
    assert body["who"]
    assert all(one["name"] for one in body["who"])


def test_a_code_stands_for_one_refusal() -> None:
    assert len(REFUSALS) == len(NAMES)


def test_what_is_known_better_is_said_instead() -> None:
    fix, who = (
        {"label": "Look again after 10:00:00 UTC", "url": "/emails/7"},
        [{"name": "Ana", "email": "a@b"}],
    )
    body = document(refusals.TOO_EARLY, sentence="Later.", fix=fix, who=who, cause="why", at=1)
    assert (body["sentence"], body["fix"], body["who"], body["cause"]) == ("Later.", fix, who, "why")
    assert body["at"] == 1


def test_who_runs_the_installation_is_told_by_address_where_there_is_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TRUESEND_SUPPORT_EMAIL", "help@northwind.example")
    assert document(refusals.DATABASE)["who"][0]["email"] == "help@northwind.example"
    assert document(refusals.TOO_LATE)["who"][0]["email"] == ""


def test_every_answer_of_this_kind_comes_out_of_the_table() -> None:
    # The media type stands in the table's module alone, so who answers with it has been there.
    makers = {
        path.relative_to(SOURCE).as_posix()
        for path, tree in sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and node.value == refusals.MEDIA_TYPE
    }
    assert makers == set()
    # A table entry made elsewhere would be missed by the tests that go over all.
    made = [
        path.name
        for path, tree in sources()
        if any(
            isinstance(node, ast.ImportFrom) and node.module == "truesend.refusals" for node in ast.walk(tree)
        )
        and "Refusal(" in path.read_text(encoding="utf-8")
    ]
    assert made == []


def test_every_refusal_is_one_that_somebody_meets() -> None:
    used = {
        node.attr
        for _, tree in sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "refusals"
    }
    assert NAMES - used == set()
