"""A thread of the worker: begins accounts, and asks Stripe once a day about every one that is a customer there.

Only where the installation bills. Several workers may run it; every account is taken by one. A copy asks nothing.
"""

from __future__ import annotations

import logging
import threading
import time

from django.db import DatabaseError, InterfaceError, close_old_connections, connection

from truesend.billing import account, syncing, webhook
from truesend.organizations import installation
from truesend.organizations.models import Organization

log = logging.getLogger("truesend.billing")

PERIOD = 5.0
_FORGETS_EVERY = 3600.0
_AT_ONCE = 500


def work() -> None:
    """One look at everything."""
    if not installation.may_act():
        return
    new = Organization.objects.filter(billing=None).values_list("pk", flat=True)[:_AT_ONCE]
    account.begin(list(new))
    syncing.reconcile()


def run_billing(stop: threading.Event) -> None:
    """Work until ``stop`` is set; survives a database that goes away. Ends at once where nobody is billed."""
    if not account.is_on():
        return
    forgets_at = time.monotonic()
    while not stop.is_set():
        try:
            close_old_connections()
            work()
            if time.monotonic() >= forgets_at:
                webhook.forget()
                forgets_at = time.monotonic() + _FORGETS_EVERY
        except (DatabaseError, InterfaceError) as error:
            log.warning("Nobody can be reconciled now (%s); trying again.", type(error).__name__)
        except Exception:
            log.exception("Reconciling accounts failed; trying again.")
        stop.wait(PERIOD)
    connection.close()
