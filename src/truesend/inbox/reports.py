"""Delivery reports for machines: RFC 3464, and RFC 6533 for addresses in UTF-8."""

from __future__ import annotations

import re
from dataclasses import dataclass

from truesend.inbox.parts import Headers, Mail, read_headers

_TYPED = re.compile(r"^\s*([A-Za-z][A-Za-z0-9+-]{0,30})\s*;\s*(.*)$", re.DOTALL)
_PLAIN_STATUS = re.compile(r"([245])\.(\d{1,3})\.(\d{1,3})")
_ADDRESS = re.compile(r"[^\s<>()\"',;:]+@[^\s<>()\"',;:\]]+")
_ESCAPED = re.compile(r"\\x\{([0-9A-Fa-f]{2,6})\}")
FAILED = ("fail", "error", "expired", "bounce", "undeliver", "reject")
SUCCEEDED = ("deliver", "relay", "expand", "success", "ok")


@dataclass(frozen=True, slots=True)
class Group:
    """The fields of one recipient."""

    address: str
    others: tuple[str, ...]
    """Further names of the same recipient: the final one where ``address`` is the original one."""
    action: str
    """``failed``, ``delayed``, ``done`` or ``""``."""
    status: str
    diagnostic: str
    remote: str = ""


def groups(mail: Mail) -> list[Group]:
    """Every recipient that the report's machine-readable parts tell of, in their order."""
    found = []
    for part in mail.kinds("status"):
        text = part.text
        # Some gateways put blank lines between all lines, or leave none between groups.
        for block in _blocks(text):
            group = _group(read_headers(block))
            if group is not None:
                found.append(group)
    return found


def loose_groups(text: str) -> list[Group]:
    """The same fields where they stand in a note, in no part of their own."""
    if "final-recipient" not in text.lower():
        return []
    return [
        group
        for block in _blocks(text)
        if (group := _group(read_headers(block))) is not None and group.action
    ]


def _blocks(text: str) -> list[str]:
    text = text.replace("\r\n", "\n")
    blocks: list[list[str]] = [[]]
    seen: set[str] = set()
    for line in text.split("\n")[:5_000]:
        if not line.strip():
            if (
                blocks[-1]
                and seen & {"final-recipient", "original-recipient"}
                and seen & {"action", "status"}
            ):
                blocks.append([])
                seen = set()
            continue
        name = line.partition(":")[0].strip().lower()
        if (
            line[:1] not in " \t"
            and name in {"final-recipient", "original-recipient", "action"}
            and name in seen
        ):
            blocks.append([])
            seen = set()
        if line[:1] not in " \t":
            seen.add(name)
        blocks[-1].append(line)
    return ["\n".join(block) for block in blocks if block]


def _group(fields: Headers) -> Group | None:
    final, original = _address(fields.get("final-recipient")), _address(fields.get("original-recipient"))
    actual = _address(fields.get("x-actual-recipient"))
    named = [one for one in (original, final, actual) if "@" in one]
    told = fields.get("action").strip().lower()
    if not named and not told and "status" not in fields and not (final or original):
        return None
    # A pipe or a route is no address a person wrote to; where both are, the original one is what they wrote.
    address = named[0] if named else original or final
    if named and final in named and _better(final, named[0]):
        address = final
    diagnostic = (
        _TYPED.sub(r"\2", fields.get("diagnostic-code"))
        if ";" in fields.get("diagnostic-code")[:40]
        else fields.get("diagnostic-code")
    )
    status = _PLAIN_STATUS.search(fields.get("status"))
    note = re.sub(r"^[\s\d.]*", "", fields.get("status")).strip(" ()")
    if not diagnostic.strip() and note:
        diagnostic = note
    return Group(
        address=address,
        others=tuple(dict.fromkeys(one for one in (original, final, actual) if one and one != address)),
        action=_action(told, status[0] if status else ""),
        status=status[0] if status else "",
        diagnostic=" ".join(diagnostic.split()),
        remote=fields.get("remote-mta"),
    )


def _better(final: str, original: str) -> bool:
    """An original recipient that is a route (``@a:b@c``) or has been spoiled."""
    return original.count("@") != 1 and final.count("@") == 1


def _action(told: str, status: str) -> str:
    if told.startswith(FAILED) and not told.startswith("deliverable"):
        return "failed"
    if told.startswith("delay"):
        return "delayed"
    if told.startswith(SUCCEEDED):
        return "done"
    return {"5": "failed", "4": "delayed", "2": "done"}.get(status[:1], "")


def _address(value: str) -> str:
    value = value.strip()
    typed = _TYPED.match(value)
    if typed:
        value = typed[2].strip()
        if typed[1].lower() == "utf-8":
            value = _ESCAPED.sub(_unescape, value)
    value = value.strip()
    if value.startswith("<") and ">" in value:
        value = value[1 : value.index(">")]
    if value.startswith("@") and ":" in value:  # a source route
        value = value.rpartition(":")[2]
    if re.fullmatch(r"[^\s<>()]+@[^\s<>()]+", value):
        return value.strip("\"'").rstrip(".,;")
    found = _ADDRESS.search(value)
    return (
        found[0].rstrip(".")
        if found and not value.startswith(("|", '"|'))
        else value
        if not found
        else found[0]
    )


def _unescape(match: re.Match[str]) -> str:
    number = int(match[1], 16)
    return chr(number) if 0x20 < number < 0x110000 and not 0xD800 <= number < 0xE000 else match[0]
