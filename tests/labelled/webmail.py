"""People who read in webmail: the provider's proxy or their own browser fetches when they open the mail."""

from __future__ import annotations

from tests.labelled import agents
from tests.labelled.agents import Browser
from tests.labelled.networks import address, someone
from tests.labelled.shape import Mail, Source

GOOGLE_IMAGE = {"accept": "image/*,*/*;q=0.8", "accept-encoding": "gzip,deflate"}


def google_open(mail: Mail, at: float, why: str = "Gmail's proxy fetches when the mail is opened") -> float:
    """The proxy's fetch; it comes over IPv4 mostly, carries no language and nothing of the person's browser."""
    network = "google6" if mail.rng.random() < 0.15 else "google"
    return mail.open(at, address(mail.rng, network), agents.GMAIL_PROXY, "person", why, GOOGLE_IMAGE)


def gmail_web(mail: Mail) -> None:
    """Opened in a browser; the first opening reaches us, the cache answers the rest, a click is the browser's own.

    wordtothewise.com/2013/12/gmail-deploys-image-proxy-servers; with no-cache a second opening fetches again
    (exchangetuts.com/multiple-calls-from-via-ggphtcom-googleimageproxy-agent).
    """
    rng, at = mail.rng, mail.later()
    google_open(mail, at)
    if mail.number % 3 == 1:
        google_open(
            mail, at + rng.uniform(3000, 400_000), "opened once more, no-cache made the proxy ask again"
        )
    if mail.number % 2:
        browser, ip = Browser.draw(rng), someone(rng)
        referer = rng.choice(("https://mail.google.com/", "https://www.google.com/", ""))
        at = mail.click(at + rng.uniform(3, 240), rng.randrange(8), ip, browser.agent, "person", "a link followed",
                        browser.page(referer))  # fmt: skip
        if mail.links > 1 and rng.random() < 0.4:
            mail.click(at + rng.uniform(6, 300), rng.randrange(8), ip, browser.agent, "person", "another link",
                       browser.page(referer))  # fmt: skip


def gmail_app(mail: Mail) -> None:
    """Read in Gmail's app: the same proxy, clicks open in Chrome (Android names the app as referrer) or in Safari.

    Android's referrer: developer.android.com, Activity.getReferrer; the app's tab is a Chrome Custom Tab.
    """
    rng, at = mail.rng, mail.later()
    google_open(mail, at)
    if mail.number % 4 != 3:
        android = rng.random() < 0.6
        browser = Browser.draw(rng, ("chrome",) if android else (), "android" if android else "ios")
        headers = browser.page() | ({"referer": "android-app://com.google.android.gm/"} if android else {})
        mail.click(at + rng.uniform(2.5, 120), rng.randrange(8), someone(rng, mobile=True), browser.agent, "person",
                   "a link tapped in Gmail's app", headers)  # fmt: skip


def gmail_prefetch(mail: Mail) -> None:
    """Gmail open on a screen when the mail arrives: Google fetches the images before it shows the row.

    bird.com/en-us/blog/gmail-prefetching-images (9.8 billion opens): always this agent, Google addresses, apart from
    the proxy's fetch when the person opens; the referer is in groundhogg's traffic filter.
    """
    rng = mail.rng
    at = mail.soon(0.5, rng.choice((4, 25, 70)))
    headers = {"accept": "image/*", "accept-encoding": "gzip, deflate"}
    if rng.random() < 0.7:
        headers["referer"] = "http://mail.google.com/"
    mail.open(at, address(rng, "google prefetch"), agents.GMAIL_PREFETCH, "prefetch",
              "Gmail fetched before it showed the mail in the list", headers)  # fmt: skip
    if mail.number % 2:
        opened = google_open(mail, at + rng.choice((rng.uniform(4, 60), rng.uniform(200, 90_000))))
        if mail.number % 4 == 3:
            browser = Browser.draw(rng)
            mail.click(opened + rng.uniform(4, 60), 0, someone(rng), browser.agent, "person", "then followed a link",
                       browser.page("https://mail.google.com/"))  # fmt: skip


def _yahoo(mail: Mail, host: str) -> None:
    rng, at = mail.rng, mail.later()
    mail.open(at, address(rng, "yahoo"), agents.YAHOO_PROXY, "person",
              "Yahoo's proxy fetches what an opened mail shows",
              {"accept": "*/*", "accept-encoding": "gzip"})  # fmt: skip
    if mail.number % 2 == 0:
        mobile = rng.random() < 0.4
        browser = Browser.draw(rng, (), rng.choice(("ios", "android")) if mobile else "")
        mail.click(at + rng.uniform(4, 400), rng.randrange(8), someone(rng, mobile), browser.agent, "person",
                   "a link followed", browser.page("" if mobile else rng.choice((host, ""))))  # fmt: skip


def yahoo(mail: Mail) -> None:
    """help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html: content of an email is fetched through the proxy on display."""
    _yahoo(mail, "https://mail.yahoo.com/")


def aol(mail: Mail) -> None:
    """AOL is run on Yahoo's mail system and fetches through the same proxy."""
    _yahoo(mail, "https://mail.aol.com/")


def outlook_web(mail: Mail) -> None:
    """Outlook on the web: the person's browser loads the images itself; no Microsoft image proxy is documented."""
    rng, at = mail.rng, mail.later()
    browser, ip = Browser.draw(rng, ("edge", "chrome", "chrome", "firefox", "safari")), someone(rng)
    host = rng.choice(
        ("https://outlook.live.com/", "https://outlook.office.com/", "https://outlook.office365.com/")
    )
    mail.open(at, ip, browser.agent, "person", "the reader's own browser", browser.image(host))
    if mail.number % 3:
        referer = rng.choice((host, "https://eur02.safelinks.protection.outlook.com/", ""))
        mail.click(at + rng.uniform(2, 200), rng.randrange(8), ip, browser.agent, "person", "a link followed",
                   browser.page(referer))  # fmt: skip


def fastmail(mail: Mail) -> None:
    """Fetched when displayed, from the server's address "with a generic browser type" (which one is not published).

    fastmail.com/blog/better-security-and-privacy-through-image-proxying.
    """
    rng, at = mail.rng, mail.later()
    agent = f"Mozilla/5.0 ({agents.PLATFORMS['windows']}; rv:115.0) Gecko/20100101 Firefox/115.0"
    mail.open(at, address(rng, "fastmail"), agent, "person", "Fastmail's servers fetch when the reader sees the mail",
              {"accept": "image/*,*/*;q=0.5"})  # fmt: skip
    if mail.number % 2:
        browser = Browser.draw(rng)
        mail.click(at + rng.uniform(5, 500), rng.randrange(8), someone(rng), browser.agent, "person",
                   "a link followed",
                   browser.page())  # fmt: skip


def proton(mail: Mail) -> None:
    """Proton loads remote images through a proxy with a generic address, once the reader shows them.

    shepherdgazette.com/protonmail-introduces-tracking-protection-feature; known pixels it takes out, so that many
    openings never show. The proxy's agent is not published.
    """
    rng, at = mail.rng, mail.later()
    if mail.number % 3:
        agent = f"Mozilla/5.0 ({agents.PLATFORMS['windows']}) {agents.BLINK} Chrome/120.0.0.0 Safari/537.36"
        mail.open(at, address(rng, "proton"), agent, "person", "Proton's proxy fetches for a reader who shows images",
                  {"accept": "image/*"})  # fmt: skip
    if mail.number % 3 != 1:
        browser = Browser.draw(rng, ("firefox", "chrome", "firefox"))
        headers = browser.page() | {"dnt": "1"}
        mail.click(at + rng.uniform(5, 500), rng.randrange(8), address(rng, rng.choice(("home", "vpn"))),
                   browser.agent,
                   "person", "a link followed from Proton", headers)  # fmt: skip


def hosted_webmail(mail: Mail) -> None:
    """Roundcube, Zimbra, SOGo on a company's own host: plain browser requests with that host as referer."""
    rng, at = mail.rng, mail.later()
    browser, ip = Browser.draw(rng), someone(rng)
    host = rng.choice(
        ("https://webmail.hosting.example/", "https://zimbra.uni.example/", "https://mail.kanzlei.example/")
    )
    mail.open(at, ip, browser.agent, "person", "shown images in webmail", browser.image(host))
    if mail.number % 2:
        mail.click(at + rng.uniform(3, 300), rng.randrange(8), ip, browser.agent, "person", "a link followed",
                   browser.page(rng.choice((host, ""))))  # fmt: skip


def portal_webmail(mail: Mail) -> None:
    """GMX, WEB.DE, T-Online, Orange, Libero: own browser; links pass a dereferrer that shows as referer."""
    rng, at = mail.rng, mail.later()
    mobile = mail.number % 3 == 0
    browser, ip = Browser.draw(rng, (), "android" if mobile else ""), someone(rng, mobile)
    name, referer = rng.choice((
        ("https://3c.gmx.net/", "https://deref-gmx.net/"), ("https://3c.web.de/", "https://deref-web.de/"),
        ("https://email.t-online.de/", "https://email.t-online.de/"), ("https://mail01.orange.fr/", ""),
    ))  # fmt: skip
    mail.open(at, ip, browser.agent, "person", "the reader's own browser", browser.image(name))
    if mail.number % 2 == 0:
        mail.click(at + rng.uniform(3, 300), rng.randrange(8), ip, browser.agent, "person", "a link followed",
                   browser.page(referer))  # fmt: skip


SOURCES: dict[str, Source] = {
    "gmail-web": gmail_web,
    "gmail-app": gmail_app,
    "gmail-prefetch": gmail_prefetch,
    "yahoo": yahoo,
    "aol": aol,
    "outlook-web": outlook_web,
    "fastmail": fastmail,
    "proton": proton,
    "hosted-webmail": hosted_webmail,
    "portal-webmail": portal_webmail,
}
