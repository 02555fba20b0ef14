"""What Stripe says of a customer, fetched and written over what was known.

Events come twice, late and in any order, so none of them is believed: each only says that something changed. Questions
are numbered as they begin, and an answer is written only where no later question has been answered: of two that cross
the older one is dropped, and no transaction waits for the network.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from uuid import UUID

from django.db import connection, transaction

from truesend import clock, env
from truesend.billing import stripe_api, tiers
from truesend.billing.models import BillingAccount, BillingSubscription
from truesend.billing.settling import settle
from truesend.billing.state import ENDED, KNOWN
from truesend.billing.stripe_api import Seen

log = logging.getLogger("truesend.billing")

RECONCILED_EVERY = timedelta(days=1)


def refresh(account_id: UUID) -> None:
    """Ask Stripe how an organization's subscriptions stand, and write it. Raises StripeUnable."""
    number, customer = _ask(account_id)
    if not customer:
        return
    try:
        seen = stripe_api.subscriptions(customer)
    except stripe_api.StripeUnable as error:
        if not error.missing:
            raise
        _customer_gone(account_id, customer, number)
        return
    if all(one.status in ENDED for one in seen) and stripe_api.is_gone(customer):
        # Of one that was deleted Stripe may still list what it had.
        _customer_gone(account_id, customer, number)
        return
    write(account_id, number, [*seen, *_not_listed(account_id, seen)])


def _not_listed(account_id: UUID, seen: list[Seen]) -> list[Seen]:
    """What we know as living and Stripe's list leaves out, asked for by itself: what is not there has ended."""
    known = BillingSubscription.objects.filter(account=account_id).exclude(status__in=ENDED)
    return [_alone(row) for row in known.exclude(external_id__in=[one.id for one in seen])]


def _alone(row: BillingSubscription) -> Seen:
    try:
        return stripe_api.subscription(row.external_id)
    except stripe_api.StripeUnable as error:
        if not error.missing:
            raise
    return Seen(row.external_id, "canceled", row.price, row.trial_ends_at, row.period_ends_at, clock.now())


def _ask(account_id: UUID) -> tuple[int, str]:
    """The number of a question that begins now, and whom it is about."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE billing_billingaccount SET asked = asked + 1 WHERE organization_id = %s "
            "RETURNING asked, customer",
            [account_id],
        )
        found = cursor.fetchone()
    # The organization may have been erased meanwhile; then there is nobody to ask about.
    return (int(found[0]), str(found[1])) if found is not None else (0, "")


def write(account_id: UUID, number: int, seen: list[Seen]) -> bool:
    """Write an answer; False where a later question was answered already, and nothing changed."""
    now = clock.now()
    prices = tiers.read_prices(env.get("STRIPE_PRICES") or "")
    with transaction.atomic():
        if not _takes(account_id, number, reconcile_at=now + RECONCILED_EVERY):
            return False
        account = BillingAccount.objects.get(pk=account_id)
        known = {one.external_id: one for one in BillingSubscription.objects.filter(account=account)}
        for one in seen:
            _store(account, one, known.get(one.id), prices)
        settle(account, look_now=True)
    return True


def _takes(account_id: UUID, number: int, **fields: object) -> bool:
    newest = BillingAccount.objects.filter(pk=account_id, answered__lt=number)
    return newest.update(answered=number, **fields) == 1


def _store(account: BillingAccount, one: Seen, row: BillingSubscription | None, prices: tiers.Prices) -> None:
    now = clock.now()
    bought = prices.best_of((one.price, *one.others))
    owed = row.past_due_since if row is not None and row.past_due_since is not None else now
    if one.status not in KNOWN:
        log.error("Stripe calls subscription %s “%s”, which Truesend does not know.", one.id, one.status)
    if bought is None and one.status not in ENDED:
        log.error("Subscription %s is for a price that TRUESEND_STRIPE_PRICES does not name.", one.id)
    fields = {
        "status": one.status[:40],
        "price": one.price,
        "price_known": bought is not None,
        "tier": bought.key if bought is not None else row.tier if row is not None else _last_tier(account),
        "trial_ends_at": one.trial_ends_at,
        "period_ends_at": one.period_ends_at,
        "ends_at": one.ends_at,
        "past_due_since": owed if one.status == "past_due" else None,
        "seen_at": now,
    }
    if row is not None:
        BillingSubscription.objects.filter(pk=row.pk).update(**fields)
    else:
        BillingSubscription.objects.create(account=account, external_id=one.id, **fields)


def _last_tier(account: BillingAccount) -> str:
    """The last tier that was known of the account's subscriptions; the lowest where none was."""
    newest = BillingSubscription.objects.filter(account=account, price_known=True).order_by("-seen_at", "-pk")
    return newest.values_list("tier", flat=True).first() or tiers.LOWEST.key


def _customer_gone(account_id: UUID, customer: str, number: int) -> None:
    """Deleted at Stripe, and with it whatever it had: the next Checkout begins with another one."""
    with transaction.atomic():
        if not _takes(account_id, number, reconcile_at=clock.now() + RECONCILED_EVERY):
            return
        BillingAccount.objects.filter(pk=account_id, customer=customer).update(customer="")
        open_ = BillingSubscription.objects.filter(account_id=account_id).exclude(status__in=ENDED)
        open_.update(status="canceled", seen_at=clock.now())
        settle(BillingAccount.objects.get(pk=account_id), look_now=True)


def reconcile(*, at_most: int = 50) -> int:
    """Ask anew about accounts that were not asked about for a day: an event can be lost. How many were asked about.

    One that Stripe gives no answer about is tried again in an hour; the others do not wait for it.
    """
    now = clock.now()
    due = BillingAccount.objects.filter(reconcile_at__lte=now).exclude(customer="")
    asked = 0
    for account_id in list(due.order_by("reconcile_at").values_list("pk", flat=True)[:at_most]):
        later = {"reconcile_at": now + timedelta(hours=1)}
        if BillingAccount.objects.filter(pk=account_id, reconcile_at__lte=now).update(**later) != 1:
            continue  # another worker has it
        asked += 1
        try:
            refresh(account_id)
        except stripe_api.StripeUnable as error:
            log.warning("Stripe could not be asked about organization %s: %s", account_id, error.words)
    return asked
