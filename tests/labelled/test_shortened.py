"""What shortened evidence still tells: judged again by it alone, nearly every hit gets the answer it had."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from tests.labelled.sequences import sequences

from truesend.tracking import shorten
from truesend.tracking.classify import Trail, classify
from truesend.tracking.explain import trail_of
from truesend.tracking.reclassify import BY_DEVICE


def shortened(trail: Trail) -> Trail:
    return replace(
        trail,
        hits=[
            replace(
                hit,
                ip=shorten.address(hit.ip),
                user_agent=shorten.agent(hit.user_agent),
                headers=shorten.headers(hit.headers),
            )
            for hit in trail.hits
        ],
    )


def test_the_labelled_set_reads_the_same_when_it_is_shortened(capsys: pytest.CaptureFixture[str]) -> None:
    """But for what rests on the whole address, which judging again leaves alone (`reclassify`)."""
    total, other = 0, Counter[tuple[str, str]]()
    for one in sequences():
        trail = trail_of(one.line())
        for before, after in zip(classify(trail), classify(shortened(trail)), strict=True):
            total += 1
            if before.klass == "self" or before.rule in BY_DEVICE:
                continue
            if (before.klass, before.rule) != (after.klass, after.rule):
                other[before.rule, after.rule] += 1
    with capsys.disabled():
        print(f"\n{total} hits judged again from shortened evidence: {other.total()} otherwise {dict(other)}")
    assert total > 1000
    assert other.total() <= total * 0.005
