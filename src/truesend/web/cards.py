"""A connection as a card or, among many, as a line: everything the page says of it, in words."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import Count
from django.utils.html import format_html
from django.utils.safestring import SafeString

from truesend import clock
from truesend.connections.causes import cause
from truesend.connections.describe import FORWARD, Description, account_label, again_url, describe
from truesend.connections.models import Connection, Kind
from truesend.connections.narrowing import lacks_reading
from truesend.connections.verdict import CapabilityVerdict, Verdict
from truesend.inbox import mailboxes
from truesend.inbox.models import Mailbox
from truesend.organizations import rights, roles
from truesend.organizations.access import manages
from truesend.organizations.models import Member
from truesend.providers import registry
from truesend.providers.contract import Capability
from truesend.sending.models import Delivery, DeliveryStatus
from truesend.web.gate import names
from truesend.web.helping import Question, helps, questions
from truesend.web.hours import said_here
from truesend.web.recorders import Told, told_by
from truesend.web.strips import strips
from truesend.web.templatetags.look import moment

VERDICT_WORDS = {
    Verdict.WORKING: "Working",
    Verdict.UNPROVEN: "Not proved yet",
    Verdict.ATTENTION: "Held up",
    Verdict.BROKEN: "Cannot send",
    Verdict.DISCONNECTED: "Disconnected",
}
# What holds it up, where that is worth a word of its own.
_HELD_UP = {
    "throttled": "Slowed down",
    "client_throttled": "Slowed down",
    "daily_limit": "At its limit",
    "project_limit": "At its limit",
    "sending_blocked": "Blocked from sending",
}
_CAPABILITY_LABELS = {"send": "Send", "contacts": "Contacts"}
TROUBLED = frozenset({Verdict.BROKEN, Verdict.ATTENTION})


def card(member: Member, connection: Connection) -> dict[str, Any]:
    """One card, read anew."""
    return cards(member, [describe(connection)])[0]


def cards(member: Member, described: list[Description]) -> list[dict[str, Any]]:
    """Cards, with a query each for their days, the emails that wait, the member's questions and their mailboxes."""
    days = strips([one.connection.pk for one in described])
    troubled = [one.connection.pk for one in described if one.verdict.verdict in TROUBLED]
    waiting = _waiting(member, troubled) if troubled else {}
    asked = questions(member)
    read = mailboxes.rows_of(one.connection.pk for one in described)
    records = told_by(member, [one.connection for one in described])
    return [
        _card(
            member,
            one,
            days[one.connection.pk],
            waiting.get(one.connection.pk, 0),
            asked.get(str(one.connection.pk)),
            read.get(one.connection.pk),
            records.get(one.connection.pk),
        )
        for one in described
    ]


def _waiting(member: Member, mailboxes: list[UUID]) -> dict[UUID, int]:
    """How many of the member's emails wait in each mailbox."""
    own = Delivery.objects.filter(
        connection__in=mailboxes, status=DeliveryStatus.QUEUED, email__member=member, email__is_test=False
    )
    counted = own.values("connection_id").annotate(emails=Count("email_id", distinct=True))
    return dict(counted.values_list("connection_id", "emails"))


def line(member: Member, described: Description) -> dict[str, Any]:
    """What a line says, and every card begins with; no query."""
    connection, verdict = described.connection, described.verdict.verdict
    return {
        "id": str(connection.pk),
        "provider": connection.provider,
        "provider_name": described.provider_name,
        "initial": described.provider_name[:1],
        "address": account_label(connection),
        "kind_sentence": kind_sentence(member, connection),
        "verdict": verdict.value,
        "verdict_word": verdict_word(described),
        "cause": described.verdict.cause,
        "said": said_here(described) if verdict in TROUBLED else _sentence(described),
    }


def _card(
    member: Member,
    described: Description,
    days: str,
    waiting: int,
    asked: Question | None,
    mailbox: Mailbox | None,
    records: Told | None,
) -> dict[str, Any]:
    connection = described.connection
    mine = manages(member, connection)
    verdict = described.verdict.verdict
    troubled, live = verdict in TROUBLED, verdict is not Verdict.DISCONNECTED
    # A question is worth asking where something is wrong.
    fix = helps(member, described) if mine or troubled else None
    if fix is not None and fix["label"] == FORWARD:
        # The address stands below; once it is allowed, this goes on.
        again = again_url(described.verdict.cause, connection)
        fix = {"label": cause(described.verdict.cause).action.value, "url": again, "method": "get"}
    others = [one for one in described.who if one["email"] != member.user.email]
    head = line(member, described)
    return {
        **head,
        "sentence": "" if troubled else head["said"],
        "explanation": head["said"] if troubled else "",
        "words": _words(described) if troubled else "",
        "fix": fix,
        "waiting": _held(waiting) if verdict is Verdict.BROKEN and waiting else "",
        "who": names(others) if troubled else "",
        "capabilities": [_capability(described, one, mailbox) for one in described.verdict.capabilities],
        "strip": days,
        "primary": fix if verdict is not Verdict.WORKING and not (asked and not asked.again) else None,
        "asked": asked,
        "can_verify": mine and live,
        # One that cannot read sends all the same.
        "can_test": mine and live and _sends(described),
        "can_reset": mine
        and live
        and registry.provider(connection.provider).is_configured()
        and not rights.connects(member, connection.kind),
        "can_disconnect": mine and live,
        "forward": described.fix["url"]
        if mine and described.fix and described.fix["label"] == FORWARD
        else "",
        "can_read": mine and live and _can_ask_to_read(connection),
        "can_forgo": mine and lacks_reading(connection),
        "can_share": live and _shares(member, connection) and connection.kind == Kind.PERSONAL,
        "can_take_back": live and _shares(member, connection) and connection.shared_at is not None,
        "barred": _barred(member, connection),
        "records": records if live and records and (mine or records.on) else None,
        "can_record": mine and live,
        "verified_at": described.verified_at,
        "next_refresh_at": described.next_refresh_at,
    }


def _words(described: Description) -> str:
    """The provider's own; of a scope they are ours, and what is said already is not repeated."""
    proof = described.verdict.proof
    if proof is None or proof.check == "scope" or proof.words in described.sentence:
        return ""
    return proof.words


def _sends(described: Description) -> bool:
    send = described.verdict.capability("send")
    return send is not None and send.verdict is not Verdict.BROKEN


def _can_ask_to_read(connection: Connection) -> bool:
    adapter = registry.provider(connection.provider)
    return Capability.READ in adapter.capabilities and Capability.READ not in connection.asked


def _shares(member: Member, connection: Connection) -> bool:
    return connection.member_id == member.pk and roles.allows(member.role, roles.Action.SHARE_OWN)


def _barred(member: Member, connection: Connection) -> str:
    """Why nothing is sent from it however well it works; empty where nothing is in the way."""
    if connection.kind == Kind.ORGANIZATION or member.organization.personal_connections_allowed:
        return ""
    return f"{member.organization.name} sends from shared accounts only: nothing is sent from this one."


def _held(waiting: int) -> str:
    return f"{waiting} of your emails {'waits' if waiting == 1 else 'wait'} for it; nothing is lost."


def verdict_word(described: Description) -> str:
    """The verdict in two or three words. A connection that sends but cannot read is not one that cannot send."""
    verdict = described.verdict.verdict
    send = described.verdict.capability("send")
    if verdict is Verdict.BROKEN and send is not None and send.verdict is not Verdict.BROKEN:
        return f"Sends, but cannot read {_reads(described).partition(' and ')[0]}"
    return _held_up(described.verdict.cause) if verdict is Verdict.ATTENTION else VERDICT_WORDS[verdict]


def _held_up(code: str) -> str:
    if cause(code).of_the_client:
        return "Works for now"  # until the key at hand runs out
    return _HELD_UP.get(
        code, "No good answer" if code.startswith("provider_") else VERDICT_WORDS[Verdict.ATTENTION]
    )


def _reads(described: Description) -> str:
    """“replies and bounces”, or what else there is to be read there."""
    return registry.provider(described.connection.provider).reads


def kind_sentence(member: Member, connection: Connection) -> str:
    """Whose it is."""
    if connection.kind == Kind.ORGANIZATION:
        return "shared with everyone"
    return "yours" if connection.member_id == member.pk else f"{connection.member.user.get_full_name()}’s"


def _sentence(described: Description) -> str | SafeString:
    now = clock.now()
    if described.verdict.cause == "tried_unproven" and described.tried is not None:
        when, at = described.tried.when(now), moment(described.tried.at, "point")
        before, _, after = described.sentence.partition(when)
        return format_html("{}{} {}{}", before, when[:2], at, after)
    verified = described.verified_at
    if described.verdict.verdict is not Verdict.WORKING or verified is None:
        return described.sentence
    # “Verified 40 s ago by reading the mailbox; renews by itself in 38 min.”
    how, _, rest = described.sentence.removeprefix("Verified ").partition("; ")
    renew = described.next_refresh_at
    if renew is None or renew <= now:
        return format_html("Verified {} {}; {}", moment(verified, "ago"), how, rest)
    return format_html(
        "Verified {} {}; renews by itself {}.", moment(verified, "ago"), how, moment(renew, "ago")
    )


def _capability(described: Description, one: CapabilityVerdict, mailbox: Mailbox | None) -> dict[str, Any]:
    words = {
        Verdict.WORKING: "",
        Verdict.UNPROVEN: {
            "not_asked": "Not asked for",
            "proof_old": "Last proved",
            "read_unproven": "No good answer yet; tried",
        }.get(one.cause, "Not tried yet"),
        Verdict.ATTENTION: _held_up(one.cause),
        Verdict.BROKEN: "Refused",
        Verdict.DISCONNECTED: "Ended",
    }
    told = words[one.verdict] if one.cause else "Accepted" if one.name == "send" else "Read"
    at = one.proof.at if one.proof else None
    failed = one.verdict in TROUBLED
    # What broke all of them is told above them.
    shared = failed and one.proof is not None and one.proof.check not in {one.name, "scope"}
    if one.cause == "tried_unproven" and described.tried is not None:
        told, at = f"Tried, {described.tried.told}", described.tried.at
    elif shared:
        told = "Stopped with the key" if one.verdict is Verdict.BROKEN else "The key could not be renewed"
    good = (fact.at for fact in described.proofs if fact.ok and fact.check == one.name)
    return {
        "name": one.name,
        "label": _CAPABILITY_LABELS.get(one.name) or _reads(described).capitalize(),
        "verdict": one.verdict.value,
        "cause": one.cause,
        "sentence": told,
        "at": at,
        "words": one.proof.words if one.proof and not failed and one.proof.ok else "",
        "last": max(good, default=None) if failed else None,
        "call": one.proof.call if one.proof else "",
        **_looks(one, mailbox),
    }


def _looks(one: CapabilityVerdict, mailbox: Mailbox | None) -> dict[str, Any]:
    """Of reading: when anything last came, whether nothing did yet, and since when a look is overdue."""
    if one.name != "read" or mailbox is None or one.verdict in {Verdict.DISCONNECTED, Verdict.BROKEN}:
        return {}
    return {
        "event": mailbox.event_at,
        "no_event": mailbox.event_at is None and mailbox.read_at is not None,
        "late_since": mailboxes.late_since(mailbox, clock.now()),
    }
