"""Bounces, real and our own, told as well when they come changed: other hosts, encodings, folds, missing parts."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from tests.inbox_mails import changed, systems
from tests.inbox_mails.test_real_bounces import DATA, _found, _hard_right

from truesend.inbox.reading import read

# What loses the words of the other side cannot tell hard from soft as often.
FLOORS = {
    "html_alone": (0.98, 0.89),
    "no_machine_part": (0.98, 0.89),
    "nothing_sent_back": (0.98, 0.92),
    "cut_short": (0.98, 0.92),
}
# Other hosts would have to be put into what is encoded too.
SAFE = (changed.crlf, changed.base64, changed.quoted_printable, changed.folded, changed.few_headers)


@pytest.mark.parametrize("change", changed.CHANGES, ids=lambda change: change.__name__)
def test_real_bounces_that_come_changed(
    change: Callable[[bytes], bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    path = DATA / "bounces.json"
    if not path.exists():
        pytest.skip(f"no labelled bounces at {path}")
    labels = json.loads(path.read_text(encoding="utf-8"))
    found = hard = 0
    for name, right in labels["bounces"].items():
        told = read(change((DATA / "bounces" / name).read_bytes()))
        named = _found(told, right)
        found += named
        hard += named and _hard_right(told, right)
    total = len(labels["bounces"])
    with capsys.disabled():
        print(
            f"\n{change.__name__}: the recipient in {found / total:.1%}, hard or soft in {hard / total:.1%}"
        )
    least = FLOORS.get(change.__name__, (0.98, 0.93))
    assert (found / total >= least[0], hard / total >= least[1]) == (True, True)
    taken = [
        name for name in labels["others"] if read(change((DATA / "bounces" / name).read_bytes())).recipients
    ]
    assert taken == []


@pytest.mark.parametrize("change", SAFE, ids=lambda change: change.__name__)
def test_our_own_that_come_changed(change: Callable[[bytes], bytes]) -> None:
    wrong = []
    for case in systems.CASES:
        told = read(change(case.raw.encode()))
        failed = sorted((one.address, one.hard) for one in told.recipients)
        if (told.kind, failed) != (case.kind, sorted(case.failed)):
            wrong.append((case.name, told.kind, failed))

    assert wrong == []
