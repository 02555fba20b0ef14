"""Programs that fetch ahead of a person or for a preview: chats, search previews, browsers, Office, plain libraries."""

from __future__ import annotations

from tests.labelled import agents
from tests.labelled.agents import Browser
from tests.labelled.networks import address, someone
from tests.labelled.shape import Mail, Source

PREVIEW = {"accept": "*/*", "accept-encoding": "gzip, deflate"}
SHARED = "a chat made the preview of a pasted link"


def _then_colleague(mail: Mail, at: float, link: int, mobile: bool = False) -> None:
    """Somebody in the chat follows the link, every second time."""
    if mail.number % 2:
        rng = mail.rng
        browser = Browser.draw(rng, (), rng.choice(("ios", "android")) if mobile else "")
        mail.click(at + rng.uniform(4, 4000), link, someone(rng, mobile), browser.agent, "person",
                   "somebody in the chat followed the link", browser.page())  # fmt: skip


def slack(mail: Mail) -> None:
    """api.slack.com/robots: Slackbot-LinkExpanding reads a part of the page of every pasted link."""
    rng, at, link = mail.rng, mail.later(), mail.rng.randrange(8)
    agent = rng.choice(
        (
            "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
            "Slackbot 1.0 (+https://api.slack.com/robots)",
        )
    )
    mail.click(at, link, address(rng, "aws"), agent, "prefetch", SHARED, PREVIEW | {"range": "bytes=0-32768"})
    _then_colleague(mail, at, link)


def teams(mail: Mail) -> None:
    """opengraphplus.com/consumers/teams/crawling: Teams and Skype preview on Microsoft's servers."""
    rng, at, link = mail.rng, mail.later(), mail.rng.randrange(8)
    agent = "Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5 skype-url-preview@microsoft.com"
    if mail.number % 3 == 0:
        agent = "Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5"
    mail.click(at, link, address(rng, "teams"), agent, "prefetch", SHARED, PREVIEW)
    _then_colleague(mail, at, link)


def whatsapp(mail: Mail) -> None:
    """WhatsApp previews on the telephone of the one who writes: a private address (crawler-user-agents)."""
    rng, at, link = mail.rng, mail.later(), mail.rng.randrange(8)
    agent = rng.choice(
        ("WhatsApp/2.23.20.0 A", "WhatsApp/2.24.10.79 i", "WhatsApp/2.19.330 A", "WhatsApp/2.2412.54 W")
    )
    mail.click(at, link, someone(rng, mobile=True), agent, "prefetch", SHARED, PREVIEW)
    _then_colleague(mail, at, link, mobile=True)


def imessage(mail: Mail) -> None:
    """opengraphplus.com/consumers/apple/crawling: the sender's device previews, as Safari, Facebot and Twitterbot."""
    rng, at, link = mail.rng, mail.later(), mail.rng.randrange(8)
    mail.click(
        at, link, someone(rng, mobile=True), agents.IMESSAGE, "prefetch", SHARED, {"accept": "text/html"}
    )
    _then_colleague(mail, at, link, mobile=True)


def social(mail: Mail) -> None:
    """Facebook, LinkedIn, X, Discord, Telegram: preview bots that name themselves (crawler-user-agents)."""
    rng, at, link = mail.rng, mail.later(), mail.rng.randrange(8)
    agent, network = (
        (
            "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
            rng.choice(("facebook", "facebook6")),
        ),
        ("LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)", "linkedin"),
        ("Twitterbot/1.0", "aws"),
        ("Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)", "gcp"),
        ("TelegramBot (like TwitterBot)", "telegram"),
    )[mail.number % 5]
    mail.click(at, link, address(rng, network), agent, "prefetch", SHARED, PREVIEW)
    if mail.number % 3 == 0:
        mail.click(
            at + rng.uniform(0.1, 3),
            link,
            address(rng, network),
            agent,
            "prefetch",
            "the bot asked twice",
            PREVIEW,
        )
    _then_colleague(mail, at, link)


def bing_preview(mail: Mail) -> None:
    """BingPreview makes pictures of pages, also of links in Outlook.com mail (crawler-user-agents)."""
    rng, at = mail.rng, mail.soon(1, mail.rng.choice((30, 900, 20_000)))
    agent = rng.choice((
        "Mozilla/5.0 (Windows NT 6.1; WOW64) AppleWebKit/534+ (KHTML, like Gecko) BingPreview/1.0b",
        f"Mozilla/5.0 ({agents.PLATFORMS['windows']}) {agents.BLINK} Chrome/103.0.5060.134 Safari/537.36 "
        "Edg/103.0.1264.77 BingPreview/1.0b",
        "Mozilla/5.0 (Windows NT 6.3; WOW64; Trident/7.0; rv:11.0; BingPreview/1.0b) like Gecko",
    ))  # fmt: skip
    link = rng.randrange(8)
    mail.click(
        at,
        link,
        address(rng, "bing"),
        agent,
        "prefetch",
        "a picture of the page was made for a preview",
        PREVIEW,
    )
    _then_colleague(mail, at + 30, link)


def browser_prefetch(mail: Mail) -> None:
    """A browser fetches ahead: Sec-Purpose (Chrome's speculation rules, Firefox), Purpose, X-moz, X-Purpose: preview.

    wicg.github.io/nav-speculation; MDN Sec-Purpose; lionralfs.dev/blog/exploring-the-usage-of-prefetch-headers.
    """
    rng, at, link = mail.rng, mail.later(), mail.rng.randrange(8)
    ip = someone(rng)
    family, mark = (
        ("chrome", {"sec-purpose": "prefetch", "purpose": "prefetch"}),
        ("chrome", {"sec-purpose": "prefetch;prerender", "purpose": "prefetch"}),
        ("firefox", {"sec-purpose": "prefetch"}),
        ("firefox", {"x-moz": "prefetch"}),
        ("safari", {"x-purpose": "preview"}),
        ("edge", {"sec-purpose": "prefetch;anonymous-client-ip"}),
    )[mail.number % 6]
    browser = Browser.draw(rng, (family,))
    headers = browser.page("https://mail.hosting.example/")
    headers.pop("sec-fetch-user", None)  # nobody activated it (Fetch Metadata, Sec-Fetch-User)
    mail.click(
        at, link, ip, browser.agent, "prefetch", "the browser fetched before anybody clicked", headers | mark
    )
    if mail.number % 2:
        mail.click(at + rng.uniform(0.3, 20), link, ip, browser.agent, "person", "then the link was really followed",
                   browser.page("https://mail.hosting.example/"))  # fmt: skip


def office_hyperlink(mail: Mail) -> None:
    """A link followed from Word, Excel or Outlook: Office asks first (HEAD, GET), then the browser.

    Description of the Microsoft Office Existence Discovery Protocol (Microsoft, 2008);
    webmasters.stackexchange.com/questions/71112: "Link Pre-fetching HTTP GET", one second before the browser.
    """
    rng, at, link = mail.rng, mail.later(), mail.rng.randrange(8)
    ip, browser = someone(rng), Browser.draw(rng, ("edge", "chrome"), "windows")
    why = "Office looked at the address before it gave it to the browser"
    if mail.number % 2 == 0:
        mail.click(
            at,
            link,
            ip,
            "Microsoft Office Existence Discovery",
            "prefetch",
            why,
            {"pragma": "no-cache"},
            "HEAD",
        )
        at += rng.uniform(0.05, 0.6)
    if mail.number % 3:
        agent = "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 10.0; Trident/7.0; InfoPath.3; ms-office)"
        mail.click(at, link, ip, agent, "prefetch", why, {"accept": "*/*", "ua-cpu": "AMD64"})
        at += rng.uniform(0.2, 1.2)
    mail.click(at, link, ip, browser.agent, "person", "the browser opened what was clicked", browser.page())


def libraries(mail: Mail) -> None:
    """Automated link checkers on HTTP libraries, from clouds, around delivery (agents: public lists of bot clicks)."""
    rng = mail.rng
    agent = ("curl/8.5.0", "python-requests/2.31.0", "Python/3.11 aiohttp/3.9.1", "Go-http-client/2.0",
             "okhttp/4.12.0",
             "Java/17.0.2", "Apache-HttpClient/4.5.13 (Java/11.0.20)", "Wget/1.21.4",
             "lua-resty-http/0.10 (Lua) ngx_lua/10024",
             "axios/1.6.8")[mail.number % 10]  # fmt: skip
    ip, at = address(rng, rng.choice(("aws", "gcp", "hosting", "hosting6"))), mail.soon(0.5, 120)
    if mail.number % 4 == 0:
        mail.open(at, ip, agent, "scanner", "a filter's script fetched the images", PREVIEW)
    for link in range(mail.links):
        at += rng.uniform(0.05, 3)
        method = "HEAD" if mail.number % 3 == 1 else "GET"
        mail.click(at, link, ip, agent, "scanner", "a filter's script resolved the links", PREVIEW, method)


SOURCES: dict[str, Source] = {
    "slack": slack,
    "teams": teams,
    "whatsapp": whatsapp,
    "imessage": imessage,
    "social": social,
    "bing-preview": bing_preview,
    "browser-prefetch": browser_prefetch,
    "office-hyperlink": office_hyperlink,
    "libraries": libraries,
}
