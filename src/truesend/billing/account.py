"""How an organization's account stands at this moment: the rows, read and judged anew each time.

Nothing is remembered in between, so that a reactivation holds on the next request of every process.
"""

from __future__ import annotations

from uuid import UUID

from truesend import clock, env
from truesend.billing import state
from truesend.billing.models import BillingAccount, BillingSubscription
from truesend.billing.state import UNLOCKED, Standing, Subscription
from truesend.billing.tiers import TOP
from truesend.organizations import ending
from truesend.organizations.models import Organization

INACTIVE = "account_inactive"


def is_on() -> bool:
    """Whether this installation bills anybody; where not, everything is unlocked and nothing is asked."""
    return env.require("BILLING") == "stripe"


def standing(organization_id: UUID) -> Standing:
    """How an account stands now. Its trial begins when it is first asked for."""
    if not is_on():
        return UNLOCKED
    return judged(row_of(organization_id))


def stopped_by(organization: Organization) -> str:
    """The cause that keeps an organization from sending, scheduling and connecting; empty where nothing does.

    ``organization`` is its row as it was read just now.
    """
    if organization.ends_at is not None:
        return ending.CAUSE
    return "" if standing(organization.pk).sends else INACTIVE


def judged(account: BillingAccount) -> Standing:
    """The standing of a row."""
    rows = BillingSubscription.objects.filter(account=account)
    return state.judge(account.trial_ends_at, [_fact(one) for one in rows], clock.now())


def row_of(organization_id: UUID) -> BillingAccount:
    """The account's row; begun, with the trial, where there is none yet."""
    found = BillingAccount.objects.filter(pk=organization_id).first()
    if found is not None:
        return found
    begin([organization_id])
    return BillingAccount.objects.get(pk=organization_id)


def begin(organization_ids: list[UUID]) -> None:
    """Begin the trial of organizations that have no account yet; once each, whoever comes first."""
    now = clock.now()
    ends = now + state.TRIAL
    fresh = Standing(state.State.TRIAL, TOP, stops_at=ends)
    BillingAccount.objects.bulk_create(
        [
            BillingAccount(
                organization_id=one,
                trial_ends_at=ends,
                state=fresh.state,
                tier=TOP.key,
                look_at=state.looks_again(fresh, now),
                reconcile_at=now,
            )
            for one in organization_ids
        ],
        ignore_conflicts=True,
    )


def _fact(row: BillingSubscription) -> Subscription:
    return Subscription(
        id=row.external_id,
        status=row.status,
        tier=row.tier,
        trial_ends_at=row.trial_ends_at,
        period_ends_at=row.period_ends_at,
        ends_at=row.ends_at,
        past_due_since=row.past_due_since,
    )
