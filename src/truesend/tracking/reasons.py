"""Why a link stays as it was written. Pure."""

from __future__ import annotations

import re

from truesend.tracking import html_scan, tokens
from truesend.tracking.html_scan import Tag

OFF = "tracking is switched off for this link"
UNSUBSCRIBE = "unsubscribe links stay as they are"
ANCHOR = "leads to a place in the mail itself"
RELATIVE = "not a complete web address"
TEMPLATE = "holds a placeholder that nobody has filled in"
OTHER_SCHEME = "{scheme} links stay as they are"
OWN = "already one of our tracking links"
EMPTY = "has no address"
UNREADABLE = "not an address we can read"
TOO_LONG = "longer than a tracked link may be"
SHOWN_OTHER = "shows another address than it leads to"
TOO_MANY = "comes after more links than are tracked in one email"
UNTRACKED = "tracking is switched off for this email"

_HOST = re.compile(
    r"https?://(?:[^/?#\\@]*@)?(\[[0-9a-f:.]+\]|[^/?#\\@:\s<>\"'{}|^`%\[\]*]+)(?::\d{0,5})?(?=[/?#\\]|\Z)",
    re.I,
)
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.I)
# As the common mail merges write them: {{x}}, {% x %}, ${x}, %%x%%, *|X|*, [[x]], <%= x %>, #{x}, [% x %].
_TEMPLATE = re.compile(r"\{\{|\{%|[$#]\{|%%\w+%%|\*\||\[\[|<%|\[%|\A\{\w+\}|\A\[\w+\]|\A%\w+%")
# What other senders' tools read as "do not track this link"; None: whatever its value.
_OFF_MARKS = {
    "data-truesend-track": "off",
    "clicktracking": "off",
    "ses:no-track": None,
    "mc:disable-tracking": None,
    "data-pm-no-track": None,
}
_UNSUBSCRIBE_MARKS = frozenset({"rel", "class", "id", "name", "title", "aria-label"})
_UNSUBSCRIBE = "unsubscribe"
# Longer texts may speak of it without being it.
_UNSUBSCRIBE_TEXT = 60


def of_tag(html: str, tag: Tag, target: str, tracking_url: str) -> str | None:
    """Why a link is left alone by what its tag says; ``None``: nothing speaks against tracking it."""
    if not target:
        return EMPTY
    if target.startswith("#"):
        return ANCHOR
    if _is_off(html, tag):
        return OFF
    scheme = _SCHEME.match(target)
    if scheme is None:
        return TEMPLATE if _TEMPLATE.search(target) else RELATIVE
    if scheme.group().lower() not in {"http:", "https:"}:
        return OTHER_SCHEME.format(scheme=scheme.group().lower())
    if tracking_url and target.lower().startswith(tracking_url.rstrip("/").lower() + "/t/"):
        return OWN
    if len(target.encode(errors="replace")) > tokens.MAX_TARGET_BYTES and _HOST.match(target):
        return TOO_LONG
    if not _HOST.match(target) or not tokens.is_target(target):
        return TEMPLATE if _TEMPLATE.search(target) else UNREADABLE
    return UNSUBSCRIBE if _UNSUBSCRIBE in target.lower() or _is_unsubscribe(html, tag) else None


def of_text(text: str) -> str | None:
    """Why a link is left alone by what it shows."""
    says = len(text) <= _UNSUBSCRIBE_TEXT and _UNSUBSCRIBE in text.lower()
    return UNSUBSCRIBE if says else None


def value(html: str, tag: Tag, name: str) -> str:
    """An attribute's value as a browser reads it; empty where there is none."""
    attribute = tag.get(name)
    return html_scan.decode(html[attribute.start : attribute.end]) if attribute else ""


def _is_off(html: str, tag: Tag) -> bool:
    for one in tag.attributes:
        if one.name in _OFF_MARKS:
            wanted = _OFF_MARKS[one.name]
            if wanted is None or html_scan.decode(html[one.start : one.end]).strip().lower() == wanted:
                return True
    return False


def _is_unsubscribe(html: str, tag: Tag) -> bool:
    for one in tag.attributes:
        is_data = one.name.startswith("data-")
        if is_data and _UNSUBSCRIBE in one.name:
            return True
        if (is_data or one.name in _UNSUBSCRIBE_MARKS) and _UNSUBSCRIBE in html[one.start : one.end].lower():
            return True
    return False
