"""Habits of the code that no linter knows."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator

import pytest

from truesend.connections.secretbox import SEALED

from .files import ROOT, python, texts

CLOCK = "src/truesend/clock.py"
# A provider's name belongs into its folder. Where else it stands, and why:
PROVIDER_NAMES = re.compile(r"google|gmail|microsoft|outlook|keap|infusionsoft", re.IGNORECASE)
MAY_NAME_A_PROVIDER = {
    "src/truesend/providers/google/": "its folder",
    "src/truesend/providers/microsoft/": "its folder",
    "src/truesend/providers/keap/": "its folder",
    "src/truesend/providers/registry.py": "the registry",
    "src/truesend/providers/sandboxed.py": "the registry of sandbox settings, apart because it must import nothing",
    "src/truesend/env.py": "the one table of settings; a client id needs a name of its own",
    "src/truesend/tracking/": "recipients' mail programs and image proxies are told apart by name",
    "src/truesend/inbox/causes.py": "sources of what mail systems all over say",
    "src/truesend/inbox/machines.py": "mail systems all over are known by the names they write under",
    "src/truesend/inbox/page.py": "the same for people to read",
    "src/truesend/inbox/wording.py": "what mail systems all over say, with its sources",
    "src/truesend_sandbox/": "plays the providers",
}


def _is_test(path: str) -> bool:
    return path.rpartition("/")[2].startswith("test_")


def _allowed(path: str) -> bool:
    return _is_test(path) or any(path.startswith(start) for start in MAY_NAME_A_PROVIDER)


def test_a_providers_name_stays_in_its_folder() -> None:
    found = [
        f"{path}:{number}: {line.strip()}"
        for path, text in texts()
        if path.startswith(("src/", "frontend/src/")) and not _allowed(path)
        for number, line in enumerate(text.splitlines(), 1)
        if PROVIDER_NAMES.search(line) and not line.strip().startswith("#")  # a comment may give an example
    ]

    assert found == []


@pytest.mark.parametrize("start", MAY_NAME_A_PROVIDER)
def test_every_exception_is_still_needed(start: str) -> None:
    assert any(PROVIDER_NAMES.search(text) for path, text in texts() if path.startswith(start))


def test_adapters_take_their_client_from_where_it_may_be_stored() -> None:
    """An operator may have entered it on a page: ``truesend.providers.clients`` knows, the environment does not."""
    asked = re.compile(r"env\.\w+\(\s*f?\"[^\"]*_CLIENT_(ID|SECRET)")
    found = [
        f"{path}: {match.group()}…) → clients.require(…)"
        for path, text in python("src/truesend/providers")
        if path != "src/truesend/providers/clients.py"
        for match in asked.finditer(text)
    ]

    assert found == []


def test_the_doctor_knows_every_sealed_column() -> None:
    """What an encryption key is needed for is looked through by ``truesend doctor``."""
    places = {
        found[1]
        for app in ("connections", "organizations", "closing")
        for path, text in python(f"src/truesend/{app}")
        if not _is_test(path)
        for found in re.finditer(r'f"([a-z_]+\.[a-z_]+):\{', text)
    }

    assert {"token.access", "consent.verifier"} <= places
    assert places == {column.place for column in SEALED}


def _undocumented(path: str, text: str) -> Iterator[str]:
    tree = ast.parse(text)
    if not ast.get_docstring(tree) and tree.body:
        yield f"{path}: the module"
    yield from _undocumented_in(path, tree, "")


def _undocumented_in(path: str, node: ast.AST, inside: str) -> Iterator[str]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If | ast.Try):
            yield from _undocumented_in(path, child, inside)
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        if child.name.startswith("_") or (inside and _needs_no_words(node, child)):
            continue
        if not ast.get_docstring(child):
            yield f"{path}:{child.lineno}: {inside}{child.name}"
        if isinstance(child, ast.ClassDef):
            yield from _undocumented_in(path, child, f"{child.name}.")


def _needs_no_words(owner: ast.AST, child: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> bool:
    """Inside a class: Django's Meta and choices, methods that a base class speaks for, and short ones, which say
    what their name says."""
    if isinstance(child, ast.ClassDef) or len(child.body) <= 3:
        return True
    return isinstance(owner, ast.ClassDef) and bool(owner.bases)


def test_every_public_function_and_class_says_what_it_is_for() -> None:
    found = [line for path, text in python("src") if not _is_test(path) for line in _undocumented(path, text)]

    assert found == []


def _calls(text: str) -> Iterator[ast.Call]:
    return (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call))


def test_time_comes_from_the_clock_only() -> None:
    found = []
    for path, text in python("src/truesend"):
        if path == CLOCK or _is_test(path):
            continue
        for call in _calls(text):
            function = call.func
            if not isinstance(function, ast.Attribute):
                continue
            owner = ast.unparse(function.value)
            moment = function.attr in {"now", "utcnow", "today"} and owner.rpartition(".")[2] in {
                "datetime",
                "date",
                "timezone",
            }
            if moment or (owner == "time" and function.attr == "time"):
                found.append(f"{path}:{call.lineno}: {ast.unparse(call)}")

    assert found == []


def test_saving_names_its_columns() -> None:
    """A whole row saved under concurrency writes back what somebody else has changed meanwhile."""
    allowed = {"user.save(using=self._db)"}  # inserts a row that is new
    found = [
        f"{path}:{call.lineno}: {ast.unparse(call)}"
        for path, text in python("src/truesend")
        for call in _calls(text)
        if isinstance(call.func, ast.Attribute)
        and call.func.attr == "save"
        and ast.unparse(call.func.value) != "super()"  # a form's, whose base class does the saving
        and not any(keyword.arg in {"update_fields", "force_insert"} for keyword in call.keywords)
        and ast.unparse(call) not in allowed
    ]

    assert found == []


def test_no_test_puts_something_of_ours_aside() -> None:
    """Behaviour is tested on real processes: a patched part proves what the patch says."""
    patching = re.compile(r"unittest\.mock|MagicMock|mocker\b|monkeypatch\.setattr\(\s*[\"']truesend")
    found = [
        f"{path}: {match.group()}"
        for folder in ("tests", "src")
        for path, text in python(folder)
        if path != "tests/guards/test_code.py"
        for match in patching.finditer(text)
    ]

    assert found == []


def test_the_rule_for_the_supervisor_holds_every_module_of_it() -> None:
    """import-linter needs a list; a new module must not slip past it."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    (rule,) = [one for one in contracts if one["name"].startswith("The supervisor starts without Django")]
    modules = {
        f"truesend.runtime.{path.stem}"
        for path in (ROOT / "src/truesend/runtime").glob("*.py")
        if path.stem != "__init__"
    }

    at_home_in_both = {f"truesend.runtime.{name}" for name in ("worker", "heart", "schema", "tracker")}
    assert set(rule["source_modules"]) == modules - at_home_in_both
