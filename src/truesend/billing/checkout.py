"""The owner's ways to Stripe: Checkout for who has no subscription, the portal for who has one, and back."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import uuid4

from django.db import transaction

from truesend import clock, env
from truesend.billing import account, stripe_api, syncing, tiers
from truesend.billing.models import BillingAccount, BillingSubscription
from truesend.billing.state import ENDED
from truesend.organizations import audit
from truesend.organizations.models import Member

BACK = "/account/billing"
# Stripe takes an end of a trial that is at least 48 hours ahead; filling in the form takes a while too.
_TRIAL_AHEAD = timedelta(hours=49)
# Stripe's own template for the session's id.
_SESSION = "{CHECKOUT_SESSION_ID}"


class NotSold(Exception):
    """No price of that tier is set."""


def prices() -> tiers.Prices:
    """What is sold."""
    return tiers.read_prices(env.get("STRIPE_PRICES") or "")


def begin(owner: Member, tier_key: str) -> str:
    """The address at which the owner subscribes to a tier; the portal where something is to be settled first.

    Raises :class:`NotSold` and :class:`~truesend.billing.stripe_api.StripeUnable`.
    """
    price = prices().sold.get(tier_key)
    if price is None:
        raise NotSold
    row = account.row_of(owner.organization_id)
    syncing.refresh(row.pk)
    row.refresh_from_db()
    customer = row.customer or _customer(row, owner)
    if has_subscription(row):
        # A second one would be paid beside the first.
        return portal(owner)
    now = clock.now()
    tries = row.trial_ends_at if tries_on(row) else None
    made = BillingSubscription.objects.filter(account=row).count()
    # Stripe remembers a wish for a day, and a page lives as long: pressed twice, it is the same page.
    session = _checkout(owner, customer, price, tries, f"{made} {now:%Y-%m-%d}")
    if session.status != "open" or not session.url:
        session = _checkout(owner, customer, price, tries, str(uuid4()))
    with transaction.atomic():
        audit.record(owner.organization_id, owner, "billing.checkout", about=tier_key, ref=session.id)
    return session.url


def tries_on(row: BillingAccount) -> bool:
    """Whether who subscribes now goes on trying until the end of their own trial, and is charged then."""
    return row.trial_ends_at > clock.now() + _TRIAL_AHEAD


def _checkout(
    owner: Member, customer: str, price: str, tries: datetime | None, wish: str
) -> stripe_api.Session:
    here = f"{env.public_url()}{BACK}"
    return stripe_api.begin_checkout(
        owner.organization_id,
        customer=customer,
        price=price,
        trial_ends_at=tries,
        success_url=f"{here}?checkout={_SESSION}",
        cancel_url=here,
        wish=wish,
    )


def has_subscription(row: BillingAccount) -> bool:
    """Whether there is one that is not over: it is changed, paid or ended at the portal."""
    open_ = BillingSubscription.objects.filter(account=row).exclude(status__in=[*ENDED, "incomplete"])
    return bool(row.customer) and open_.exists()


def _customer(row: BillingAccount, owner: Member) -> str:
    """Whom Stripe knows the organization as, made once."""
    made = stripe_api.make_customer(row.pk, owner.organization.name, owner.user.email, after=row.answered)
    BillingAccount.objects.filter(pk=row.pk, customer="").update(customer=made)
    return str(BillingAccount.objects.values_list("customer", flat=True).get(pk=row.pk))


def portal(owner: Member) -> str:
    """The address at which the owner changes, pays or cancels. Raises StripeUnable."""
    customer = account.row_of(owner.organization_id).customer
    try:
        address = stripe_api.portal(customer, f"{env.public_url()}{BACK}")
    except stripe_api.StripeUnable as error:
        if error.missing:
            # Deleted there: from now on a plan is chosen anew.
            syncing.refresh(owner.organization_id)
        raise
    with transaction.atomic():
        audit.record(owner.organization_id, owner, "billing.portal", ref=customer)
    return address


def came_back(owner: Member, session_id: str) -> bool:
    """Whether the owner comes back from a Checkout of their own; the account is then asked about anew.

    The address proves nothing by itself. Raises StripeUnable.
    """
    session = stripe_api.checkout(session_id)
    row = account.row_of(owner.organization_id)
    if not row.customer or session.customer != row.customer or session.reference != str(row.pk):
        return False
    syncing.refresh(row.pk)
    return session.status == "complete"
