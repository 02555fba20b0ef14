"""A mail that came in, read: bounce, delay, automatic reply or something else. Pure; never raises, on any bytes."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from truesend.inbox import offsets
from truesend.inbox.auto_replies import is_auto_reply
from truesend.inbox.ids import ids_in
from truesend.inbox.incoming import Incoming, Kind
from truesend.inbox.judging import Verdict, delivery_report
from truesend.inbox.machines import is_mail_system
from truesend.inbox.parts import Mail, parse
from truesend.inbox.people import address_of, addresses_of
from truesend.inbox.return_dates import return_date

log = logging.getLogger(__name__)


def read(raw: bytes) -> Incoming:
    """What this mail is. Of a very large one the first two million bytes are read."""
    try:
        mail = parse(raw)
        return _told(mail, _judged(mail, raw))
    except Exception:  # a mail of somebody's making must never stop a mailbox
        log.exception("a mail of %d bytes could not be read", len(raw))
        return Incoming(Kind.OTHER)


def _judged(mail: Mail, raw: bytes) -> Verdict:
    if not mail.headers:
        return Verdict(Kind.OTHER)
    if is_auto_reply(mail, sure=True):
        return Verdict(Kind.AUTO_REPLY)
    if not is_mail_system(mail) and is_auto_reply(mail):
        return Verdict(Kind.AUTO_REPLY)
    verdict = delivery_report(mail, raw)
    if verdict is not None:
        return verdict
    return Verdict(Kind.AUTO_REPLY if is_auto_reply(mail) else Kind.OTHER)


def _told(mail: Mail, verdict: Verdict) -> Incoming:
    headers = mail.headers
    address, name = address_of(headers.get("from"))
    sent = _date(headers.get("date"))
    back = verdict.sent_back
    return Incoming(
        kind=verdict.kind,
        about=verdict.about,
        recipients=verdict.recipients,
        message_id=next(iter(ids_in(headers.get("message-id"))), ""),
        from_address=address,
        from_name=name,
        to_addresses=tuple(addresses_of(headers.all("to"))),
        subject=headers.text("subject"),
        date=sent,
        utc_offset=offsets.of_mail(mail) if verdict.kind is Kind.OTHER else None,
        in_reply_to=tuple(ids_in(" ".join(headers.all("in-reply-to")))),
        references=tuple(ids_in(" ".join(headers.all("references")))),
        original_message_ids=tuple(dict.fromkeys(one for original in back for one in original.message_ids)),
        marks=tuple(dict.fromkeys(mark for original in back for mark in original.marks)),
        return_date=return_date(mail, sent) if verdict.kind is Kind.AUTO_REPLY else None,
    )


def _date(value: str) -> datetime | None:
    try:
        read_date = parsedate_to_datetime(value[:200])
        return read_date.astimezone(UTC) if read_date.tzinfo else read_date.replace(tzinfo=UTC)
    except (ValueError, TypeError, OverflowError, IndexError, AttributeError):
        return None
