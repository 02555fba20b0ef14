"""Threads that renew what is due, as many as there is work for, and none where there is none."""

from __future__ import annotations

import itertools
import logging
import threading

from django.db import Error as DatabaseUnable
from django.db import connection

from truesend import clock
from truesend.connections import outages, renewal
from truesend.connections.models import Token
from truesend.organizations import installation
from truesend.providers import registry
from truesend.runtime import identity

log = logging.getLogger("truesend.connections")

# One thread for so many that are due: most of what it does is waiting for an answer.
_EACH = 4
# A thread that has found nothing to do for so long ends, and its connection with it.
_IDLE_SECONDS = 5.0


class Renewers:
    """The threads of this process."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._threads: set[threading.Thread] = set()
        self._resting = 0
        self._rounds = 0
        # Renewals that came to an end since the last look.
        self._done = 0
        self._ended = False

    def wake(self) -> None:
        """Look for what is due, and see to it that enough threads are at it. Raises what the database raises."""
        due = self._due()
        if not due:
            return
        with self._changed:
            self._rounds += 1
            busy = len(self._threads) - self._resting
            # What the busy ones hold in their hands is due as well; where they all hang, nobody waits behind them.
            left = max(0, due - busy)
            wanted = -(-left // _EACH) if self._done or not busy else left
            self._done = 0
            for _ in range(min(wanted - self._resting, renewal.AT_ONCE - len(self._threads))):
                thread = threading.Thread(target=self._run, name="renewer", daemon=True)
                self._threads.add(thread)
                thread.start()
            self._changed.notify_all()

    def end(self, seconds: float) -> None:
        """Begin nothing more, and wait until what is under way has ended, at most so long."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._threads, seconds)

    @staticmethod
    def _due() -> int:
        """How many are due, as far as it matters; of a provider that is down one at most."""
        now, turns = clock.now(), outages.turns()
        due = Token.objects.filter(due_at__lte=now, dead_at=None).values_list("pk")
        free = due.filter(provider__in=[one for one in registry.PROVIDERS if one not in turns])
        count = len(free[: _EACH * renewal.AT_ONCE])
        for provider, ask_at in turns.items():
            count += ask_at <= now and due.filter(provider=provider).exists()
        return count

    def _run(self) -> None:
        turn = itertools.cycle(registry.PROVIDERS)
        try:
            while not self._is_over():
                seen = self._rounds
                if self._renew_one([next(turn) for _ in registry.PROVIDERS]):
                    self._done += 1
                elif not self._rest(seen):
                    break
                next(turn)
        except DatabaseUnable as error:
            log.info("Renewals stop for a moment: the database is away (%s).", type(error).__name__)
        finally:
            connection.close()
            with self._changed:
                self._threads.discard(threading.current_thread())
                self._changed.notify_all()

    @staticmethod
    def _renew_one(providers: list[str]) -> bool:
        """Renew one token, of the first provider that has one due and may be asked; False where none has."""
        if not installation.may_act():
            return False
        return any(outages.may_ask(one) and renewal.next_due(one) for one in providers)

    def _rest(self, seen: int) -> bool:
        """Until there may be something to do; False where there was nothing for a while."""
        with self._changed:
            self._resting += 1
            try:
                return self._changed.wait_for(lambda: self._rounds != seen or self._ended, _IDLE_SECONDS)
            finally:
                self._resting -= 1

    def _is_over(self) -> bool:
        return self._ended or identity.is_stopping()
