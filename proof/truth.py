"""The truth test in full: walks of several seeds, each written down when it has been walked."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import Any

from proof.finding import Finding
from proof.notes import Notes
from tests import stack as stacks
from tests.storms import truth
from tests.storms.truth_books import PROBE_SECONDS, STEP_SECONDS, Books

from truesend.bench.installation import data_folder
from truesend.providers import registry

WALKS, STEPS, WATCHED, SETTLE_EVERY = 6, 500, 60, 6
PATIENCE = 180.0


def findings(seed: int, notes: Notes) -> list[Finding]:
    """Six walks of 500 steps at every provider; two lines, of what was used and of what was watched."""
    walked = [_walked(seed + number, notes) for number in range(WALKS)]
    short = [one for some in walked for one in some["short"]]
    seconds = sum(some["seconds"] for some in walked)
    steps, used = (sum(some[name] for some in walked) for name in ("steps", "used"))
    ages, cleared = ([one for some in walked for one in some[name]] for name in ("ages", "cleared"))
    providers = ", ".join(registry.PROVIDERS)
    return [
        Finding(
            f"verdicts held against the providers ({providers})",
            "; ".join(short) if short else f"{steps:,} steps, {used:,} capabilities used, 0 lies",
            "0 lies",
            holds=not short,
            seconds=seconds,
            seed=f"{seed} to {seed + WALKS - 1}",
        ),
        Finding(
            "what was shown wrongly between probes, by the sandbox's clock",
            f"{len(ages)} times, {max(ages, default=0):.0f} s at most; {len(cleared)} ended outages cleared within "
            f"{max(cleared, default=0):.0f} s",
            f"{PROBE_SECONDS:.0f} s and a step of {STEP_SECONDS:.0f} s",
            holds=max([*ages, *cleared], default=0) <= PROBE_SECONDS + STEP_SECONDS,
            seconds=0.0,
            seed=f"{seed} to {seed + WALKS - 1}",
        ),
    ]


def _walked(seed: int, notes: Notes) -> dict[str, Any]:
    name = f"walk {seed}"
    if (known := notes.get(name)) is None:
        books = _walk(seed)
        print(f"    {books}", file=sys.stderr, flush=True)
        known = {
            "steps": books.steps.total(),
            "used": books.used.total(),
            "ages": books.ages,
            "cleared": books.cleared,
            "short": books.shortfalls(),
            "lies": [asdict(one) for one in books.lies],
            "seconds": books.seconds,
        }
        notes.put(name, known)
    found: dict[str, Any] = known
    return found


def _walk(seed: int) -> Books:
    with data_folder() as data, stacks.running(data, settings=truth.SETTINGS, patience=PATIENCE) as stack:
        walk = truth.Walk(stack, seed, tuple(registry.PROVIDERS))
        return walk.run(STEPS, settle_every=SETTLE_EVERY, watched=WATCHED)
