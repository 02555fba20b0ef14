"""Asking the provider for what can be proved without sending: by “Verify now”, after a consent, on schedule.

On schedule a connection is asked before its last answer is older than the limit (design §4), as far as the provider's
quota goes round; where nobody of an organization was here lately, now and then.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from procrastinate.exceptions import AlreadyEnqueued

from truesend import clock, env
from truesend.connections import proofs, tokens
from truesend.connections.causes import Severity, cause
from truesend.connections.models import Connection, LedgerKind, Proof, Token
from truesend.organizations import activity, installation
from truesend.providers import registry
from truesend.providers.contract import Capability, Evidence, Provider
from truesend.providers.errors import ProviderError
from truesend.runtime import identity

# Of an organization nobody of which was here lately: it keeps a proof of reading (26 hours) alive.
BETWEEN_IDLE = timedelta(hours=6)
RETRY = timedelta(minutes=5)
# So many that are due stand to choice, so that threads seldom reach for the same.
_LOOKED_AT = 32
# What a failing call of another kind leaves as it stands.
_OF_A_CALL = frozenset({"grant", "send", "reach", "read", "contacts"})
# Of the calls that a client may make in a day, probes take so much; the rest is for mail.
_SHARE = 0.25


_listeners: list[Callable[[Connection], None]] = []


def on_answer(told: Callable[[Connection], None]) -> None:
    """Have ``told`` called with each connection all of whose answers were good, once they are recorded."""
    _listeners.append(told)


def limit() -> timedelta:
    """How old the newest answer may grow in an active organization."""
    return timedelta(minutes=env.number("PROBE_MINUTES"))


def between(adapter: Provider, connections: int, *, active: bool) -> timedelta:
    """The time between two scheduled probes of a connection, where its provider serves so many of them."""
    wanted = limit() if active else max(BETWEEN_IDLE, limit())
    calls = adapter.limits.client_calls_per_day
    if not calls:
        return wanted
    return max(wanted, timedelta(days=connections * adapter.probe_calls / (calls * _SHARE)))


def verify(connection: Connection, *, trigger: str) -> None:
    """Probe the asked capabilities and record what the answers prove. Failures are recorded, not raised."""
    if connection.disconnected_at is not None or not installation.may_act():
        return
    planned = Token.objects.filter(pk=connection.pk).values_list("probe_due_at", flat=True).first()
    began = clock.now()
    evidence = _ask(connection, trigger)
    if planned is None:
        return
    # Only what was planned when we began: a consent that came meanwhile wants a probe of its own.
    Token.objects.filter(pk=connection.pk, probe_due_at=planned).update(
        probe_due_at=_next(connection, evidence, began)
    )


def _next(connection: Connection, evidence: list[Evidence] | None, began: datetime) -> datetime | None:
    """When to ask again; ``evidence`` is None where the key could not be renewed."""
    adapter = registry.provider(connection.provider)
    if not _usable(connection):
        return None
    active = activity.is_active(connection.organization_id)
    others = Connection.objects.filter(provider=connection.provider, disconnected_at=None).count()
    usual = between(adapter, others, active=active)
    if evidence is None or not all(one.ok for one in evidence):
        usual = min(usual, RETRY)
    due = began + usual * random.uniform(0.8, 0.95)  # noqa: S311
    return max([due, *(one.until for one in evidence or () if one.until is not None)])


def _ask(connection: Connection, trigger: str) -> list[Evidence] | None:
    """Every answer, recorded; None where there was no key to ask with."""
    adapter, broken = registry.provider(connection.provider), _broken(connection)
    try:
        renew = adapter.probes_by_renewal or "renew" in broken
        began, evidence = _answers(connection, adapter, trigger, broken, renew=renew)
        if any(one.cause == "access_refused" for one in evidence):
            # The provider may have ended this access token early: a new one decides, as it does before a send.
            began, evidence = _answers(connection, adapter, trigger, broken, refused=True)
    except ProviderError:
        return None  # the failed renewal is in the proofs already
    # Dated by the question: an answer to the old grant says nothing of the one that a consent brought meanwhile. It
    # comes after the renewal, whose good answer says nothing of a call that failed after it.
    proofs.record(
        connection, evidence, kind=LedgerKind.PROBE, trigger=trigger, at=began, briefly=trigger == "schedule"
    )
    if all(one.ok for one in evidence):
        for told in _listeners:
            told(connection)
    return evidence


def _answers(
    connection: Connection,
    adapter: Provider,
    trigger: str,
    broken: Collection[str],
    *,
    renew: bool = False,
    refused: bool = False,
) -> tuple[datetime, list[Evidence]]:
    """When the provider was asked, and what it answered. Raises ProviderError where there is no key to ask with.

    A provider that is away is not asked on and on, but for what stands as ``broken``: a call that fails for another
    reason would leave it so, though its own works again.
    """
    usable = _usable(connection)
    stands = not _OF_A_CALL.isdisjoint(broken)
    access = _key(connection, trigger, renew=renew, refused=refused, anyhow=stands)
    began, evidence = clock.now(), adapter.probe(access, usable, thorough=stands)
    grant = next((one for one in evidence if one.check == "grant" and not one.ok), None)
    refuses = grant is not None and cause(grant.cause).severity is Severity.BROKEN
    if refuses and not stands:
        # Whether the key is refused altogether is told by the other calls.
        others = adapter.probe(access, usable, thorough=True)
        evidence += [one for one in others if one.check not in {said.check for said in evidence}]
    if Capability.SEND in usable and (grant is None or refuses or stands):
        evidence = [*evidence, adapter.check_send(access, usable)]
    if grant is not None and refuses and any(one.ok for one in evidence):
        # One call refuses the key and another takes it: that is a fault there, and no end of the grant.
        odd = replace(grant, cause="provider_error")
        evidence = [odd if one is grant else one for one in evidence]
    return began, evidence


def _key(connection: Connection, trigger: str, *, renew: bool, refused: bool, anyhow: bool) -> str:
    """What to ask with. Where this installation's client is refused, mail goes on with the key that is out, as here.

    So it does where a renewal is only away: with it ``anyhow`` asks what stands as broken.
    """
    try:
        return tokens.access_token(connection, trigger=trigger, renew=renew, refused=refused)
    except ProviderError as error:
        by_itself, known = registry.provider(connection.provider).probes_by_renewal, cause(error.cause)
        goes_on = renew and (
            known.of_the_client or not by_itself or (anyhow and known.severity is not Severity.BROKEN)
        )
        out = tokens.at_hand(connection) if goes_on else None
        if out is None:
            raise
        return out


def _broken(connection: Connection) -> set[str]:
    """The checks that stand as broken, which somebody may have repaired since.

    Of a renewal the key at hand says nothing, so a new one is asked for; but a grant that is dead is not asked again.
    """
    found: set[str] = set()
    newest = {(one.check_name, one.ok): one for one in Proof.objects.filter(connection=connection.pk)}
    for (check, ok), bad in newest.items():
        good = newest.get((check, True))
        if ok or bad.at < connection.consented_at or (good is not None and good.at >= bad.at):
            continue
        if cause(bad.cause).severity is Severity.BROKEN:
            found.add(check)
    if "renew" in found and not Token.objects.filter(pk=connection.pk, dead_at=None).exists():
        found.remove("renew")
    return found


def _usable(connection: Connection) -> list[Capability]:
    granted = registry.provider(connection.provider).granted(connection.granted_scopes)
    return [one for one in map(Capability, connection.asked) if one in granted]


def plan(connection: Connection, now: datetime) -> None:
    """After a consent everything that was permitted is tried at once; a send is proved by a send alone."""
    due = now if _usable(connection) else None
    Token.objects.filter(pk=connection.pk).update(probe_due_at=due)
    if due is not None:
        # Not behind the many that are due at some time of this quarter of an hour.
        transaction.on_commit(lambda: _wake(connection.pk))


def _wake(connection_id: UUID) -> None:
    from truesend.connections.tasks import probe_connection

    name = f"probe:{connection_id}"
    with suppress(AlreadyEnqueued):
        probe_connection.configure(lock=name, queueing_lock=name).defer(connection_id=str(connection_id))


def wake_all(most: int) -> None:
    """Let so many threads, of all workers together, probe what is due, where anything is."""
    from truesend.connections.tasks import probe_due

    for place in range(len(due(most))):
        name = f"probe:{place}"
        with suppress(AlreadyEnqueued):
            probe_due.configure(lock=name, queueing_lock=name).defer()


def plan_soon(organization_id: UUID) -> None:
    """Somebody is here again: what was asked long ago is asked now."""
    old = Token.objects.filter(connection__organization=organization_id, dead_at=None)
    old.filter(probe_due_at__gt=clock.now() + limit()).update(probe_due_at=clock.now())


def due(limit: int) -> list[UUID]:
    """Connections that are to be asked, the longest due first, and whose grant is not known to be dead."""
    rows = Token.objects.filter(probe_due_at__lte=clock.now(), dead_at=None, connection__disconnected_at=None)
    return list(rows.order_by("probe_due_at").values_list("pk", flat=True)[:limit])


def probe_all() -> None:
    """Probe one connection after the other until none is due or this worker is to end."""
    while not identity.is_stopping() and (found := due(_LOOKED_AT)):
        # Whoever does the same takes another one.
        probe_if_due(random.choice(found))  # noqa: S311


def probe_if_due(connection_id: UUID) -> None:
    """Probe one connection that is due. Claimed first by a later due time, which a death halfway leaves standing."""
    now = clock.now()
    claimed = Token.objects.filter(
        pk=connection_id, probe_due_at__lte=now, dead_at=None, connection__disconnected_at=None
    ).update(probe_due_at=now + RETRY)
    connection = Connection.objects.filter(pk=connection_id).first()
    if claimed == 1 and connection is not None:
        verify(connection, trigger="schedule")
