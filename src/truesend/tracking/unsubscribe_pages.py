"""The pages behind an unsubscribe link: whose mail it is about, a button, and the way back.

They load nothing, run nothing and count nothing. All they say comes from the token.
"""

from __future__ import annotations

import base64
import hashlib
from html import escape

from truesend.tracking import answers
from truesend.tracking.answers import Answer
from truesend.tracking.unsubscribe_tokens import UnsubscribeToken

ACTION = "action"
UNSUBSCRIBE, UNDO = "unsubscribe", "undo"
"""The field of the pages' forms, and what it may hold."""

_STYLE = (
    "body{max-width:32rem;margin:14vh auto 0;padding:0 1.5rem 3rem;font:1rem/1.55 system-ui,sans-serif;"
    "color:#1c2024;background:#fff;overflow-wrap:anywhere}"
    "h1{font-size:1.4rem;line-height:1.3}"
    "button{font:inherit;font-weight:600;min-height:2.75rem;padding:.5rem 1.25rem;border-radius:.5rem;"
    "border:1px solid #1d4ed8;background:#1d4ed8;color:#fff;cursor:pointer}"
    "button.quiet{background:transparent;color:inherit;border-color:#868e96}"
    "button:focus-visible{outline:3px solid #60a5fa;outline-offset:2px}"
    ".small{font-size:.9rem;color:#57606a;margin-top:2rem}"
    "@media (prefers-color-scheme:dark){body{color:#e6e8eb;background:#16181b}"
    "button{background:#3b6fe0;border-color:#3b6fe0}.small{color:#a3acb5}}"
)
_POLICY = (
    b"default-src 'none'; style-src 'sha256-%b'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    % base64.b64encode(hashlib.sha256(_STYLE.encode()).digest())
)
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark"><title>{title}</title><style>{style}</style></head>
<body><main><h1>{title}</h1><p>{text}</p>{form}{small}</main></body></html>
"""
_FORM = (
    '<form method="post"><input type="hidden" name="{field}" value="{value}">'
    "<button{quiet}>{label}</button></form>"
)


def asking(token: UnsubscribeToken) -> Answer:
    """What the link opens: a question, and nothing has happened yet."""
    who = _who(token)
    return _page(
        200,
        f"Stop mail from {who}?",
        f"{who} will send no more mail that goes to many people to <b>{escape(token.address)}</b>. "
        "Somebody there may still write to you in person.",
        _button(UNSUBSCRIBE, "Unsubscribe"),
        "Not your address? Then somebody passed this mail on to you. Close this page: nothing has happened.",
    )


def done(token: UnsubscribeToken) -> Answer:
    """It is noted."""
    return _page(
        200,
        "You are unsubscribed",
        f"{_who(token)} sends no more mail that goes to many people to <b>{escape(token.address)}</b>. "
        "What is on its way already may still arrive.",
        _button(UNDO, "That was a mistake", quiet=True),
    )


def undone(token: UnsubscribeToken) -> Answer:
    """It is noted that it was a mistake."""
    return _page(
        200,
        "You are not unsubscribed",
        f"<b>{escape(token.address)}</b> gets mail from {_who(token)} as before.",
        _button(UNSUBSCRIBE, "Unsubscribe", quiet=True),
    )


def not_noted(token: UnsubscribeToken, action: str) -> Answer:
    """It could not be made safe on this machine, and so it is not said that it was."""
    label = "Unsubscribe" if action == UNSUBSCRIBE else "That was a mistake"
    return _page(
        503,
        "That could not be noted",
        "Try again in a minute; or answer the mail and say it in words.",
        _button(action, label),
        more=((b"retry-after", b"60"),),
    )


def not_understood(token: UnsubscribeToken) -> Answer:
    """Something was sent that is neither of our buttons nor a mail program's."""
    head, body = asking(token)
    return {**head, "status": 400}, body


def _who(token: UnsubscribeToken) -> str:
    return escape(token.name) or "the sender"


def _button(value: str, label: str, *, quiet: bool = False) -> str:
    style = ' class="quiet"' if quiet else ""
    return _FORM.format(field=ACTION, value=value, label=label, quiet=style)


def _page(
    status: int, title: str, text: str, form: str, small: str = "", more: tuple[tuple[bytes, bytes], ...] = ()
) -> Answer:
    """``title`` and the rest are HTML already."""
    small = f'<p class="small">{small}</p>' if small else ""
    body = _PAGE.format(title=title, text=text, form=form, small=small, style=_STYLE).encode()
    policy = (b"content-security-policy", _POLICY)
    return answers.plain(status, body, b"text/html; charset=utf-8", policy, *more)


WRONG_METHOD = answers.plain(
    405, b"Only GET, HEAD and POST.\n", b"text/plain; charset=utf-8", (b"allow", b"GET, HEAD, POST")
)
TOO_LARGE = answers.plain(413, b"That is more than a button sends.\n", b"text/plain; charset=utf-8")
