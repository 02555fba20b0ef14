"""`/webhooks/stripe`: what Stripe tells. Verified by its signature, kept once, and only ever a hint to ask anew.

Stripe delivers at least once and in any order, and again for three days where the answer is not 2xx.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import DatabaseError, InterfaceError
from django.db.models import F

from truesend import clock, env
from truesend.billing import stripe_api, syncing
from truesend.billing.models import BillingAccount, BillingEvent

log = logging.getLogger("truesend.billing")

LARGEST = 512 * 1024
TOLERANCE = timedelta(minutes=5)
KEPT = timedelta(days=90)
# What may change how an account stands. All others are taken and left alone.
HANDLED = frozenset(
    {
        "checkout.session.completed",
        "checkout.session.async_payment_succeeded",
        "checkout.session.async_payment_failed",
        "customer.deleted",
        "customer.subscription.created",
        "customer.subscription.updated",
        "customer.subscription.deleted",
        "customer.subscription.paused",
        "customer.subscription.resumed",
        "customer.subscription.trial_will_end",
        "invoice.paid",
        "invoice.payment_failed",
        "invoice.payment_action_required",
    }
)
_S = BillingEvent.Status


class Forged(Exception):
    """Not from Stripe, or too old or too far ahead to be believed; says why in words without secrets."""


@dataclass(frozen=True)
class Told:
    """What an event says, as far as anything is made of it."""

    id: str
    kind: str
    created_at: datetime
    customer: str
    # The organization that a Checkout session was begun for, where it names one.
    reference: str
    # Whether money moves, or it is a test.
    live: bool


def verify(body: bytes, header: str) -> Told:
    """The event in ``body``, whose bytes must be those that were signed. Raises :class:`Forged`."""
    import stripe

    secret = env.require("STRIPE_WEBHOOK_SECRET")
    try:
        # By the library, but for its age: it believes any time to come, and our clock may be moved.
        event = stripe.Webhook.construct_event(body, header, secret, tolerance=0)
        found: dict[str, Any] = event.to_dict()
    except stripe.SignatureVerificationError as error:
        raise Forged(stripe_api.redacted(str(error.user_message))) from None
    except (ValueError, TypeError, AttributeError, LookupError, RecursionError):
        raise Forged("The body is no event.") from None
    signed = datetime.fromtimestamp(_signed_at(header), UTC)
    if abs(clock.now() - signed) > TOLERANCE:
        raise Forged("It was signed too long ago, or in the future.")
    return _told(found)


def _signed_at(header: str) -> float:
    parts = (part.split("=", 1) for part in header.split(","))
    at = next((float(one[1]) for one in parts if one[0] == "t"), 0.0)
    return min(max(at, 0.0), 4_000_000_000.0)


def _told(found: dict[str, Any]) -> Told:
    data = found.get("data")
    thing = data.get("object") if isinstance(data, dict) else None
    thing = thing if isinstance(thing, dict) else {}
    kind, event_id, created = found.get("type"), found.get("id"), found.get("created")
    if not isinstance(kind, str) or not isinstance(event_id, str) or not isinstance(created, int):
        raise Forged("The body is no event.")
    customer = thing.get("id") if thing.get("object") == "customer" else thing.get("customer")
    if isinstance(customer, dict):
        customer = customer.get("id")
    reference = thing.get("client_reference_id")
    return Told(
        event_id[:255],
        kind[:120],
        datetime.fromtimestamp(min(max(created, 0), 4_000_000_000), UTC),
        customer[:255] if isinstance(customer, str) else "",
        reference if isinstance(reference, str) else "",
        found.get("livemode") is True,
    )


def receive(body: bytes, header: str) -> int:
    """Take a delivery; the status to answer with. 400: not believed; 500: to be delivered again."""
    try:
        told = verify(body, header)
    except Forged as error:
        log.warning("A call to /webhooks/stripe was not believed: %s", error)
        return 400
    BillingEvent.objects.bulk_create(
        [BillingEvent(event_id=told.id, kind=told.kind, customer=told.customer, created_at=told.created_at, times=0)],
        ignore_conflicts=True,
    )  # fmt: skip
    row = BillingEvent.objects.filter(event_id=told.id)
    row.update(times=F("times") + 1)
    if row.filter(status__in=(_S.DONE, _S.IGNORED)).exists():
        return 200
    try:
        status, why = _handle(told)
    except stripe_api.StripeUnable as error:
        row.exclude(status=_S.DONE).update(status=_S.FAILED, error=error.words)
        log.warning("Event %s (%s) waits: %s", told.id, told.kind, error.words)
        return 500
    except (DatabaseError, InterfaceError):
        raise
    except Exception as error:
        row.exclude(status=_S.DONE).update(status=_S.FAILED, error=type(error).__name__)
        log.exception("Event %s (%s) could not be handled; Stripe delivers it again.", told.id, told.kind)
        return 500
    row.exclude(status=_S.DONE).update(status=status, error=why)
    return 200


def _handle(told: Told) -> tuple[str, str]:
    """Ask Stripe about the organization it concerns; (what became of it, why nothing)."""
    if told.kind not in HANDLED:
        return _S.IGNORED, ""
    if told.live is not stripe_api.is_live():
        return _S.IGNORED, "It is of Stripe's other mode, test or live, than the key."
    account_id = _whose(told)
    if account_id is None:
        return _S.IGNORED, "No organization here is that customer."
    if told.reference and told.reference != str(account_id):
        log.error(
            "Event %s names one organization and the customer of another; nothing was changed.", told.id
        )
        return _S.IGNORED, "It names another organization than its customer's."
    syncing.refresh(account_id)
    return _S.DONE, ""


def _whose(told: Told) -> UUID | None:
    """The organization of the customer. What an event says of itself binds nobody: only our own Checkout does."""
    if not told.customer:
        return None
    return BillingAccount.objects.filter(customer=told.customer).values_list("pk", flat=True).first()


def forget() -> None:
    """Drop what was told long ago: Stripe delivers nothing again after three days."""
    BillingEvent.objects.filter(received_at__lt=clock.now() - KEPT).delete()


__all__ = ["HANDLED", "LARGEST", "Forged", "Told", "forget", "receive", "verify"]
