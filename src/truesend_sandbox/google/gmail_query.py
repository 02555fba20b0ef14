"""The search language of `messages.list?q=`, as much of it as clients of mail use."""

from __future__ import annotations

import re
import shlex
from datetime import UTC, datetime

from truesend_sandbox.mailbox.headers import Mail
from truesend_sandbox.store import Row

_AGE = re.compile(r"(\d+)([dmy])")
_DAYS = {"d": 1, "m": 30, "y": 365}
_PLACES = {
    "inbox": "INBOX",
    "sent": "SENT",
    "drafts": "DRAFT",
    "spam": "SPAM",
    "trash": "TRASH",
    "unread": "UNREAD",
}


def _moment(text: str) -> float | None:
    """Seconds since the epoch of `1700000000`, `2026/05/01` or `2026-05-01`."""
    if text.isdecimal() and len(text) > 8:
        return float(text)
    try:
        year, month, day = (int(part) for part in re.split(r"[/-]", text))
        return datetime(year, month, day, tzinfo=UTC).timestamp()
    except ValueError:
        return None


class Query:
    """A parsed query; `matches` judges one message."""

    def __init__(self, text: str, now: float) -> None:
        self.now = now
        try:
            words = shlex.split(text)
        except ValueError:
            words = text.split()
        self.terms = [(word.startswith("-"), word.lstrip("-")) for word in words if word.strip("-")]

    def matches(self, row: Row) -> bool:
        mail = Mail.parse(bytes(row["raw"]))
        return all(self._term(word, row, mail) != negated for negated, word in self.terms)

    def _term(self, word: str, row: Row, mail: Mail) -> bool:
        name, colon, value = word.partition(":")
        name, lowered = name.lower(), value.lower()
        if not colon or not value:
            text = f"{mail.text('subject')} {mail.text('from')} {mail.text('to')}".lower()
            return word.lower() in text or word.lower().encode() in mail.body.lower()
        if name == "rfc822msgid":
            return (row["rfc_id"] or "").strip("<>") == value.strip("<>")
        if name in ("from", "to", "cc", "bcc", "subject"):
            return lowered in mail.text(name).lower()
        if name in ("in", "is", "label"):
            label = _PLACES.get(lowered, value.upper())
            return lowered == "anywhere" or label in row["labels"].split()
        if name in ("after", "newer"):
            moment = _moment(value)
            return moment is not None and row["at"] >= moment
        if name in ("before", "older"):
            moment = _moment(value)
            return moment is not None and row["at"] < moment
        if name in ("newer_than", "older_than"):
            age = _AGE.fullmatch(lowered)
            if age is None:
                return False
            edge = self.now - int(age[1]) * _DAYS[age[2]] * 86_400
            return bool(row["at"] >= edge) == (name == "newer_than")
        if name == "has" and lowered == "attachment":
            return b"content-disposition: attachment" in mail.body.lower()
        return word.lower().encode() in mail.body.lower()
