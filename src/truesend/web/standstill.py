"""Whether anything is sent and renewed at all. A worker that stands still cannot say so; the web process can."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

from truesend import clock
from truesend.connections.models import LedgerEntry, LedgerKind, Proof, Token
from truesend.sending.models import Attempt, Delivery, Worker

PATIENCE = timedelta(seconds=60)
# Every page asks; the answer is looked up so often.
_KEEP_SECONDS = 2.0
_CLOCK_MOVED = 1.0


class _Watch:
    """What this process has seen so far, in monotonic seconds. Its own start counts as a sign of life.

    After a restart of everything the old rows say that all stands still, until the new worker has had its minute.
    """

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._nobody_since: float | None = None
        self._offset = 0.0
        self._moved_at = float("-inf")
        self._asked_at = float("-inf")
        self._answer = False

    def stands_still(self) -> bool:
        """For :data:`PATIENCE` nobody has worked."""
        now = time.monotonic()
        if now - self._asked_at > _KEEP_SECONDS:
            self._asked_at = now
            self._answer = self._look(now)
        return self._answer

    def _look(self, now: float) -> bool:
        patience = PATIENCE.total_seconds()
        present, real = clock.now(), clock.real_now()
        offset = (present - real).total_seconds()
        if abs(offset - self._offset) > _CLOCK_MOVED:
            # The sandbox's clock jumped: what is due since then is not late.
            self._offset, self._moved_at = offset, now
        newest = Worker.objects.order_by("-beat_at").values_list("beat_at", flat=True).first()
        if newest is not None:
            self._nobody_since = None
            silent = real - newest > PATIENCE
        else:
            # A worker that ended in good order leaves no row behind to tell since when.
            self._nobody_since = now if self._nobody_since is None else self._nobody_since
            silent = now - self._nobody_since > patience
        if now - self._began <= patience:
            return False
        if silent:
            return True
        return now - self._moved_at > patience and (mail_lies(present) or renewals_lie(present))


def mail_lies(now: datetime) -> bool:
    """Mail is overdue, and nothing is being tried nor was any of those mailboxes: busy is not standing still."""
    overdue = Delivery.objects.filter(due_at__lte=now - PATIENCE)
    if not overdue.exists() or Attempt.objects.filter(outcome="").exists():
        return False
    tried = LedgerEntry.objects.filter(
        connection__in=overdue.values("connection_id"),
        kind__in=(LedgerKind.SEND, LedgerKind.REFRESH),
        at__gt=now - PATIENCE,
    )
    return not tried.exists()


def renewals_lie(now: datetime) -> bool:
    """A renewal is overdue, and none has been tried since; after a long pause they come one by one."""
    late = Token.objects.filter(
        due_at__lte=now - PATIENCE, dead_at=None, connection__disconnected_at=None
    ).exists()
    return late and not Proof.objects.filter(call="token.refresh", at__gt=now - PATIENCE).exists()


stands_still = _Watch().stands_still
