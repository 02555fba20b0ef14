"""`$filter` and `$orderby` of messages: OData's grammar as far as Outlook serves it, turned into SQL.

Sources: OData 4.01 URL conventions §5.1.1; the rule that ties `$orderby` to `$filter` and the errors of Outlook's
mail pages (user-list-messages).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NoReturn

_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<time>\d{4}-\d\d-\d\d(?:T[\d:.]+(?:Z|[+-]\d\d:\d\d)?)?)"
    r"|(?P<name>[A-Za-z_][\w.]*(?:/[A-Za-z_][\w.]*)*)|(?P<mark>[(),:]))"
)
_TEXTS = {
    "internetMessageId": "m.rfc_id",
    "conversationId": "m.conversation",
    "subject": "m.subject",
    "from/emailAddress/address": "m.sender",
    "sender/emailAddress/address": "m.sender",
}
_FLAGS = {"isDraft": "m.draft", "isRead": "m.is_read", "hasAttachments": "m.attached"}
_TIMES = {
    "receivedDateTime": "m.received_at",
    "sentDateTime": "m.sent_at",
    "createdDateTime": "m.created_at",
    "lastModifiedDateTime": "m.changed_at",
}
_FOLDER = "parentFolderId"
SORTABLE = {**_TIMES, **_TEXTS}
_COMPARE = {"eq": "=", "ne": "<>", "gt": ">", "ge": ">=", "lt": "<", "le": "<="}
_PROPERTIES = "singlevalueextendedproperties/any"


class BadQuery(ValueError):
    """Graph refuses the query: `code` and the message."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass
class Condition:
    """SQL over the table `m` with its values, and the properties it names, in order."""

    sql: str = ""
    values: list[object] = field(default_factory=list)
    names: list[str] = field(default_factory=list)


class _Parser:
    def __init__(self, text: str, folder: Callable[[str], str | None]) -> None:
        self.text = text
        self.folder = folder
        self.tokens = self._cut()
        self.at = 0
        self.found = Condition()

    def _cut(self) -> list[tuple[str, str]]:
        tokens: list[tuple[str, str]] = []
        position = 0
        end = len(self.text.rstrip())
        while position < end:
            match = _TOKEN.match(self.text, position)
            if match is None or match.lastgroup is None:
                self.wrong(f"Syntax error at position {position} in '{self.text}'.")
            tokens.append((match.lastgroup, match[match.lastgroup]))
            position = match.end()
        return [*tokens, ("end", "")]

    def wrong(self, message: str) -> NoReturn:
        raise BadQuery("BadRequest", f"Invalid filter clause: {message}")

    def take(self) -> tuple[str, str]:
        token = self.tokens[self.at]
        if token[0] != "end":
            self.at += 1
        return token

    def takes(self, *words: str) -> bool:
        kind, value = self.tokens[self.at]
        if kind in ("name", "mark") and value.lower() in words:
            self.at += 1
            return True
        return False

    def need(self, word: str) -> None:
        if not self.takes(word):
            self.wrong(f"'{word}' expected in '{self.text}'.")

    def literal(self) -> str:
        kind, value = self.take()
        if kind != "text":
            self.wrong(f"A text in single quotes expected in '{self.text}'.")
        return value[1:-1].replace("''", "'")

    def whole(self) -> Condition:
        self.found.sql = self.either()
        if self.tokens[self.at][0] != "end":
            self.wrong(f"Syntax error in '{self.text}'.")
        return self.found

    def either(self) -> str:
        parts = [self.both()]
        while self.takes("or"):
            parts.append(self.both())
        return f"({' OR '.join(parts)})"

    def both(self) -> str:
        parts = [self.one()]
        while self.takes("and"):
            parts.append(self.one())
        return f"({' AND '.join(parts)})"

    def one(self) -> str:
        if self.takes("not"):
            return f"(NOT {self.one()})"
        if self.takes("("):
            inner = self.either()
            self.need(")")
            return inner
        kind, name = self.take()
        if kind != "name":
            self.wrong(f"Syntax error in '{self.text}'.")
        if name.lower() in ("startswith", "contains"):
            return self.text_function(name.lower())
        if name.lower() == _PROPERTIES:
            return self.any_property()
        return self.comparison(name)

    def text_function(self, name: str) -> str:
        self.need("(")
        kind, prop = self.take()
        column = _TEXTS.get(prop) if kind == "name" else None
        if column is None:
            raise BadQuery(
                "ErrorInvalidUrlQueryFilter", "The query filter contains one or more invalid nodes."
            )
        self.need(",")
        value = self.literal().lower()
        self.need(")")
        self.found.names.append(prop)
        self.found.values.append(value)
        if name == "contains":
            return f"instr(lower({column}), ?) > 0"
        self.found.values.append(value)
        return f"substr(lower({column}), 1, length(?)) = ?"

    def any_property(self) -> str:
        """`Any(ep: ep/id eq '…' and ep/value eq '…')`, the only lambda that messages have."""
        self.need("(")
        _, variable = self.take()
        self.need(":")
        pairs: dict[str, str] = {}
        while True:
            kind, name = self.take()
            tail = name.lower().removeprefix(f"{variable.lower()}/")
            if kind != "name" or tail not in ("id", "value") or tail in pairs:
                self.wrong(f"'{name}' is not known in '{self.text}'.")
            self.need("eq")
            pairs[tail] = self.literal()
            if not self.takes("and"):
                break
        self.need(")")
        if "id" not in pairs:
            raise BadQuery(
                "ErrorInvalidUrlQueryFilter", "The query filter contains one or more invalid nodes."
            )
        self.found.names.append("singleValueExtendedProperties")
        self.found.values.append(pairs["id"].lower())
        sql = "SELECT 1 FROM json_each(m.kept, '$.properties') p WHERE lower(p.key) = ?"
        if "value" in pairs:
            self.found.values.append(pairs["value"])
            sql += " AND p.value = ?"
        return f"EXISTS ({sql})"

    def comparison(self, name: str) -> str:
        _, word = self.take()
        sign = _COMPARE.get(word.lower())
        if sign is None:
            self.wrong(f"An operator expected after '{name}' in '{self.text}'.")
        self.found.names.append(name)
        if name in _TIMES:
            kind, value = self.take()
            self.found.values.append(_seconds(value[1:-1] if kind == "text" else value, self))
            return f"{_TIMES[name]} {sign} ?"
        if name in _FLAGS:
            if self.takes("true", "false"):
                self.found.values.append(int(self.tokens[self.at - 1][1].lower() == "true"))
                return f"{_FLAGS[name]} {sign} ?"
            self.wrong(f"true or false expected after '{name}'.")
        if name == _FOLDER:
            self.found.values.append(self.folder(self.literal()))
            return f"m.folder {sign} ?"
        if name not in _TEXTS:
            raise BadQuery(
                "RequestBroker--ParseUri",
                f"Could not find a property named '{name}' on type 'microsoft.graph.message'.",
            )
        value = self.literal()
        self.found.values.append(value.lower() if _TEXTS[name] == "m.sender" else value)
        return f"{_TEXTS[name]} {sign} ?"


def _seconds(text: str, parser: _Parser) -> float:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        parser.wrong(f"'{text}' is no Edm.DateTimeOffset.")
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def condition(text: str, folder: Callable[[str], str | None]) -> Condition:
    """A `$filter` as SQL. `folder` tells a folder's name from its id. Raises `BadQuery`."""
    return _Parser(text, folder).whole()


def order(text: str, filtered: Condition | None) -> str:
    """An `$orderby` as SQL; the newest first without one. Raises `BadQuery`.

    What is sorted by must begin the filter, in the same order, where there is one.
    """
    parts: list[str] = []
    names: list[str] = []
    for part in text.split(","):
        name, _, direction = part.strip().partition(" ")
        if name not in SORTABLE or direction.strip().lower() not in ("", "asc", "desc"):
            raise BadQuery(
                "RequestBroker--ParseUri",
                f"Could not find a property named '{name}' on type 'microsoft.graph.message'.",
            )
        names.append(name)
        parts.append(f"{SORTABLE[name]} {'DESC' if direction.strip().lower() == 'desc' else 'ASC'}")
    if filtered is not None and list(dict.fromkeys(filtered.names))[: len(names)] != names:
        raise BadQuery(
            "InefficientFilter", "The restriction or sort order is too complex for this operation."
        )
    return ", ".join([*parts, "m.seq DESC" if parts[0].endswith("DESC") else "m.seq ASC"])
