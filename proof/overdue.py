"""Three hundred emails written for hours that pass in an outage of three hours: at all providers, and of our worker."""

from __future__ import annotations

from proof.finding import Finding
from tests import stack as stacks
from tests.storms import overdue

from truesend.bench.installation import data_folder

EMAILS = 300
_KINDS = {"provider": "outage at the providers", "worker": "worker that stood still"}


def findings(seed: int) -> list[Finding]:
    """Nothing leaves late unasked; what is let go leaves in its pace; each once."""
    return [_finding(kind, what) for kind, what in _KINDS.items()]


def _finding(kind: str, what: str) -> Finding:
    with data_folder() as data, stacks.running(data) as stack:
        books = overdue.storm(stack, kind, emails=EMAILS)
    short = books.shortfalls()
    return Finding(
        f"{what}, 3 hours, {EMAILS} scheduled",
        "; ".join(short) if short else str(books),
        "none late unasked, each once",
        holds=not short,
        seconds=books.seconds,
    )
