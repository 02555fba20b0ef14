"""User agents and the headers that go with them.

Browsers: Chrome and Edge freeze the minor version to .0.0.0 and say Android 10; K (user-agent reduction,
developer.chrome.com/docs/privacy-security/user-agent-client-hints), Safari freezes macOS at 10_15_7 and sends
Sec-Fetch-* since 16.4, Firefox freezes rv:109.0 between 110 and 119 (MDN, User-Agent and Sec-Fetch-Dest).
Mail programs: matomo-org/device-detector, Tests/Parser/Client/fixtures/pim.yml.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

PLATFORMS = {
    "windows": "Windows NT 10.0; Win64; x64",
    "mac": "Macintosh; Intel Mac OS X 10_15_7",
    "linux": "X11; Linux x86_64",
    "android": "Linux; Android 10; K",
}
LANGUAGES = ("en-US,en;q=0.9", "en-GB,en;q=0.9", "de-DE,de;q=0.9,en;q=0.8", "fr-FR,fr;q=0.9,en-US;q=0.7",
             "es-ES,es;q=0.9", "pt-BR,pt;q=0.9,en;q=0.8", "ja-JP,ja;q=0.9", "nl-NL,nl;q=0.9,en;q=0.7")  # fmt: skip
NAVIGATION = (
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8"
)
PLAIN_NAVIGATION = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
CHROME_IMAGE = "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8"
FIREFOX_IMAGE = "image/avif,image/webp,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5"
WEBKIT_IMAGE = (
    "image/webp,image/avif,image/jxl,image/heic,video/*;q=0.8,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5"
)
WEBKIT = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
BLINK = "AppleWebKit/537.36 (KHTML, like Gecko)"

GMAIL_PROXY = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
GMAIL_PREFETCH = (
    f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {BLINK} Chrome/42.0.2311.135 Safari/537.36 "
    "Edge/12.246 Mozilla/5.0"
)
YAHOO_PROXY = "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html"
MAIL_PRIVACY = "Mozilla/5.0"
IMESSAGE = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_11_1) AppleWebKit/601.2.4 (KHTML, like Gecko) Version/9.0.1 "
    "Safari/601.2.4 facebookexternalhit/1.1 Facebot Twitterbot/1.0"
)
HEADLESS = f"Mozilla/5.0 (X11; Linux x86_64) {BLINK} HeadlessChrome/124.0.0.0 Safari/537.36"
OUTLOOK_CLASSIC = (
    "Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.16327; Pro)",
    "Microsoft Office/16.0 (Microsoft Outlook 16.0.12329; Pro), Mozilla/4.0 (compatible; ms-office; MSOffice 16)",
    "Mozilla/4.0 (compatible; ms-office; MSOffice 16)",
    "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 10.0; Win64; x64; Trident/7.0; .NET4.0C; .NET4.0E; "
    ".NET CLR 2.0.50727; .NET CLR 3.0.30729; .NET CLR 3.5.30729; Microsoft Outlook 16.0.5134; ms-office; MSOffice 16)",
    "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 6.1; Win64; x64; Trident/7.0; SLCC2; .NET4.0E; "
    "Microsoft Outlook 14.0.7113; ms-office; MSOffice 14)",
)


@dataclass(frozen=True)
class Browser:
    """One person's browser: its agent, family (``chrome, edge, firefox, safari``), platform and languages."""

    agent: str
    family: str
    platform: str
    version: int
    language: str

    @property
    def mobile(self) -> bool:
        """A telephone."""
        return self.platform in {"android", "ios"}

    @classmethod
    def draw(cls, rng: Random, families: Sequence[str] = (), platform: str = "") -> Browser:
        """Some current or slightly old browser; on ``ios`` every family is built on WebKit."""
        if not platform:
            platform = rng.choice(("windows", "windows", "windows", "mac", "mac", "linux"))
        usual = {
            "mac": ("safari", "chrome", "firefox"),
            "ios": ("safari",),
            "android": ("chrome", "chrome", "firefox"),
        }
        family = rng.choice(families or usual.get(platform, ("chrome", "chrome", "edge", "firefox")))
        if family == "safari" and platform not in {"mac", "ios"}:
            platform = "mac"
        version = rng.choice((16, 17, 18)) if family == "safari" else rng.randrange(114, 147)
        language = rng.choice(LANGUAGES)
        return cls(_agent(rng, family, platform, version), family, platform, version, language)

    def page(self, referer: str = "") -> dict[str, str]:
        """Headers of following a link: typed by the system (no referer) or from another site's page."""
        headers = {
            "accept": NAVIGATION if self.family in {"chrome", "edge"} else PLAIN_NAVIGATION,
            "accept-language": self.language,
            "accept-encoding": "gzip, deflate, br",
            **self._hints(),
        }
        if self.family != "safari":
            headers["upgrade-insecure-requests"] = "1"
        if self._fetch:
            headers |= {"sec-fetch-dest": "document", "sec-fetch-mode": "navigate"}
            headers["sec-fetch-site"] = "cross-site" if referer else "none"
            if self.family != "safari":
                headers["sec-fetch-user"] = "?1"
        return headers | ({"referer": referer} if referer else {})

    def image(self, referer: str = "") -> dict[str, str]:
        """Headers of an image inside a page of webmail."""
        headers = {
            "accept": {"firefox": FIREFOX_IMAGE, "safari": WEBKIT_IMAGE}.get(self.family, CHROME_IMAGE),
            "accept-language": self.language,
            "accept-encoding": "gzip, deflate, br",
            **self._hints(),
        }
        if self._fetch:
            headers |= {
                "sec-fetch-dest": "image",
                "sec-fetch-mode": "no-cors",
                "sec-fetch-site": "cross-site",
            }
        return headers | ({"referer": referer} if referer else {})

    @property
    def _fetch(self) -> bool:
        return self.family != "safari" or self.version >= 17

    def _hints(self) -> dict[str, str]:
        if self.family not in {"chrome", "edge"}:
            return {}
        brand = "Microsoft Edge" if self.family == "edge" else "Google Chrome"
        system = {"windows": "Windows", "mac": "macOS", "linux": "Linux", "android": "Android"}[self.platform]
        return {
            "sec-ch-ua": f'"Chromium";v="{self.version}", "{brand}";v="{self.version}", "Not.A/Brand";v="24"',
            "sec-ch-ua-mobile": "?1" if self.mobile else "?0",
            "sec-ch-ua-platform": f'"{system}"',
        }


def _agent(rng: Random, family: str, platform: str, version: int) -> str:
    if family == "safari":
        minor = rng.randrange(0, 6)
        if platform == "ios":
            system = f"iPhone; CPU iPhone OS {version}_{minor} like Mac OS X"
            return f"Mozilla/5.0 ({system}) {WEBKIT} Version/{version}.{minor} Mobile/15E148 Safari/604.1"
        return f"Mozilla/5.0 ({PLATFORMS['mac']}) {WEBKIT} Version/{version}.{minor} Safari/605.1.15"
    if family == "firefox":
        gecko = 109 if version < 120 else version
        if platform == "android":
            return f"Mozilla/5.0 (Android 13; Mobile; rv:{gecko}.0) Gecko/{version}.0 Firefox/{version}.0"
        system = {"mac": "Macintosh; Intel Mac OS X 10.15"}.get(platform, PLATFORMS[platform])
        return f"Mozilla/5.0 ({system}; rv:{gecko}.0) Gecko/20100101 Firefox/{version}.0"
    mobile = "Mobile " if platform == "android" else ""
    tail = f" Edg/{version}.0.0.0" if family == "edge" else ""
    return f"Mozilla/5.0 ({PLATFORMS[platform]}) {BLINK} Chrome/{version}.0.0.0 {mobile}Safari/537.36{tail}"


def old_chrome(rng: Random) -> str:
    """The long-outdated full Chrome version that detonation machines show (opencollective/opencollective#3656)."""
    version = rng.choice(
        ("64.0.3282.140", "72.0.3626.109", "79.0.3945.130", "97.0.4692.99", "103.0.5060.114")
    )
    return f"Mozilla/5.0 ({PLATFORMS['windows']}) {BLINK} Chrome/{version} Safari/537.36"


def apple_mail(rng: Random, platform: str = "ios") -> str:
    """Apple Mail loading images by itself: WebKit without Version and Safari."""
    if platform == "mac":
        return f"Mozilla/5.0 ({PLATFORMS['mac']}) {WEBKIT}"
    device = rng.choice(("iPhone; CPU iPhone OS", "iPhone; CPU iPhone OS", "iPad; CPU OS"))
    system = f"{device} {rng.choice((15, 16, 17, 18))}_{rng.randrange(7)} like Mac OS X"
    return f"Mozilla/5.0 ({system}) {WEBKIT} Mobile/15E148"


def webview(rng: Random, model: str = "", token: str = "") -> str:
    """Android's system web view inside a mail app."""
    model = model or rng.choice(("SM-G991B", "SM-S911U", "SM-A546E", "Pixel 7", "Pixel 8a", "M2101K6G"))
    build = f"Android {rng.randrange(10, 16)}; {model} Build/{rng.choice(('TP1A.220624.014', 'UP1A.231005.007'))}; wv"
    chrome = f"Chrome/{rng.randrange(110, 147)}.0.{rng.randrange(5400, 7600)}.{rng.randrange(40, 200)}"
    return f"Mozilla/5.0 (Linux; {build}) {BLINK} Version/4.0 {chrome} Mobile Safari/537.36{token and ' ' + token}"


def thunderbird(rng: Random, platform: str = "") -> str:
    """Thunderbird on one of its platforms."""
    version = rng.choice(("78.14.0", "91.13.1", "102.15.0", "115.10.1", "128.4.0", "140.2.0"))
    major = int(version.split(".")[0])
    gecko = "109.0" if major == 115 else f"{major}.0"
    platform = platform or rng.choice(("windows", "linux", "mac"))
    system = {"mac": "Macintosh; Intel Mac OS X 10.15"}.get(platform, PLATFORMS[platform])
    return f"Mozilla/5.0 ({system}; rv:{gecko}) Gecko/20100101 Thunderbird/{version}"
