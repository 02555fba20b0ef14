"""Security gateways and filters that follow links (and often the pixel), and the people behind them.

General: mautic/mautic#9798 and #16263 (every link, pixel too, changing addresses and agents), mail-tracker#200 and
civicrm-core#35328 (HEAD), check.live-direct-marketing.online/blog/bot-clicks-security-scanners-detect (timing and the
agents of Cisco and Trend Micro: one sender's account, which the vendors do not confirm).
Every third or so of a source's sequences ends with the person who got the mail.
"""

from __future__ import annotations

from collections.abc import Callable

from tests.labelled import agents
from tests.labelled.agents import Browser
from tests.labelled.networks import address, someone
from tests.labelled.shape import Headers, Mail, Source

BARE: Headers = {"accept": "*/*", "accept-encoding": "gzip, deflate"}
PAGE: Headers = {"accept": agents.PLAIN_NAVIGATION, "accept-encoding": "gzip, deflate, br"}
# A driven browser sends what a person's sends (FusionAuth#629: it "actually runs the Javascript on your page").
DRIVEN: Headers = Browser("", "firefox", "windows", 128, "en-US,en;q=0.9").page()


def sweep(
    mail: Mail, at: float, who: Callable[[], tuple[str, str]], why: str, *, gap: tuple[float, float] = (0.02, 1.5),
    headers: Headers = BARE, pixel: bool = False, method: str = "GET", links: int = 0,
) -> float:  # fmt: skip
    """Follow all links (or the first few) from ``at`` on; ``who`` gives address and agent of each request."""
    order = list(range(links or mail.links))
    if mail.rng.random() < 0.4:
        mail.rng.shuffle(order)
    if pixel:
        ip, agent = who()
        mail.open(at, ip, agent, "scanner", why, headers)
        at += mail.rng.uniform(*gap)
    for link in order:
        ip, agent = who()
        mail.click(at, link, ip, agent, "scanner", why, headers, method)
        at += mail.rng.uniform(*gap)
    return at


def reader(mail: Mail, rewriter: str = "", every: int = 3) -> None:
    """The person behind the gateway reads, after minutes or days, in every ``every``-th sequence."""
    if mail.number % every:
        return
    rng, at = mail.rng, mail.later() + 60
    ip, browser = (
        address(rng, rng.choice(("office", "home"))),
        Browser.draw(rng, ("edge", "chrome"), "windows"),
    )
    mail.open(
        at, ip, rng.choice(agents.OUTLOOK_CLASSIC), "person", "the reader allowed images", {"accept": "*/*"}
    )
    referer = rewriter if rewriter and rng.random() < 0.5 else ""
    mail.click(at + rng.uniform(3, 300), rng.randrange(8), ip, browser.agent, "person",
               "the reader followed a link" + (" by way of the gateway's check" if referer else ""),
               browser.page(referer))  # fmt: skip


def defender(mail: Mail) -> None:
    """Defender for Office 365 detonates every link around delivery with varying old Chromes from Microsoft's networks.

    opencollective/opencollective#3656, edalzell/laravel-passwordless-login#79, mautic/mautic#9400; runs scripts
    (FusionAuth#629); "scanned prior to delivery, rewritten or not" (learn.microsoft.com, safe-links-about).
    """
    rng = mail.rng
    agent = agents.old_chrome(rng)
    why = "Defender detonated it in its sandbox"
    at = max(0.3, mail.arrived + rng.uniform(-3, 60))

    def who() -> tuple[str, str]:
        changed = agents.old_chrome(rng) if rng.random() < 0.3 else agent
        return address(rng, rng.choice(("azure", "exchange"))), changed

    shown = rng.choice((PAGE, DRIVEN))
    end = sweep(mail, at, who, why, gap=(0.1, 3), headers=shown, pixel=mail.number % 4 == 1)
    if mail.number % 5 == 2:  # automated investigation crawls again, often hours after delivery
        sweep(
            mail,
            end + rng.uniform(4000, 40_000),
            who,
            "Defender's investigation crawled again hours later",
            gap=(0.2, 4),
        )
    reader(mail, "https://eur02.safelinks.protection.outlook.com/")


def safe_links_head(mail: Mail) -> None:
    """Exchange's HEAD without any agent, from 104.47.x, also minutes later (SergeyMosin/Appointments#293)."""
    rng = mail.rng
    at = mail.soon(0.5, rng.choice((5, 90, 900)))
    sweep(mail, at, lambda: (address(rng, "exchange"), ""), "Exchange checked the link", gap=(0.05, 6),
          headers={},
          method="HEAD" if mail.number % 4 else "GET", links=1 if mail.number % 3 == 1 else 0)  # fmt: skip
    reader(mail, "https://nam12.safelinks.protection.outlook.com/")


def safe_links_click(mail: Mail) -> None:
    """Checks at the time of the click, beside the person's own request: milliseconds to seconds apart, same link.

    live-direct-marketing.online/blog/microsoft-defender-link-click-pattern; new Outlook's own check carries OneOutlook
    in agent and x-native-host and comes from the person's address (nextauthjs/next-auth#1840, usdr-gost#2442).
    """
    rng, at = mail.rng, mail.later()
    ip, browser = someone(rng), Browser.draw(rng, ("edge", "chrome"), "windows")
    link, why = rng.randrange(8), "Safe Links checked the link because somebody clicked it"
    if mail.number % 3 == 0:
        version = "OneOutlook/1.2023.927.100"
        method = "HEAD" if rng.random() < 0.3 else "GET"
        mail.click(at, link, ip, f"{browser.agent} {version}", "scanner", why, {"accept": "*/*",
                                                                                "x-native-host": version},
                   method)  # fmt: skip
    elif mail.number % 3 == 1:
        referer = {"referer": "https://eur02.safelinks.protection.outlook.com/", "accept": "*/*"}
        mail.click(at, link, address(rng, "exchange"), rng.choice(("ms-office", "Microsoft Office/16.0", "msoffice")),
                   "scanner", why, referer)  # fmt: skip
    else:
        mail.click(at, link, address(rng, "azure"), agents.old_chrome(rng), "scanner", why, PAGE)
    mail.click(at + rng.uniform(0.08, 2.5), link, ip, browser.agent, "person", "the click that caused the check",
               browser.page(rng.choice(("https://eur02.safelinks.protection.outlook.com/", ""))))  # fmt: skip


def barracuda_sentinel(mail: Mail) -> None:
    """Impersonation Protection clicks links "to verify" them (campus.barracuda.com/product/sentinel/doc/498468311).

    Agent in groundhogg's filter and other public lists; it works on mail already delivered, from Amazon's cloud.
    """
    rng, ip = mail.rng, address(mail.rng, "aws")
    at = mail.soon(1, rng.choice((20, 400, 6000)))
    sweep(mail, at, lambda: (ip, "Barracuda Sentinel (EE)"), "Barracuda verified the links", gap=(0.05, 5),
          links=1 if mail.number % 4 == 3 else 0)  # fmt: skip
    reader(mail, "https://linkprotect.cudasvc.com/")


def barracuda_gateway(mail: Mail) -> None:
    """Email Gateway Defense visits unknown addresses before delivery and does not name itself.

    university.act-on.com, Identifying_False_Positives_in_Email_Clicks; campus.barracuda.com/doc/96023008.
    """
    rng = mail.rng
    agent = rng.choice((
        "Mozilla/5.0 (Windows; U; Windows NT 5.1; en-GB; rv:1.8.1.16) Gecko/20080702 Firefox/2.0.0.16",
        "Mozilla/5.0 (compatible; MSIE 10.0; Windows NT 6.1; Trident/6.0)", agents.old_chrome(rng),
    ))  # fmt: skip
    ip = address(rng, "barracuda")
    sweep(mail, max(0.2, mail.arrived - rng.uniform(0, 2.5)), lambda: (ip, agent),
          "Barracuda's intent analysis visited",
          headers=BARE if mail.number % 2 else PAGE, method="HEAD" if mail.number % 5 == 4 else "GET")  # fmt: skip
    reader(mail, "https://linkprotect.cudasvc.com/")


def proofpoint(mail: Mail) -> None:
    """Links and pixel, from several addresses, with different agents for one mail (mautic/mautic#9798)."""
    rng = mail.rng

    def who() -> tuple[str, str]:
        return address(rng, rng.choice(("proofpoint", "aws"))), Browser.draw(
            rng, ("chrome", "firefox"), "windows"
        ).agent

    at = mail.soon(0.5, rng.choice((10, 200, 1500)))
    sweep(mail, at, who, "Proofpoint's sandbox visited", gap=(0.2, 20 if mail.number % 3 == 2 else 2),
          headers=rng.choice((PAGE, DRIVEN)),
          pixel=mail.number % 2 == 0)  # fmt: skip
    reader(mail, "https://urldefense.com/")


def mimecast(mail: Mail) -> None:
    """URL Protect scans links by itself and again at the click (electricalcertificates.co.uk/elementor-4741)."""
    rng, ip = mail.rng, address(mail.rng, "mimecast")
    browser = Browser.draw(rng, ("chrome", "firefox"), "windows")
    if mail.number % 3 == 1:  # at the click, "around 5 seconds" (support.emerson.edu, Mimecast URL Protect)
        at, link = mail.later(), rng.randrange(8)
        mail.click(at, link, ip, browser.agent, "scanner", "Mimecast checked the link that was clicked", PAGE)
        person = Browser.draw(rng, ("edge", "chrome", "safari"))
        mail.click(at + rng.uniform(0.8, 6), link, address(rng, "office"), person.agent, "person",
                   "the click behind the check", person.page("https://protect-eu.mimecast.com/"))  # fmt: skip
        return
    sweep(
        mail,
        mail.soon(0.2, rng.choice((6, 120))),
        lambda: (ip, browser.agent),
        "Mimecast scanned the links",
        headers=rng.choice((PAGE, DRIVEN)),
    )
    reader(mail, "https://protect-us.mimecast.com/")


def cisco(mail: Mail) -> None:
    """Secure Email (IronPort): named agent on scans, secure-web.cisco.com on clicks (live-direct-marketing's table)."""
    rng, ip = mail.rng, address(mail.rng, "cisco")
    agent = rng.choice(("CiscoSecureEmail", "CiscoSecureEmail/1.0", agents.old_chrome(rng)))
    sweep(mail, mail.soon(0.1, rng.choice((8, 300))), lambda: (ip, agent), "Cisco's filter followed the links",
          links=1 if mail.number % 4 == 2 else 0, method="HEAD" if mail.number % 4 == 3 else "GET")  # fmt: skip
    reader(mail, "https://secure-web.cisco.com/")


def trend_micro(mail: Mail) -> None:
    """TMES scans at delivery; its web reputation revisits from 150.70.x minutes after a customer's own visit."""
    rng, why = mail.rng, "Trend Micro scanned the links"
    if mail.number % 2:
        sweep(mail, mail.soon(0.4, 40), lambda: (address(rng, "trend"), "TMES"), why)
        reader(mail)
        return
    at, browser, link = mail.later(), Browser.draw(rng, ("edge", "chrome"), "windows"), rng.randrange(8)
    mail.click(
        at,
        link,
        address(rng, "office"),
        browser.agent,
        "person",
        "somebody followed the link",
        browser.page(),
    )
    agent = (
        "Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 6.1; Trident/4.0)"
        if rng.random() < 0.5
        else agents.old_chrome(rng)
    )
    mail.click(at + rng.uniform(30, 1500), link, address(rng, "trend"), agent, "scanner",
               "Trend Micro looked at the page its customer had visited", BARE)  # fmt: skip


def appliances(mail: Mail) -> None:
    """FortiMail, Symantec Email Security.cloud, Sophos, Check Point: link following before delivery.

    suped.com/email-deliverability/answers/which-corporate-filter-appliances-or-software-follow-links-in-emails.
    """
    rng = mail.rng
    network = ("fortinet", "messagelabs", "aws", "gcp")[mail.number % 4]
    ip, agent = (
        address(rng, network),
        rng.choice((agents.HEADLESS, agents.old_chrome(rng), "python-requests/2.28.2", "")),
    )
    sweep(mail, max(0.15, mail.arrived - rng.uniform(-10, 2)), lambda: (ip, agent), "an appliance followed the links",
          headers=DRIVEN if "Chrome" in agent else BARE, gap=(0.05, 4))  # fmt: skip
    reader(mail)


def google_check(mail: Mail) -> None:
    """Gmail resolves some links, wrapped ones first (live-direct-marketing.online, gmail-image-proxy-link-tracking).

    Agents of Google-Safety: monperrus/crawler-user-agents. A GoogleImageProxy that follows a link is a machine.
    """
    rng = mail.rng
    chrome = f"{agents.BLINK} Chrome/114.0.5735.179"
    agent = (
        f"Mozilla/5.0 ({agents.PLATFORMS['windows']}) {chrome} Safari/537.36 (compatible; Google-Safety; "
        "+http://www.google.com/bot.html)",
        "Google-Safety",
        agents.GMAIL_PROXY,
        Browser.draw(rng, ("chrome",), "linux").agent,
    )[mail.number % 4]
    ip = address(rng, "google crawl")
    sweep(mail, mail.soon(0.3, rng.choice((10, 400))), lambda: (ip, agent), "Google's anti-phishing crawl",
          headers=DRIVEN if mail.number % 4 == 3 else BARE,
          links=rng.choice((1, 2, 0)) if mail.links > 1 else 0)  # fmt: skip


def plain_gateway(mail: Mail) -> None:
    """An unnamed gateway with an ordinary browser, all headers and a cloud address, clicking all links at once.

    resend/resend-node#901 and mautic/mautic#16263: nothing in a single request tells it from a person.
    """
    rng = mail.rng
    mail.links = max(mail.links, 2)
    browser, network = (
        Browser.draw(rng, ("chrome", "edge", "chrome"), "windows"),
        rng.choice(("aws", "azure", "gcp", "aws6")),
    )
    ip = address(rng, network)
    at = mail.soon(2, rng.choice((15, 300, 4000)))
    sweep(mail, at, lambda: (ip, browser.agent), "a gateway clicked every link at once", gap=(0.01, 1.2),
          headers=browser.page(), pixel=mail.number % 3 == 1)  # fmt: skip
    reader(mail)


SOURCES: dict[str, Source] = {
    "defender": defender,
    "safe-links-head": safe_links_head,
    "safe-links-click": safe_links_click,
    "barracuda-sentinel": barracuda_sentinel,
    "barracuda-gateway": barracuda_gateway,
    "proofpoint": proofpoint,
    "mimecast": mimecast,
    "cisco": cisco,
    "trend-micro": trend_micro,
    "appliances": appliances,
    "google-check": google_check,
    "plain-gateway": plain_gateway,
}
