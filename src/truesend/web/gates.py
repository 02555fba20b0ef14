"""What stands between a draft and sending, in words: a line for each gate, and the button that opens it."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlencode

from truesend import clock
from truesend.connections.describe import describe
from truesend.connections.models import Kind
from truesend.connections.verdict import Verdict
from truesend.organizations import rights, roles
from truesend.organizations.access import manages
from truesend.organizations.models import Member
from truesend.providers import registry
from truesend.sending import suppressing
from truesend.sending.models import Email
from truesend.sending.readiness import Gate, Readiness
from truesend.web.gate import names
from truesend.web.helping import account_fix, ask, on_the_card
from truesend.web.hours import local

_OPEN = {
    "role": "Your role may send.",
    "connection": "An account to send from is chosen.",
    "capability": "It can send.",
    "limits": "The provider can carry it.",
    "recipients": "The recipients' addresses are complete.",
    "content": "There is something to read.",
}
_UNPROVEN = "Nothing speaks against sending from it."
# cause -> (what the button says, the part of the page where a member repairs it)
_HERE = {
    "rows_bad": ("Go to the list", "copies-about"),
    "copies_needed": ("Go to the copies", "separate_copies"),
    "merge_invalid": ("Go to the subject and the text", "subject"),
    "merge_unknown": ("Go to the subject and the text", "subject"),
    "recipient_invalid": ("Correct the recipients", "to"),
    "recipient_missing": ("Add a recipient", "to"),
    "too_many_recipients": ("Go to the recipients", "to"),
    "pictures_refused": ("Go to the text", "editor"),
    "sender_refused": ("Choose another sender", "connection"),
    "sender_gone": ("Choose another sender", "connection"),
    "cc_and_bcc_refused": ("Go to the recipients", "to"),
    "too_many_files": ("Go to the files", "attach"),
    "file_too_large": ("Go to the files", "attach"),
    "file_type_refused": ("Go to the files", "attach"),
    "attachments_too_large": ("Go to the files", "attach"),
    "message_too_large": ("Go to the files", "attach"),
    "content_missing": ("Write a subject", "subject"),
    "subject_missing": ("Write a subject", "subject"),
    "subject_filled_in": ("Go to the subject", "subject"),
    "subject_invalid": ("Go to the subject", "subject"),
}


def panel(draft: Email, readiness: Readiness, *, choices: int = 0) -> dict[str, Any]:
    """Context of partials/gates.html; ``choices`` is how many accounts the member can choose from."""
    shut = {gate.name for gate in readiness.gates if not gate.ok}
    told = [
        gate
        for gate in readiness.gates
        # Without an account, or with one that was disconnected, a person needs to read it once.
        if not (gate.name == "capability" and "connection" in shut)
        and (gate.name != "limits" or not gate.ok or draft.connection is not None)
        # What is a matter of course is told only where it fails.
        and (not gate.ok or gate.name in _OPEN or gate.sentence)
    ]
    delayed = readiness.delayed() if readiness.ready else None
    return {
        "gates": [_line(draft, gate, choices) for gate in told],
        "ready": readiness.ready,
        "leaves_at": clock.minute_after(delayed.until) if delayed and delayed.until else None,
    }


def _line(draft: Email, gate: Gate, choices: int) -> dict[str, Any]:
    sentence = local(gate.sentence or _OPEN[gate.name], gate.until or gate.names)
    if gate.name == "capability" and gate.ok and not gate.cause and draft.connection is not None:
        verdict = describe(draft.connection).verdict.verdict
        # Before anything was proved, "it can" would be a promise.
        sentence = _UNPROVEN if verdict is Verdict.UNPROVEN else sentence
    if gate.cause == "disconnected" and choices:
        sentence = f"{sentence} Reconnect it, or choose another account."
    here = _HERE.get(gate.cause)
    if gate.cause == "connection_missing" and choices:
        here = ("Choose an account", "connection")
    others = [one for one in gate.who if one["email"] != draft.member.user.email]
    return {
        "name": gate.name,
        "ok": gate.ok,
        "cause": gate.cause,
        "sentence": sentence,
        "delays": gate.ok and bool(gate.cause),
        "here": {"label": here[0], "target": here[1]} if here and not gate.ok else None,
        "fixes": [] if here else _fixes(draft, gate),
        "who": names(others),
    }


def _fixes(draft: Email, gate: Gate) -> list[dict[str, str]]:
    """The buttons that open it; several where there is a choice of providers."""
    fix, back = gate.fix, f"/emails/new?draft={draft.pk}"
    if fix is not None and gate.name == "account":
        return [account_fix(fix, back)]
    if gate.cause == "connection_missing":
        return _connect(draft.member, back)
    if fix is not None and gate.name == "budget":
        return [{**fix, "method": "get"}] if fix["url"] != "/emails/new" else []
    if fix is not None and gate.cause == suppressing.CODE:
        if not roles.allows(draft.member.role, roles.Action.SUPPRESS):
            return []  # the names of those who may stand beside it
        return [{**fix, "url": f"{fix['url']}?next={quote(back, safe='')}"}]
    if fix is None or fix["url"] == "/emails/new":
        return []  # nothing to press, or the member is there already
    if draft.connection is not None:
        fix = on_the_card(fix, draft.connection)
    if not fix["url"].startswith(("/oauth/", "/integration#", "/connections/")):
        return [fix]
    if draft.connection is not None and not manages(draft.member, draft.connection):
        return [ask(f"/connections/{draft.connection.pk}/ask", back)]
    if fix["url"].startswith("/connections/"):
        return [{**fix, "url": f"{fix['url']}?{urlencode({'next': back})}"}]
    return [{**fix, "url": fix["url"].replace("next=%2Fintegration", f"next={quote(back, safe='')}")}]


def _connect(member: Member, back: str) -> list[dict[str, str]]:
    """A way to each provider and back to the draft, or to somebody who may go it."""
    ready = [one for one in registry.PROVIDERS.values() if one.is_configured()]
    kind = Kind.PERSONAL if not rights.connects(member, Kind.PERSONAL) else Kind.ORGANIZATION
    if rights.connects(member, kind):
        return [ask(f"/oauth/{ready[0].key}/ask", back)] if ready else []
    return [
        {
            "label": f"Connect {one.name}",
            "url": f"/oauth/{one.key}/start?{urlencode({'capabilities': 'send', 'kind': kind, 'next': back})}",
        }
        for one in ready
    ]
