"""Erasing an organization: in pieces, each a transaction of its own, so that a worker that is killed loses nothing.

Every piece finds what is left by itself, so whoever comes next goes on. What the outside must hear (permissions
withdrawn, Stripe's subscription ended) is heard before the last rows go, and tried again until then.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from truesend import clock, live_events
from truesend.alerts import post, texts
from truesend.alerts.models import Ask, Letter
from truesend.blocklist import outliving
from truesend.closing import account, plan, revoking, unbilling
from truesend.closing.models import Closing, Revocation
from truesend.connections.models import Connection
from truesend.exports import asking
from truesend.exports.models import Export
from truesend.organizations import audit, installation, sessions
from truesend.organizations.invitation_models import Invitation
from truesend.organizations.models import ApiToken, Member, Organization, User
from truesend.runtime import identity
from truesend.sending.models import Delivery, Email
from truesend.tracking.classifier import lock_all

log = logging.getLogger("truesend.closing")

ROWS = 2_000
"""Of one piece."""

COPIES = 500
EMAILS = 100
MEMBERS = 50
# What a mail is about is looked for by so many ids at once.
_NAMES = 100
_AGAIN = timedelta(seconds=30)
# Stay until the outside has heard: who is to be withdrawn what, and what is paid.
_TO_THE_LAST = frozenset(
    {
        "organizations_member",
        "closing_closing",
        "closing_revocation",
        "billing_billingaccount",
        "billing_billingsubscription",
    }
)


def work(organization_id: UUID) -> bool:
    """Go on erasing an organization whose days are over; whether nothing of it is left."""
    if not installation.may_act() or not _begun(organization_id):
        return False
    # Should something fail on the way, it is not tried again at once and for ever.
    Closing.objects.filter(pk=organization_id).update(look_at=clock.now() + _AGAIN)
    revoking.end_all(organization_id)
    for _ in _pieces(organization_id):
        if identity.is_stopping():
            return False
    withdrawn = revoking.work(organization_id)
    unbilled = unbilling.work(organization_id)
    if withdrawn and unbilled:
        _finish(organization_id)
        return True
    _later(organization_id)
    return False


def _begun(organization_id: UUID) -> bool:
    """Whether it is being erased: nobody can take it back from here on, and nobody of it is let in."""
    now = clock.now()
    with transaction.atomic():
        rows = Organization.objects.select_for_update(no_key=True).filter(pk=organization_id)
        organization = rows.first()
        closing = Closing.objects.filter(pk=organization_id).first()
        if organization is None or closing is None:
            return False
        if closing.erasing_at is not None:
            return True
        if organization.ends_at is None or organization.ends_at > now:
            return False
        Closing.objects.filter(pk=organization_id, erasing_at=None).update(erasing_at=now)
        _shut(organization, now)
        return True


def _shut(organization: Organization, now: datetime) -> None:
    log.warning("Organization %s is being erased.", organization.pk)
    audit.record(organization.pk, None, "organization.erasing")
    found = list(Member.objects.current().filter(organization=organization).select_related("user"))
    addresses = [one.user.email for one in found]
    ApiToken.objects.filter(member__organization=organization, revoked_at=None).update(revoked_at=now)
    open_ = Invitation.objects.filter(organization=organization, accepted_at=None, revoked_at=None)
    open_.update(revoked_at=now)
    Member.objects.filter(organization=organization, removed_at=None).update(removed_at=now)
    for one in found:
        sessions.end_every(one.user)
    about = f"closed {organization.pk}"
    post.plan(Letter.Kind.CLOSED, about, addresses, texts.organization_erased(organization.name))
    live_events.publish(organization.pk, "account", [one.pk for one in found])


def _pieces(organization_id: UUID) -> Iterator[int]:
    """One after the other until nothing but what stays to the last is left; how many rows went with each."""
    for piece in (_letters, _copies, _emails, _exports):
        yield from _until_none(partial(piece, organization_id))
    for step in plan.below(Organization):
        if step.table not in _TO_THE_LAST:
            yield from _until_none(partial(plan.piece, step, [organization_id], ROWS))


def _until_none(piece: Callable[[], int]) -> Iterator[int]:
    while True:
        with transaction.atomic():
            gone = piece()
        if not gone:
            return
        yield gone


def _letters(organization_id: UUID) -> int:
    """Truesend's own mails about it and its connections, but the one that says goodbye."""
    ids = [organization_id]
    ids += Connection.objects.filter(organization=organization_id).values_list("pk", flat=True)
    ids += Ask.objects.filter(asker__organization=organization_id).values_list("pk", flat=True)
    gone = 0
    for start in range(0, len(ids), _NAMES):
        named = Q()
        for one in ids[start : start + _NAMES]:
            named |= Q(about__contains=str(one))
        gone += Letter.objects.filter(named).exclude(kind=Letter.Kind.CLOSED).delete()[0]
    return gone


def _copies(organization_id: UUID) -> int:
    rows = Delivery.objects.filter(email__organization=organization_id)
    found = list(rows.values_list("pk", flat=True)[:COPIES])
    if not found:
        return 0
    lock_all(found)
    outliving.keep(organization_id, found)
    return plan.run(Delivery, found)


def _emails(organization_id: UUID) -> int:
    rows = Email.objects.filter(organization=organization_id)
    found = list(rows.values_list("pk", flat=True)[:EMAILS])
    return plan.run(Email, found) if found else 0


def _exports(organization_id: UUID) -> int:
    found = list(Export.objects.filter(organization=organization_id).values_list("pk", flat=True)[:ROWS])
    asking.end(found)
    return len(found)


def _later(organization_id: UUID) -> None:
    """What has to be heard elsewhere is tried again when it is due."""
    after = clock.now() + _AGAIN
    due = revoking.next_at(organization_id)
    wait = unbilling.next_at(organization_id)
    soonest = min([one for one in (due, wait) if one is not None], default=after)
    Closing.objects.filter(pk=organization_id).update(look_at=max(after, soonest))


def _finish(organization_id: UUID) -> None:
    """Its people, then its own row with all that was left; nothing names it any more."""
    for _ in _until_none(partial(_people, organization_id)):
        if identity.is_stopping():
            return
    with transaction.atomic():
        if Revocation.objects.filter(organization=organization_id).exists():
            return
        unbilling.forget(organization_id)
        plan.run(Organization, [organization_id])
    log.warning("Organization %s is erased.", organization_id)


def _people(organization_id: UUID) -> int:
    """Some members, and of them whoever is in no other organization; an operator keeps their account."""
    rows = Member.objects.filter(organization=organization_id).order_by("pk")
    found = list(rows.values_list("pk", "user_id")[:MEMBERS])
    if not found:
        return 0
    plan.run(Member, [one for one, _ in found])
    here = User.objects.filter(pk__in=[user for _, user in found], is_operator=False)
    for user in here.exclude(pk__in=Member.objects.current().values("user")):
        account.forget(user)
    return len(found)
