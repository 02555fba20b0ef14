"""A thousand events of Stripe, in order and once, then shuffled, twice, late, and among stale and forged ones."""

from __future__ import annotations

from proof.finding import Finding
from tests import billing_stack
from tests.storms import billing

from truesend.bench.installation import data_folder

EVENTS = 1_000


def findings(seed: int) -> list[Finding]:
    """Both ways end as Stripe says, and alike."""
    with data_folder() as data, billing_stack.billing(data) as stack:
        books = billing.storm(stack, events=EVENTS, seed=seed)
    short = books.shortfalls(EVENTS)
    return [
        Finding(
            f"{EVENTS:,} events of Stripe, in order and in disorder",
            "; ".join(short) if short else str(books),
            "as Stripe says, both times",
            holds=not short,
            seconds=books.seconds,
            seed=str(seed),
        )
    ]
