"""“Ask an owner”: a question to somebody who may, with the address that does it; the asker hears when it is done.

At most one mail an hour goes to a person about a thing, however many ask: who asks within that hour is remembered, and
is told all the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, F, Max, OuterRef, Q

from truesend import clock, live_events
from truesend.alerts import post, texts
from truesend.alerts.models import Ask, Letter
from truesend.billing import account, words
from truesend.billing.models import BillingAccount
from truesend.billing.state import LAST_DAYS, State
from truesend.connections.causes import Action, cause
from truesend.connections.describe import Description, again_url, described_all
from truesend.connections.models import Connection, Kind, Proof
from truesend.connections.verdict import Verdict
from truesend.organizations import roles, system_mail
from truesend.organizations.models import Member
from truesend.organizations.roles import MANAGERS, Role
from truesend.providers import registry

AGAIN_AFTER = timedelta(hours=1)
_FORGOTTEN_AFTER = timedelta(days=30)
_AT_ONCE = 100
_TEST_EMAIL = "test_email"
# In the place of a provider: the organization's account is to be reactivated, which owners alone can do.
ACCOUNT = "account"


@dataclass(frozen=True)
class Asked:
    """What became of a question: ``mailed`` now, or lately by whoever asked the same; ``at`` is when."""

    who: Member
    mailed: bool
    at: datetime


def people(asker: Member, among: Sequence[Role] = MANAGERS) -> list[Member]:
    """Who can be asked: owners, then managers, the longest there first."""
    active = Member.objects.active().exclude(pk=asker.pk)
    found = active.filter(organization=asker.organization_id, role__in=among)
    listed = found.select_related("user", "organization").order_by("created_at")
    return sorted(listed, key=lambda one: MANAGERS.index(one.role))


def connect_path(provider: str) -> str:
    """Where an account of a provider is connected for everybody."""
    query = {"capabilities": "send", "kind": Kind.ORGANIZATION, _TEST_EMAIL: "1", "next": "/integration"}
    return f"/oauth/{provider}/start?{urlencode(query)}"


def wish(asker: Member, provider: str, about: Description | None) -> texts.Wish:
    """What is asked for: to connect an account of ``provider``, or to help a connection."""
    if provider == ACCOUNT:
        name = asker.organization.name
        standing = account.standing(asker.organization_id)
        why = "" if standing.sends else f"{words.inactive(name, standing)} {words.STOPPED}"
        what = f"look after the account of {name}" if standing.sends else f"reactivate {name}'s account"
        return texts.Wish(what, why, texts.BILLING)
    name = registry.provider(provider).name
    if about is None:
        what = f"connect a {name} account for everyone in {asker.organization.name}"
        return texts.Wish(what, roles.TABLE[roles.Action.CONNECT_SHARED].refusal, connect_path(provider))
    address = about.connection.address
    troubled = about.verdict.verdict in {Verdict.BROKEN, Verdict.ATTENTION, Verdict.DISCONNECTED}
    why = f"{address} ({name}): {about.sentence}" if troubled else ""
    if about.fix is not None and cause(about.verdict.cause).action is Action.RECONNECT:
        again = again_url(about.verdict.cause, about.connection)
        return texts.Wish(f"reconnect {address}", why, f"{again}&{_TEST_EMAIL}=1")
    return texts.Wish(f"look at {address}", why, texts.card(about))


def ask(
    asker: Member, asked: Member, provider: str, about: Description | None, *, next_path: str = ""
) -> Asked:
    """Ask; remembered once however often it is pressed, and mailed at most once an hour."""
    now = clock.now()
    connection = about.connection if about is not None else None
    thing = {"provider": provider, "connection": connection}
    with transaction.atomic():
        # One after the other: whoever comes second finds what the first one wrote.
        Member.objects.select_for_update(of=("self",)).get(pk=asked.pk)
        same = Ask.objects.filter(asked=asked, mailed_at__gt=now - AGAIN_AFTER, **thing)
        lately = same.aggregate(at=Max("mailed_at"))["at"]
        row, _ = Ask.objects.get_or_create(
            asker=asker,
            ended_at=None,
            **thing,
            defaults={"asked": asked, "created_at": now, "looked_at": now},
        )
        fields: dict[str, Any] = {"asked": asked}
        if next_path:
            fields["next_path"] = next_path
        if lately is None:
            fields["mailed_at"] = now
            who = {"name": asker.user.get_full_name(), "email": asker.user.email}
            text = texts.ask(who, wish(asker, provider, about))
            post.plan(Letter.Kind.ASK, f"ask {row.pk} {now.timestamp():.6f}", [asked.user.email], text)
        Ask.objects.filter(pk=row.pk).update(**fields)
    return Asked(asked, mailed=lately is None and system_mail.is_configured(), at=lately or now)


def waiting_of(asker: Member) -> dict[str, Ask]:
    """The member's open questions, by connection id or by provider."""
    rows = Ask.objects.filter(asker=asker, ended_at=None).select_related("asked__user")
    return {str(one.connection_id or one.provider): one for one in rows}


# -- when it is done --------------------------------------------------------------------------------------------


def look() -> None:
    """End the questions whose answer has come, and tell whoever asked."""
    now = clock.now()
    old = Ask.objects.filter(ended_at=None, created_at__lt=now - _FORGOTTEN_AFTER)
    old.update(ended_at=now, ended=Ask.Ended.LATE)
    _connected(now)
    _helped(now)
    _reactivated(now)


def _connected(now: datetime) -> None:
    # One that was there already and is given another consent is not what was asked for.
    came = Q()
    for since in ("created_at", "shared_at", "back_at"):
        came |= Q(**{f"{since}__gt": OuterRef("created_at")})
    shared = Connection.objects.filter(came, kind=Kind.ORGANIZATION, disconnected_at=None)
    here = shared.filter(organization=OuterRef("asker__organization"), provider=OuterRef("provider"))
    open_ = Ask.objects.filter(Exists(here), ended_at=None, connection=None)
    for one in open_.select_related("asker__user", "asker__organization")[:_AT_ONCE]:
        theirs = Connection.objects.filter(organization=one.asker.organization_id, provider=one.provider)
        found = described_all(theirs.filter(kind=Kind.ORGANIZATION, disconnected_at=None))
        newest = max(found, key=lambda each: _came_at(each.connection), default=None)
        if newest is not None:
            _end(one, newest, f"{newest.connection.address} is connected for everyone", now)


def _came_at(connection: Connection) -> datetime:
    """Since when an account is everybody's."""
    since = (connection.created_at, connection.shared_at, connection.back_at)
    return max(one for one in since if one is not None)


def _helped(now: datetime) -> None:
    proved = Proof.objects.filter(connection=OuterRef("connection"), at__gt=OuterRef("looked_at"))
    moved = Q(connection__disconnected_at__gt=F("looked_at")) | Q(connection__consented_at__gt=F("looked_at"))
    open_ = Ask.objects.filter(ended_at=None, connection__isnull=False).filter(Exists(proved) | moved)
    rows = list(open_.select_related("asker__user", "asker__organization")[:_AT_ONCE])
    described = {
        one.connection.pk: one
        for one in described_all(Connection.objects.filter(pk__in={one.connection_id for one in rows}))
    }
    for row in rows:
        about = described[row.connection_id]  # type: ignore[index]
        if about.connection.disconnected_at is not None:
            if about.connection.disconnected_at > row.created_at:
                _end(row, about, f"{about.connection.address} was disconnected", now, Ask.Ended.GONE)
            continue
        reconnected = about.connection.consented_at > row.created_at
        if about.verdict.verdict is Verdict.BROKEN or not (
            reconnected or about.verdict.verdict is Verdict.WORKING
        ):
            Ask.objects.filter(pk=row.pk, looked_at__lt=now).update(looked_at=now)
            continue
        how = "is connected again" if reconnected else "works again"
        _end(row, about, f"{about.connection.address} {how}", now)


def _reactivated(now: datetime) -> None:
    """One that was asked before the account ended is answered when it ends no more, not while it still runs."""
    active = BillingAccount.objects.filter(pk=OuterRef("asker__organization")).exclude(state=State.INACTIVE)
    open_ = Ask.objects.filter(Exists(active), provider=ACCOUNT, connection=None, ended_at=None)
    goes_on: dict[UUID, bool] = {}
    for one in open_.select_related("asker__user", "asker__organization"):
        organization = one.asker.organization
        if organization.pk not in goes_on:
            standing = account.standing(organization.pk)
            soon = standing.stops_at is not None and standing.stops_at <= now + LAST_DAYS
            goes_on[organization.pk] = standing.sends and not soon
        if goes_on[organization.pk]:
            _close(one, f"The account of {organization.name} is active", "You can send.", now)


def _end(row: Ask, about: Description, what: str, now: datetime, how: Ask.Ended = Ask.Ended.DONE) -> None:
    _close(row, what, "" if how == Ask.Ended.GONE else about.sentence, now, how)


def _close(row: Ask, what: str, state: str, now: datetime, how: Ask.Ended = Ask.Ended.DONE) -> None:
    """Ended, and told to whoever asked if they are still in the team."""
    with transaction.atomic():
        if Ask.objects.filter(pk=row.pk, ended_at=None).update(ended_at=now, ended=how) != 1:
            return
        text = texts.done(what, state, row.next_path)
        if row.asker.is_active:
            post.plan(Letter.Kind.DONE, f"ask {row.pk}", [row.asker.user.email], text)
        live_events.publish(row.asker.organization_id, "account", [row.pk])


def told(asker: Member, ids: Iterable[UUID], since: datetime) -> list[Ask]:
    """Of these the member's own that ended after ``since``."""
    found = Ask.objects.filter(pk__in=list(ids), asker=asker, ended_at__gt=since).exclude(
        ended=Ask.Ended.LATE
    )
    return list(found.select_related("connection").order_by("-ended_at"))
