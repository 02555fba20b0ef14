"""Whether anything is sent and renewed at all. A worker that stands still cannot say so; the web process can.

Each web process looks by itself, in a thread. What they find stands in one row, so that all of them say the same, a
new one knows at once, and each mail about it is sent once.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import DatabaseError, InterfaceError, close_old_connections, connection, transaction

from truesend import clock
from truesend.connections import outages
from truesend.connections.models import LedgerEntry, LedgerKind, Proof, Token
from truesend.organizations import installation
from truesend.organizations.models import Standstill
from truesend.sending.models import Attempt, Delivery, Worker
from truesend.web import standstill_mail

log = logging.getLogger("truesend.web")

# A mail cannot be taken back, so a minute passes before it is sent, and a row of the standstill is made.
PATIENCE = timedelta(seconds=60)
# A page can, so it tells sooner: a worker beats each second; whoever did not for 8 s has lost its jobs and connections
# to the others, and by then one that was started in its place, on a busy machine within another ten, would beat.
CERTAIN_AFTER = timedelta(seconds=20)
_LOOK_SECONDS = 2.0
_CLOCK_MOVED = 1.0
# Whoever has not looked for so long was paused, with the whole machine perhaps, or had no database: nothing that he
# has not seen counts.
_PAUSED = 30.0
# A shorter gap between two looks is no proof of a pause, but a doubt: the machine may be too busy for either side, and
# whoever wakes first must not blame the other. The shorter silence is measured anew after it.
_DOUBTFUL = 5.0
# A heartbeat so fresh is one.
_BEATS = 10.0


class Watch:
    """What this process has seen so far. Only its own monotonic seconds measure a silence: no clock that is set, no
    machine that slept and no jump of the sandbox's time looks like one."""

    def __init__(self) -> None:
        self._ended = threading.Event()
        self._afresh = True
        self._fresh_since = self._moved_at = self._beat_since = 0.0
        self._looked_at = self._undoubted_since = 0.0
        self._clock_ran_at = 0.0
        self._beat: datetime | None = None
        self._answer = False
        self._changed: Callable[[], None] = lambda: None

    def stands_still(self) -> bool:
        """No worker lives, or for :data:`PATIENCE` nothing was done, as of the last look."""
        return self._answer

    def start(self, changed: Callable[[], None]) -> None:
        """Begin to look, in a thread of its own, which calls ``changed`` whenever the answer is another one."""
        self._changed = changed
        threading.Thread(target=self._run, name="standstill", daemon=True).start()

    def stop(self) -> None:
        """Look no more."""
        self._ended.set()

    def _run(self) -> None:
        while True:
            began = time.monotonic()
            try:
                close_old_connections()
                self.look(began)
                self._afresh = time.monotonic() - began > _PAUSED
                standstill_mail.send_some()
            except (DatabaseError, InterfaceError) as error:
                if not self._afresh:
                    log.warning("The watch over the worker lost the database (%s).", type(error).__name__)
                self._afresh = True
            except Exception:
                log.exception("The watch over the worker failed; it goes on.")
            rested = time.monotonic()
            if self._ended.wait(_LOOK_SECONDS):
                break
            self._afresh = self._afresh or time.monotonic() - rested > _PAUSED
        connection.close()

    def look(self, now: float) -> None:
        """Look once, at ``now`` in monotonic seconds: open the row of a standstill, or end it."""
        present = clock.now()
        newest = Worker.objects.order_by("-beat_at").values_list("beat_at", flat=True).first()
        self._note(now, present, newest)
        if not installation.standing().adopted:
            self._say(False)  # nothing is to be sent from here, and nobody to be told
            return
        row = Standstill.objects.filter(lasts=True).first()
        if row is None:
            reason = self._reason(now, present)
            if reason is not None:
                _open(reason, newest)
            self._say(reason is not None or self._is_silent(now))
            return
        over = self._works(now, newest, row) and not mail_lies(present) and not renewals_lie(present)
        if over:
            _end(row)
        self._say(not over)

    def _say(self, answer: bool) -> None:
        if answer != self._answer:
            self._answer = answer
            self._changed()

    def _is_silent(self, now: float) -> bool:
        return now - max(self._beat_since, self._undoubted_since) > CERTAIN_AFTER.total_seconds()

    def _note(self, now: float, present: datetime, newest: datetime | None) -> None:
        if self._afresh:
            self._fresh_since = self._beat_since = now
            self._afresh = False
        if now - self._looked_at > _DOUBTFUL:
            self._undoubted_since = now
        self._looked_at = now
        runs_at = present.timestamp() - now
        if abs(runs_at - self._clock_ran_at) > _CLOCK_MOVED:
            self._moved_at = now  # what is due since then is not late
        self._clock_ran_at = runs_at
        if newest != self._beat:
            self._beat, self._beat_since = newest, now

    def _reason(self, now: float, present: datetime) -> str | None:
        patience = PATIENCE.total_seconds()
        if now - self._beat_since > patience:
            return "silent"
        if now - max(self._moved_at, self._fresh_since) <= patience:
            return None
        if mail_lies(present):
            return "mail"
        return "renewals" if renewals_lie(present) else None

    def _works(self, now: float, newest: datetime | None, row: Standstill) -> bool:
        """Somebody has beaten since, and still does."""
        return newest is not None and newest != row.last_beat_at and now - self._beat_since < _BEATS


def _open(reason: str, newest: datetime | None) -> None:
    real = clock.real_now()
    began = newest if reason == "silent" and newest is not None else real - PATIENCE
    row = Standstill(reason=reason, began_at=began, last_beat_at=newest, noticed_at=real)
    with transaction.atomic():
        if Standstill.objects.bulk_create([row], ignore_conflicts=True) and (
            mine := Standstill.objects.filter(lasts=True, noticed_at=real).first()
        ):
            standstill_mail.plan(mine)
            log.error("Nothing is sent or renewed (%s) since %s.", reason, f"{began:%Y-%m-%d %H:%M:%S} UTC")


def _end(row: Standstill) -> None:
    with transaction.atomic():
        if (
            Standstill.objects.filter(pk=row.pk, lasts=True).update(lasts=None, ended_at=clock.real_now())
            == 1
        ):
            standstill_mail.plan_end(row)
            log.warning("Mail is sent and tokens are renewed again.")


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
    """A renewal is overdue, and none has been tried since; after a long pause they come one by one.

    Those of a provider that is down wait, which is no standstill of ours.
    """
    late = Token.objects.filter(due_at__lte=now - PATIENCE, dead_at=None, connection__disconnected_at=None)
    late = late.exclude(provider__in=outages.waiting())
    return late.exists() and not Proof.objects.filter(call="token.refresh", at__gt=now - PATIENCE).exists()


watch = Watch()
stands_still = watch.stands_still
