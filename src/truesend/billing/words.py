"""How an account stands, in sentences for its members. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from truesend import zones
from truesend.billing.state import Standing, State, Why

_ENDED = {
    Why.NONE: "is inactive",
    Why.TRIAL_ENDED: "is inactive: its trial is over",
    Why.PAYMENT_FAILED: "is inactive: the last payment failed and the seven days to settle it are over",
    Why.UNPAID: "is inactive: its invoices were not paid",
    Why.PAUSED: "is inactive: its trial ended without a way to pay",
    Why.INCOMPLETE: "is inactive: the first payment was not finished",
    Why.CANCELED: "is inactive: its subscription has ended",
    Why.UNKNOWN: "is inactive: Stripe gives its subscription a state that we do not know",
}


_IN_THE_LOG = {
    State.TRIAL: "Trial",
    State.ACTIVE: "Paid",
    State.PAST_DUE: "Payment overdue",
    State.INACTIVE: "Inactive",
}


def noted(standing: Standing) -> tuple[str, str]:
    """For the audit log: how an account stands, and until when or why."""
    about = _IN_THE_LOG[standing.state] + (f", {standing.tier.name}" if standing.tier else "")
    if standing.stops_at is not None:
        return about, f"until {standing.stops_at:%Y-%m-%d}"
    return about, _ENDED[standing.why].partition(": ")[2]


def inactive(organization: str, standing: Standing) -> str:
    """Why nothing is sent: a sentence."""
    return f"{organization}'s account {_ENDED[standing.why]}."


STOPPED = "Nothing is sent, scheduled or newly connected; everything is kept, and reading goes on."


def day(at: datetime, zone: str = "") -> str:
    """“3 March”, by the clocks of a zone; UTC without one."""
    there = at.astimezone(zones.zone(zone))
    return f"{there.day} {there:%B}"


def left(at: datetime, now: datetime) -> str:
    """“in 7 days”, “within a day”, “now”."""
    days = -(-(at - now) // timedelta(days=1))
    if days > 1:
        return f"in {days} days"
    return "within a day" if at > now else "now"


def ends(organization: str, standing: Standing, now: datetime, zone: str = "") -> str:
    """That it becomes inactive, when, and of what; a sentence for banner, page and mail. Empty where it does not."""
    if standing.stops_at is None or not standing.sends:
        return ""
    when = f"{left(standing.stops_at, now)}, on {day(standing.stops_at, zone)}"
    if standing.state is State.PAST_DUE:
        return f"The last payment of {organization} failed. Unless it is settled, sending stops {when}."
    if standing.state is State.TRIAL:
        return f"{organization}'s trial ends {when}."
    return f"{organization}'s subscription was cancelled and ends {when}."
