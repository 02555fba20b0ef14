"""Which connections are in trouble, and whom a mail tells of it: first failure and recovery, nothing in between.

A trouble is judged by its verdict, as every page is. The row says which proofs that rests on (`changes`), and a word of
it is written only where no other came meanwhile. What an operator has to repair is told to the operators, once for the
provider; members read it on their pages.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.db.models import Q

from truesend import clock, env
from truesend.alerts import post, texts
from truesend.alerts.models import ClientTrouble, Letter, Trouble
from truesend.connections import admin_consent
from truesend.connections.causes import Severity, Who, cause
from truesend.connections.describe import Description, described_all, people_for
from truesend.connections.models import ClientCheck, Connection
from truesend.connections.verdict import ProofFact, Verdict
from truesend.organizations.models import User
from truesend.providers import registry
from truesend.sending.models import Delivery, DeliveryStatus
from truesend.sending.readiness import blocks

_AT_ONCE = 200
# What ends by time alone writes no proof.
_AGAIN = timedelta(minutes=5)
# After good news, the next bad ones wait so long: what goes to and fro is told once.
QUIET = timedelta(minutes=10)


def look() -> bool:
    """Judge what is due; whether there may be more."""
    now = clock.now()
    rows = {one.pk: one for one in Trouble.objects.filter(look_at__lte=now).order_by("look_at")[:_AT_ONCE]}
    described = described_all(Connection.objects.filter(pk__in=rows)) if rows else []
    _operators_part(described, now)
    for one in described:
        with transaction.atomic():
            _judge(rows[one.connection.pk], one, now)
    return len(rows) == _AT_ONCE


def is_trouble(described: Description) -> bool:
    """Whether somebody has to do something before it works: broken, or kept from sending by the provider."""
    verdict = described.verdict
    if verdict.verdict is Verdict.BROKEN:
        return True
    send = verdict.capability("send")
    if send is None or send.verdict is not Verdict.ATTENTION:
        return False
    # What breaks later, when the key at hand runs out, is a trouble then.
    return blocks(send.cause) and cause(send.cause).severity is Severity.ATTENTION


def is_well(described: Description) -> bool:
    """Whether nothing is known against it: it works, or is not proved yet."""
    return described.verdict.verdict in {Verdict.WORKING, Verdict.UNPROVEN}


def of_the_operator(described: Description) -> str:
    """The cause that only who runs the installation can repair, where there is one; else empty."""
    return next((one.cause for one in described.verdict.capabilities if _is_operators(one.cause)), "")


def _is_operators(code: str) -> bool:
    return bool(code) and cause(code).who is Who.OPERATOR and cause(code).severity is Severity.BROKEN


def _judge(row: Trouble, one: Description, now: datetime) -> None:
    ended = one.connection.disconnected_at is not None
    if is_trouble(one) and not ended:
        _goes_on(row, one, now)
    elif row.told and not ended and not is_well(one):
        _note(row, look_at=now + _AGAIN)  # another trouble took its place; that is no good news
    elif row.since is not None:
        _is_over(row, one, now, told=row.told and not ended)
    elif row.quiet_until is not None and row.quiet_until > now and not ended:
        _note(row, look_at=row.quiet_until)
    elif of_the_operator(one) and not ended:
        _note(row, look_at=now + _AGAIN)  # it still works, and will say when that is repaired
    else:
        Trouble.objects.filter(pk=row.pk, changes=row.changes).delete()


def _note(row: Trouble, **fields: object) -> bool:
    """Write it, unless a proof came meanwhile: then the next look judges anew."""
    seen = Trouble.objects.filter(pk=row.pk, changes=row.changes, since=row.since, told=row.told)
    return seen.update(**fields) == 1


def _goes_on(row: Trouble, one: Description, now: datetime) -> None:
    proof = one.verdict.proof
    since = row.since or (proof.at if proof is not None else now)
    quiet = row.quiet_until is not None and row.quiet_until > now
    tell = not row.told and not quiet and _concerns_members(one)
    look_at = row.quiet_until if quiet and row.quiet_until is not None else now + _AGAIN
    noted = _note(row, since=since, cause=one.verdict.cause, told=row.told or tell, look_at=look_at)
    if noted and tell:
        waiting = Delivery.objects.filter(connection=one.connection, status=DeliveryStatus.QUEUED)
        text = texts.broken(
            one,
            since,
            waiting=waiting.filter(email__is_test=False).values("email_id").distinct().count(),
            admin_url=admin_consent.url_for(one.verdict.cause, one.connection.provider, one.connection.asked),
        )
        post.plan(Letter.Kind.BROKEN, _about(row, since), _holders(one), text)


def _concerns_members(one: Description) -> bool:
    """Not what an operator repairs, nor what its member has just been told by the page they came back to."""
    if _is_operators(one.verdict.cause):
        return False
    proof = one.verdict.proof
    return proof is not None and proof.call != "token.code"


def _is_over(row: Trouble, one: Description, now: datetime, *, told: bool) -> None:
    assert row.since is not None
    since, about = row.since, _about(row, row.since)
    quiet_until = now + QUIET if told else row.quiet_until
    noted = _note(row, since=None, cause="", told=False, quiet_until=quiet_until, look_at=quiet_until or now)
    if not noted:
        return
    post.take_back(Letter.Kind.BROKEN, about)
    if told and (addresses := post.told(Letter.Kind.BROKEN, about)):
        held = Delivery.objects.filter(connection=one.connection, status=DeliveryStatus.QUEUED, due_at=None)
        # What was held before waits for something else. An email's last change is that it was held.
        meanwhile = held.exclude(held_cause__in=("", "paused")).filter(email__updated_at__gte=since)
        text = texts.recovered(one, since, held=meanwhile.values("email_id").distinct().count())
        post.plan(Letter.Kind.RECOVERED, about, addresses, text)


def _about(row: Trouble, since: datetime) -> str:
    return f"{row.pk} {since.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}"


def _holders(one: Description) -> list[str]:
    return [person["email"] for person in people_for(Who.HOLDER, one.connection)]


# -- what an operator repairs -----------------------------------------------------------------------------------

# By a good answer of which checks it is over: the sending call may be reached without a send.
_PROVED_BY = {"send": ("send", "reach"), "grant": ("grant", "renew")}


def _operators_part(described: Sequence[Description], now: datetime) -> None:
    """One alert for a provider at which something of this installation is wrong, and one when it is repaired."""
    for one in described:
        code = of_the_operator(one)
        failed = (
            next((fact for fact in one.proofs if not fact.ok and fact.cause == code), None) if code else None
        )
        if failed is not None:
            _refused(one.connection.provider, failed, now)
        elif not code:
            _works(one, now)
    waiting = ClientTrouble.objects.filter(check_name="renew").exclude(since=None).values("provider")
    for check in ClientCheck.objects.filter(ok=True, provider__in=waiting):
        _ends(check.provider, check.at, now)


def _refused(key: str, failed: ProofFact, now: datetime) -> None:
    ClientTrouble.objects.bulk_create(
        [ClientTrouble(provider=key, cause=failed.cause, check_name=failed.check)], ignore_conflicts=True
    )
    # What was refused before it was over is no news; nor is, for a while, what goes to and fro.
    over = Q(ended_at=None) | Q(ended_at__lt=min(failed.at, now - QUIET))
    begun = {"since": failed.at, "cause": failed.cause, "check_name": failed.check}
    with transaction.atomic():
        if ClientTrouble.objects.filter(over, provider=key, since=None).update(**begun) != 1:
            return
        count = Connection.objects.filter(provider=key, disconnected_at=None).count()
        text = texts.client(failed.cause, registry.provider(key).name, key, failed.at, connections=count)
        post.plan(Letter.Kind.CLIENT, _about_client(key, failed.at), operators(), text)


def _works(one: Description, now: datetime) -> None:
    row = ClientTrouble.objects.filter(provider=one.connection.provider).exclude(since=None).first()
    if row is None:
        return
    checks = _PROVED_BY.get(row.check_name, (row.check_name,))
    good = max((fact.at for fact in one.proofs if fact.ok and fact.check in checks), default=None)
    if good is not None:
        _ends(row.provider, good, now)


def _ends(key: str, at: datetime, now: datetime) -> None:
    with transaction.atomic():
        row = ClientTrouble.objects.select_for_update().filter(provider=key, since__lt=at).first()
        if row is None or row.since is None:
            return
        about = _about_client(key, row.since)
        ClientTrouble.objects.filter(pk=row.pk).update(since=None, ended_at=now)
        post.take_back(Letter.Kind.CLIENT, about)
        if addresses := post.told(Letter.Kind.CLIENT, about):
            text = texts.client_works(registry.provider(key).name, row.since)
            post.plan(Letter.Kind.CLIENT_WORKS, about, addresses, text)


def _about_client(key: str, since: datetime) -> str:
    return f"client {key} {since.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}"


def operators() -> Iterable[str]:
    """Who runs this installation; where nobody is known, its address for support."""
    known = list(User.objects.filter(is_operator=True, is_active=True).values_list("email", flat=True))
    support = env.get("SUPPORT_EMAIL")
    return known or ([support] if support else [])
