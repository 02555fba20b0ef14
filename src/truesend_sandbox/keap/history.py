"""The history of mails: those sent through Keap, and records of mails sent elsewhere."""

from __future__ import annotations

import base64
import json
import math
import secrets
from dataclasses import dataclass
from typing import Any

from truesend_sandbox.accounts import Account
from truesend_sandbox.keap.compose import Content
from truesend_sandbox.keap.gateway import Caller
from truesend_sandbox.store import Row
from truesend_sandbox.world import World

ORIGINS = ("UNKNOWN", "INFUSIONSOFT", "MICROSOFT", "GOOGLE")
_SHOWN = {"nothing": 0, "record": 1, "content": 2}
"""Switch `send_history` → column `shown`."""
Data = dict[str, Any]
"""Of a record, in v2's spelling, moments as seconds: subject, headers, sent_from_address, sent_time, …"""


@dataclass(frozen=True)
class Sent:
    """A mail that Keap itself has sent: whose, to which contact at which address, as which arrival."""

    number: str
    account: Account
    sender: str
    contact: int
    email: str
    arrival: int
    links: list[str]


def keep_sent(caller: Caller, content: Content, sent: Sent) -> None:
    """Take a sent mail into the history, as far as the switch says that it is shown."""
    moment = math.floor(caller.call.now * 1000) / 1000
    data: Data = {
        "subject": content.subject,
        "sent_from_address": sent.sender,
        "sent_from_reply_address": sent.sender,
        "sent_time": moment,
        "received_time": moment,
        "links": sent.links,
    }
    caller.world.store.run(
        "INSERT INTO keap_emails (tenant, contact_id, to_address, created_at, account_id, arrival_id, sent, shown,"
        " original_provider, original_provider_id, data, html, plain)"
        " VALUES (?, ?, ?, ?, ?, ?, 1, ?, 'INFUSIONSOFT', ?, ?, ?, ?)",
        caller.tenant,
        sent.contact,
        sent.email,
        caller.call.now,
        sent.account.id,
        sent.arrival,
        _SHOWN[caller.call.switch("send_history")],
        sent.number,
        json.dumps(data),
        content.html,
        content.plain,
    )


class Taken(ValueError):
    """Another record of the same provider has this id."""


def record(
    caller: Caller,
    data: Data,
    source: tuple[str, str | None],
    contact: int | None,
    email: str,
    texts: tuple[str | None, str | None],
) -> Row:
    """A mail that was sent elsewhere; nothing is sent.

    `source` is who sent it and their id of it (made up when None); `texts` its HTML and plain text. Raises
    :class:`Taken` when the id is there already.
    """
    origin, number = source[0], source[1] or secrets.token_hex(16)
    taken = caller.world.store.value(
        "SELECT 1 FROM keap_emails WHERE tenant = ? AND original_provider = ? AND original_provider_id = ?",
        caller.tenant,
        origin,
        number,
    )
    if taken is not None:
        raise Taken("original_provider_id is not unique")
    row_id = caller.world.store.insert(
        "INSERT INTO keap_emails (tenant, contact_id, to_address, created_at, original_provider,"
        " original_provider_id, data, html, plain) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        caller.tenant,
        contact,
        email,
        caller.call.now,
        origin,
        number,
        json.dumps(data),
        *texts,
    )
    row = caller.world.store.one("SELECT * FROM keap_emails WHERE id = ?", row_id)
    assert row is not None
    return row


def records(world: World, tenant: str | None) -> list[Row]:
    """Mails that were sent elsewhere, the newest first; of one app, or of all."""
    return world.store.all(
        "SELECT * FROM keap_emails WHERE sent = 0 AND (?1 IS NULL OR tenant = ?1) ORDER BY id DESC", tenant
    )


def recorded(row: Row) -> Data:
    """A record as the sandbox's own pages show it: its fields and its texts in the clear."""
    names = (
        "id",
        "tenant",
        "contact_id",
        "to_address",
        "created_at",
        "original_provider",
        "original_provider_id",
    )
    return {name: row[name] for name in (*names, "html", "plain")} | {"data": json.loads(row["data"])}


_VISIBLE = "tenant = ?1 AND shown > 0 AND (sent = 0 OR created_at + ?2 <= ?3)"


def _scope(caller: Caller) -> tuple[str, float, float]:
    return caller.tenant, caller.call.switch("history_delay"), caller.call.now


def get(caller: Caller, number: str) -> Row | None:
    """A mail of the history by its number."""
    if not number.isdecimal() or len(number) > 15:
        return None
    return caller.world.store.one(
        f"SELECT * FROM keap_emails WHERE {_VISIBLE} AND id = ?4",  # noqa: S608  # own words
        *_scope(caller),
        int(number),
    )


@dataclass(frozen=True)
class Asked:
    """Which mails a list is about: of a contact, to an address, from and until a moment."""

    contact: str | None = None
    email: str | None = None
    since: float | None = None
    until: float | None = None
    by_sent_time: bool = False
    """The moments are those of sending, not those at which the history took the mail in."""

    def where(self, caller: Caller) -> tuple[str, tuple[Any, ...]]:
        """The condition and its parameters ?1 to ?7."""
        # At the precision in which each API writes the moment, so that what it wrote finds the mail again.
        moment = "json_extract(data, '$.sent_time')" if self.by_sent_time else "CAST(created_at AS INTEGER)"
        number = self.contact
        if number is not None and not (number.isdecimal() and len(number) < 16):
            number = "-1"
        return (
            f"{_VISIBLE} AND (?4 IS NULL OR contact_id = ?4) AND (?5 IS NULL OR to_address = ?5)"
            f" AND (?6 IS NULL OR {moment} >= ?6) AND (?7 IS NULL OR {moment} <= ?7)",
            (
                *_scope(caller),
                None if number is None else int(number),
                None if self.email is None else self.email.strip().lower(),
                self.since,
                self.until,
            ),
        )


def search(
    caller: Caller, asked: Asked, *, downwards: bool = True, limit: int = 1000, offset: int = 0
) -> list[Row]:
    """Mails of the history, the newest first unless said otherwise."""
    where, values = asked.where(caller)
    direction = "DESC" if downwards else "ASC"
    return caller.world.store.all(
        f"SELECT * FROM keap_emails WHERE {where} ORDER BY id {direction} LIMIT ?8 OFFSET ?9",  # noqa: S608  # own words
        *values,
        limit,
        offset,
    )


def count(caller: Caller, asked: Asked) -> int:
    """How many there are in all."""
    where, values = asked.where(caller)
    return int(caller.world.store.value(f"SELECT COUNT(*) FROM keap_emails WHERE {where}", *values))  # noqa: S608  # own words


def delete(caller: Caller, row: Row) -> None:
    """Take a mail out of the history."""
    caller.world.store.run("DELETE FROM keap_emails WHERE id = ?", row["id"])


def contents(row: Row) -> dict[str, str]:
    """`html_content` and `plain_content` in base64, where there are any."""
    texts = {"html_content": row["html"], "plain_content": row["plain"]} if row["shown"] == 2 else {}
    return {
        name: base64.b64encode(text.encode()).decode() for name, text in texts.items() if text is not None
    }
