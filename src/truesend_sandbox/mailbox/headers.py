"""A mail's header block as editable fields; the body stays byte for byte as it came."""

from __future__ import annotations

import re
from email.header import decode_header, make_header
from email.utils import getaddresses
from typing import Self

_FIELD = re.compile(rb"[!-9;-~]+[ \t]*:")
_EMPTY_GROUP = re.compile(r"[^:;@]*:\s*;")
_ADDRESS = re.compile(r"[^\s@<>,;]+@[^\s@<>,;]+")


class NotMail(ValueError):
    """The bytes have no header block."""


class Mail:
    """Fields in order as `(lower-case name, raw field with its line end)`, and the body."""

    def __init__(self, fields: list[tuple[str, bytes]], body: bytes) -> None:
        self.fields = fields
        self.body = body

    @classmethod
    def parse(cls, raw: bytes) -> Self:
        """Split; bare line feeds become CRLF as a mail server makes them. Raises `NotMail`."""
        if b"\n" in raw.replace(b"\r\n", b""):
            raw = re.sub(rb"\r?\n", b"\r\n", raw)
        head, gap, body = raw.partition(b"\r\n\r\n")
        if not gap and head.endswith(b"\r\n"):
            head = head[:-2]
        fields: list[tuple[str, bytes]] = []
        for line in head.split(b"\r\n"):
            if line[:1] in (b" ", b"\t") and fields:
                name, field = fields[-1]
                fields[-1] = (name, field + line + b"\r\n")
            elif _FIELD.match(line):
                name = line.partition(b":")[0].strip().decode("ascii").lower()
                fields.append((name, line + b"\r\n"))
            elif line:
                raise NotMail("the message has a line before its body that is no header")
        if not fields:
            raise NotMail("the message has no headers")
        return cls(fields, body)

    def render(self) -> bytes:
        return b"".join(field for _, field in self.fields) + b"\r\n" + self.body

    def copy(self) -> Mail:
        return Mail(list(self.fields), self.body)

    def get(self, name: str) -> str | None:
        """The first field's value, unfolded, encoded words left as they are."""
        for known, field in self.fields:
            if known == name:
                return _value(field)
        return None

    def all(self, name: str) -> list[str]:
        return [_value(field) for known, field in self.fields if known == name]

    def text(self, name: str) -> str:
        """The first field's value with encoded words decoded; empty when absent."""
        return decoded(self.get(name) or "")

    def remove(self, name: str) -> None:
        self.fields = [field for field in self.fields if field[0] != name]

    def set(self, name: str, value: str) -> None:
        """Replace in place, or append."""
        field = (name.lower(), f"{name}: {value}\r\n".encode("utf-8", "surrogateescape"))
        for index, (known, _) in enumerate(self.fields):
            if known == name.lower():
                rest = [other for other in self.fields[index + 1 :] if other[0] != name.lower()]
                self.fields = [*self.fields[:index], field, *rest]
                return
        self.fields.append(field)

    def prepend(self, name: str, value: str) -> None:
        self.fields.insert(0, (name.lower(), f"{name}: {value}\r\n".encode()))

    def pairs(self) -> list[tuple[str, str]]:
        """`(Name as written, value unfolded)` in order."""
        return [(field.partition(b":")[0].strip().decode("ascii"), _value(field)) for _, field in self.fields]

    def addresses(self, *names: str) -> list[str]:
        """Addresses of these fields, lower case, each once, in order."""
        values = [value for name in names for value in self.all(name)]
        found = (address.strip().lower() for _, address in getaddresses(values))
        return list(dict.fromkeys(address for address in found if _ADDRESS.fullmatch(address)))

    def wrong_addresses(self, name: str) -> bool:
        """Whether a field of that name holds something that is no address; an empty group is allowed."""
        for value in self.all(name):
            if not value.strip() or _EMPTY_GROUP.fullmatch(value.strip()):
                continue
            if not all(_ADDRESS.fullmatch(address.strip()) for _, address in getaddresses([value])):
                return True
        return False


def _value(field: bytes) -> str:
    value = field.partition(b":")[2].decode("utf-8", "surrogateescape")
    return re.sub(r"\r\n(?=[ \t])", "", value).strip()


def decoded(value: str) -> str:
    """Encoded words made readable; what cannot be decoded stays."""
    if "=?" not in value:
        return value
    try:
        return str(make_header(decode_header(value)))
    except (LookupError, UnicodeDecodeError, ValueError):
        return value
