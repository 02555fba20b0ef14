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
        # At renewals whose rows are due until they are renewed; those that are announced are not.
        self._holding = 0
        self._rounds = 0
        # Renewals that came to an end since the last look.
        self._done = 0
        self._ended = False

    def wake(self) -> None:
        """Look for what is due, and see to it that enough threads are at it. Raises what the database raises."""
        if self._ended or not (due := self._due()):
            return
        with self._changed:
            self._rounds += 1
            left = max(0, due - self._holding)
            # Where all that are at it hang, nobody waits behind them.
            hang = len(self._threads) > self._resting and not self._done
            wanted = left if hang else -(-left // _EACH)
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

    def _renew_one(self, providers: list[str]) -> bool:
        """Renew one token, of the first provider that has one due and may be asked; False where none has."""
        if not installation.may_act():
            return False
        return any(outages.may_ask(one) and self._renew_at(one) for one in providers)

    def _renew_at(self, provider: str) -> bool:
        holds = not registry.provider(provider).renews_once
        with self._changed:
            self._holding += holds
        try:
            return renewal.next_due(provider)
        finally:
            with self._changed:
                self._holding -= holds

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
