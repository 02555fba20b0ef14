"""Jobs that stand in our name though nobody is at them."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

from truesend.sending.at_work import LOST_AFTER_SECONDS, AtWork


def test_a_job_is_lost_once_nobody_has_been_at_it_for_a_while() -> None:
    ours = AtWork()
    context = cast(Any, SimpleNamespace(job=SimpleNamespace(id=7)))

    async def job() -> list[int]:
        assert ours.lost([7, 8], 0.0) == []
        return ours.lost([7, 8], LOST_AFTER_SECONDS)

    assert asyncio.run(ours.around(job, context, cast(Any, None))) == [8]
    # It has just ended: the row may still follow.
    assert ours.lost([7], LOST_AFTER_SECONDS + 1) == []
    assert ours.lost([7], 2 * LOST_AFTER_SECONDS) == []
    assert ours.lost([7], 2 * LOST_AFTER_SECONDS + 1) == [7]
    # Gone between two looks, it begins anew.
    assert ours.lost([], 30.0) == []
    assert ours.lost([7], 60.0) == []
