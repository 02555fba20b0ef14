"""What happened to a connection, as lines a person reads."""

from __future__ import annotations

from typing import Any

from truesend.connections.causes import CAUSES, core, sentence
from truesend.connections.models import Connection, LedgerEntry, LedgerKind
from truesend.organizations.models import Member
from truesend.providers import registry
from truesend.providers.errors import Outcome
from truesend.sending.models import Delivery

SHOWN = 20

_WORDS = {
    (LedgerKind.CONSENT, True): "Permission given",
    (LedgerKind.REFRESH, True): "Key renewed",
    (LedgerKind.PROBE, True): "Checked: works",
    (LedgerKind.SEND, True): "Send accepted",
    (LedgerKind.WEBHOOK, True): "New mail is told at once",
    (LedgerKind.DISCONNECT, True): "Disconnected",
    (LedgerKind.RECORD, True): "Contacts asked and told of sent mail",
    (LedgerKind.CONSENT, False): "Consent not completed",
    (LedgerKind.REFRESH, False): "Renewing failed",
    (LedgerKind.PROBE, False): "Checked: does not work",
    (LedgerKind.SEND, False): "Send not accepted",
    (LedgerKind.WEBHOOK, False): "New mail is not told at once, but looked for",
    (LedgerKind.DISCONNECT, False): "Revoking failed",
    (LedgerKind.RECORD, False): "Sent mail not recorded yet",
}

# What was done with it; what a person said of a send that had been unknown, or what Sent proved.
_AS_IT_STANDS = {
    "shared": "Shared with everybody in the organization",
    "taken_back": "Taken back by its owner",
    "reading_dropped": "Goes on without reading",
    "recording_on": "Records mail that is sent from other accounts",
    "recording_off": "Records no mail of other accounts any more",
    "settled_sent": "An unknown send was cleared up: it was sent",
    "settled_not_sent": "An unknown send was cleared up: it was not sent",
}


def line(kind: str, result: str, provider_name: str, words: str, outcome: str = "") -> str:
    """What a ledger entry says to a person; ``outcome`` is that of a try to send."""
    if result in _AS_IT_STANDS:
        return _AS_IT_STANDS[result]
    if result == "revoked_by_hand":
        return f"{core(result, provider_name)} {words}".strip()
    if outcome == Outcome.UNKNOWN:
        return (
            "Sent or not, unknown: "
            f"{core(result, provider_name, words)} Its email says what became of it; it is not sent again by guess."
        )
    if kind == LedgerKind.SEND and result in CAUSES:
        # What comes next is told by the email: it may have gone through long since.
        return f"{_WORDS[LedgerKind.SEND, False]}: {core(result, provider_name, words)}"
    head = _WORDS.get((LedgerKind(kind), result == "ok"), kind)
    return (
        head
        if result == "ok" or result not in CAUSES
        else f"{head}: {sentence(result, provider_name, words)}"
    )


def lines(member: Member, connection: Connection, most: int = SHOWN) -> list[dict[str, Any]]:
    """The newest entries as {at, kind, sentence, words, url}: ``url`` of the email that one leaves unknown."""
    name = registry.provider(connection.provider).name
    entries = list(LedgerEntry.objects.filter(connection=connection).order_by("-at", "-id")[:most])
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
            "sentence": line(one.kind, one.result, name, one.words, one.outcome),
            "words": one.words,
            "url": f"/emails/{emails[one.ref]}" if one.ref in emails else "",
        }
        for one in entries
    ]
