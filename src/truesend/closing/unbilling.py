"""Nobody is charged for what is gone: the subscriptions of an organization that is erased end at Stripe first."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from uuid import UUID

from truesend import clock
from truesend.alerts import post, texts
from truesend.alerts.models import Letter
from truesend.alerts.troubles import operators
from truesend.billing import account, stripe_api
from truesend.billing.models import BillingAccount, BillingEvent
from truesend.billing.state import ENDED
from truesend.closing.models import Closing

log = logging.getLogger("truesend.closing")

_AGAIN = timedelta(minutes=5)
_TOLD_AFTER = timedelta(days=1)


def work(organization_id: UUID) -> bool:
    """Whether nothing is charged any more. Asked of Stripe, and tried again for as long as it takes.

    Where billing was switched off on this installation and a customer is left, its operators are told: nobody here
    can end anything at Stripe then, and the row that names the customer stays.
    """
    bill = BillingAccount.objects.filter(pk=organization_id).exclude(customer="").first()
    if bill is None:
        return _done(organization_id)
    try:
        if not account.is_on():
            raise stripe_api.StripeUnable("Billing is switched off here, so nothing can be ended at Stripe.")
        for one in stripe_api.subscriptions(bill.customer):
            if one.status not in ENDED:
                stripe_api.cancel(one.id)
        # Else a page of Checkout that is still open somewhere could subscribe again.
        stripe_api.delete_customer(bill.customer)
    except stripe_api.StripeUnable as error:
        if error.missing:
            return _done(organization_id)
        _not_yet(organization_id, bill.customer, error.words)
        return False
    return _done(organization_id)


def next_at(organization_id: UUID) -> datetime | None:
    """When Stripe is to be asked again; ``None`` where it need not be."""
    open_ = Closing.objects.filter(pk=organization_id, unbilled_at=None).exists()
    return clock.now() + _AGAIN if open_ else None


def forget(organization_id: UUID) -> None:
    """What Stripe told of it, in the running transaction."""
    customers = BillingAccount.objects.filter(pk=organization_id).exclude(customer="")
    for customer in customers.values_list("customer", flat=True):
        BillingEvent.objects.filter(customer=customer).delete()


def _done(organization_id: UUID) -> bool:
    Closing.objects.filter(pk=organization_id, unbilled_at=None).update(unbilled_at=clock.now(), problem="")
    return True


def _not_yet(organization_id: UUID, customer: str, words: str) -> None:
    log.warning("The subscription of organization %s could not be ended: %s", organization_id, words)
    closing = Closing.objects.get(pk=organization_id)
    Closing.objects.filter(pk=organization_id).update(problem=words[:300])
    began = closing.erasing_at or clock.now()
    if clock.now() - began >= _TOLD_AFTER:
        said = f"The subscription of customer {customer} could not be ended: {words} End it at Stripe."
        post.plan(Letter.Kind.ACCOUNT, f"unbilled {customer}"[:120], operators(), texts.billing_odd(said))
