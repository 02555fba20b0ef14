"""The people, browsers and short forms that the written cases share."""

from __future__ import annotations

from tests.labelled import agents
from tests.labelled.agents import BLINK, PLATFORMS, WEBKIT, Browser
from tests.labelled.shape import Headers, Hit, Truth

MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0


def _chromium(platform: str, version: int, language: str, edge: bool = False) -> Browser:
    mobile = "Mobile " if platform == "android" else ""
    agent = f"Mozilla/5.0 ({PLATFORMS[platform]}) {BLINK} Chrome/{version}.0.0.0 {mobile}Safari/537.36"
    agent += f" Edg/{version}.0.0.0" if edge else ""
    return Browser(agent, "edge" if edge else "chrome", platform, version, language)


WINDOWS_CHROME = _chromium("windows", 131, "en-US,en;q=0.9")
MAC_CHROME = _chromium("mac", 146, "pt-BR,pt;q=0.9,en;q=0.8")
WINDOWS_EDGE = _chromium("windows", 129, "en-GB,en;q=0.9", edge=True)
ANDROID_CHROME = _chromium("android", 138, "de-DE,de;q=0.9,en;q=0.8")
FIREFOX = Browser(
    "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "firefox",
    "linux",
    128,
    "fr,en;q=0.5",
)
MAC_SAFARI = Browser(
    f"Mozilla/5.0 ({PLATFORMS['mac']}) {WEBKIT} Version/17.6 Safari/605.1.15",
    "safari",
    "mac",
    17,
    "en-GB,en;q=0.9",
)
IPHONE = Browser(
    f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_3 like Mac OS X) {WEBKIT} Version/18.3 Mobile/15E148 Safari/604.1",
    "safari", "ios", 18, "en-US,en;q=0.9",
)  # fmt: skip
OUTLOOK, OUTLOOK_2010 = agents.OUTLOOK_CLASSIC[0], agents.OUTLOOK_CLASSIC[4]
IPHONE_MAIL = f"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) {WEBKIT} Mobile/15E148"
THUNDERBIRD = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Thunderbird/128.4.0"
OLD_CHROME = f"Mozilla/5.0 ({PLATFORMS['windows']}) {BLINK} Chrome/72.0.3626.109 Safari/537.36"
SLACK = "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)"
TEAMS = "Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5"

ANY: Headers = {"accept": "*/*"}
GOOGLE: Headers = {"accept": "image/*,*/*;q=0.8", "accept-encoding": "gzip,deflate"}


def opened(at: float, ip: str, agent: str, truth: Truth, why: str, headers: Headers = ANY) -> Hit:
    """The pixel was fetched."""
    return Hit(at, "open", ip, agent, truth, why, headers=headers)


def clicked(
    at: float,
    link: int,
    ip: str,
    agent: str,
    truth: Truth,
    why: str,
    headers: Headers = ANY,
    method: str = "GET",
) -> Hit:
    """A link was requested."""
    return Hit(at, "click", ip, agent, truth, why, link, method, headers)


def gmail(at: float, truth: Truth = "person", why: str = "opened in Gmail", ip: str = "66.249.84.71") -> Hit:
    """Gmail's proxy fetched the pixel."""
    return opened(at, ip, agents.GMAIL_PROXY, truth, why, GOOGLE)


def relay(at: float, ip: str = "172.225.88.14", why: str = "Mail Privacy Protection fetched ahead") -> Hit:
    """Apple's relay fetched the pixel."""
    return opened(at, ip, agents.MAIL_PRIVACY, "proxy", why)


def follows(
    at: float, link: int, ip: str, browser: Browser, why: str = "followed a link", referer: str = "",
    truth: Truth = "person",
) -> Hit:  # fmt: skip
    """A link opened in somebody's browser, with all its headers."""
    return clicked(at, link, ip, browser.agent, truth, why, browser.page(referer))
