"""``truesend explain hits``: the classifier's answers for hits told in JSON, without a database or settings.

A line in is one delivery, ``{"sequence", "sent_at", "delivered_at"?, "links", "hits", "sender"?}``; the line out
is ``{"sequence", "hits": [{"class", "confidence", "reason", "rule"}]}``, the hits in the order they came in.
Judged by :func:`truesend.tracking.classify.classify`, which the worker uses, on the headers that the tracker
keeps, each line for itself: what only other deliveries tell (one network at many recipients) may be given with a
hit as ``network_recipients``.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from truesend.tracking import rules
from truesend.tracking.classify import Seen, Trail, classify
from truesend.tracking.records import FIELDS
from truesend.tracking.rules import Rules

_KEPT = frozenset(FIELDS)
_ADDRESS_NAMES = ("url", "target", "href", "address")
_MILLISECONDS = 100_000_000_000  # a number of seconds so large would lie after the year 5138


class BadSequence(ValueError):
    """A line that cannot be read; its text is the sentence for whoever wrote it."""


def explain_lines(
    lines: Iterable[str], answer: Callable[[str], None], complain: Callable[[str], None],
    version: Rules = rules.CURRENT,
) -> bool:  # fmt: skip
    """Answer each line, or complain naming its number, from 1; whether all could be read. Blank lines pass."""
    fine = True
    for number, line in enumerate(lines, start=1):
        if not line.strip("\ufeff \t\r\n"):
            continue
        try:
            answer(json.dumps(explain_line(line, version)))
        except BadSequence as error:
            complain(f"line {number}: {error}")
            fine = False
    return fine


def explain_line(line: str, version: Rules = rules.CURRENT) -> dict[str, Any]:
    """The answer for one line of JSON. Raises :class:`BadSequence`."""
    try:
        told = json.loads(line.strip("\ufeff \t\r\n"))
    except (ValueError, RecursionError) as error:
        raise BadSequence(f"this is no JSON ({_short(str(error))}).") from None
    if not isinstance(told, dict):
        raise BadSequence('a sequence is an object: {"sequence": …, "sent_at": …, "hits": […]}.')
    found = classify(trail_of(told), version)
    return {
        "sequence": told.get("sequence"),
        "hits": [
            {"class": one.klass, "confidence": one.confidence, "reason": one.reason, "rule": one.rule}
            for one in found
        ],
    }


def trail_of(told: Mapping[str, Any]) -> Trail:
    """A delivery as it was told.

    ``links`` is how many there are, or a list of addresses or of objects with one; a hit's ``link`` is a position,
    counted from 0, or one of the addresses. Beyond the contract, ``recipients`` (how many of them share the mail),
    ``replied_at``, and in ``sender`` ``provider`` (``"google"``: the Sent copy is seen through Gmail's proxy).
    """
    links = _links(told.get("links"))
    sender = _object(told.get("sender"), "sender")
    if "sent_at" not in told:
        raise BadSequence("sent_at is missing.")
    hits = told.get("hits")
    if not isinstance(hits, list):
        raise BadSequence("hits must be a list.")
    seen = [_hit(hit, position, links) for position, hit in enumerate(hits)]
    return Trail(
        sent_at=_time(told["sent_at"], "sent_at"),
        delivered_at=_time_or_none(told.get("delivered_at"), "delivered_at"),
        links=links.count,
        hits=seen,
        sender_ips=frozenset(_texts(sender.get("ips"), "sender.ips")),
        sender_agents=frozenset(_texts(sender.get("user_agents"), "sender.user_agents")),
        sent_copy_behind_proxy=sender.get("provider") == "google",
        recipients=_count(told.get("recipients", 1), "recipients"),
        replied_at=_time_or_none(told.get("replied_at"), "replied_at"),
    )


def run(file: str) -> int:
    """``truesend explain hits FILE``: the exit code, 1 when a line or the file could not be read."""
    try:
        if file == "-":
            return _run(_stdin())
        with Path(file).open(encoding="utf-8", errors="replace", newline="\n") as lines:
            return _run(lines)
    except BrokenPipeError:  # whoever read the answers has read enough
        sys.stdout = None
        return 1
    except OSError as error:
        print(f"{file} cannot be read: {error.strerror}.", file=sys.stderr)
        return 1


def _stdin() -> TextIO:
    return open(sys.stdin.fileno(), encoding="utf-8", errors="replace", newline="\n", closefd=False)


def _run(lines: Iterable[str]) -> int:
    def answer(text: str) -> None:
        print(text, flush=True)

    def complain(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    return 0 if explain_lines(lines, answer, complain) else 1


# Reading what was told


@dataclass(frozen=True, slots=True)
class _Links:
    """How many links the mail has, and the position of each address, filled as hits name others."""

    count: int
    positions: dict[str, int]

    def position(self, told: Any, where: str) -> int | None:
        if isinstance(told, dict):
            told = told["index"] if "index" in told else _address(told)
        if told is None or (isinstance(told, int) and not isinstance(told, bool) and told >= 0):
            return told
        if isinstance(told, str):
            if told.isdecimal() and len(told) < 7 and told not in self.positions:
                return int(told)
            # One that the list leaves out is a link of its own.
            return self.positions.setdefault(told, self.count + len(self.positions))
        raise BadSequence(f"{where}.link must be a position, counted from 0, or one of the links.")


def _links(told: Any) -> _Links:
    if told is None:
        return _Links(0, {})
    if isinstance(told, list):
        positions: dict[str, int] = {}
        for at, link in enumerate(told):
            address = _address(link) if isinstance(link, dict) else link
            # The same address twice in a mail stays two links; a hit that names it by address means the first.
            if isinstance(address, str):
                positions.setdefault(address, at)
        return _Links(len(told), positions)
    return _Links(_count(told, "links", least=0), {})


def _address(link: Mapping[str, Any]) -> Any:
    return next((link[name] for name in _ADDRESS_NAMES if name in link), None)


def _hit(told: Any, position: int, links: _Links) -> Seen:
    where = f"hits[{position}]"
    hit = _object(told, where)
    kind = str(hit.get("kind", "")).lower()
    if kind not in {"open", "click"}:
        raise BadSequence(f'{where}.kind must be "open" or "click".')
    if "at" not in hit:
        raise BadSequence(f"{where}.at is missing.")
    headers = _headers(hit.get("headers"), where)
    agent = hit.get("user_agent")
    return Seen(
        at=_time(hit["at"], f"{where}.at"),
        kind=kind,
        link=links.position(hit.get("link"), where) if kind == "click" else None,
        method=str(hit.get("method") or "GET").upper(),
        ip=None if hit.get("ip") is None else str(hit["ip"]).strip(),
        user_agent=str(headers.get("user-agent", "") if agent is None else agent),
        headers={name: value for name, value in headers.items() if name in _KEPT},
        count=_count(hit.get("count", 1), f"{where}.count"),
        network_recipients=_count(hit.get("network_recipients", 1), f"{where}.network_recipients"),
    )


def _headers(told: Any, where: str) -> dict[str, str]:
    """Headers from an object, or from a list of pairs; names in lower case, the last of several counts."""
    if isinstance(told, list):
        if not all(isinstance(pair, list) and len(pair) == 2 for pair in told):
            raise BadSequence(f"{where}.headers must be an object or a list of pairs.")
        pairs = [(name, value) for name, value in told]
    else:
        pairs = list(_object(told, f"{where}.headers").items())
    found = {}
    for name, value in pairs:
        if value is not None:
            text = ", ".join(str(one) for one in value) if isinstance(value, list) else str(value)
            found[str(name).strip().lower()] = text.strip()
    return found


def _object(told: Any, where: str) -> Mapping[str, Any]:
    if told is None:
        return {}
    if not isinstance(told, dict):
        raise BadSequence(f"{where} must be an object.")
    return told


def _texts(told: Any, where: str) -> list[str]:
    if told is None:
        return []
    if isinstance(told, str):
        return [told]
    if not isinstance(told, list):
        raise BadSequence(f"{where} must be a list.")
    return [str(one) for one in told if one is not None]


def _count(told: Any, where: str, least: int = 1) -> int:
    if isinstance(told, bool) or not isinstance(told, int) or told < least:
        raise BadSequence(f"{where} must be a whole number" + (", or a list." if where == "links" else "."))
    return told


def _time_or_none(told: Any, where: str) -> datetime | None:
    return None if told is None else _time(told, where)


def _time(told: Any, where: str) -> datetime:
    """A moment from RFC 3339, or seconds or milliseconds since 1970; without an offset it is UTC."""
    try:
        if isinstance(told, (int, float)) and not isinstance(told, bool):
            return datetime.fromtimestamp(told / 1000 if abs(told) >= _MILLISECONDS else told, UTC)
        if isinstance(told, str):
            read = datetime.fromisoformat(told.strip())
            return read.astimezone(UTC) if read.tzinfo else read.replace(tzinfo=UTC)
    except (ValueError, OverflowError, OSError):
        pass
    raise BadSequence(
        f"{where} must be a time, such as 2026-11-03T10:00:00Z, not {_short(json.dumps(told))}."
    )


def _short(text: str) -> str:
    return text if len(text) <= 80 else text[:79] + "…"
