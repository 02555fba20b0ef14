"""A thread of the worker: looks each second at what may be to be told, and sends the mails.

Several workers may run it; every word and every mail is guarded by its row. A copy of the database tells nothing.
"""

from __future__ import annotations

import logging
import threading
import time

from django.db import DatabaseError, InterfaceError, close_old_connections, connection

from truesend.alerts import accounts, asks, due, post, troubles
from truesend.organizations import installation

log = logging.getLogger("truesend.alerts")

PERIOD = 1.0
_FORGETS_EVERY = 3600.0
_WARNS_EVERY = 15.0


def work() -> bool:
    """One look at everything; whether there is more to look at."""
    if not installation.may_act():
        return False
    more = troubles.look()
    asks.look()
    accounts.look()
    post.send_some()
    return more


def run_alerts(stop: threading.Event) -> None:
    """Work until ``stop`` is set; survives a database that goes away."""
    failing, forgets_at, warns_at = False, time.monotonic(), time.monotonic()
    while not stop.is_set():
        more = False
        try:
            close_old_connections()
            more = work()
            if time.monotonic() >= warns_at and installation.may_act():
                due.look()
                warns_at = time.monotonic() + _WARNS_EVERY
            if time.monotonic() >= forgets_at:
                post.forget()
                forgets_at = time.monotonic() + _FORGETS_EVERY
            failing = False
        except (DatabaseError, InterfaceError) as error:
            if not failing:
                log.warning("Nobody can be told anything now (%s); trying again.", type(error).__name__)
            failing = True
        except Exception:
            log.exception("Telling people of connections failed; trying again.")
        stop.wait(0.02 if more else PERIOD)
    connection.close()
