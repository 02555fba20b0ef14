"""Whether the tracking hosts of organizations lead to this installation: before one is used, and again and again after.

A thread of the worker; several may run it, each address is looked at by one.
"""

from __future__ import annotations

import logging
import threading
from datetime import timedelta

from django.db import DatabaseError, InterfaceError, close_old_connections, connection

from truesend import clock, env
from truesend.alerts import hosts as told
from truesend.diagnostics import reach
from truesend.organizations import installation, tracking_host
from truesend.organizations.models import Organization

log = logging.getLogger("truesend.diagnostics")

EVERY = timedelta(minutes=15)
PERIOD = 5.0
_AT_ONCE = 20
# A host that misses once may only be restarting.
_AGAIN_SECONDS = 3.0


def refusal(url: str) -> str:
    """Why an address is not one for links, in a sentence; empty where it leads to this installation's tracker."""
    if env.environment() != "dev" and tracking_host.leads_inside(url):
        return f"{url} leads into a private network, where no recipient is."
    answer = reach.ask(url, [key for _, key in env.link_keys()])
    if answer.ours:
        return ""
    if answer.failure:
        return f"Nobody answers at {url}: {answer.failure}."
    if answer.led_to:
        return f"{url} leads on to another address."
    return f"Somebody else answers at {url}, not this Truesend."


def look(stop: threading.Event) -> None:
    """Look at every address that was not looked at for a quarter of an hour."""
    own = Organization.objects.exclude(tracking_url="")
    due = own.filter(tracking_checked_at__lte=clock.now() - EVERY).order_by("tracking_checked_at")
    for row in due[:_AT_ONCE]:
        mine = own.filter(
            pk=row.pk, tracking_url=row.tracking_url, tracking_checked_at=row.tracking_checked_at
        )
        if stop.is_set() or mine.update(tracking_checked_at=clock.now()) != 1:
            continue  # another worker has it, or it was changed
        why = refusal(row.tracking_url)
        if why and not stop.wait(_AGAIN_SECONDS):
            why = refusal(row.tracking_url)
        told.note(row.pk, row.tracking_url, why)


def run_hosts(stop: threading.Event) -> None:
    """Work until ``stop`` is set; survives a database that goes away. A copy of the database looks at nothing."""
    while not stop.is_set():
        try:
            close_old_connections()
            if installation.may_act():
                look(stop)
        except (DatabaseError, InterfaceError) as error:
            log.warning("No tracking host can be looked at now (%s); trying again.", type(error).__name__)
        except Exception:
            log.exception("Looking at tracking hosts failed; trying again.")
        stop.wait(PERIOD)
    connection.close()
