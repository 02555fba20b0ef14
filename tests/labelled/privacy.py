"""Apple's Mail Privacy Protection, Private Relay, and people who hide behind a VPN.

MPP fetches through Apple's relays whether or not anybody looks, when the device is on power and Wi-Fi: within seconds
or the next day (docs.sendgrid.com, understanding-apple-mail-privacy-protection-and-open-events; wordtothewise.com
2021/09/apple-mpp-reporting-and-geolocation). Its agent is a bare ``Mozilla/5.0`` and no referer (groundhogg's filter).
A click is never proxied by it. Private Relay lends the same addresses to Safari (developer.apple.com/support,
prepare-your-network-for-icloud-private-relay).
"""

from __future__ import annotations

from tests.labelled import agents
from tests.labelled.agents import Browser
from tests.labelled.networks import address, someone
from tests.labelled.shape import Mail, Source

WHY = "Mail Privacy Protection fetched through Apple's relay, looked at or not"


def relay_open(mail: Mail, at: float, why: str = WHY) -> float:
    """MPP's fetch."""
    rng = mail.rng
    ip = address(rng, "relay6" if rng.random() < 0.4 else "relay")
    headers = {"accept": "*/*", "accept-encoding": "gzip, deflate, br"}
    if rng.random() < 0.5:
        headers["accept-language"] = rng.choice(("en-us", "en-GB,en;q=0.9", "de-de"))
    return mail.open(at, ip, agents.MAIL_PRIVACY, "proxy", why, headers)


def privacy_only(mail: Mail) -> None:
    """Nobody reads, or nobody can tell; fetched at arrival, at the next charge, or on opening when it was not yet."""
    least, most = ((1, 20), (20, 900), (900, 20_000), (20_000, 90_000), (90_000, 600_000))[mail.number % 5]
    at = relay_open(mail, mail.soon(least, most))
    if mail.number % 4 == 0:
        relay_open(mail, at + mail.rng.uniform(0.2, 7200), "a second device of the same account fetched too")


def privacy_then_click(mail: Mail) -> None:
    """Fetched ahead, and the person taps a link later: Safari from their own address, or from the relay's."""
    rng = mail.rng
    at = relay_open(mail, mail.soon(1, 4000))
    browser = Browser.draw(rng, ("safari",), rng.choice(("ios", "ios", "mac")))
    ip = someone(rng, browser.mobile) if mail.number % 3 else address(rng, rng.choice(("relay", "relay6")))
    at = mail.click(at + rng.choice((rng.uniform(15, 600), rng.uniform(3000, 200_000))), rng.randrange(8), ip,
                    browser.agent, "person", "a link tapped in Apple Mail", browser.page())  # fmt: skip
    if mail.links > 1 and mail.number % 2:
        mail.click(
            at + rng.uniform(4, 90),
            rng.randrange(8),
            ip,
            browser.agent,
            "person",
            "another link",
            browser.page(),
        )


def relay_browser(mail: Mail) -> None:
    """Safari through Private Relay: webmail and links carry a relay's address and a whole Safari agent."""
    rng, at = mail.rng, mail.later()
    browser = Browser.draw(rng, ("safari",), ("mac", "ios")[mail.number % 2])
    network = rng.choice(("relay", "relay6"))
    if mail.number % 3:
        shown = browser.image("https://outlook.live.com/")
        mail.open(
            at,
            address(rng, network),
            browser.agent,
            "person",
            "webmail in Safari through Private Relay",
            shown,
        )
    # The relay may change its egress address between two requests.
    mail.click(at + rng.uniform(3, 300), rng.randrange(8), address(rng, network), browser.agent, "person",
               "a link followed through Private Relay", browser.page())  # fmt: skip


def vpn(mail: Mail) -> None:
    """A person on a commercial VPN: a hosting company's address, but a whole browser with its language, one link."""
    rng, at = mail.rng, mail.later()
    browser, ip = Browser.draw(rng), address(rng, "vpn")
    if mail.number % 2:
        agent = agents.thunderbird(rng, browser.platform)
        mail.open(at, ip, agent, "person", "Thunderbird over a VPN", {"accept": "image/avif,image/webp,*/*"})
    mail.click(at + rng.uniform(3, 900), rng.randrange(8), ip, browser.agent, "person", "a link followed over a VPN",
               browser.page())  # fmt: skip


SOURCES: dict[str, Source] = {
    "apple-privacy": privacy_only,
    "apple-privacy-click": privacy_then_click,
    "private-relay": relay_browser,
    "vpn": vpn,
}
