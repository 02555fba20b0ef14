"""Making archives: one at a time to a row, begun anew where a worker died over it, ended where nobody may have it."""

from __future__ import annotations

import logging
import time
from datetime import timedelta
from uuid import UUID

from django.db.models import QuerySet

from truesend import clock
from truesend.exports import archive, asking, contents, folder
from truesend.exports.models import OPEN, Export, Status
from truesend.runtime import identity

log = logging.getLogger("truesend.exports")

KEPT = timedelta(days=7)
"""How long an archive can be had."""

MOST_TRIES = 5
_AGAIN = timedelta(minutes=1)
# One under way is looked at again after so long: until then its worker lives, or is known to be dead.
_UNDER_WAY = timedelta(seconds=15)
_TOLD_EVERY = 1.0


class _Ended(Exception):
    """It is to be made no more: it was dropped, somebody else makes it, or the worker ends."""


def look(export_id: UUID) -> None:
    """Do what an archive's row says: make it, delete it, or nothing."""
    rows = Export.objects.select_related("organization", "member__user", "member__organization")
    export = rows.filter(pk=export_id, look_at__lte=clock.now()).first()
    if export is None:
        return
    if export.status == Status.READY:
        if asking.overdue(export):
            asking.drop(export)
        return
    if not asking.may_have(export.member, export.scope):
        _fail(export, "You may not have it any more.")
    elif export.tries >= MOST_TRIES:
        _fail(export, "It was begun several times and never finished. Ask whoever runs this installation.")
    elif _claim(export):
        _make(export)


def _claim(export: Export) -> bool:
    total = contents.total(contents.reach_of(export))
    now = clock.now()
    taken = Export.objects.filter(pk=export.pk, tries=export.tries, status__in=OPEN).update(
        status=Status.MAKING, tries=export.tries + 1, look_at=now + _UNDER_WAY, done=0, total=total,
        place=folder.here(), problem="",
    )  # fmt: skip
    export.tries += 1
    export.total = total
    return taken == 1


def _make(export: Export) -> None:
    progress = _Progress(export)
    try:
        size = archive.write(folder.path_of(export.pk), contents.parts(export), clock.now(), progress)
    except _Ended:
        _own(export).update(status=Status.WAITING, tries=export.tries - 1, look_at=clock.now())
        return
    except OSError as error:
        log.warning("Export %s could not be written (%s); trying again.", export.pk, type(error).__name__)
        _own(export).update(
            status=Status.WAITING,
            look_at=clock.now() + _AGAIN,
            problem="There was no room for it on the disk, or it could not be written. It is tried again.",
        )
        asking.tell(export)
        return
    _finish(export, size)


def _finish(export: Export, size: int) -> None:
    now = clock.now()
    # While it was made a role may have changed: decided once more, by whoever downloads it as well.
    ready = _own(export).update(
        status=Status.READY,
        ready_at=now,
        expires_at=now + KEPT,
        look_at=now + KEPT,
        size=size,
        done=export.total,
    )
    if ready != 1:
        folder.remove(export.pk)
        return
    # Nobody fills a disk with archives: a new one takes the place of the one before.
    before = Export.objects.filter(member=export.member_id, scope=export.scope, status=Status.READY)
    for one in before.exclude(pk=export.pk):
        asking.drop(one)
    asking.tell(export)


def _fail(export: Export, why: str) -> None:
    Export.objects.filter(pk=export.pk, status__in=OPEN).update(
        status=Status.FAILED, look_at=None, problem=why
    )
    folder.remove(export.pk)
    asking.tell(export)


def _own(export: Export) -> QuerySet[Export]:
    """Its row, while it is this worker's."""
    return Export.objects.filter(pk=export.pk, status=Status.MAKING, tries=export.tries)


class _Progress:
    """Writes down how far it is, once a second, and sees there that it is still wanted."""

    def __init__(self, export: Export) -> None:
        self._export = export
        self._done = 0
        self._next = time.monotonic() + _TOLD_EVERY

    def __call__(self, rows: int) -> None:
        self._done += rows
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + _TOLD_EVERY
        look_at = clock.now() + _UNDER_WAY
        if identity.is_stopping() or _own(self._export).update(done=self._done, look_at=look_at) != 1:
            raise _Ended
        asking.tell(self._export)


def sweep() -> None:
    """Delete the files of this machine whose rows are gone."""
    lying = folder.names()
    if lying:
        kept = Export.objects.filter(pk__in=lying, status__in=[*OPEN, Status.READY])
        folder.remove_all_but(list(kept.values_list("pk", flat=True)))
