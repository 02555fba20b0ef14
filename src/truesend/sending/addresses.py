"""Recipients as people type them: RFC 5322 strings in, checked addresses out. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from email.headerregistry import Address
from email.utils import getaddresses

from email_validator import EmailNotValidError, validate_email


@dataclass(frozen=True)
class Mailbox:
    """One checked address with its display name."""

    address: str
    name: str = ""

    def header(self) -> Address:
        """As the header wants it."""
        local, _, domain = self.address.rpartition("@")
        return Address(display_name=self.name, username=local, domain=domain)

    def __str__(self) -> str:
        return str(self.header())


class AddressError(ValueError):
    """A recipient cannot be used; the message quotes it and says why."""


def parse(text: str) -> Mailbox:
    """One recipient. Raises :class:`AddressError`."""
    if any(not (c.isprintable() or c == "\t") for c in text):
        raise AddressError(f"“{_short(text)}” contains a line break or control character.")
    pairs = getaddresses([text])
    if len(pairs) != 1 or not pairs[0][1]:
        raise AddressError(f"“{_short(text)}” is not an email address.")
    name, raw = pairs[0]
    try:
        checked = validate_email(raw, check_deliverability=False, globally_deliverable=False)
    except EmailNotValidError as error:
        raise AddressError(f"“{_short(text)}”: {error}") from None
    if checked.ascii_email is None:
        raise AddressError(f"“{_short(text)}” has letters before the @ that mail providers do not carry.")
    return Mailbox(f"{checked.ascii_local_part}@{checked.ascii_domain}", " ".join(name.split())[:200])


def parse_all(texts: list[str]) -> tuple[list[Mailbox], list[str]]:
    """Checked recipients without duplicates, and a sentence for each that cannot be used."""
    found: dict[str, Mailbox] = {}
    problems: list[str] = []
    for text in texts:
        if not text.strip():
            continue
        try:
            mailbox = parse(text)
        except AddressError as error:
            problems.append(str(error))
        else:
            found.setdefault(mailbox.address.lower(), mailbox)
    return list(found.values()), problems


def split(text: str) -> list[str]:
    """A typed or pasted line or list of recipients, cut at commas, semicolons and lines outside quotes."""
    parts: list[str] = []
    current = ""
    quoted = False
    depth = 0
    for char in text:
        if char == '"':
            quoted = not quoted
        elif not quoted and char in "<>":
            depth += 1 if char == "<" else -1
        if char in ",;\n\r" and not quoted and depth <= 0:
            parts.append(current)
            current = ""
            depth = 0
        else:
            current += char
    return [part.strip() for part in [*parts, current] if part.strip()]


def _short(text: str) -> str:
    clean = "".join(c if c.isprintable() else "�" for c in text.strip())
    return clean if len(clean) <= 60 else clean[:57] + "…"
