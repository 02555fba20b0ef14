"""What a user agent says it is. Pure; the names come from the rules."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import Literal

from truesend.tracking.rules import Rules
from truesend.tracking.rules.shape import Names

Kind = Literal["gmail", "yahoo", "apple", "preview", "gateway", "library", "mail", "browser", "none", "other"]

_BROWSERS = (
    (re.compile(r"\bEdg(?:e|A|iOS)?/"), "Edge"),
    (re.compile(r"\bOPR/|\bOpera/|\bOPT/"), "Opera"),
    (re.compile(r"\bSamsungBrowser/"), "Samsung Internet"),
    (re.compile(r"\bVivaldi/"), "Vivaldi"),
    (re.compile(r"\bYaBrowser/"), "Yandex Browser"),
    (re.compile(r"\b(?:Firefox|FxiOS)/"), "Firefox"),
    (re.compile(r"\b(?:Chrome|CriOS|Chromium)/"), "Chrome"),
    (re.compile(r"\bVersion/[\d.]+ .*\bSafari/"), "Safari"),
    (re.compile(r"\bTrident/|\bMSIE "), "Internet Explorer"),
)
_SYSTEMS = (
    (re.compile(r"Windows"), "Windows"),
    (re.compile(r"iPhone|iPod"), "an iPhone"),
    (re.compile(r"iPad"), "an iPad"),
    (re.compile(r"Android"), "Android"),
    (re.compile(r"Macintosh|Mac OS X|Darwin"), "a Mac"),
    (re.compile(r"CrOS"), "ChromeOS"),
    (re.compile(r"Linux|X11"), "Linux"),
)
# What browsers and their engines say of themselves tells nothing of a program that only calls itself like one.
_COMMON = frozenset(
    {"mozilla", "applewebkit", "khtml", "gecko", "mobile", "safari", "version", "chrome", "windows", "build"}
)
_PRODUCT = re.compile(r"([A-Za-z][A-Za-z0-9_.+-]*)\]?/\d")
_COMPATIBLE = re.compile(r"\bcompatible; *([^;)/]+)")
_LINK = re.compile(r"\w+://\S*")
_LONGEST = 40
_PHONES = frozenset({"an iPhone", "Android"})
_HANDHELD = _PHONES | {"an iPad"}
# Mail on a Mac, iPhone or iPad shows HTML in WebKit and names neither Safari nor itself.
_APPLE_MAIL = re.compile(r"AppleWebKit/[\d.]+ \(KHTML, like Gecko\)(?: Mobile/\w+)?\Z")


@dataclass(frozen=True, slots=True)
class Agent:
    """A user agent, read: its kind, its name, and the system it runs on (empty when it names none)."""

    kind: Kind
    name: str
    system: str

    @property
    def device(self) -> str:
        """ "Firefox on Windows", for people."""
        return f"{self.name} on {self.system}" if self.system else self.name

    @property
    def is_phone(self) -> bool:
        """Whether it runs on a phone."""
        return self.system in _PHONES


@functools.lru_cache(maxsize=4096)
def parse(user_agent: str, version: str) -> Agent:
    """Read a user agent by the rules of that version."""
    from truesend.tracking.rules import VERSIONS

    return _parse(user_agent.strip(), VERSIONS[version])


def _parse(text: str, rules: Rules) -> Agent:
    if not text:
        return Agent("none", "", "")
    if text == "Mozilla/5.0":
        return Agent("apple", "Apple Mail", "")
    lower = text.lower()
    if "googleimageproxy" in lower or "via ggpht.com" in lower:
        return Agent("gmail", "Gmail", "")
    if "yahoomailproxy" in lower:
        return Agent("yahoo", "Yahoo", "")
    system = next((name for pattern, name in _SYSTEMS if pattern.search(text)), "")
    known: tuple[tuple[Kind, Names], ...] = (
        ("preview", rules.previews),
        ("gateway", rules.gateways),
        ("mail", rules.mail_programs),
        ("library", rules.libraries),
    )
    for kind, names in known:
        name = next((shown for part, shown in names if part in lower), None)
        if kind == "mail" and (app := _app(lower, system, rules)):
            return Agent("browser", app, system)
        if name:
            return Agent(kind, name, system)
    if text.startswith("Mozilla/5.0 (") and _APPLE_MAIL.search(text):
        return Agent("mail", "Apple Mail", system)
    name = next((name for pattern, name in _BROWSERS if pattern.search(text)), None)
    if name and system and text.startswith(("Mozilla/", "Opera/")):
        return Agent("browser", name, system)
    return Agent("other", _own_name(text), system)


def _app(lower: str, system: str, rules: Rules) -> str | None:
    """The app whose own browser it is, on a telephone or an iPad."""
    if system not in _HANDHELD or not lower.startswith("mozilla/5.0 (") or "applewebkit/" not in lower:
        return None
    return next((shown for part, shown in rules.app_browsers if part in lower), None)


def _own_name(text: str) -> str:
    """The part of an agent that tells it from others, fit to stand in a sentence."""
    if not text.startswith("Mozilla/"):
        return _printed(text.partition("/")[0])
    plain = _LINK.sub("", text)
    products = (name for name in _PRODUCT.findall(plain) if name.lower() not in _COMMON)
    if name := next(products, ""):
        return _printed(name)
    said = _COMPATIBLE.search(plain)
    return _printed(said[1] if said else text)


def _printed(text: str) -> str:
    """Without what would turn, hide or break the sentence that it stands in, and cut."""
    shown = " ".join("".join(c if c.isprintable() else " " for c in text[:200]).split())
    return (shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST - 1]}…") or "the agent"
