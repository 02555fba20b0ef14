"""The history of mails: those sent through Keap, and records of mails sent elsewhere."""

from __future__ import annotations

import base64
import json
import secrets
from typing import Any

from truesend_sandbox.accounts import Account
from truesend_sandbox.keap.compose import Content
from truesend_sandbox.keap.gateway import Caller
from truesend_sandbox.store import Row

ORIGINS = ("UNKNOWN", "INFUSIONSOFT", "MICROSOFT", "GOOGLE")
Data = dict[str, Any]
"""Of a record, in v2's spelling, moments as seconds: subject, headers, sent_from_address, sent_time, …"""


def keep_sent(
    caller: Caller, content: Content, account: Account | None, sender: str, sent: tuple[int, str, int]
) -> None:
    """A mail that Keap itself has sent: `sent` is contact, address and arrival."""
    kept = caller.call.switch("send_history")
    contact, email, arrival = sent
    data: Data = {
        "subject": content.subject,
        "sent_from_address": sender,
        "sent_from_reply_address": sender,
        "sent_time": caller.call.now,
        "received_time": caller.call.now,
    }
    caller.world.store.run(
        "INSERT INTO keap_emails (tenant, contact_id, to_address, created_at, account_id, arrival_id, sent, shown,"
        " original_provider, original_provider_id, data, html, plain)"
        " VALUES (?, ?, ?, ?, ?, ?, 1, ?, 'INFUSIONSOFT', ?, ?, ?, ?)",
        caller.tenant,
        contact,
        email,
        caller.call.now,
        None if account is None else account.id,
        arrival,
        int(kept != "nothing"),
        secrets.token_hex(16),
        json.dumps(data),
        content.html if kept == "content" else None,
        content.plain if kept == "content" else None,
    )


def record(
    caller: Caller, data: Data, contact: int | None, email: str, texts: tuple[str | None, str | None]
) -> Row:
    """A mail that was sent elsewhere; nothing is sent. Raises `ValueError` when its provider's id is there already."""
    origin = data.pop("original_provider", None) or "UNKNOWN"
    number = data.pop("original_provider_id", None) or secrets.token_hex(16)
    taken = caller.world.store.value(
        "SELECT 1 FROM keap_emails WHERE tenant = ? AND original_provider = ? AND original_provider_id = ?",
        caller.tenant,
        origin,
        number,
    )
    if taken is not None:
        raise ValueError("original_provider_id is not unique")
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


_VISIBLE = "tenant = ?1 AND shown = 1 AND (sent = 0 OR created_at + ?2 <= ?3)"


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


def search(
    caller: Caller,
    *,
    contact: str | None = None,
    email: str | None = None,
    since: float | None = None,
    until: float | None = None,
    by: str = "created_at",
    downwards: bool = True,
    limit: int = 1000,
    offset: int = 0,
) -> list[Row]:
    """Mails of the history by contact, address and time of `by` (`created_at`, or the record's `sent_time`)."""
    moment = "created_at" if by == "created_at" else "json_extract(data, '$.sent_time')"
    direction = "DESC" if downwards else "ASC"
    number = None if contact is None else int(contact) if contact.isdecimal() and len(contact) < 16 else -1
    return caller.world.store.all(
        f"SELECT * FROM keap_emails WHERE {_VISIBLE} AND (?4 IS NULL OR contact_id = ?4)"  # noqa: S608  # own words
        f" AND (?5 IS NULL OR to_address = ?5) AND (?6 IS NULL OR {moment} >= ?6)"
        f" AND (?7 IS NULL OR {moment} <= ?7) ORDER BY id {direction} LIMIT ?8 OFFSET ?9",
        *_scope(caller),
        number,
        None if email is None else email.strip().lower(),
        since,
        until,
        limit,
        offset,
    )


def delete(caller: Caller, row: Row) -> None:
    """Take a mail out of the history."""
    caller.world.store.run("DELETE FROM keap_emails WHERE id = ?", row["id"])


def contents(row: Row) -> dict[str, str]:
    """`html_content` and `plain_content` in base64, where there are any."""
    texts = {"html_content": row["html"], "plain_content": row["plain"]}
    return {
        name: base64.b64encode(text.encode()).decode() for name, text in texts.items() if text is not None
    }
