"""Connections in every state, written as rows with the history that leads there.

As a command (``python -m tests.states EMAIL what``) it writes them into the installation of ``TRUESEND_DATA_DIR``, for
tests whose own process is at a browser.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

if TYPE_CHECKING:
    from tests.stack import Person

    from truesend.connections.models import Connection
    from truesend.organizations.models import Member

WORKING = "working"
# What breaks or bends a capability, and which check has met it: by its call the proof says how.
_BY_SENDING = {
    "throttled",
    "daily_limit",
    "project_limit",
    "sending_blocked",
    "mailbox_missing",
    "api_disabled",
    "provider_refused",
}
_MINUTE, _DAY = timedelta(minutes=1), timedelta(days=1)


@dataclass(frozen=True)
class State:
    """How a connection stands: ``cause`` as the verdict names it, or ``working``."""

    cause: str = WORKING
    address: str = ""
    provider: str = "google"
    kind: str = "organization"
    words: str = ""
    asked: Sequence[str] = ("send", "read")
    history: bool = True
    more: dict[str, Any] = field(default_factory=dict)


def write(member: Member, state: State, dice: random.Random | None = None) -> Connection:
    """Write it. Nothing here is due: neither a renewal nor a probe changes it."""
    from truesend import clock
    from truesend.connections.models import Connection, LedgerEntry, Proof, Token
    from truesend.inbox.models import Mailbox
    from truesend.providers import registry
    from truesend.providers.contract import Capability

    now, dice = clock.now(), dice or random.Random(7)
    adapter = registry.provider(state.provider)
    asked = [one for one in adapter.capabilities if one in state.asked]
    granted = [one for one in asked if not (state.cause == "scope_missing" and one == Capability.READ)]
    row = Connection.objects.create(
        organization_id=member.organization_id,
        member=member,
        provider=state.provider,
        kind=state.kind,
        subject=uuid4().hex,
        address=state.address or f"{state.cause.replace('_', '-')}@northwind.example",
        display_name="Northwind",
        asked=[str(one) for one in asked],
        granted_scopes=adapter.scopes(granted),
        consented_at=now - 25 * _DAY,
        **state.more,
    )
    sealed = {"access": b"a", "refresh": None if state.cause == "no_refresh_token" else b"r"}
    Token.objects.create(
        connection=row,
        access_expires_at=now + 45 * _MINUTE,
        access_issued_at=now - 15 * _MINUTE,
        due_at=now + 30 * _DAY if state.cause != WORKING else now + 38 * _MINUTE,
        **sealed,
    )
    proofs = [
        Proof(
            connection=row, check_name=check, ok=ok, cause=cause, call=call, words=words, at=at, until=until
        )
        for check, ok, cause, call, words, at, until in _proofs(state, now)
    ]
    Proof.objects.bulk_create(proofs)
    # No worker looks into what is no mailbox.
    # A worker may have looked into it already.
    Mailbox.objects.update_or_create(connection=row, defaults={"due_at": now + 30 * _DAY, "read_at": now})
    if state.history:
        _history(row, state, now, dice)
    if state.cause == "tried_unproven":
        LedgerEntry.objects.create(
            connection=row,
            kind="send",
            trigger="send",
            result="recipient_refused",
            outcome="NOT_SENT",
            ref="x",
        )
    return row


_Row = tuple[str, bool, str, str, str, datetime, datetime | None]


def _proofs(state: State, now: datetime) -> list[_Row]:
    """(check, ok, cause, call, words, at, until): worked for weeks, and then this."""
    from truesend.connections.causes import CAUSES, Severity

    lately, before = now - 40 * timedelta(seconds=1), now - 3 * 60 * _MINUTE
    good = {
        "grant": (lately, "token.refresh"),
        "scope": (now - 25 * _DAY, "token.code"),
        "send": (before, "send"),
        "read": (lately, "profile"),
    }
    if state.cause == "proof_old":
        good["grant"] = good["read"] = (now - 3 * _DAY, "token.refresh")
    if state.cause in {"not_tried", "tried_unproven"}:
        del good["send"]
    if state.cause in {"read_not_tried", "read_unproven"}:
        del good["read"]
    found = CAUSES.get(state.cause)
    failed = found is not None and found.severity in {Severity.BROKEN, Severity.ATTENTION}
    proofs: list[_Row] = [(check, True, "", call, "", at, None) for check, (at, call) in good.items()]
    if state.cause == "read_unproven":  # what was tried hours ago is believed no more
        long_ago = now - 3 * 60 * _MINUTE
        return [*proofs, ("read", False, "provider_error", "profile", "503", long_ago, None)]
    if state.cause == "scope_missing":
        return [
            *proofs,
            ("scope", False, state.cause, "token.code", "Not granted: read", now - 25 * _DAY, None),
        ]
    if failed and state.cause != "no_refresh_token":
        check, call = ("send", "send") if state.cause in _BY_SENDING else ("grant", "token.refresh")
        until = now + 2 * 60 * _MINUTE if state.cause == "daily_limit" else None
        proofs.append((check, False, state.cause, call, state.words, now - 20 * timedelta(seconds=1), until))
    return proofs


def _history(row: Connection, state: State, now: datetime, dice: random.Random) -> None:
    from truesend.connections.models import LedgerEntry, LedgerKind

    entries = [
        LedgerEntry(connection=row, at=row.consented_at, kind=LedgerKind.CONSENT, trigger="ana", result="ok")
    ]
    for day in range(25):
        at = now - day * _DAY
        entries.append(
            LedgerEntry(connection=row, at=at, kind=LedgerKind.REFRESH, trigger="schedule", result="ok")
        )
        if dice.random() < 0.08:
            odd = LedgerEntry(
                connection=row,
                at=at,
                kind=LedgerKind.PROBE,
                trigger="schedule",
                result="provider_error",
                words="503",
            )
            entries.append(odd)
    if state.cause != WORKING:
        kind = LedgerKind.SEND if state.cause in _BY_SENDING else LedgerKind.REFRESH
        entries.append(
            LedgerEntry(
                connection=row, at=now, kind=kind, trigger="schedule", result=state.cause, words=state.words
            )
        )
    LedgerEntry.objects.bulk_create(entries)


def many(count: int, causes: Sequence[str] = ("grant_revoked", "daily_limit", "not_tried")) -> list[State]:
    """So many shared mailboxes, most of which work; each of ``causes`` once in about fifty."""
    states = []
    for number in range(count):
        cause = causes[number // 17 % len(causes)] if number % 17 == 16 else WORKING
        words = "Token has been expired or revoked." if cause == "grant_revoked" else ""
        states.append(State(cause, f"team{number:03d}@northwind.example", words=words))
    return states


def write_there(person: Person, what: str) -> None:
    """The same into a running installation, for the organization of ``person``: ``every`` cause, or a number."""
    import subprocess

    from tests import up

    done = subprocess.run(
        [sys.executable, "-m", "tests.states", person.email, what],
        env=up.environment(
            {"TRUESEND_DATA_DIR": str(person.stack.up.data), "DJANGO_SETTINGS_MODULE": "truesend.settings"}
        ),
        cwd=up.ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def main(email: str, what: str) -> int:
    """Write them for the organization of a member."""
    from truesend.cli import _django

    _django()
    from truesend.organizations.models import Member

    member = Member.objects.select_related("organization").get(user__email=email)
    dice = random.Random(7)
    for state in every() if what == "every" else many(int(what)):
        write(member, state, dice)
    return 0


def every() -> list[State]:
    """A connection for every cause that a verdict can name, the working one first."""
    from truesend.connections.causes import CAUSES, Severity

    shown = [
        one.code for one in CAUSES.values() if one.severity is not Severity.NONE and one.code != "not_asked"
    ]
    return [State(), *(State(code, words=WORDS.get(code, "")) for code in shown if code != "disconnected")]


# What providers say with some of them.
WORDS = {
    "grant_revoked": "invalid_grant Token has been expired or revoked.",
    "admin_policy": "access_denied The admin has not allowed this app.",
    "provider_refused": "403 Strange words",
    "daily_limit": "429 User-rate limit exceeded. Retry after 2026-11-25T14:05:00.000Z",
    "provider_error": "503 Backend Error",
    "client_secret_wrong": "invalid_client The provided client secret is invalid.",
    "sending_blocked": "5.7.708 Service unavailable. Access denied",
}


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
