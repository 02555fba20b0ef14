"""What is in the way of emails, with buttons and people: the facts of :mod:`truesend.sending.explain` from the rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Max

from truesend import clock
from truesend.billing import account
from truesend.connections.causes import Who
from truesend.connections.describe import (
    Description,
    account_label,
    describe,
    fix_for,
    people_for,
    people_who,
    with_facts,
)
from truesend.connections.models import Connection, Proof
from truesend.connections.verdict import Verdict
from truesend.organizations import ending
from truesend.providers import registry
from truesend.sending import handover, leaving, readiness, suppressing
from truesend.sending.explain import Explanation, Facts, Help, explain
from truesend.sending.models import Attempt, ClientBucket, Delivery, DeliveryStatus, Email, EmailStatus
from truesend.sending.reconcile import RESTORED, can_look, decides_at
from truesend.sending.states import PAUSED

_A_DAY = timedelta(days=1)
# What goes by itself at its hour, where its cause is over before.
_GOES_BACK = leaving.GOES_BACK | {ending.CAUSE}
# Here nothing is in the way, whatever stood there before.
_WELL = frozenset({EmailStatus.DRAFT, EmailStatus.SENT, EmailStatus.CANCELLED, EmailStatus.SENDING})


@dataclass(frozen=True)
class Problem:
    """What is in an email's way. ``words`` are the provider's own; ``help`` says which button ``fix`` is."""

    cause: str
    sentence: str
    words: str
    help: Help
    fix: dict[str, str] | None
    who: list[dict[str, str]]
    # Of the copies it concerns; the time at which they go by themselves.
    status: str
    due_at: datetime | None


def problem_of(email: Email) -> Problem | None:
    """What is in one email's way; None where nothing is."""
    deliveries = list(Delivery.objects.filter(email=email).order_by("position"))
    attempts = list(Attempt.objects.filter(delivery__in=deliveries).order_by("number"))
    return problems_of([email], {email.pk: deliveries}, attempts).get(email.pk)


def every_problem_of(
    email: Email, deliveries: Sequence[Delivery], attempts: Iterable[Attempt], about: Description
) -> list[Problem]:
    """Everything in one email's way, what most needs somebody first: copies that stand alike are told together.

    ``about`` describes the mailbox it leaves by.
    """
    now, people = clock.now(), _People()
    newest = {one.delivery_id: one for one in attempts}
    facts = _facts(email, deliveries, newest, about, now, _used_up([email], now), stopped=_stopped(about))
    told = ((one, explain(one, now)) for one in facts)
    return [_problem(one, what, email, about, people) for one, what in told if what is not None]


def problems_of(
    emails: Iterable[Email],
    deliveries: Mapping[UUID, Sequence[Delivery]],
    attempts: Iterable[Attempt],
    mailboxes: Mapping[UUID, Description] | None = None,
) -> dict[UUID, Problem]:
    """What is in the way of each email that something is in the way of; a few queries for all, and one per cause.

    ``mailboxes`` are those the caller has described already.
    """
    stuck = [one for one in emails if one.status not in _WELL and deliveries.get(one.pk)]
    wanted = {one.connection_id for one in stuck if one.connection_id is not None}
    now = clock.now()
    described = dict(mailboxes or {})
    if not wanted <= described.keys():
        rows = with_facts(Connection.objects.filter(pk__in=wanted))
        described = {row.pk: describe(row, now) for row in rows}
    newest = {one.delivery_id: one for one in attempts}  # the last of each, as they come in order
    people, used_up = _People(), _used_up(stuck, now)
    # Of one organization: the row of any mailbox says it.
    stopped = _stopped(next(iter(described.values()))) if stuck and described else ""
    found: dict[UUID, Problem] = {}
    for email in stuck:
        assert email.connection_id is not None
        about = described[email.connection_id]
        facts = _facts(email, deliveries[email.pk], newest, about, now, used_up, stopped=stopped)
        told = explain(facts[0], now) if facts else None
        if told is not None:
            found[email.pk] = _problem(facts[0], told, email, about, people)
    return found


def _problem(facts: Facts, told: Explanation, email: Email, about: Description, people: _People) -> Problem:
    return Problem(
        told.cause,
        told.sentence,
        facts.words,
        told.help,
        _fix(told, email, about),
        people.of(told.who, email, about.connection),
        facts.status,
        facts.due_at,
    )


def _facts(
    email: Email,
    deliveries: Sequence[Delivery],
    newest: Mapping[UUID, Attempt],
    about: Description,
    now: datetime,
    used_up: frozenset[str],
    *,
    stopped: str,
) -> list[Facts]:
    """The facts of the copies that stand alike and how many they are; what most needs somebody first."""
    ranked: dict[tuple[int, str], list[Delivery]] = {}
    for one in deliveries:
        code = _cause(email, one, newest.get(one.pk), about, now, stopped=stopped)
        if code == "client_throttled" and about.connection.provider in used_up:
            code = "project_limit"
        rank = _rank(one) if code or one.status == DeliveryStatus.UNKNOWN else None
        if rank is not None:
            ranked.setdefault((rank, code), []).append(one)
    groups = sorted(ranked.items(), key=lambda item: item[0][0])
    return [
        _alike(code, alike, len(deliveries), newest, about, now, email, stopped=stopped)
        for (_, code), alike in groups
    ]


def _alike(
    code: str,
    alike: Sequence[Delivery],
    of: int,
    newest: Mapping[UUID, Attempt],
    about: Description,
    now: datetime,
    email: Email,
    *,
    stopped: str,
) -> Facts:
    first = alike[0]
    adapter = registry.provider(about.connection.provider)
    send = about.verdict.capability("send")
    said = [newest[one.pk].words for one in alike if one.pk in newest and newest[one.pk].cause == code]
    if code == handover.REMOVED and email.writer is not None:
        said = [email.writer.user.get_full_name()]
    proved = send.proof.words if send is not None and send.proof is not None and send.cause == code else ""
    return Facts(
        status=first.status,
        cause=code,
        provider=about.provider_name,
        address=account_label(about.connection),
        words=next((words for words in said if words), proved),
        due_at=max((one.due_at for one in alike if one.due_at is not None), default=None),
        look_at=first.look_at,
        ask_from=max(
            (decides_at(one, newest[one.pk], now) for one in alike if one.pk in newest), default=None
        ),
        can_look=can_look(about.connection) and not _unreadable(about),
        scheduled=first.late_after is not None and first.due_at is not None and first.due_at > now,
        can_send=readiness.can_send(about)
        and not readiness.barred(email.member_id, about.connection)
        and not stopped
        and not (code == suppressing.CODE and suppressing.stops(alike)),
        hour=email.send_at
        if first.held_cause in _GOES_BACK and email.send_at is not None and email.send_at > now
        else None,
        sent_name=adapter.sent_name,
        proves=adapter.proves_absence,
        copies=len(alike),
        of=of,
    )


def _rank(delivery: Delivery) -> int | None:
    """What needs a person most comes first."""
    if delivery.status == DeliveryStatus.UNKNOWN:
        return 0
    if delivery.status == DeliveryStatus.QUEUED:
        return 1 if delivery.due_at is None else 2
    return 3 if delivery.status == DeliveryStatus.REFUSED else None


def _cause(
    email: Email,
    delivery: Delivery,
    last: Attempt | None,
    about: Description,
    now: datetime,
    *,
    stopped: str,
) -> str:
    if delivery.held_cause == PAUSED:
        return ""
    if delivery.held_cause == handover.REMOVED:
        return delivery.held_cause  # whatever else is in the way: whose it is now comes first
    if delivery.held_cause:
        send = about.verdict.capability("send")
        # What holds it now: since it was held, the mailbox may have been repaired and have broken otherwise.
        repairs = delivery.due_at is None and delivery.held_cause != RESTORED
        if repairs and stopped:
            return stopped
        if repairs and (why := readiness.barred(email.member_id, about.connection)):
            return why
        if repairs and send is not None and send.verdict in {Verdict.BROKEN, Verdict.DISCONNECTED}:
            return send.cause
        return delivery.held_cause
    if (
        delivery.status in {DeliveryStatus.UNKNOWN, DeliveryStatus.REFUSED}
        and last is not None
        and last.cause
    ):
        return last.cause
    if email.problem or delivery.status != DeliveryStatus.QUEUED:
        return email.problem
    if stopped and email.send_at is not None and email.send_at > now:
        return stopped
    return _in_the_mailbox(email, delivery, about, now)


def _stopped(about: Description) -> str:
    """The cause in the organization's account that lets nothing leave; asked once for all of its emails."""
    return account.stopped_by(about.connection.organization)


def _used_up(emails: Sequence[Email], now: datetime) -> frozenset[str]:
    """The providers at which some mailbox has met the installation's daily limit and none was let through since.

    The client rests for that, so every email that waits for the client is told of it, and of who can help. Asked
    only where one of ``emails`` waits for its client.
    """
    if not any(one.problem == "client_throttled" for one in emails):
        return frozenset()
    sends = Proof.objects.filter(check_name="send", at__gt=now - _A_DAY).order_by()
    refused = sends.filter(ok=False, cause="project_limit").values_list("connection__provider")
    met = dict(refused.annotate(last=Max("at")))
    through = dict(sends.filter(ok=True).values_list("connection__provider").annotate(last=Max("at")))
    return frozenset(one for one, last in met.items() if one not in through or through[one] < last)


def _in_the_mailbox(email: Email, delivery: Delivery, about: Description, now: datetime) -> str:
    """What another email met, here or in another mailbox, where this one waits for it to pass."""
    broken = _would_not_leave(email, about, now)
    if broken:
        return broken
    planned = max(filter(None, (email.send_at, email.undo_until)), default=now)
    if delivery.due_at is None or delivery.due_at <= max(planned, now):
        return ""
    send = about.verdict.capability("send")
    if send is not None and send.verdict is Verdict.ATTENTION:
        return send.cause
    # Another mailbox may have met a limit of the whole installation.
    resting = ClientBucket.objects.filter(provider=about.connection.provider, closed_until__gt=now)
    return "throttled" if resting.exists() else ""


def _would_not_leave(email: Email, about: Description, now: datetime) -> str:
    """What keeps an email that waits for its hour from leaving then, as things stand; empty for nothing."""
    send = about.verdict.capability("send")
    if email.send_at is None or email.send_at <= now or send is None or readiness.can_send(about):
        return ""
    return send.cause if readiness.limited_until(about) is None else ""


def _unreadable(about: Description) -> bool:
    """Whether the last reading failed, so that a look into Sent may never come."""
    read = about.verdict.capability("read")
    return read is not None and read.verdict in {Verdict.BROKEN, Verdict.ATTENTION}


def _fix(told: Explanation, email: Email, about: Description) -> dict[str, str] | None:
    if told.help is Help.NONE:
        return None
    if told.help is Help.CAUSE:
        return fix_for(told.cause, about.connection)
    # These buttons take a POST; they stand on the email's page.
    return {"label": told.help.value, "url": f"/emails/{email.pk}"}


class _People:
    """Who is behind a :class:`Who`, asked for once."""

    def __init__(self) -> None:
        self._known: dict[tuple[Who, UUID], list[dict[str, str]]] = {}

    def of(self, who: Who, email: Email, connection: Connection) -> list[dict[str, str]]:
        """The member of the email where anybody who looks can do it, else the people of its connection."""
        if who is Who.MEMBER:
            return self._once(who, email.member_id, lambda: people_who(who, email.member))
        return self._once(who, connection.pk, lambda: people_for(who, connection))

    def _once(self, who: Who, key: UUID, ask: Callable[[], list[dict[str, str]]]) -> list[dict[str, str]]:
        if (who, key) not in self._known:
            self._known[who, key] = ask()
        return self._known[who, key]
