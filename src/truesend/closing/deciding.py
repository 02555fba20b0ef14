"""Deleting an organization, and taking that back: an owner's, for seven days, under a lock on its row."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db import transaction
from django.db.models import QuerySet

from truesend import clock, live_events
from truesend.alerts import post, texts
from truesend.alerts.models import Letter
from truesend.closing.models import Closing
from truesend.organizations import access, audit, ending
from truesend.organizations.members import NotDone
from truesend.organizations.models import Member, Organization
from truesend.organizations.roles import Action
from truesend.sending import holding
from truesend.sending.models import Delivery, DeliveryStatus
from truesend.sending.states import PAUSED

GRACE = timedelta(days=7)
"""From the press of the button to the first erased row."""


class WrongName(NotDone):
    """What was typed is not how the organization is called."""

    def __init__(self, name: str) -> None:
        super().__init__(f"Type {name}, as it stands there, so that no slip does it.")


def begin(by: Member, typed: str) -> Closing:
    """Have it deleted in seven days: nothing is sent from now on, what waits is held, everybody is told.

    Raises :class:`~truesend.organizations.access.Refused`, :class:`~truesend.organizations.members.NotDone`.
    """
    now = clock.now()
    with _locked(by) as organization:
        if organization.ends_at is not None:
            raise NotDone(f"{ending.sentence(organization)} Somebody was there before you.")
        if _line(typed) != _line(organization.name):
            raise WrongName(organization.name)
        ends = now + GRACE
        Organization.objects.filter(pk=organization.pk, ends_at=None).update(ends_at=ends)
        organization.ends_at = ends
        closing = Closing.objects.create(
            organization=organization, asked_at=now, asked_by=by.user.email, look_at=ends
        )
        holding.hold(_waiting(organization), ending.CAUSE)
        audit.record(
            organization.pk, by, "organization.to_be_deleted", words=f"on {ending.day(organization)}"
        )
        told = texts.organization_ends(organization.name, by.user.get_full_name(), ending.day(organization))
        post.plan(Letter.Kind.CLOSING, _about(organization, now.isoformat()), _addresses(organization), told)
        live_events.publish(organization.pk, "account", [organization.pk])
    return closing


def keep(by: Member) -> int:
    """Take it back; of how many emails what was held waits for its hour again. Raises the same."""
    with _locked(by) as organization:
        closing = Closing.objects.filter(pk=organization.pk, erasing_at=None).first()
        if closing is None or Closing.objects.filter(pk=closing.pk, erasing_at=None).delete()[0] != 1:
            raise NotDone(f"{organization.name} is not to be deleted, or it is too late to take that back.")
        Organization.objects.filter(pk=organization.pk).update(ends_at=None)
        audit.record(organization.pk, by, "organization.kept")
        about = _about(organization, closing.asked_at.isoformat())
        # Who was not told yet is not told of what is over.
        post.take_back(Letter.Kind.CLOSING, about)
        addresses = post.told(Letter.Kind.CLOSING, about)
        post.plan(Letter.Kind.KEPT, about, addresses, texts.organization_kept(organization.name))
        live_events.publish(organization.pk, "account", [organization.pk])
        return _resume(organization)


@contextmanager
def _locked(by: Member) -> Iterator[Organization]:
    """A transaction that holds the organization; ``by`` must own it behind the lock."""
    with transaction.atomic():
        organization = Organization.objects.select_for_update(no_key=True).get(pk=by.organization_id)
        behind = Member.objects.active().filter(pk=by.pk).select_related("user", "organization").first()
        if behind is None:
            raise NotDone("You are no longer in the team.")
        access.check(behind, Action.END)
        yield organization


def _waiting(organization: Organization) -> QuerySet[Delivery]:
    queued = Delivery.objects.filter(email__organization=organization, status=DeliveryStatus.QUEUED)
    return queued.filter(due_at__isnull=False).exclude(held_cause=PAUSED)


def _resume(organization: Organization) -> int:
    held = Delivery.objects.filter(
        email__organization=organization, status=DeliveryStatus.QUEUED, held_cause=ending.CAUSE
    )
    mailboxes = list(held.order_by().values_list("connection_id", flat=True).distinct())
    return sum(holding.resume(one, {ending.CAUSE}) for one in mailboxes)


def _addresses(organization: Organization) -> list[str]:
    rows = Member.objects.current().filter(organization=organization).order_by("created_at")
    return list(rows.values_list("user__email", flat=True))


def _about(organization: Organization, since: str) -> str:
    return f"closing {organization.pk} {since}"[:120]


def _line(text: str) -> str:
    return " ".join(text.split())
