"""What signals come to, counted one by one: what the tallies have to say without counting."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from truesend.tracking.models import Signal
from truesend.tracking.query import Told, rank


def told(signals: Sequence[Signal]) -> Told | None:
    """Of the signals of one email; ``None`` where they say nothing."""
    copies: dict[UUID, list[Signal]] = defaultdict(list)
    for one in signals:
        copies[one.delivery].append(one)
    telling = [one for one in signals if rank(one)]
    if not telling:
        return None
    best = max(telling, key=lambda one: (rank(one), one.at, one.pk))
    ranks = [{rank(one) for one in copy} for copy in copies.values()]
    beside = copies[best.delivery]
    return Told(
        level=rank(best),
        best=best,
        opened=sum(bool(found & {4, 5, 6}) for found in ranks),
        clicked=sum(5 in found for found in ranks),
        answered=sum(6 in found for found in ranks),
        clicks=sum(one.count for one in beside if rank(one) == 5 and one.link == best.link),
        scanned=len(
            {one.link for one in beside if one.kind == "click" and not one.struck and one.link is not None}
        ),
        proxied=any(one.klass == "proxy" and not one.struck for one in signals),
    )
