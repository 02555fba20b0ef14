"""The commands that people are told to type exist."""

from __future__ import annotations

import argparse
import re
import stat
import subprocess
import sys
from collections.abc import Iterator

import pytest

from truesend.cli import _parser

from .files import ROOT, texts

MAKE_TARGETS = {"setup", "run", "test", "check", "bench", "proof", "docs", "lock", "clean", "develop"}
_COMMAND = re.compile(r"(?:^|[\s/])truesend ((?:[\w.@-]+ ?|--?[\w-]+[ =]?)+)", re.MULTILINE)
_GUIDES = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "PRIVACY.md", "docs/")


def _guides() -> Iterator[tuple[str, str]]:
    return ((path, text) for path, text in texts() if path.endswith(".md") and path.startswith(_GUIDES))


def _makefile_targets() -> set[str]:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z][\w-]*):", text, re.MULTILINE))


def test_the_targets_people_rely_on_are_there_and_phony() -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    phony = set(" ".join(re.findall(r"^\.PHONY:(.*)$", text, re.MULTILINE)).split())

    assert _makefile_targets() >= MAKE_TARGETS
    assert phony >= MAKE_TARGETS


def test_what_the_targets_run_exists() -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    commands = re.findall(r"\$\(BIN\)/truesend ([^\n$]+)", text)
    scripts = re.findall(r"\$\(BIN\)/python (\S+\.py)", text)

    assert commands
    assert scripts
    assert [found for words in commands if (found := _problem_with(words.split()))] == []
    assert [script for script in scripts if not (ROOT / script).is_file()] == []


def test_every_make_target_in_the_guides_exists() -> None:
    found = {
        (path, target)
        for path, text in _guides()
        for target in re.findall(r"\bmake ([a-z][\w-]*)", _code(text))
    }

    assert found
    assert {pair for pair in found if pair[1] not in _makefile_targets()} == set()


def _code(text: str) -> str:
    """What stands in code blocks and code spans."""
    fences = re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    spans = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))
    return "\n".join([*fences, *spans])


def _command_tree(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    return {
        name: sub
        for action in parser._actions
        if isinstance(action, argparse._SubParsersAction)
        for name, sub in action.choices.items()
    }


def _problem_with(words: list[str]) -> str | None:
    """What is wrong with ``truesend WORDS…``, or None."""
    parser = _parser()
    while words and (commands := _command_tree(parser)):
        name = words[0]
        if name.startswith("-"):
            break
        if name not in commands:
            return f"there is no command {name}"
        parser, words = commands[name], words[1:]
    known = {option for action in parser._actions for option in action.option_strings}
    given = {word.partition("=")[0] for word in words if word.startswith("-")}
    return f"unknown options {sorted(given - known)}" if given - known else None


def test_every_truesend_command_in_the_guides_exists() -> None:
    seen = 0
    wrong = []
    for path, text in _guides():
        for words in re.findall(
            r"(?:^|[\s/])truesend ((?:[\w.-]+ ?|--?[\w-]+[ =]?|[A-Z…]+ ?)+)", _code(text), re.MULTILINE
        ):
            seen += 1
            problem = _problem_with(words.split())
            if problem is not None:
                wrong.append(f"{path}: truesend {words}: {problem}")

    assert seen
    assert wrong == []


@pytest.mark.parametrize("command", sorted(_command_tree(_parser())))
def test_the_guide_of_commands_names_every_command(command: str) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")

    assert re.search(rf"`(?:truesend )?{command}\b", readme), f"README.md does not tell of truesend {command}"


def test_every_link_between_the_guides_leads_somewhere() -> None:
    dead = []
    for path, text in _guides():
        for target in re.findall(r"\]\(([^)#\s]+)", text) + re.findall(r'(?:src|srcset)="([^"#]+)"', text):
            if not re.match(r"[a-z]+:", target) and not (ROOT / path).parent.joinpath(target).exists():
                dead.append(f"{path}: {target}")

    assert dead == []


def test_what_an_automatic_check_runs_is_executable() -> None:
    entry = ROOT / ".ci" / "run"

    assert entry.stat().st_mode & stat.S_IXUSR
    assert subprocess.run(["/bin/sh", "-n", str(entry)], check=False).returncode == 0
    assert re.findall(r"^make (\w+)$", entry.read_text(encoding="utf-8"), re.MULTILINE) == ["check", "test"]


def test_the_command_line_starts_without_django() -> None:
    """`truesend --help` and the light parts must not pay for what they do not use."""
    code = "import sys, truesend.cli, truesend.runtime.up; print(sorted(n for n in sys.modules if n == 'django'))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert said.strip() == "[]"
