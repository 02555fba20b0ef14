"""The pages that are tables of the code say what the code says."""

from __future__ import annotations

import ast

import pytest
from tests.guards import files

from truesend import docs
from truesend.connections.causes import CAUSES


@pytest.mark.parametrize("name", docs.PAGES)
def test_a_page_is_what_the_code_says(name: str) -> None:
    written = (docs.FOLDER / name).read_text(encoding="utf-8")
    assert written == docs.PAGES[name](), f"docs/{name} is behind the code: make docs"


def test_every_gate_is_explained() -> None:
    assert set(docs.readiness_codes()) == set(docs.gates())


def test_every_cause_a_provider_or_consent_names_is_in_the_table() -> None:
    """``ProviderError("code", …)``, ``Refusal("code", …)``, ``TransportError(stage, "code", …)`` and the like."""
    named = {"ProviderError": 0, "Refusal": 0, "TransportError": 1, "_failed": 1}
    found: set[str] = set()
    for path, text in files.python("src/truesend"):
        # What an API call is refused for is no cause of a connection; its table has a guard of its own.
        if path.rpartition("/")[2].startswith(("test_", "refusals")):
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Call):
                name = (
                    node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                )
                at = named.get(name)
                if at is not None and len(node.args) > at and isinstance(code := node.args[at], ast.Constant):
                    found.add(str(code.value))
    assert {"provider_garbage", "provider_timeout", "state_invalid", "disconnected"} <= found
    assert found <= CAUSES.keys()


def test_every_cause_of_the_providers_tables_is_known() -> None:
    from truesend.providers.google import errors as google
    from truesend.providers.microsoft import errors as microsoft

    codes = {row[2] for row in google._OAUTH} | {row[2] for row in google._API}
    codes |= {cause for cause, _ in microsoft._BY_NUMBER.values()} | {row[2] for row in microsoft._BY_NAME}
    codes |= {*microsoft._BY_CODE.values(), *microsoft._BY_STATUS.values()}
    codes |= {cause for _, cause in microsoft._BY_VERDICT}
    assert codes <= CAUSES.keys()


def test_sentences_are_plain() -> None:
    for cause in CAUSES.values():
        assert cause.sentence.endswith((".", "”.")), cause.code
        assert len(cause.sentence) <= 130, cause.code
        assert cause.clears.endswith("."), cause.code
        said = ("Nothing was connected", "Nothing was changed")
        assert not any(one in cause.sentence for one in said), f"{cause.code}: the notice says that"
