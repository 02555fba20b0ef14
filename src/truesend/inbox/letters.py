"""A mail that came in, as matching wants it: what its headers tell, and, where it may concern us, all of it. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from email.header import decode_header, make_header
from email.utils import parseaddr

from truesend.inbox.incoming import Incoming, Kind
from truesend.inbox.matching import Failed, Letter
from truesend.providers.shapes import INBOX_HEADERS, Received

_IDS = re.compile(r"<([^<>\s]+)>")
_REPORTERS = re.compile(r"(?:^|[^a-z])(?:mailer-daemon|postmaster|mail-?delivery)", re.IGNORECASE)
_RECEIPT = re.compile(r"report-type\s*=\s*\"?disposition-notification", re.IGNORECASE)
# Why a mailbox's own provider lets it not send, and the cause of a connection that this is.
_STOPS = {"sending_limit": "daily_limit", "sender_blocked": "sending_blocked"}
# A report is small; of a larger mail its headers have to do.
LARGEST = 12 * 1024 * 1024


def message_ids(text: str) -> tuple[str, ...]:
    """The Message-IDs of a header, without their brackets, each once."""
    return tuple(dict.fromkeys(one for one in _IDS.findall(text) if one.isprintable()))


def may_be_report(received: Received) -> bool:
    """Whether a program seems to have written it about mail of this mailbox: all of it is needed to know more."""
    headers = received.headers
    return (
        "multipart/report" in headers.get("content-type", "").lower()
        or "x-failed-recipients" in headers
        or "x-ms-exchange-message-is-ndr" in headers
        or headers.get("return-path", "").strip() == "<>"
        or bool(_REPORTERS.search(headers.get("from", "")))
    )


def refers_to(received: Received) -> tuple[str, ...]:
    """The Message-IDs it answers, by its headers."""
    headers = received.headers
    return message_ids(f"{headers.get('in-reply-to', '')} {headers.get('references', '')}")


def concerns(received: Received, ids: Collection[str], threads: Collection[str]) -> bool:
    """Whether it is worth reading whole: it names something of ours, or may be a report that does."""
    if received.own or received.headers.get("x-truesend-delivery"):
        return False
    return (
        received.thread_id in threads
        or any(one in ids for one in refers_to(received))
        or may_be_report(received)
    )


def head_of(received: Received) -> bytes:
    """A mail of its headers alone, for one that is too large to be read."""
    lines = [f"{name}: {received.headers[name]}" for name in INBOX_HEADERS if name in received.headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "replace")


def letter(received: Received, read: Incoming, now: datetime) -> Letter:
    """What matching is told: the ids from the provider, the rest from the mail itself."""
    headers = received.headers
    name, address = parseaddr(decoded(headers.get("from", "")))
    content_type = headers.get("content-type", "")
    is_report = "multipart/report" in content_type.lower()
    own_id = next(iter(message_ids(headers.get("message-id", ""))), "")
    return Letter(
        kind=read.kind.value,
        at=received.at or read.date or now,
        sender=clean(read.from_address or address).lower(),
        sender_name=clean(read.from_name or name),
        subject=clean(read.subject or decoded(headers.get("subject", ""))),
        message_id=clean(read.message_id) or own_id,
        thread_id=clean(received.thread_id),
        in_reply_to=_all(read.in_reply_to) or message_ids(headers.get("in-reply-to", "")),
        references=_all(read.references) or message_ids(headers.get("references", "")),
        mark=clean(headers.get("x-truesend-delivery", "")),
        own=received.own,
        is_receipt=bool(_RECEIPT.search(content_type)) or (is_report and read.kind is Kind.OTHER),
        stops=_stops(read),
        words=clean(next((one.words or one.sentence for one in read.recipients), "")),
        failed=tuple(
            Failed(
                clean(one.address),
                hard=one.hard,
                sentence=_sentence(clean(one.address), one.sentence, of_ours=one.stops),
            )
            for one in read.recipients
        ),
        returned_marks=_all(read.marks),
        returned_ids=_all(read.original_message_ids),
        returns=read.return_date,
        utc_offset=read.utc_offset,
    )


def clean(text: str) -> str:
    """Foreign text as it can be stored and asked for: PostgreSQL takes no NUL, nothing takes a lone surrogate."""
    return "".join(c if c.isprintable() else " " for c in text).strip()


def _all(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(one for one in map(clean, texts) if one)


def _stops(read: Incoming) -> str:
    """The cause that keeps the mailbox from sending; only what its own provider says of it counts."""
    if read.kind is not Kind.BOUNCE:
        return ""
    return next((_STOPS.get(one.reason, "sending_blocked") for one in read.recipients if one.stops), "")


def _sentence(address: str, sentence: str, *, of_ours: bool) -> str:
    if not address:
        return sentence
    # What keeps our own account from sending is no fault of this address.
    return (
        f"{address} did not get it. {sentence}"
        if of_ours
        else f"{address}: {sentence[:1].lower()}{sentence[1:]}"
    )


def decoded(value: str) -> str:
    """Encoded words made readable; what cannot be decoded stays."""
    try:
        return str(make_header(decode_header(value)))
    except (LookupError, UnicodeError, ValueError):
        return value


def addresses(texts: Mapping[str, str], *names: str) -> set[str]:
    """Addresses in lower case."""
    return {parseaddr(texts.get(name, ""))[1].lower() for name in names} - {""}
