"""Writing proofs and the ledger: the newest good and the newest bad answer per check, and everything that happened."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from truesend import clock, live_events
from truesend.connections.models import Connection, LedgerEntry, LedgerKind, Proof
from truesend.providers.contract import Evidence

_TOLD_FOR = timedelta(hours=1)


def record(
    connection: Connection,
    evidence: Iterable[Evidence],
    *,
    kind: LedgerKind,
    trigger: str,
    ref: str = "",
    outcome: str = "",
    at: datetime | None = None,
    briefly: bool = False,
    quietly: bool = False,
) -> None:
    """Write what one provider answer proved; call it in the transaction that stores the answer itself.

    ``briefly``: what was good an hour ago and is good again is not noted again. ``quietly``: open pages need not look.
    """
    moment = at or clock.now()
    proofs = [_write(connection, one, moment) for one in evidence]
    failed = next((one for one in proofs if not one.ok), None)
    if failed is not None or not briefly or not _was_good_lately(connection, kind, moment):
        note(
            connection,
            kind,
            trigger=trigger,
            result=failed.cause if failed else "ok",
            words=failed.words if failed else "",
            ref=ref,
            outcome=outcome,
            at=moment,
        )
    if not quietly:
        live_events.publish(connection.organization_id, "verdict", [connection.pk])


def keep(connection: Connection, evidence: Iterable[Evidence], at: datetime) -> None:
    """Write what was proved ``at`` a time that the ledger tells of already."""
    for one in evidence:
        _write(connection, one, at)
    live_events.publish(connection.organization_id, "verdict", [connection.pk])


def _was_good_lately(connection: Connection, kind: LedgerKind, moment: datetime) -> bool:
    newest = LedgerEntry.objects.filter(connection=connection, kind=kind, at__gt=moment - _TOLD_FOR)
    return newest.order_by("-at", "-id").values_list("result", flat=True).first() == "ok"


def _write(connection: Connection, one: Evidence, moment: datetime) -> Evidence:
    """Keep it as the newest of its check and result, unless a newer one stands there already."""
    told = {
        "cause": one.cause[:60],
        "call": one.call[:120],
        "words": one.words[:500],
        "at": moment,
        "until": one.until,
    }
    same = Proof.objects.filter(connection=connection, check_name=one.check, ok=one.ok)
    if same.filter(at__lte=moment).update(**told) == 0:
        fresh = Proof(connection=connection, check_name=one.check, ok=one.ok, **told)
        Proof.objects.bulk_create([fresh], ignore_conflicts=True)
    return one


def note(
    connection: Connection,
    kind: LedgerKind,
    *,
    trigger: str,
    result: str,
    words: str = "",
    ref: str = "",
    outcome: str = "",
    at: datetime | None = None,
) -> None:
    """Append to the ledger something that proves nothing; ``outcome`` is that of a try to send."""
    LedgerEntry.objects.create(
        connection=connection,
        at=at or clock.now(),
        kind=kind,
        trigger=trigger[:320],
        result=result[:60],
        words=words[:500],
        ref=ref[:200],
        outcome=outcome,
    )
