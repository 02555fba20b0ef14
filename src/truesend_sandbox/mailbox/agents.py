"""Who opens and clicks: mail programs, image proxies and security gateways, as they look to a web server.

User agents of Google's and Yahoo's proxies and Apple's bare `Mozilla/5.0`: google.md §5 and microsoft.md §5.
Networks are examples from ranges those companies use; gateways come from few addresses, people each from one.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Chrome/131.0.0.0 Safari/537.36"
)
EDGE = CHROME + " Edg/131.0.0.0"
SAFARI = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1"
    " Safari/605.1.15"
)
OUTLOOK = (
    "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 10.0; WOW64; Trident/7.0; .NET4.0C; .NET4.0E;"
    " Microsoft Outlook 16.0.17328; ms-office; MSOffice 16)"
)
GOOGLE_PROXY = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
YAHOO_PROXY = "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html"

_PEOPLE = (24, 71, 73, 81, 82, 84, 86, 90, 92, 109)
"""First numbers of networks that access providers hand to households."""

BROWSER_IMAGE = {
    "Accept": "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8",
    "Accept-Language": "en-GB,en;q=0.9",
    "Accept-Encoding": "gzip, deflate",
    "Sec-Fetch-Dest": "image",
    "Sec-Fetch-Mode": "no-cors",
    "Sec-Fetch-Site": "cross-site",
}
BROWSER_PAGE = {
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
    "Accept-Language": "en-GB,en;q=0.9",
    "Accept-Encoding": "gzip, deflate",
    "Upgrade-Insecure-Requests": "1",
    "Sec-Fetch-Dest": "document",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-Site": "cross-site",
    "Sec-Fetch-User": "?1",
}
MACHINE = {"Accept": "*/*", "Accept-Encoding": "gzip, deflate"}


@dataclass(frozen=True)
class Agent:
    """`network` is the first two or three numbers of its addresses; None: the recipient's own address."""

    name: str
    is_gateway: bool
    image_user_agent: str
    image_headers: dict[str, str]
    image_network: str | None
    page_user_agent: str
    page_headers: dict[str, str]
    page_network: str | None = None
    scan_methods: tuple[str, ...] = ("GET",)
    referer: str | None = None
    """Where a person comes from who clicks a link that this gateway has rewritten."""


def _reader(name: str, user_agent: str, *, image: str | None = None, network: str | None = None) -> Agent:
    headers = MACHINE if image else BROWSER_IMAGE
    return Agent(name, False, image or user_agent, headers, network, user_agent, BROWSER_PAGE)


def _gateway(name: str, user_agent: str, network: str, methods: tuple[str, ...], referer: str) -> Agent:
    return Agent(name, True, user_agent, MACHINE, network, user_agent, MACHINE, network, methods, referer)


AGENTS = {
    agent.name: agent
    for agent in (
        _reader("browser", CHROME),
        _reader("gmail", CHROME, image=GOOGLE_PROXY, network="66.249.84"),
        _reader("apple", SAFARI, image="Mozilla/5.0", network="104.28"),
        _reader("yahoo", CHROME, image=YAHOO_PROXY, network="98.137"),
        Agent("outlook", False, OUTLOOK, MACHINE, None, EDGE, BROWSER_PAGE),
        _gateway(
            "safelinks",
            CHROME,
            "40.94.95",
            ("HEAD", "GET"),
            "https://eur01.safelinks.protection.outlook.com/",
        ),
        _gateway(
            "barracuda", "Barracuda Sentinel (EE)", "18.203.7", ("GET",), "https://linkprotect.cudasvc.com/"
        ),
        _gateway("proofpoint", CHROME, "148.163.135", ("GET",), "https://urldefense.com/"),
        _gateway("mimecast", CHROME, "207.211.30", ("HEAD", "GET"), "https://protect-eu.mimecast.com/"),
    )
}


def _numbers(text: str) -> list[int]:
    return list(hashlib.sha256(text.encode()).digest())


def own_ip(address: str) -> str:
    """The public address of this recipient: always the same, and nobody else's but by chance."""
    n = _numbers(f"person:{address}")
    return f"{_PEOPLE[n[0] % len(_PEOPLE)]}.{n[1] % 200 + 20}.{n[2]}.{n[3] % 254 + 1}"


def network_ip(network: str, address: str, *, few: bool) -> str:
    """An address of that network; a gateway (`few`) has only four."""
    n = _numbers(f"{network}:{address}")
    parts = network.split(".")
    last = n[0] % 4 + 11 if few else n[0] % 254 + 1
    middle = [str(n[1])] if len(parts) == 2 else []
    return ".".join([*parts, *middle, str(last)])


def image_ip(agent: Agent, address: str) -> str:
    """The address that fetches the images of a mail to `address`."""
    if agent.image_network is None:
        return own_ip(address)
    return network_ip(agent.image_network, address, few=agent.is_gateway)


def page_ip(agent: Agent, address: str) -> str:
    """The address that opens a link of a mail to `address`."""
    if agent.page_network is None:
        return own_ip(address)
    return network_ip(agent.page_network, address, few=agent.is_gateway)
