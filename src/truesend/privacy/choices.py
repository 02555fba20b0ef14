"""What an organization chose for tracking and privacy, and changing it."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from truesend import live_events
from truesend.organizations.models import Organization, Privacy
from truesend.privacy import history, walks
from truesend.privacy.models import History

EVIDENCE_DAYS = (7, 30, 90, 180, 365, 730)
SIGNAL_MONTHS = (3, 6, 12, 24, 36)
"""What the page offers; any number from 1 on is kept as it is."""

LEVELS = {
    Privacy.FULL: "The address and the program that fetched the picture or followed the link are kept as they came.",
    Privacy.TRUNCATED: "Of the address its network is kept (203.0.113.0 for 203.0.113.7), of the program its name, "
    "version and system. Opens and clicks read the same.",
    Privacy.VERDICT: "Address, program and everything else about the request are erased. What it was judged to be "
    "stays, with its sentence: “Person: Firefox on Windows.” Nobody can look into it later, nor can newer rules.",
}


@dataclass(frozen=True, slots=True)
class Choices:
    """Of one organization; ``signal_months`` is ``None`` where opens and clicks stay for good."""

    track_by_default: bool
    privacy: str
    evidence_days: int
    signal_months: int | None


def of(organization: Organization) -> Choices:
    """As they stand."""
    return Choices(
        organization.track_by_default,
        organization.privacy,
        organization.evidence_days,
        organization.signal_months,
    )


def change(organization: UUID, wanted: Choices) -> bool:
    """Set them all; whether the past is now brought to a stricter level, which goes on in the worker."""
    with transaction.atomic():
        row = Organization.objects.select_for_update().get(pk=organization)
        before = of(row)
        Organization.objects.filter(pk=organization).update(
            track_by_default=wanted.track_by_default,
            privacy=wanted.privacy,
            evidence_days=wanted.evidence_days,
            signal_months=wanted.signal_months,
        )
        stricter = history.is_stricter(wanted.privacy, than=before.privacy)
        if stricter:
            history.begin(organization)
        elif wanted.privacy == Privacy.FULL:
            history.forget(organization)
        if _keeps_less(wanted, before):
            walks.hurry()
        live_events.publish(organization, "account", [organization])
    return stricter


def differences(before: Choices, wanted: Choices) -> str:
    """What of it changes, in words; empty where nothing does."""

    def kept(months: int | None) -> str:
        return "for ever" if months is None else f"{months} months"

    told = (
        ("tracked by default", _yes(before.track_by_default), _yes(wanted.track_by_default)),
        ("level", Privacy(before.privacy).label, Privacy(wanted.privacy).label),
        ("evidence", f"{before.evidence_days} days", f"{wanted.evidence_days} days"),
        ("opens and clicks", kept(before.signal_months), kept(wanted.signal_months)),
    )
    return "; ".join(f"{what}: {was} → {now}" for what, was, now in told if was != now)


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def progress(organization: UUID) -> History | None:
    """How far the past is on its way to the level, or that it arrived; ``None`` where it never had to go."""
    return History.objects.filter(pk=organization).first()


def _keeps_less(wanted: Choices, before: Choices) -> bool:
    never = 10**6
    return wanted.evidence_days < before.evidence_days or (wanted.signal_months or never) < (
        before.signal_months or never
    )
