"""The place of each click on a mail's picture: its links carry their number, and those clicked a badge. Pure.

Nothing is put between the mail's own elements: a link gets attributes, and the badge is drawn after it by a style of
ours that takes no room. So no mail looks different for being shown with badges.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from truesend.tracking.html_scan import Tag, scan

LINK = "data-truesend-link"
CLICKS = "data-truesend-clicks"
_FOREIGN = re.compile("data-truesend", re.IGNORECASE)
_LINKS = frozenset({"a", "area"})

# In a layer that comes first: what is important there wins over everything a mail declares, its own important rules
# included. Absolute without a position: it stands where the link ends (an
# inline element would), and moves nothing.
STYLE = (
    "@layer truesend{"
    f"a[{LINK}][{CLICKS}]::after{{all:initial!important;content:attr({CLICKS})!important;"
    f'content:attr({CLICKS})/""!important;position:absolute!important;'
    "box-sizing:border-box!important;min-width:20px!important;height:19px!important;padding:0 6px!important;"
    "margin:-8px 0 0 -3px!important;border-radius:99px!important;background:#0f6b5c!important;"
    "color:#fff!important;font:600 11px/19px system-ui,sans-serif!important;text-align:center!important;"
    "white-space:nowrap!important;z-index:2147483647!important;pointer-events:none!important}"
    f"a[{LINK}][data-truesend-mark]{{outline:2px solid #0f6b5c!important;outline-offset:3px!important;"
    "border-radius:3px!important}}"
)


def marked(html: str, clicks: Mapping[int, int]) -> str:
    """``html`` with the number of each link (as in :class:`truesend.tracking.rewrite.Link`) and of its clicks.

    Marks that the mail brought along are disarmed: only ours count.
    """
    parts: list[str] = []
    position = number = 0
    suspicious = _FOREIGN.search(html) is not None
    for part in scan(html):
        if not isinstance(part, Tag) or part.closing:
            continue
        is_link = part.name in _LINKS and part.get("href") is not None
        if not is_link and not suspicious:
            continue
        after_name = part.start + 1 + len(part.name)
        parts.append(html[position:after_name])
        if is_link:
            parts.append(_mark(number, clicks.get(number, 0)))
            number += 1
        rest = html[after_name : part.end]
        parts.append(_FOREIGN.sub("data-other", rest) if suspicious else rest)
        position = part.end
    return "".join([*parts, html[position:]])


def _mark(number: int, clicks: int) -> str:
    badge = f' {CLICKS}="{clicks}"' if clicks else ""
    return f' {LINK}="{number}"{badge}'
