"""Wake-ups: a job says "look at this archive"; its row says what is to do."""

from __future__ import annotations

import time
from contextlib import suppress
from uuid import UUID

from django.db import transaction
from procrastinate.exceptions import AlreadyEnqueued

from truesend import clock
from truesend.exports.models import Export

_SWEPT_EVERY = 600.0
_sweeps_at = 0.0


def soon(export_id: UUID) -> None:
    """Wake a worker after the running transaction commits."""
    transaction.on_commit(lambda: defer(export_id))


def defer(export_id: UUID) -> None:
    """Put a look at it into the queue, unless one waits there already."""
    from truesend.exports.tasks import make_export

    name = f"export:{export_id}"
    with suppress(AlreadyEnqueued):
        make_export.configure(lock=name, queueing_lock=name).defer(export_id=str(export_id))


def wake_all(most: int) -> None:
    """Wake up for everything that is due: to be begun, to be gone on with after a worker's death, to be deleted."""
    due = Export.objects.filter(look_at__lte=clock.now()).order_by("look_at")
    for export_id in due.values_list("pk", flat=True)[:most]:
        defer(export_id)
    _sweep()


def _sweep() -> None:
    """Now and then look for files without a row."""
    from truesend.exports import making

    global _sweeps_at  # noqa: PLW0603 - one number of this process
    if time.monotonic() >= _sweeps_at:
        _sweeps_at = time.monotonic() + _SWEPT_EVERY
        making.sweep()
