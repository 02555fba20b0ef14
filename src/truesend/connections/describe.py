"""What a connection looks like to a member: verdict, sentence, fix, who. Pages and API say the same."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import QuerySet

from truesend import clock
from truesend.connections import admin_consent
from truesend.connections.causes import Action, Who, at_time, cause, core, sentence
from truesend.connections.models import Check, Connection, Kind, Proof, Token
from truesend.connections.schedule import MARGIN
from truesend.connections.tries import Try, last_tries
from truesend.connections.verdict import ConnectionVerdict, Facts, ProofFact, Verdict, judge
from truesend.organizations.models import Member, User
from truesend.organizations.roles import MANAGERS, Role
from truesend.providers import registry

FORWARD = "Forward to your administrator"


@dataclass(frozen=True)
class Description:
    """A connection with everything to be said of it."""

    connection: Connection
    verdict: ConnectionVerdict
    provider_name: str
    sentence: str
    fix: dict[str, str] | None
    who: list[dict[str, str]]
    verified_at: datetime | None
    last_refresh_at: datetime | None
    next_refresh_at: datetime | None
    proofs: tuple[ProofFact, ...] = field(default=())
    # The last try to send, where none was accepted since the consent.
    tried: Try | None = None


def account_label(connection: Connection) -> str:
    """What a connection is called: its address, with its place where one address has several accounts."""
    return labelled(connection.address, registry.provider(connection.provider).place_of(connection.subject))


def labelled(address: str, place: str) -> str:
    """“ana@x.example (xy123)”; the address alone where there is no place."""
    return f"{address} ({place})" if place else address


def with_facts(rows: QuerySet[Connection]) -> QuerySet[Connection]:
    """``rows`` with everything :func:`describe` reads.

    The token in a query of its own after the proofs: read before them, it could be older than the renewal they tell
    of, and a dead grant would still be due for one.
    """
    return rows.select_related("member__user", "organization").prefetch_related("proofs", "token")


class Shared:
    """What the descriptions of several connections share, so that it is read once for all of them.

    ``untried`` are those with no accepted send since their consent.
    """

    def __init__(self, untried: Iterable[Connection] = ()) -> None:
        self._untried = {one.pk: one for one in untried}
        self._tries: dict[UUID, Try] | None = None
        self._people: dict[tuple[Who, UUID], list[dict[str, str]]] = {}

    def last_try(self, connection: Connection) -> Try | None:
        """The last try to send since the consent."""
        if connection.pk not in self._untried:
            return last_tries([connection]).get(connection.pk)
        if self._tries is None:
            self._tries = last_tries(self._untried.values())
        return self._tries.get(connection.pk)

    def who_can(self, code: str, connection: Connection) -> list[dict[str, str]]:
        """The people who can act on a cause; empty where it clears by itself."""
        who = _who(cause(code).who, connection) if code else Who.NOBODY
        if who is Who.PROVIDER_ADMIN:
            return provider_admin(connection.provider, connection.address)
        whose = (
            connection.organization_id
            if who in {Who.OWNER, Who.OWNERS, Who.OPERATOR}
            else connection.member_id
        )
        if (who, whose) not in self._people:
            self._people[who, whose] = people_who(who, connection.member)
        return self._people[who, whose]


def described_all(rows: QuerySet[Connection]) -> list[Description]:
    """All of them, the oldest first, in as many queries for one as for many: proofs, then connections with tokens.

    In that order a token is never older than the renewal that a proof tells of.
    """
    proofs: dict[UUID, list[ProofFact]] = defaultdict(list)
    # Plain rows: of two hundred connections a page reads a thousand proofs.
    for of, *fact in Proof.objects.filter(connection__in=rows.values("pk")).values_list(
        "connection_id", *_FACT
    ):
        proofs[of].append(ProofFact(*fact))
    found = list(rows.select_related("member__user", "token").order_by("created_at"))
    shared = Shared(one for one in found if not _has_sent(one, proofs[one.pk]))
    now = clock.now()
    return [
        describe_from(one, proofs[one.pk], getattr(one, "token", None), now, shared=shared) for one in found
    ]


# In the order of :class:`ProofFact`.
_FACT = ("check_name", "ok", "at", "call", "cause", "words", "until")


def _has_sent(connection: Connection, proofs: Iterable[ProofFact]) -> bool:
    return any(one.check == Check.SEND and one.ok and one.at >= connection.consented_at for one in proofs)


def describe(connection: Connection, now: datetime | None = None) -> Description:
    """Judge a connection and put the verdict into words."""
    return describe_from(
        connection, facts_of(connection.proofs.all()), getattr(connection, "token", None), now
    )


def facts_of(proofs: Iterable[Proof]) -> list[ProofFact]:
    """Proofs as they are judged."""
    return [ProofFact(*(getattr(one, name) for name in _FACT)) for one in proofs]


def describe_from(
    connection: Connection,
    proofs: Iterable[ProofFact],
    token: Token | None,
    now: datetime | None = None,
    *,
    shared: Shared | None = None,
) -> Description:
    """The same from rows read before."""
    moment, shared = now or clock.now(), shared or Shared()
    adapter = registry.provider(connection.provider)
    facts = tuple(proofs)
    known = Facts(
        offered=tuple(str(one) for one in adapter.capabilities),
        asked=connection.asked,
        granted=[str(one) for one in adapter.granted(connection.granted_scopes)],
        consented_at=connection.consented_at,
        disconnected_at=connection.disconnected_at,
        has_refresh_token=token is not None and (token.refresh is not None or token.due_at is None),
        proofs=facts,
        access_until=token.access_expires_at - MARGIN if token is not None else None,
    )
    verdict = judge(known, moment)
    tried = None
    send = verdict.capability("send")
    if send is not None and send.cause in {"not_tried", "tried_unproven"}:
        tried = shared.last_try(connection)
        if tried is not None:
            verdict = judge(replace(known, tried=True), moment)
    good = [fact for fact in facts if fact.ok and fact.check != "scope"]
    refreshed = [fact.at for fact in good if fact.check == "renew" and fact.call == "token.refresh"]
    return Description(
        connection=connection,
        verdict=verdict,
        provider_name=adapter.name,
        sentence=_sentence(
            verdict, adapter.name, good, moment, tried, lasts=token is not None and token.due_at is None
        ),
        fix=fix_for(verdict.cause, connection, failed=verdict.proof),
        who=shared.who_can(verdict.cause, connection),
        verified_at=max((fact.at for fact in good), default=None),
        last_refresh_at=max(refreshed, default=None),
        next_refresh_at=token.due_at if token is not None and token.dead_at is None else None,
        proofs=facts,
        tried=tried,
    )


# Where several were proved at once, the first of these is told.
_PROVED_BY = {
    "send": "an accepted send",
    "read": "reading the mailbox",
    "contacts": "reading the contacts",
    "reach": "a test call that sends nothing",
    "renew": "renewing the key",
    "grant": "asking who we are",
}
_BROUGHT_BY = {"token.code": "the consent", "key": "the key"}
_RANK = {check: -number for number, check in enumerate(_PROVED_BY)}


def _sentence(
    verdict: ConnectionVerdict,
    provider: str,
    good: list[ProofFact],
    now: datetime,
    tried: Try | None,
    *,
    lasts: bool,
) -> str:
    if verdict.cause == "tried_unproven" and tried is not None:
        return f"Permission given; tried {tried.when(now)}, {tried.told}."
    if verdict.verdict is Verdict.WORKING:
        newest = max(good, key=lambda fact: (fact.at, _RANK.get(fact.check, -len(_RANK))))
        how = _BROUGHT_BY.get(newest.call) or _PROVED_BY.get(newest.check, newest.call)
        return f"Verified by {how}; {'its key needs no renewal' if lasts else 'renews by itself'}."
    return said(verdict.cause, provider, verdict.proof, now)


def said(code: str, provider: str, proof: ProofFact | None, now: datetime) -> str:
    """A cause in words, with what the failed call behind it adds: the provider's words, its time, or what it was."""
    if proof is None:
        return sentence(code, provider)
    if _asks_for_a_send(code, proof):
        # Nothing but a send tells whether it still holds, and none is tried for its own sake.
        return (
            f"{core(code, provider, proof.words)} It was a send; the next one that is accepted clears this."
        )
    ends = at_time(proof.until, now) if proof.until is not None and proof.until > now else ""
    return sentence(code, provider, proof.words, ends=ends)


def _asks_for_a_send(code: str, failed: ProofFact | None) -> bool:
    """Whether only another send can contradict the failure."""
    known = cause(code)
    return failed is not None and failed.call == "send" and known.by_a_send and known.action is Action.VERIFY


def start_url(
    connection: Connection, capabilities: list[str] | None = None, next_path: str = "/integration"
) -> str:
    """Where a new consent for this connection starts."""
    query = {
        "capabilities": ",".join(capabilities or connection.asked),
        "kind": connection.kind,
        "connection": str(connection.pk),
        "next": next_path,
    }
    return f"/oauth/{connection.provider}/start?{urlencode(query)}"


def key_url(provider: str, connection: Connection | None = None) -> str:
    """Where a key is entered instead of a consent, for the account of ``connection`` or any."""
    return f"/integration/key/{provider}" + (
        f"?{urlencode({'connection': connection.pk})}" if connection else ""
    )


def _for_the_administrator(code: str, connection: Connection) -> str:
    """Where an administrator at the provider allows it; empty where nobody administers the account, or by no page."""
    if not code or _who(cause(code).who, connection) is not Who.PROVIDER_ADMIN:
        return ""
    return admin_consent.url_for(code, connection.provider, connection.asked)


def again_url(code: str, connection: Connection) -> str:
    """A new consent; a new key where a key was refused, or where nothing else is set up."""
    adapter = registry.provider(connection.provider)
    by_key = adapter.takes_key and (code == "key_refused" or not adapter.is_configured())
    return key_url(connection.provider, connection) if by_key else start_url(connection)


def fix_for(code: str, connection: Connection, *, failed: ProofFact | None = None) -> dict[str, str] | None:
    """The one button that helps, as ``{label, url}``; None where there is nothing to press.

    ``failed`` is the proof behind the cause: asking again helps against a failed question, not a failed send. What an
    administrator at the provider has to allow leads to the page there on which they do.
    """
    if not code:
        return None
    if page := _for_the_administrator(code, connection):
        return {"label": FORWARD, "url": page}
    action = Action.TEST if _asks_for_a_send(code, failed) else cause(code).action
    urls = {
        Action.RECONNECT: again_url(code, connection),
        Action.CONNECT: start_url(connection),
        # The buttons themselves take a POST; the card has them, and an address must be one that can be opened.
        Action.TEST: f"/integration#connection-{connection.pk}",
        Action.VERIFY: f"/integration#connection-{connection.pk}",
        Action.OPERATOR: "/account#support",
        Action.ALLOW: "/settings/suppression",
        Action.REACTIVATE: "/account/billing",
        Action.KEEP: "/settings/organization/delete",
    }
    return {"label": action, "url": urls[action]} if action in urls else None


def who_can(code: str, connection: Connection) -> list[dict[str, str]]:
    """The people who can act on a cause; empty where it clears by itself."""
    return Shared().who_can(code, connection)


def people_for(who: Who, connection: Connection) -> list[dict[str, str]]:
    """The people behind a :class:`Who` of a connection."""
    who = _who(who, connection)
    if who is Who.PROVIDER_ADMIN:
        return provider_admin(connection.provider, connection.address)
    return people_who(who, connection.member)


def _who(who: Who, connection: Connection) -> Who:
    """Who that is for this connection: a holder of a shared one are owners and managers."""
    if who is Who.PROVIDER_ADMIN:
        if connection.address.rpartition("@")[2] not in registry.provider(connection.provider).own_domains:
            return who
        who = Who.HOLDER  # nobody administers a mailbox of the provider's own domain but its owner
    return Who.OWNER if who is Who.HOLDER and connection.kind == Kind.ORGANIZATION else who


def people_who(who: Who, member: Member) -> list[dict[str, str]]:
    """The people behind a :class:`Who`, for a member of their organization."""
    if who is Who.NOBODY:
        return []
    if who is Who.OPERATOR:
        return _people(User.objects.filter(is_operator=True, is_active=True).order_by("created_at"))
    if who is Who.OWNERS:
        owners = Member.objects.active().filter(organization=member.organization_id, role=Role.OWNER)
        return _people(one.user for one in owners.select_related("user").order_by("created_at"))
    if who is Who.OWNER:
        holders = Member.objects.active().filter(organization=member.organization_id, role__in=MANAGERS)
        return _people(one.user for one in holders.select_related("user").order_by("created_at"))
    return _people([member.user])


def provider_admin(provider: str, address: str) -> list[dict[str, str]]:
    """The administrator of the account's domain: somebody whom we know by office only."""
    domain = address.rpartition("@")[2]
    name = registry.provider(provider).name
    return [
        {
            "name": f"the {name} administrator of {domain}" if domain else f"your {name} administrator",
            "email": "",
        }
    ]


def _people(users: Iterable[User]) -> list[dict[str, str]]:
    return [{"name": user.get_full_name(), "email": user.email} for user in users]
