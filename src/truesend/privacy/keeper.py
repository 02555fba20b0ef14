"""What is kept is kept no longer than an organization wants: a thread of the worker that always goes on a step.

Several workers may run it; each step holds the row of what it works on, so that one at a time does it.
"""

from __future__ import annotations

import logging
import threading

from django.db import DatabaseError, InterfaceError, close_old_connections, connection

from truesend.organizations import installation
from truesend.privacy import history, walks

log = logging.getLogger("truesend.privacy")

PERIOD = 2.0
"""Seconds between two looks where there is nothing to do."""

BREATH = 0.02
"""Seconds between two steps: mail and answers go first."""

_STEPS = (walks.judged, history.step, walks.kept, walks.signals)


def work() -> bool:
    """A step of everything there is to do; whether there is more. A copy of the database stands still (ADR 0009)."""
    if not installation.standing().adopted:
        return False
    more = [step() for step in _STEPS]
    return any(more)


def run_keeper(stop: threading.Event) -> None:
    """Work until ``stop`` is set; survives a database that goes away."""
    failing = False
    while not stop.is_set():
        more = False
        try:
            close_old_connections()
            more = work()
            failing = False
        except (DatabaseError, InterfaceError) as error:
            if not failing:
                log.warning(
                    "What is kept cannot be looked through now (%s); trying again.", type(error).__name__
                )
            failing = True
        except Exception:
            log.exception("Looking through what is kept failed; trying again.")
        stop.wait(BREATH if more else PERIOD)
    connection.close()
