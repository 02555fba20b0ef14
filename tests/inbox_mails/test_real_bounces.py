"""The 264 real mails of more than a hundred mail systems, judged as their labels say; printed per system.

They are nobody's here to give away, so they lie beside the project and this file skips where they do not.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from truesend.inbox.incoming import Incoming, Kind
from truesend.inbox.reading import read

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
_OWN = re.compile(r"lhost-(?:gmail|googlegroups|office365|outlook|exchange\d+)|rhost-(?:google|microsoft)")
"""Systems of Google and Microsoft, as the names of the files tell them."""


def _labels() -> Mapping[str, Any]:
    path = DATA / "bounces.json"
    if not path.exists():
        pytest.skip(f"no labelled bounces at {path}")
    labels: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return labels


def _read(name: str) -> Incoming:
    return read((DATA / "bounces" / name).read_bytes())


def _found(told: Incoming, right: Sequence[Mapping[str, Any]]) -> bool:
    """Every failed recipient, with its address, in a mail that is told to be a report."""
    named = [one for one in told.recipients if "@" in one.address]
    return told.kind in {Kind.BOUNCE, Kind.DELAY} and len(named) >= len(right)


def _hard_right(told: Incoming, right: Sequence[Mapping[str, Any]]) -> bool:
    return Counter(one.hard for one in told.recipients) == Counter(one["hard"] for one in right)


def test_real_bounces_are_read(capsys: pytest.CaptureFixture[str]) -> None:
    labels: Mapping[str, Sequence[Mapping[str, Any]]] = _labels()["bounces"]
    per: dict[str, Counter[str]] = defaultdict(Counter)
    missed: list[str] = []
    for name, right in labels.items():
        told = _read(name)
        system = re.sub(r"-\d+\.eml$", "", name)
        found, hard = _found(told, right), _hard_right(told, right)
        per[system].update(mails=1, found=found, hard=found and hard)
        raw = (DATA / "bounces" / name).read_bytes().lower()
        for one in told.recipients:
            assert one.address.encode().lower() in raw, f"{name}: {one.address} stands nowhere in the mail"
        if not (found and hard):
            missed.append(name)
    total = sum(per.values(), Counter())
    with capsys.disabled():
        print("\nsystem                    mails  recipient  hard or soft")
        for system, count in sorted(per.items()):
            print(f"{system:<25} {count['mails']:5}  {count['found']:9}  {count['hard']:12}")
        print(f"{'all':<25} {total['mails']:5}  {total['found']:9}  {total['hard']:12}")
        print("missed:", ", ".join(missed))

    assert total["mails"] == 252
    assert total["found"] >= 0.98 * total["mails"]
    assert total["hard"] >= 0.93 * total["mails"]
    own = [count for system, count in per.items() if _OWN.fullmatch(system)]
    assert sum(count["mails"] for count in own) > 20
    assert all(count["found"] == count["hard"] == count["mails"] for count in own)


def test_what_is_no_bounce_is_told_to_be_none() -> None:
    labels: Mapping[str, str] = _labels()["others"]

    assert len(labels) == 12
    assert {name: _read(name).kind.value for name in labels} == dict(labels)
