"""What is told of an account by mail: that it ends soon, that it has ended, and what an operator has to set right.

To its owners 7, 3 and 1 days before, and once when it has stopped. Each mail is a row, so it is written once.
"""

from __future__ import annotations

from datetime import UTC, datetime

from django.db import transaction

from truesend import clock
from truesend.alerts import post, texts
from truesend.alerts.models import Letter
from truesend.alerts.troubles import operators
from truesend.billing import account, state, words
from truesend.billing.models import BillingAccount, BillingSubscription
from truesend.billing.settling import settle
from truesend.billing.state import ENDED, KNOWN, Standing
from truesend.organizations.models import Member, Role

_AT_ONCE = 200


def look() -> None:
    """Settle and tell of every account of which time alone, or Stripe, has changed something."""
    if not account.is_on():
        return
    now = clock.now()
    due = BillingAccount.objects.filter(look_at__lte=now).select_related("organization")
    for row in due.order_by("look_at")[:_AT_ONCE]:
        with transaction.atomic():
            # Whoever else changes it meanwhile has it looked at again.
            if BillingAccount.objects.filter(pk=row.pk, look_at=row.look_at).update(look_at=None) != 1:
                continue
            found = settle(row)
            row.refresh_from_db(fields=["stopped_at"])
            _tell(row, found, now)
            _alarm(row, found)


def _tell(row: BillingAccount, found: Standing, now: datetime) -> None:
    name = row.organization.name
    if found.sends and found.stops_at is not None:
        days = state.notice_due(found.stops_at, now)
        if days:
            about = f"account {row.pk} {_day(found.stops_at)} {days}"
            text = texts.account_ends(words.ends(name, found, now, row.organization.zone))
            post.plan(Letter.Kind.ACCOUNT, about, _owners(row), text)
    elif not found.sends and row.stopped_at is not None:
        about = f"account {row.pk} stopped {row.stopped_at.timestamp():.6f}"
        text = texts.account_stopped(words.inactive(name, found))
        post.plan(Letter.Kind.ACCOUNT, about, _owners(row), text)


def _owners(row: BillingAccount) -> list[str]:
    found = Member.objects.active().filter(organization=row.pk, role=Role.OWNER)
    return list(found.order_by("created_at").values_list("user__email", flat=True))


def _day(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d}"


def _alarm(row: BillingAccount, found: Standing) -> None:
    """What only who runs the installation can set right: a price or a status we do not know, and two at a time."""
    rows = list(BillingSubscription.objects.filter(account=row).exclude(status__in=ENDED))
    said = [
        (f"price {one.price}", f"Subscription {one.external_id} is for the price {one.price}, which "
         "TRUESEND_STRIPE_PRICES does not name. The last tier that was known goes on.")
        for one in rows if not one.price_known
    ]  # fmt: skip
    said += [
        (f"status {one.external_id} {one.status}", f"Stripe calls subscription {one.external_id} “{one.status}”, "
         "which Truesend does not know. It gives nothing.")
        for one in rows if one.status not in KNOWN
    ]  # fmt: skip
    if found.live > 1:
        said.append(
            (f"two {row.pk} {found.live}", f"{row.organization.name} has {found.live} subscriptions at a time and pays "
             "for each. The best counts; end the others at Stripe.")
        )  # fmt: skip
    for about, sentence in said:
        post.plan(Letter.Kind.ACCOUNT, f"billing {about}"[:120], operators(), texts.billing_odd(sentence))
