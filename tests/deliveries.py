"""Deliveries that tracking is told of without sending them, and hits loaded as the loader does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
from django.db import connection
from tests.tracker_process import HUMAN

from truesend import clock
from truesend.tracking import context, copying, records
from truesend.tracking.context import DeliveryContext, TrackedLink
from truesend.tracking.folding import Folding
from truesend.tracking.insert import insert
from truesend.tracking.records import Record

ORGANIZATION = UUID(int=1)
CHROME = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36"
)
GMAIL = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
SENT = clock.now() - timedelta(hours=1)


class Deliveries:
    """Stands where sending does: it knows deliveries."""

    def __init__(self) -> None:
        self.known: dict[UUID, DeliveryContext] = {}

    def new(self, *recipients: str, **more: Any) -> UUID:
        delivery = uuid4()
        fields: dict[str, Any] = {
            "delivery": delivery,
            "email": uuid4(),
            "organization": ORGANIZATION,
            "sent_at": SENT,
            "delivered_at": None,
            "links": tuple(TrackedLink(at, f"https://x.example/{at}", f"link {at}") for at in range(3)),
            "sender_ips": frozenset(),
            "sender_agents": frozenset(),
            "sent_copy_behind_proxy": True,
            "recipients": recipients or ("ines@x.example",),
        }
        self.known[delivery] = DeliveryContext(**{**fields, **more})
        return delivery

    def __call__(self, wanted: Iterable[UUID]) -> Mapping[UUID, DeliveryContext]:
        return {delivery: self.known[delivery] for delivery in wanted if delivery in self.known}


@contextmanager
def known_deliveries() -> Iterator[Deliveries]:
    """Tracking is told of these deliveries alone."""
    before = list(context._registered)
    known = Deliveries()
    context.register(known)
    try:
        yield known
    finally:
        context._registered[:] = before


def load(*hits: Record, folding: Folding | None = None) -> None:
    """As the loader does."""
    folding = folding or Folding()
    connection.ensure_connection()
    raw: psycopg.Connection[Any] = connection.connection
    with raw.transaction():
        plan = folding.plan(copying.read(map(payload, hits)))
        row_ids = insert(raw, plan)
        raw.execute("NOTIFY truesend_hits")
    folding.keep(plan, row_ids)


def payload(record: Record) -> bytes:
    """A hit as it stands in a segment, without its frame."""
    words = {"user-agent": record.user_agent, **record.headers}
    fields = [records.field(records.IP, (record.ip or "").encode())]
    fields += [records.field(records.FIELDS.index(name), value.encode()) for name, value in words.items()]
    framed = records.pack(
        kind=records.KINDS.index(record.kind),
        method=records.METHODS.index(record.method),
        at=record.at.timestamp(),
        link=record.link,
        delivery=record.delivery.bytes,
        fields=b"".join(fields),
    )
    return framed[records.FRAME.size :]


def hit(
    delivery: UUID, seconds: float, link: int | None = None, *, ip: str = "203.0.113.7", agent: str = CHROME
) -> Record:
    kind = "open" if link is None else "click"
    headers = {"accept-language": HUMAN["Accept-Language"]}
    return Record(SENT + timedelta(seconds=seconds), kind, delivery, link, "GET", ip, agent, headers)
