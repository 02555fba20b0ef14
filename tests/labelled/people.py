"""Stories about people rather than programs: forwarding, offices, the sender, haste, and what nobody can know."""

from __future__ import annotations

from tests.labelled import agents
from tests.labelled.agents import Browser
from tests.labelled.networks import address, someone
from tests.labelled.shape import Headers, Mail, Source
from tests.labelled.webmail import google_open


def _outlook(mail: Mail, at: float, ip: str, why: str) -> float:
    return mail.open(at, ip, mail.rng.choice(agents.OUTLOOK_CLASSIC), "person", why, {"accept": "*/*"})


def forwarded(mail: Mail) -> None:
    """The pixel and the links travel with a forwarded mail: other people, other clients, the same delivery.

    Both are part of the HTML that is passed on; nothing in the request marks it.
    """
    rng, at = mail.rng, mail.later()
    ip = someone(rng)
    _outlook(mail, at, ip, "the recipient read it")
    for _ in range(1 + mail.number % 3):
        at += rng.uniform(120, 90_000)
        kind = rng.randrange(3)
        if kind == 0:
            google_open(mail, at, "whoever it was forwarded to opened it in Gmail")
        elif kind == 1:
            _outlook(mail, at, someone(rng), "whoever it was forwarded to opened it in Outlook")
        else:
            browser = Browser.draw(rng, (), rng.choice(("ios", "android")))
            mail.click(at, rng.randrange(8), someone(rng, mobile=True), browser.agent, "person",
                       "whoever it was forwarded to followed a link", browser.page())  # fmt: skip


def one_office(mail: Mail) -> None:
    """Two or three people of one office behind one address, on a shared thread (one delivery), minutes apart."""
    rng, at, ip = mail.rng, mail.later(), address(mail.rng, "office")
    for _ in range(2 + mail.number % 2):
        browser = Browser.draw(rng, ("edge", "chrome", "firefox"), rng.choice(("windows", "windows", "mac")))
        _outlook(mail, at, ip, "one of the office opened it")
        if rng.random() < 0.7:
            mail.click(at + rng.uniform(2, 90), rng.randrange(8), ip, browser.agent, "person",
                       "one of the office clicked",
                       browser.page())  # fmt: skip
        at += rng.choice((rng.uniform(1, 30), rng.uniform(60, 7200)))


def quick(mail: Mail) -> None:
    """Somebody who sat before the inbox: opens within seconds of delivery and clicks at once, one link or two."""
    rng = mail.rng
    mail.delivered = mail.delivered or 1.1
    platform = "windows" if mail.number % 3 == 1 else ""
    at, ip, browser = mail.soon(3, 25), someone(rng), Browser.draw(rng, (), platform)
    if mail.number % 3 == 0:
        google_open(mail, at, "opened in Gmail the moment it came in")
    elif mail.number % 3 == 1:
        _outlook(mail, at, ip, "Outlook's reading pane showed it the moment it came in")
    else:
        mail.open(
            at,
            ip,
            browser.agent,
            "person",
            "read the moment it came in",
            browser.image("https://outlook.live.com/"),
        )
    if mail.number % 2:
        at = mail.click(
            at + rng.uniform(1, 8), 0, ip, browser.agent, "person", "clicked at once", browser.page()
        )


def two_links(mail: Mail) -> None:
    """A person opens two links, or three, in tabs one after the other, seconds apart, from a mail long read."""
    rng, at = mail.rng, mail.later()
    mail.links = max(mail.links, 3)
    ip, browser = someone(rng), Browser.draw(rng)
    if mail.number % 2:
        google_open(mail, at)
    else:
        mail.open(
            at,
            ip,
            agents.thunderbird(rng, browser.platform),
            "person",
            "read in Thunderbird",
            {"accept": "image/avif,image/webp,*/*"},
        )
    at += rng.uniform(3, 60)
    first = rng.randrange(mail.links)
    for step in range(2 + (mail.number % 4 == 3)):
        mail.click(
            at,
            first + step,
            ip,
            browser.agent,
            "person",
            "links opened in tabs one after another",
            browser.page(),
        )
        at += rng.uniform(0.7, 6)


def the_sender(mail: Mail) -> None:
    """The sender looks at their own Sent copy or tries their own links, where they work and with their own browser.

    nylas/nylas-mail#3249 and #3592, warmbly/warmbly#538.
    """
    rng, own = mail.rng, mail.sender_browser
    ip = mail.sender_ips[-1] if mail.number % 3 == 0 else mail.sender_ips[0]
    at = mail.rng.choice((rng.uniform(2, 30), rng.uniform(60, 4000), rng.uniform(4000, 600_000)))
    if mail.number % 4 != 3:
        mail.open(
            at,
            ip,
            own.agent,
            "self",
            "the sender looked at their own copy",
            own.image("https://outlook.office.com/"),
        )
    if mail.number % 2:
        mail.click(at + rng.uniform(1, 60), rng.randrange(8), ip, own.agent, "self",
                   "the sender tried their own link",
                   own.page())  # fmt: skip
    if mail.number % 5 == 0:
        google_open(mail, mail.later(), "the recipient opened it in Gmail")
    if (
        mail.number % 5 == 4
    ):  # the same browser version as the sender's is common; the address is not the sender's
        mail.click(mail.later(), rng.randrange(8), someone(rng), own.agent, "person",
                   "the recipient happens to use the same browser", own.page())  # fmt: skip


def sender_elsewhere(mail: Mail) -> None:
    """The sender on another device at their own desk, or a colleague who shares the sender's address with them.

    Known to have happened that way; the address alone is the evidence, and the colleague shows why it is thin.
    """
    rng, ip = mail.rng, mail.sender_ips[0]
    at = rng.choice((rng.uniform(20, 600), rng.uniform(3000, 200_000)))
    if mail.number % 2 == 0:
        agent = agents.apple_mail(rng)
        mail.open(at, ip, agent, "self", "the sender's telephone, on the same Wi-Fi, showed the Sent copy",
                  {"accept": agents.WEBKIT_IMAGE})  # fmt: skip
    else:
        family = "firefox" if mail.sender_browser.family != "firefox" else "chrome"
        browser = Browser.draw(rng, (family,), "linux")
        mail.open(at,
                  ip, agents.thunderbird(rng, "linux"), "person",
                  "the recipient, a colleague behind the same address",
                  {"accept": "image/avif,image/webp,*/*"})  # fmt: skip
        mail.click(
            at + rng.uniform(4, 200),
            0,
            ip,
            browser.agent,
            "person",
            "the colleague followed a link",
            browser.page(),
        )


def nobody_knows(mail: Mail) -> None:
    """Requests that fit a person and a machine equally: stripped agents, clouds and single clicks at odd hours."""
    rng, at = mail.rng, mail.later()
    link = rng.randrange(8)
    case = mail.number % 6
    stripped: Headers = {"accept": "*/*"}
    if case == 0:
        mail.open(at, someone(rng), "", "unknown", "no agent: a privacy filter at home or a script", stripped)
    elif case == 1:
        browser = Browser.draw(rng, ("chrome",), "windows")
        mail.click(at, link, address(rng, "azure"), browser.agent, "unknown",
                   "one click from a cloud, no language: a virtual desktop or a late scan",
                   {"accept": agents.NAVIGATION})  # fmt: skip
    elif case == 2:
        mail.click(
            at,
            link,
            address(rng, "hosting"),
            "",
            "unknown",
            "no agent, a hosting company, days or hours later",
            stripped,
        )
    elif case == 3:
        mail.open(at, address(rng, "hosting"), "Mozilla/4.0 (compatible;)", "unknown",
                  "a filtering proxy rewrote the agent as Blue Coat does, for a person or for itself",
                  stripped)  # fmt: skip
    elif case == 4:
        mail.click(at, link, someone(rng), "curl/8.5.0", "unknown",
                   "one curl from a home line: a careful reader's hand or a script", stripped)  # fmt: skip
    else:
        mail.open(at, someone(rng), "Dalvik/2.1.0 (Linux; U; Android 12; SM-G970U Build/SP1A.210812.016)", "unknown",
                  "Android's own loader: a mail app that shows images or one that fetches ahead",
                  stripped)  # fmt: skip


SOURCES: dict[str, Source] = {
    "forwarded": forwarded,
    "one-office": one_office,
    "quick": quick,
    "two-links": two_links,
    "the-sender": the_sender,
    "sender-elsewhere": sender_elsewhere,
    "nobody-knows": nobody_knows,
}
