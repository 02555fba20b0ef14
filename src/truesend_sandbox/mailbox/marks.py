"""The mark of a delivery in a mail: a header where a provider carries headers, else a comment in the HTML."""

from __future__ import annotations

import re

from truesend_sandbox.mailbox.headers import Mail

HEADER = "x-truesend-delivery"
_COMMENT = re.compile(r"<!-- truesend:delivery=([0-9A-Za-z-]{1,64}) -->")


def in_header(mail: Mail) -> str | None:
    """The header's value."""
    return mail.get(HEADER)


def in_html(html: str) -> str | None:
    """The value of the last comment: an earlier one belongs to a mail that is quoted."""
    found = _COMMENT.findall(html)
    return found[-1] if found else None
