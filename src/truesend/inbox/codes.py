"""Enhanced codes (RFC 3463) and SMTP reply codes (RFC 5321) in what a mail system said."""

from __future__ import annotations

import re

from truesend.inbox.causes import CAUSES

STATUS = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d]|\.\d)")
_REPLY = re.compile(
    r"(?<![\d.#:/-])([45][0-5]\d)(?=[ \-:;,)\]#]|$)(?!\s*(?:bytes|kb|mb|messages|recipients|minutes|hours|days|seconds))"
)
_FIRM = re.compile(
    r"(?:said:?|responded[^:\n]{0,30}:|replied:?|error:?|smtp;|code\s?:|response:?|returned:?|status:?|failure:?|<<<|answered:?|^#?<?)\s{0,3}#?(?:smtp error )?([45][0-5]\d)(?=[ \-:;,)\]#]|$)",
    re.IGNORECASE | re.MULTILINE,
)

_BY_STATUS: dict[str, str] = {}
for _cause in CAUSES.values():
    for _status in _cause.statuses:
        for _class in ("4", "5") if _status.startswith("x") else (_status[0],):
            _BY_STATUS.setdefault(_status.replace("x", _class, 1), _cause.code)


def statuses_in(text: str) -> list[str]:
    """Enhanced codes in their order, those of success left out."""
    return [f"{one}.{two}.{three}" for one, two, three in STATUS.findall(text[:8_000]) if one != "2"]


def code_in(text: str) -> str:
    """The SMTP reply code of a refusal, or ``""``."""
    text = text[:8_000]
    found = _FIRM.search(text) or _REPLY.search(text)
    return found[1] if found else ""


def best_status(told: list[str]) -> str:
    """The one that says most: not ``5.0.0`` where there is another."""
    return next((one for one in told if not one.endswith(".0.0")), told[0] if told else "")


def cause_of_status(status: str) -> str:
    """By the table of causes; ``""`` for those that say nothing, such as ``5.0.0``."""
    return _BY_STATUS.get(status, "")


def certain_cause(status: str) -> str:
    """Of codes that only the sender's own provider uses, whatever the words; else ``""``."""
    cause = _BY_STATUS.get(status, "")
    return cause if cause and CAUSES[cause].stops and status != "5.4.5" else ""


def cause_of_code(code: str) -> str:
    """What a bare reply code says (RFC 5321 4.2.3; RFC 7504)."""
    if code in {"521", "556"}:
        return "takes_no_mail" if code == "556" else "refused"
    return {"552": "mailbox_full", "452": "system_error", "421": "system_error", "451": "system_error",
            "551": "moved", "450": "greylisted", "553": "refused"}.get(
        code, "protocol_error" if code[:2] == "50" else "refused" if code[:1] == "5" else "system_error" if code else ""
    )  # fmt: skip
