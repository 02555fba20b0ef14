"""What the guides say of the code is so: files, tables, decisions, pictures."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

from django.apps import apps

from truesend.providers.contract import Limits, Provider

from .files import ROOT, committed, name, texts

ARCHITECTURE = ROOT / "docs" / "architecture.md"
LARGEST_PICTURE = 200_000
_PLACES = (
    ROOT,
    ROOT / "src" / "truesend",
    ROOT / "src" / "truesend_sandbox",
    ROOT / "src",
    ROOT / "frontend",
)


def _guides() -> list[tuple[str, str]]:
    return [(path, text) for path, text in texts() if path.endswith(".md")]


def _exists(path: str) -> bool:
    return any(place.joinpath(path).exists() for place in _PLACES) or bool(
        list(ROOT.glob(f"src/truesend/**/{path}"))
    )


def test_every_file_that_a_guide_names_exists() -> None:
    named = {
        (guide, path)
        for guide, text in _guides()
        for path in re.findall(r"`((?:[\w.-]+/)*[\w-]+\.(?:py|toml|ts|txt))\b", text)
    }

    assert len(named) > 20
    assert sorted((guide, path) for guide, path in named if not _exists(path)) == []


def test_every_table_of_ours_is_told_of() -> None:
    text = ARCHITECTURE.read_text(encoding="utf-8")
    own = [one for one in apps.get_models() if one.__module__.startswith("truesend.")]
    ours = {one._meta.db_table for one in own if one._meta.app_label != "organizations"}
    labels = "|".join(sorted({one._meta.app_label for one in own}))
    told = set(re.findall(rf"`((?:{labels})_\w+)`", text))

    assert "`organizations_*`" in text, "members and the like are told of in one line"
    assert told == ours


def test_every_decision_is_listed_and_says_what_was_chosen() -> None:
    folder = ROOT / "docs" / "adr"
    decisions = sorted(path for path in folder.glob("*.md") if path.name != "README.md")
    index = (folder / "README.md").read_text(encoding="utf-8")

    assert [path.name for path in decisions if f"]({path.name})" not in index] == []
    assert [path.name[:4] for path in decisions] == [
        f"{number:04}" for number in range(1, len(decisions) + 1)
    ]
    for path in decisions:
        text = path.read_text(encoding="utf-8")
        assert text.startswith(f"# {path.name[:4]} "), path.name
        for part in ("## To decide", "## Options", "## Choice", "## Consequences"):
            assert f"\n{part}\n" in text, f"{path.name} has no {part}"


def test_the_guide_to_a_provider_names_every_point_of_the_contract() -> None:
    text = (ROOT / "docs" / "adding-a-provider.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(\w+)`", text))
    points = {name for name in vars(Provider) if not name.startswith("_")} | {"key", "name", "capabilities"}
    points |= {"limits", "dead_ends", *(one.name for one in dataclasses.fields(Limits))}

    assert sorted(points - named) == []


def test_every_test_that_a_guide_names_exists() -> None:
    named = [
        (guide, path, test)
        for guide, text in _guides()
        for path, test in re.findall(r"`((?:tests|src)/[\w/]+\.py)::(\w+)`", text)
    ]
    written = {path: (ROOT / path).read_text(encoding="utf-8") for _, path, _ in named}

    assert len(named) > 40
    assert [one for one in named if f"def {one[2]}(" not in written[one[1]]] == []


def test_the_walk_through_the_standard_leaves_no_chapter_out() -> None:
    text = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")

    assert re.findall(r"^## V(\d+) ", text, re.MULTILINE) == [str(number) for number in range(1, 18)]


def _pictures() -> list[Path]:
    return [path for path in committed() if path.suffix == ".png" and name(path).startswith("docs/")]


def test_pictures_are_small_and_used() -> None:
    used = {
        Path(target).name for _, text in _guides() for target in re.findall(r"!\[[^\]]+\]\(([^)]+)\)", text)
    }

    assert [
        f"{name(one)}: {one.stat().st_size}" for one in _pictures() if one.stat().st_size > LARGEST_PICTURE
    ] == []
    assert {one.name for one in _pictures()} == used
