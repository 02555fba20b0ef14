"""Recipients as people type them: RFC 5322 strings in, checked addresses out. Pure.

What can be sent is decided here, before anything leaves. A domain with letters outside ASCII travels in its ASCII form
(IDNA), which every server carries. Letters outside ASCII *before* the @ need SMTPUTF8 all the way and raw UTF-8
headers (RFC 6532), which no provider's interface promises; local parts that need quotation marks come back from one as
an invalid header. Both are refused here in words.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace
from email.headerregistry import Address
from urllib.parse import unquote

from email_validator import EmailNotValidError, validate_email

from truesend.sending import lines

LONGEST_NAME = 200
# RFC 5321: 64 before the @, 254 in all.
_LONGEST_LOCAL, _LONGEST_ADDRESS = 64, 254
_LONGEST_ENTRY = 1000
# Text direction overrides: they make one name look like another.
_DIRECTIONS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
# Bounded, so that no list of quotation marks takes long to read.
_QUOTED = re.compile(r'"((?:[^"\\]|\\.){0,250})"', re.DOTALL)
_BRACKETED = re.compile(r"<[^<>]*>")
_ANGLE = re.compile(r"(?P<name>.*?)<(?P<address>[^<>]*)>(?P<rest>[^<>]*)", re.DOTALL)
_OLD_NAME = re.compile(r"(?P<address>[^\s()]+)\s+\((?P<name>[^()]*)\)")
# RFC 5321 wants brackets around an IP address, and no top-level domain is a number (RFC 3696, section 2).
_IP = re.compile(r"\d{1,3}(\.\d{1,3}){3}")
_NUMBER = re.compile(r"\d+|0x[0-9a-f]*", re.IGNORECASE)
_COMMENT = re.compile(r"\([^()]*\)")


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
    try:
        name, address = _taken_apart(_spaced(text))
        return Mailbox(_checked(address), _name(name, address))
    except _Unusable as error:
        raise AddressError(f"“{_short(text)}” {error}") from None


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
            _add(found, mailbox)
    return list(found.values()), problems


def nobody_twice(*fields: Iterable[Mailbox]) -> list[list[Mailbox]]:
    """To, cc and bcc without those who stand in an earlier one, or earlier in the same."""
    seen: set[str] = set()
    kept: list[list[Mailbox]] = []
    for people in fields:
        fresh: dict[str, Mailbox] = {}
        for one in people:
            if _same(one) not in seen:
                _add(fresh, one)
        seen.update(fresh)
        kept.append(list(fresh.values()))
    return kept


def _same(mailbox: Mailbox) -> str:
    """Two addresses that differ in capitals only are one: no provider tells them apart."""
    return mailbox.address.lower()


def _add(found: dict[str, Mailbox], mailbox: Mailbox) -> None:
    """The first spelling stands; a name that only a later one has is kept."""
    first = found.setdefault(_same(mailbox), mailbox)
    if mailbox.name and not first.name:
        found[_same(mailbox)] = replace(first, name=mailbox.name)


# -- one entry --------------------------------------------------------------------------------------------------


class _Unusable(ValueError):
    """What is wrong, as the end of a sentence that begins with the entry."""


def _spaced(text: str) -> str:
    """Every kind of space as a space; a control character is no slip of the finger."""
    if len(text) > _LONGEST_ENTRY:
        raise _Unusable("is too long for one recipient; put a comma between recipients.")
    spaced = "".join(" " if c == "\t" or unicodedata.category(c) == "Zs" else c for c in text.strip())
    if lines.broken(spaced) or not lines.storable(spaced):
        raise _Unusable("contains a line break or control character.")
    return spaced.strip()


def _taken_apart(text: str) -> tuple[str, str]:
    """(name, address) as typed, the name without its quotation marks."""
    bare = _visible(text)
    if not bare:
        raise _Unusable("is empty.")
    at_name = _QUOTED.match(text)
    start = at_name.end() if at_name else 0
    if found := _ANGLE.fullmatch(text, start):
        if found["rest"].strip():
            raise _Unusable("has something behind the address; put a comma between recipients.")
        return _unquoted(text[: found.start("address") - 1]), found["address"]
    if "<" in text[start:] or ">" in text[start:]:
        raise _Unusable("has angle brackets that do not enclose one address.")
    if found := _OLD_NAME.fullmatch(bare):  # address (Name), as programs of long ago write it
        return found["name"], found["address"]
    if "(" in bare:
        raise _Unusable("has a comment in parentheses; leave it out.")
    if not bare.lower().startswith("mailto:") and re.search(r'^[^"@]*:|;$', bare):
        raise _Unusable("is a group; write the addresses in it one by one.")
    return "", bare


def _unquoted(typed: str) -> str:
    name = typed.strip()
    quoted = _QUOTED.fullmatch(name)
    return re.sub(r"\\(.)", r"\1", quoted[1], flags=re.DOTALL) if quoted else name


def _name(typed: str, address: str) -> str:
    """The name on one line, and none where it only repeats the address."""
    one_line = " ".join("".join(c for c in typed if c not in _DIRECTIONS).split())
    shortened = one_line[:LONGEST_NAME].rstrip()
    return "" if shortened.strip("'\"").lower() == _visible(address).lower() else shortened


def _checked(typed: str) -> str:
    """The address as it travels."""
    address = _visible(typed)
    if address.lower().startswith("mailto:"):
        # RFC 6068: percent-encoded, and fields may follow.
        address = _visible(unquote(address[7:].partition("?")[0], errors="replace"))
    if address.endswith(".") and not address.endswith(".."):
        address = address[:-1]  # the end of the sentence it was copied from
    _look_over(address)
    try:
        checked = validate_email(
            address, check_deliverability=False, globally_deliverable=False, allow_quoted_local=True
        )
    except EmailNotValidError as error:
        raise _Unusable(f"is not an email address: {_lower_first(str(error))}") from None
    domain = checked.ascii_domain
    if not checked.local_part.isascii():
        raise _Unusable("has letters before the @ that mail providers do not carry.")
    if checked.local_part.startswith('"'):
        raise _Unusable("has quotation marks before the @ that mail providers do not carry.")
    if domain is None or "." not in domain:
        raise _Unusable("has no ending such as .com behind the @.")
    if _IP.fullmatch(domain):
        raise _Unusable("has an IP address behind the @; write the domain, such as example.com.")
    if _NUMBER.fullmatch(domain.rpartition(".")[2]):
        raise _Unusable("ends in a number; a domain ends in letters such as .com.")
    if len(checked.local_part) > _LONGEST_LOCAL:
        raise _Unusable(f"has more than {_LONGEST_LOCAL} characters before the @.")
    whole = f"{checked.local_part}@{domain}"
    if len(whole) > _LONGEST_ADDRESS:
        raise _Unusable(f"is longer than the {_LONGEST_ADDRESS} characters an address can have.")
    return whole


def _look_over(address: str) -> None:
    """The slips that people make most, in plainer words than a parser's."""
    unquoted = _QUOTED.sub("", address)
    if "@" not in unquoted:
        raise _Unusable("has no @; where it is part of a name, put the name in quotation marks.")
    if re.search(r"\S@\S.*[\s,;]+.*\S@\S", unquoted):
        raise _Unusable("holds more than one address; put a comma between them.")
    if unquoted.count("@") > 1:
        raise _Unusable("has more than one @.")
    if _COMMENT.search(unquoted):
        raise _Unusable("has a comment in parentheses; leave it out.")
    if any(c.isspace() for c in unquoted):
        raise _Unusable("has a space inside the address.")


def _visible(text: str) -> str:
    """``text`` without what nobody sees: zero-width characters and direction marks come along when copying."""
    return "".join(c for c in text if unicodedata.category(c) != "Cf").strip()


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]


def _short(text: str) -> str:
    clean = "".join(c if c.isprintable() else "�" for c in text.strip())
    return clean if len(clean) <= 60 else clean[:57] + "…"


# -- lists ------------------------------------------------------------------------------------------------------


def split(text: str) -> list[str]:
    """A typed or pasted line or list of recipients as single entries.

    Cut at commas, semicolons and lines outside quotation marks and angle brackets. Lines copied from a spreadsheet
    are columns between tabs: the cells beside an address are its name.
    """
    entries: list[str] = []
    chunks = [chunk for line in re.split(r"[\r\n\x0b\x0c\x85\u2028\u2029]+", text) for chunk in _chunks(line)]
    for chunk in chunks:
        entries += [_comma_in_name(chunk)] if len(chunks) > 1 and _is_one(chunk) else _cut(chunk, ",")
    return [entry for entry in entries if entry]


def _chunks(line: str) -> list[str]:
    """A line cut where no name can go on."""
    if "\t" in line.strip() and "@" in line:
        return _row([cell.strip(" ,;") for cell in line.split("\t")])
    line = line.replace("\t", ";")
    return [part for part in _cut(line, ";") if part]


def _row(cells: list[str]) -> list[str]:
    """Entries of a spreadsheet's row."""
    entries: list[str] = []
    names: list[str] = []
    for cell in filter(None, cells):
        if "@" not in cell:
            names.append(cell)
            continue
        parts = [part for part in _cut(cell, ",;") if part]
        if len(parts) == 1 and "<" not in cell and names:
            parts = [_named(" ".join(names), cell)]
            names = []
        entries += parts
    if names and len(entries) == 1 and "<" not in entries[0]:
        return [_named(" ".join(names), entries[0])]
    return entries + names


def _named(name: str, address: str) -> str:
    """Name and address as one entry that is never cut again."""
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}" <{address.strip("<>")}>'


def _is_one(chunk: str) -> bool:
    """Whether a comma in the chunk can only be inside a name, as mail programs copy it: “Ruiz, Ana <ana@…>”."""
    return chunk.count("@") == 1 and bool(re.fullmatch(r'[^"<>]*,[^"<>]*<[^<>]*>', chunk))


def _comma_in_name(chunk: str) -> str:
    name, _, address = chunk.partition("<")
    return _named(name.strip(), address.rstrip(">"))


def _cut(text: str, at: str) -> list[str]:
    """``text`` cut at these characters; a quotation mark or bracket that is never closed protects nothing."""
    parts: list[str] = []
    start = at_char = 0
    while at_char < len(text):
        if found := _QUOTED.match(text, at_char) or _BRACKETED.match(text, at_char):
            at_char = found.end()
            continue
        if text[at_char] in at:
            parts.append(text[start:at_char].strip())
            start = at_char + 1
        at_char += 1
    return [*parts, text[start:].strip()]
