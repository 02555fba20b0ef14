"""Publishing what changed, so that open pages can look again.

A hint carries ids only, once per batch and topic. It is lost when nobody listens: the rows are the truth.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from uuid import UUID

from django.db import connection, transaction

CHANNEL = "truesend_events"
KINDS = frozenset({"verdict", "email", "signal", "account"})
# PostgreSQL refuses a NOTIFY payload of 8,000 bytes or more.
_IDS_PER_HINT = 150


def publish(organization_id: UUID, kind: str, ids: Iterable[object]) -> None:
    """Tell the open pages of an organization, after the running transaction commits, that ``ids`` changed."""
    if kind not in KINDS:
        raise ValueError(f"unknown kind of event: {kind}")
    unique = sorted({str(one) for one in ids})
    if unique:
        transaction.on_commit(lambda: _notify(organization_id, kind, unique))


def _notify(organization_id: UUID, kind: str, ids: list[str]) -> None:
    with connection.cursor() as cursor:
        for start in range(0, len(ids), _IDS_PER_HINT):
            payload = {"o": str(organization_id), "k": kind, "i": ids[start : start + _IDS_PER_HINT]}
            cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, json.dumps(payload, separators=(",", ":"))])
