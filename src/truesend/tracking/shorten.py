"""What is left of a hit's evidence where an organization keeps less than all of it. Pure.

A shortened hit still says what the rules ask of it: the network, the program and its system, that a language was
sent, that it was loaded ahead, and which gateway led here. It no longer tells one device from another.
"""

from __future__ import annotations

import functools
import ipaddress
import re
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from truesend.tracking import agents, rules
from truesend.tracking.agents import Agent
from truesend.tracking.hints import AHEAD_HEADERS
from truesend.tracking.rules.shape import Names

NETWORK_BITS = {4: 24, 6: 48}

_LONGEST = 80
_MORE = re.compile(r"(\d+)(?:[._]\w+)+")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}\b")
# How a browser writes itself, and a system; what `agents` reads back is held against it by the caller below.
_BROWSERS = {
    "Edge": "Edg",
    "Opera": "OPR",
    "Samsung Internet": "SamsungBrowser",
    "Vivaldi": "Vivaldi",
    "Yandex Browser": "YaBrowser",
    "Firefox": "Firefox",
    "Chrome": "Chrome",
    "Safari": "Version",
    "Internet Explorer": "Trident",
}
_SPELLED = {
    "Edge": r"Edg\w*",
    "Opera": "OPR|OPT|Opera",
    "Firefox": "Firefox|FxiOS",
    "Chrome": "Chrome|CriOS|Chromium",
}
_SYSTEMS = {
    "Windows": "Windows",
    "an iPhone": "iPhone",
    "an iPad": "iPad",
    "Android": "Android",
    "a Mac": "Macintosh",
    "ChromeOS": "CrOS",
    "Linux": "Linux",
}
_PROXIES = {"gmail": "GoogleImageProxy", "yahoo": "YahooMailProxy", "apple": "Mozilla/5.0", "none": ""}


@functools.lru_cache(maxsize=16_384)
def address(ip: str | None) -> str | None:
    """The first address of its /24 or /48."""
    if ip is None:
        return None
    parsed = ipaddress.ip_address(ip)
    return str(ipaddress.ip_network((parsed, NETWORK_BITS[parsed.version]), strict=False).network_address)


@functools.lru_cache(maxsize=4096)
def agent(user_agent: str) -> str:
    """Family, major version and system, in a spelling that is read as the same agent."""
    version = rules.CURRENT.version
    found = agents.parse(user_agent, version)
    short = (one for one in _spellings(user_agent, found) if agents.parse(one, version) == found)
    return next(short, _MORE.sub(r"\1", user_agent)[:_LONGEST])


def headers(sent: Mapping[str, str]) -> dict[str, str]:
    """Of the headers, what rules ask for and nothing that tells one person from another."""
    kept = {name: sent[name] for name in AHEAD_HEADERS if name in sent}
    if language := _LANGUAGE.match(sent.get("accept-language", "").lstrip()):
        kept["accept-language"] = language[0].lower()
    if host := _rewriter_host(sent.get("referer", "")):
        kept["referer"] = f"https://{host}/"
    return kept


def _rewriter_host(referer: str) -> str:
    """The part of a known link gateway's host that names it: what stands before it may name its customer."""
    try:
        host = urlsplit(referer).hostname or ""
    except ValueError:
        return ""
    named = (part for part, _ in rules.CURRENT.rewriters if host == part or host.endswith("." + part))
    return next(named, "")


def _spellings(text: str, found: Agent) -> Iterator[str]:
    system = _SYSTEMS.get(found.system, "")
    if found.kind in _PROXIES:
        yield _PROXIES[found.kind]
    elif found.kind == "browser" and (part := _app_part(text, found)):
        yield f"Mozilla/5.0 ({system}) AppleWebKit/0 {part.rstrip('/')}/0"
    elif found.kind == "browser":
        token = _BROWSERS.get(found.name, found.name)
        spelled = re.search(rf"\b(?:{_SPELLED.get(found.name, token)})/(\d+)", text)
        major = spelled[1] if spelled else "0"
        more = " Safari/0" if found.name == "Safari" else ""
        yield f"Mozilla/5.0 ({system}) {token}/{major}{more}"
    elif found.kind == "other":
        yield f"{found.name}/ ({system})" if system else found.name
        yield found.name
    else:
        parts = (part for part, name in _names(found.kind) if name == found.name and part in text.lower())
        if part := next(parts, ""):
            spelled = re.search(rf"{re.escape(part)}\D{{0,3}}(\d+)", text, re.IGNORECASE)
            on = f" ({system})" if system else ""
            yield f"{part.rstrip('/')}/{spelled[1]}{on}" if spelled else part + on
            yield part + on
        yield f"Mozilla/5.0 ({system}) AppleWebKit/0 (KHTML, like Gecko)"  # Apple's mail program names nothing else


def _app_part(text: str, found: Agent) -> str:
    """What names the app whose own browser it is."""
    lower = text.lower()
    parts = (part for part, name in rules.CURRENT.app_browsers if name == found.name and part in lower)
    return next(parts, "")


def _names(kind: str) -> Names:
    current = rules.CURRENT
    known = {
        "preview": current.previews,
        "gateway": current.gateways,
        "mail": current.mail_programs,
        "library": current.libraries,
    }
    return known.get(kind, ())
