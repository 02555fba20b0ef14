"""What a mail says of leaving the list it came by: RFC 2369 names the address, RFC 8058 the one click."""

from __future__ import annotations

import re

from truesend_sandbox.mailbox.headers import Mail

ONE_CLICK = "List-Unsubscribe=One-Click"
_ADDRESS = re.compile(r"<(https?://[^<>\s]+)>", re.IGNORECASE)


def one_click_address(raw: bytes) -> str:
    """Where a mail lets its reader unsubscribe by one click; empty where it does not say both."""
    mail = Mail.parse(raw)
    if (mail.get("list-unsubscribe-post") or "").strip().lower() != ONE_CLICK.lower():
        return ""
    found = _ADDRESS.search(mail.get("list-unsubscribe") or "")
    return found[1] if found else ""
