"""A connection as a card: everything the page says of it, in words."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timeuntil

from truesend import clock
from truesend.connections.causes import CAUSES, Action, core, sentence
from truesend.connections.describe import Description, describe, start_url, with_facts
from truesend.connections.models import Connection, Kind, LedgerEntry, LedgerKind
from truesend.connections.verdict import CapabilityVerdict, Verdict
from truesend.organizations.access import Refused, check_manages, connections_of
from truesend.organizations.models import Member
from truesend.providers import registry
from truesend.providers.errors import Outcome
from truesend.sending.models import Delivery
from truesend.web.gate import names
from truesend.web.hours import said_here
from truesend.web.templatetags.look import moment

VERDICT_WORDS = {
    Verdict.WORKING: "Working",
    Verdict.UNPROVEN: "Not proved yet",
    Verdict.ATTENTION: "Slowed down",
    Verdict.BROKEN: "Cannot send",
    Verdict.DISCONNECTED: "Disconnected",
}
CAPABILITY_LABELS = {"send": "Send", "read": "Replies and bounces", "contacts": "Contacts"}
_DAYS = 30


def cards(member: Member) -> list[dict[str, Any]]:
    """The cards of everything a member sees, the ones that need somebody first."""
    found = with_facts(connections_of(member).filter(disconnected_at=None)).order_by("created_at")
    order = {Verdict.BROKEN: 0, Verdict.ATTENTION: 1, Verdict.WORKING: 2, Verdict.UNPROVEN: 3}
    described = sorted((describe(one) for one in found), key=lambda one: order.get(one.verdict.verdict, 4))
    return [_card(member, one) for one in described]


def card(member: Member, connection: Connection) -> dict[str, Any]:
    """One card."""
    return _card(member, describe(connection))


def _card(member: Member, described: Description) -> dict[str, Any]:
    connection = described.connection
    manages = _manages(member, connection)
    verdict = described.verdict.verdict
    troubled = verdict in {Verdict.BROKEN, Verdict.ATTENTION}
    fix = pressed(described) if manages else None
    primary = fix if verdict is not Verdict.WORKING else None
    return {
        "id": str(connection.pk),
        "provider": connection.provider,
        "provider_name": described.provider_name,
        "initial": described.provider_name[:1],
        "address": connection.address,
        "kind_sentence": _kind_sentence(member, connection),
        "verdict": verdict.value,
        "verdict_word": _verdict_word(described),
        "sentence": "" if troubled else _sentence(described),
        "cause": described.verdict.cause,
        "explanation": said_here(described) if troubled else "",
        "words": described.verdict.proof.words if troubled and described.verdict.proof else "",
        "fix": fix,
        "who": names(described.who) if troubled else "",
        "capabilities": [_capability(described, one) for one in described.verdict.capabilities],
        "strip": _strip(connection),
        "ledger": _ledger(member, connection),
        "primary": primary,
        "can_verify": manages and verdict is not Verdict.DISCONNECTED,
        "can_test": manages and verdict not in {Verdict.BROKEN, Verdict.DISCONNECTED},
        "can_disconnect": manages and verdict is not Verdict.DISCONNECTED,
        "read_url": start_url(connection, [*connection.asked, "read"])
        if manages and "read" not in connection.asked
        else "",
        "verified_at": described.verified_at,
        "next_refresh_at": described.next_refresh_at,
    }


def _verdict_word(described: Description) -> str:
    """A connection that sends but cannot read is not one that cannot send."""
    verdict = described.verdict.verdict
    send = described.verdict.capability("send")
    if verdict is Verdict.BROKEN and send is not None and send.verdict is not Verdict.BROKEN:
        return "Sends, but cannot read replies"
    return VERDICT_WORDS[verdict]


def pressed(described: Description) -> dict[str, str] | None:
    """The fix as a button that does it at once, where an address alone only leads to the card."""
    if described.fix is None:
        return None
    path = f"/connections/{described.connection.pk}"
    posts = {Action.TEST.value: f"{path}/test-email", Action.VERIFY.value: f"{path}/verify"}
    if described.fix["label"] in posts:
        return {**described.fix, "url": posts[described.fix["label"]], "method": "post"}
    return {**described.fix, "method": "get"}


def _manages(member: Member, connection: Connection) -> bool:
    try:
        check_manages(member, connection)
    except Refused:
        return False
    return True


def _kind_sentence(member: Member, connection: Connection) -> str:
    if connection.kind == Kind.ORGANIZATION:
        return "shared with everyone"
    return "yours" if connection.member_id == member.pk else f"{connection.member.user.get_full_name()}’s"


def _sentence(described: Description) -> str | SafeString:
    now = clock.now()
    if described.verdict.cause == "tried_unproven" and described.tried is not None:
        when, at = described.tried.when(now), moment(described.tried.at, "point")
        before, _, after = described.sentence.partition(when)
        return format_html("{}{} {}{}", before, when[:2], at, after)
    if described.verdict.verdict is not Verdict.WORKING or described.verified_at is None:
        return described.sentence
    renew = described.next_refresh_at
    renews = f" It renews by itself in {timeuntil(renew, now, depth=1)}." if renew and renew > now else ""
    how = described.sentence.partition(";")[0]
    return f"{how}.{renews}"


def _capability(described: Description, one: CapabilityVerdict) -> dict[str, Any]:
    words = {
        Verdict.WORKING: "",
        Verdict.UNPROVEN: {
            "not_asked": "Not asked for",
            "proof_old": "Worked before, not proved lately",
            "read_unproven": "No good answer yet",
        }.get(one.cause, "Not tried yet"),
        Verdict.ATTENTION: "Slowed down",
        Verdict.BROKEN: "Refused",
        Verdict.DISCONNECTED: "Ended",
    }
    told = words[one.verdict] if one.cause else "Accepted" if one.name == "send" else "Read"
    at = one.proof.at if one.proof else None
    if one.cause == "tried_unproven" and described.tried is not None:
        told, at = f"Tried, {described.tried.told}", described.tried.at
    return {
        "name": one.name,
        "label": CAPABILITY_LABELS[one.name],
        "verdict": one.verdict.value,
        "cause": one.cause,
        "sentence": told,
        "at": at,
        "words": one.proof.words if one.proof else "",
        "call": one.proof.call if one.proof else "",
    }


def _strip(connection: Connection) -> str:
    """A letter a day for 30 days, oldest first: o good, w something was slow, b something broke, n nothing known."""
    today = clock.now().date()
    worst = ["n"] * _DAYS
    rank = "nowb"
    entries = LedgerEntry.objects.filter(connection=connection, at__gte=clock.now() - timedelta(days=_DAYS))
    for at, result in entries.values_list("at", "result"):
        day = _DAYS - 1 - (today - at.date()).days
        if not 0 <= day < _DAYS:
            continue
        known = CAUSES.get(result)
        letter = (
            "o"
            if result == "ok"
            else {"broken": "b", "attention": "w"}.get(known.severity if known else "", "n")
        )
        if rank.index(letter) > rank.index(worst[day]):
            worst[day] = letter
    return "".join(worst)


_LEDGER_WORDS = {
    (LedgerKind.CONSENT, True): "Permission given",
    (LedgerKind.REFRESH, True): "Key renewed",
    (LedgerKind.PROBE, True): "Checked: works",
    (LedgerKind.SEND, True): "Send accepted",
    (LedgerKind.DISCONNECT, True): "Disconnected",
    (LedgerKind.CONSENT, False): "Consent not completed",
    (LedgerKind.REFRESH, False): "Renewing failed",
    (LedgerKind.PROBE, False): "Checked: does not work",
    (LedgerKind.SEND, False): "Send not accepted",
    (LedgerKind.DISCONNECT, False): "Revoking failed",
}

# What a person said of a send that had been unknown, or what Sent proved.
_SETTLED_WORDS = {
    "settled_sent": "An unknown send was cleared up: it was sent",
    "settled_not_sent": "An unknown send was cleared up: it was not sent",
}


def ledger_sentence(kind: str, result: str, provider_name: str, words: str, outcome: str = "") -> str:
    """What a ledger entry says to a person; ``outcome`` is that of a try to send."""
    if result in _SETTLED_WORDS:
        return _SETTLED_WORDS[result]
    if outcome == Outcome.UNKNOWN:
        return (
            "Sent or not, unknown: "
            f"{core(result, provider_name, words)} Its email says what became of it; it is not sent again by guess."
        )
    if kind == LedgerKind.SEND and result in CAUSES:
        # What comes next is told by the email: it may have gone through long since.
        return f"{_LEDGER_WORDS[LedgerKind.SEND, False]}: {core(result, provider_name, words)}"
    head = _LEDGER_WORDS.get((LedgerKind(kind), result == "ok"), kind)
    return (
        head
        if result == "ok" or result not in CAUSES
        else f"{head}: {sentence(result, provider_name, words)}"
    )


def _ledger(member: Member, connection: Connection) -> list[dict[str, Any]]:
    name = registry.provider(connection.provider).name
    entries = list(LedgerEntry.objects.filter(connection=connection).order_by("-at", "-id")[:12])
    unclear = [one.ref for one in entries if one.outcome == Outcome.UNKNOWN and one.ref]
    # Of a shared mailbox others see that something was sent, and whose it was alone can open it.
    mine = (
        Delivery.objects.filter(pk__in=unclear, email__member=member) if unclear else Delivery.objects.none()
    )
    emails = {str(pk): email for pk, email in mine.values_list("pk", "email_id")}
    return [
        {
            "at": one.at,
            "kind": one.kind,
            "sentence": ledger_sentence(one.kind, one.result, name, one.words, one.outcome),
            "words": one.words,
            "url": f"/emails/{emails[one.ref]}" if one.ref in emails else "",
        }
        for one in entries
    ]


def providers(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Every provider this installation can connect."""
    connected = Counter(one["provider"] for one in found)
    return [
        {
            "key": adapter.key,
            "name": adapter.name,
            "configured": adapter.is_configured(),
            "start_url": f"/oauth/{adapter.key}/start",
            "connected": _connected(connected[adapter.key]),
        }
        for adapter in registry.PROVIDERS.values()
    ]


def _connected(count: int) -> str:
    if not count:
        return ""
    return f"{_number(count)} {'is' if count == 1 else 'are'} connected; you can add more"


def summary(found: list[dict[str, Any]]) -> str:
    """“One works, one is not proved yet, one needs you.”"""
    if not found:
        return "Connect the account you send from."
    words = {
        Verdict.WORKING: ("works", "work"),
        Verdict.UNPROVEN: ("is not proved yet", "are not proved yet"),
        Verdict.ATTENTION: ("is slowed down", "are slowed down"),
        Verdict.BROKEN: ("needs you", "need you"),
    }
    parts = []
    for verdict, (one, many) in words.items():
        count = sum(item["verdict"] == verdict for item in found)
        if count:
            parts.append(f"{_number(count)} {one if count == 1 else many}")
    text = ", ".join(parts)
    return f"{text[:1].upper()}{text[1:]}."


def _number(count: int) -> str:
    names = ("none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
    return names[count] if count < len(names) else str(count)
