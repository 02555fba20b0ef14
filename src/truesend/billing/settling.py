"""The state of an account written down and told: once for each change, to every open page of the organization."""

from __future__ import annotations

import logging

from django.db.models import Q

from truesend import clock, live_events
from truesend.billing import state, words
from truesend.billing.account import judged
from truesend.billing.models import BillingAccount
from truesend.billing.state import Standing
from truesend.organizations import audit

log = logging.getLogger("truesend.billing")


def settle(account: BillingAccount, *, look_now: bool = False) -> Standing:
    """Judge an account, write what changed and tell the open pages; call it in a transaction.

    ``look_now``: what is to be mailed of it is looked at in a moment; else when time alone changes something.
    """
    now, found = clock.now(), judged(account)
    tier = found.tier.key if found.tier is not None else ""
    row = BillingAccount.objects.filter(pk=account.pk)
    row.update(look_at=now if look_now else state.looks_again(found, now))
    moved = row.filter(~Q(state=found.state.value) | ~Q(tier=tier))
    stopped = {} if found.sends else {"stopped_at": now}
    if moved.update(state=found.state.value, tier=tier, **stopped) == 1:
        log.info(
            "The account of organization %s is %s %s.", account.pk, found.state.value, tier or found.why.value
        )
        about, why = words.noted(found)
        audit.record(account.pk, None, "billing.state", about=about, words=why)
        live_events.publish(account.pk, "account", [account.pk])
    return found
