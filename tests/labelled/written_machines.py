"""Written cases: gateways, previews and proxies, many after requests that people have published.

Behaviour as cited in gateways.py, previews.py and privacy.py; where a case follows one published log, it says which.
"""

from __future__ import annotations

from tests.labelled import agents
from tests.labelled.cast import (
    ANDROID_CHROME,
    ANY,
    DAY,
    FIREFOX,
    HOUR,
    IPHONE,
    MAC_CHROME,
    MAC_SAFARI,
    MINUTE,
    OLD_CHROME,
    OUTLOOK,
    SLACK,
    TEAMS,
    WINDOWS_CHROME,
    WINDOWS_EDGE,
    clicked,
    follows,
    gmail,
    opened,
    relay,
)  # fmt: skip
from tests.labelled.shape import Labelled, by_hand

DESK, HOME, TRAIN = "193.128.40.17", "91.34.200.9", "80.187.81.12"
SAFE = "https://eur02.safelinks.protection.outlook.com/"
FIREFOX_2 = "Mozilla/5.0 (Windows; U; Windows NT 5.1; en-GB; rv:1.8.1.16) Gecko/20080702 Firefox/2.0.0.16"


def cases() -> list[Labelled]:
    """Every written case about machines, and about machines before people."""
    return [*_microsoft(), *_gateways(), *_ahead(), *_apple()]


def _microsoft() -> list[Labelled]:
    return [
        # edalzell/laravel-passwordless-login#79: the address and the agent of May 2022.
        by_hand("defender", "laravel-79", "2026-01-20T10:00:00Z", 1, [
            clicked(16.0, 0, "20.72.100.79", OLD_CHROME.replace("72.0.3626.109", "97.0.4692.99"), "scanner",
                    "Defender used up a sign-in link")], 4.0),
        # Same thread, December 2022: agent always blank, one class B.
        by_hand("safe-links-head", "blank-agents", "2026-01-21T10:00:00Z", 3, [
            clicked(t, n, ip, "", "scanner", "Exchange checked without an agent", {})
            for n, (t, ip) in enumerate(((7.0, "104.47.1.254"), (7.9, "104.47.30.126"), (11.2, "104.47.2.254")))],
                5.0),
        # SergeyMosin/Appointments#293: HEAD after the person had already clicked.
        by_hand("safe-links-head", "person-was-first", "2026-01-22T10:00:00Z", 2, [
            follows(71.0, 0, HOME, ANDROID_CHROME, "the person accepted before the check came"),
            clicked(95.0, 0, "104.47.11.126", "", "scanner", "Exchange checked by HEAD, after the person", {},
                    "HEAD"),
            clicked(95.6, 1, "104.47.11.254", "", "scanner", "Exchange checked by HEAD, after the person", {},
                    "HEAD")], 3.0),
        by_hand("safe-links-click", "one-outlook", "2026-01-23T10:00:00Z", 2, [
            clicked(HOUR, 1, DESK, WINDOWS_EDGE.agent + " OneOutlook/1.2023.927.100", "scanner",
                    "new Outlook had the link checked because it was clicked",
                    {"x-native-host": "OneOutlook/1.2023.927.100"}),
            follows(HOUR + 0.9, 1, DESK, WINDOWS_EDGE, "the click that caused the check", SAFE)], 2.0),
        by_hand("safe-links-click", "ms-office-pair", "2026-01-24T10:00:00Z", 4, [
            opened(2 * HOUR, DESK, OUTLOOK, "person", "read in Outlook"),
            clicked(2 * HOUR + 8, 2, "40.94.29.84", "ms-office", "scanner", "the check beside the click",
                    {"referer": SAFE}),
            follows(2 * HOUR + 8.2, 2, DESK, WINDOWS_CHROME, "the click behind it", SAFE)], 2.0),
        by_hand("defender", "investigation-at-night", "2026-01-25T10:00:00Z", 3, [
            gmail(30 * MINUTE, why="first read in a Gmail that collects this mailbox"),
            *(clicked(14 * HOUR + 2.0 * n, n, "40.107.235.60", OLD_CHROME, "scanner",
                      "an investigation crawled every link at night") for n in range(3))], 2.0),
        by_hand("defender", "one-link-only", "2026-01-26T10:00:00Z", 5, [
            clicked(44.0, 3, "52.232.9.130", OLD_CHROME, "scanner", "only the unknown address was detonated",
                    {"accept": agents.PLAIN_NAVIGATION})], 6.0),
        by_hand("office-hyperlink", "excel-2013", "2026-01-27T10:00:00Z", 2, [
            clicked(3 * HOUR,
                    1, DESK, "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 6.1; WOW64; Trident/7.0; SLCC2; "
                    ".NET CLR 2.0.50727; InfoPath.3; ms-office)", "prefetch",
                    "Excel looked first (stackexchange 71112)"),
            clicked(3 * HOUR + 1, 1, DESK, "Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; rv:11.0) like Gecko",
                    "person",
                    "then the browser opened it", {"accept": "text/html, */*", "accept-language": "nl-NL"})], 2.0),
    ]  # fmt: skip


def _gateways() -> list[Labelled]:
    return [
        # resend/resend-node#901: one click of a person on a Mac, twelve seconds later "Windows" from elsewhere.
        by_hand("plain-gateway", "resend-901", "2026-03-30T12:00:00Z", 3, [
            follows(5 * MINUTE, 1, "2804:10b4:8100:2c00::19", MAC_CHROME, "the one click of a person"),
            clicked(5 * MINUTE + 12, 1, "168.90.91.133", WINDOWS_CHROME.agent.replace("131", "146"), "scanner",
                    "a link scanner followed the person's click from another network")], 2.0),
        by_hand("plain-gateway", "perfect-disguise", "2026-03-31T12:00:00Z", 5, [
            clicked(38.0 + 0.15 * n, n, "18.204.33.2", WINDOWS_CHROME.agent, "scanner",
                    "all five links in under a second",
                    WINDOWS_CHROME.page()) for n in range(5)], 2.0),
        by_hand("plain-gateway", "slow-walker", "2026-04-01T12:00:00Z", 4, [
            clicked(10 * MINUTE + 45.0 * n, n, "34.79.12.8", WINDOWS_CHROME.agent, "scanner",
                    "a sandbox walked the links one by one, 45 s each", WINDOWS_CHROME.page()) for n in range(4)],
                2.0),
        by_hand("plain-gateway", "one-per-address", "2026-04-02T12:00:00Z", 3, [
            clicked(20.0 + 1.1 * n, n, ip, agent, "scanner", "each link from another machine of the same service",
                    ANY)
            for n, (ip, agent) in enumerate((("3.86.4.2", FIREFOX.agent), ("54.146.8.9", WINDOWS_CHROME.agent),
                                             ("18.205.77.1", MAC_SAFARI.agent)))], 2.0),
        by_hand("plain-gateway", "then-person-next-day", "2026-04-03T12:00:00Z", 3, [
            *(clicked(9.0 + 0.4 * n, n, "13.65.88.7", WINDOWS_EDGE.agent, "scanner", "the gateway at delivery",
                      WINDOWS_EDGE.page()) for n in range(3)),
            opened(DAY, DESK, OUTLOOK, "person", "the reader next morning"),
            follows(DAY + 40, 0, DESK, WINDOWS_EDGE, "and one link, with the same browser as the gateway claims")],
                4.0),
        by_hand("barracuda-sentinel", "hour-later", "2026-04-04T12:00:00Z", 2, [
            opened(8 * MINUTE, DESK, OUTLOOK, "person", "read in the meantime"),
            *(clicked(HOUR + n, n, "34.195.6.4", "Barracuda Sentinel (EE)", "scanner", "verified after delivery")
              for n in range(2))], 2.0),
        by_hand("barracuda-gateway", "firefox-2", "2026-04-05T12:00:00Z", 4, [
            clicked(0.8 + 0.05 * n, n, "209.222.82.30", FIREFOX_2, "scanner",
                    "visited before delivery") for n in range(4)],
            3.0),
        by_hand("proofpoint", "pixel-and-links", "2026-04-06T12:00:00Z", 3, [
            opened(4.0, "67.231.150.2", WINDOWS_CHROME.agent, "scanner", "the pixel was rendered in a sandbox"),
            *(clicked(4.3 + 0.7 * n, n, f"148.163.130.{9 + n}", FIREFOX.agent, "scanner", "links from other machines")
              for n in range(3))], 2.0),
        by_hand("mimecast", "click-through", "2026-04-07T12:00:00Z", 3, [
            opened(3 * HOUR, DESK, OUTLOOK, "person", "read in Outlook"),
            clicked(3 * HOUR + 9, 0, "205.139.110.61", WINDOWS_CHROME.agent, "scanner",
                    "checked while the person waited"),
            follows(3 * HOUR + 13, 0, DESK, WINDOWS_EDGE, "let through", "https://protect-eu.mimecast.com/")], 2.0),
        by_hand("cisco", "head-only", "2026-04-08T12:00:00Z", 2, [
            clicked(1.2, n, "68.232.140.7", "CiscoSecureEmail", "scanner", "HEAD on each link", ANY, "HEAD")
            for n in range(2)], 3.0),
        by_hand("trend-micro", "follow-up", "2026-04-09T12:00:00Z", 2, [
            follows(2 * HOUR, 0, DESK, WINDOWS_CHROME, "a person with Trend Micro on the computer"),
            clicked(2 * HOUR + 260, 0, "150.70.173.40", OLD_CHROME, "scanner", "the same page minutes later")], 2.0),
        by_hand("google-check", "proxy-that-clicks", "2026-04-10T12:00:00Z", 1, [
            clicked(12.0, 0, "66.249.81.14", agents.GMAIL_PROXY, "scanner",
                    "an image proxy has no business with a link")], 2.0),
        by_hand("libraries", "mcafee-clickprotect", "2026-04-11T12:00:00Z", 1, [
            # community.mcafee.com/thread/64280: at the gateway and again at the click.
            clicked(2.0, 0, "208.65.150.3", "Java/1.8.0_265", "scanner", "fetched as the mail passed the service"),
            clicked(6 * HOUR, 0, "208.65.150.9", "Java/1.8.0_265", "scanner", "fetched again for the click"),
            follows(6 * HOUR + 1.4, 0, DESK, WINDOWS_CHROME, "the click")], 3.0),
        by_hand("appliances", "before-delivery", "2026-04-12T12:00:00Z", 2, [
            clicked(4.0 + n, n, "85.158.140.66", agents.HEADLESS, "scanner",
                    "while the mail still waited to be delivered")
            for n in range(2)], 340.0),
        by_hand("appliances", "single-link-mail", "2026-04-13T12:00:00Z", 1, [
            clicked(150.0, 0, "208.91.114.3", WINDOWS_CHROME.agent, "scanner", "quarantined, then detonated", ANY)],
                8.0),
    ]  # fmt: skip


def _ahead() -> list[Labelled]:
    prefetch = {"referer": "http://mail.google.com/", "accept": "image/*"}
    return [
        # As in one published log of July 2026: Gmail's prefetch after 25 s, the proxy's fetch after 30 s.
        by_hand("gmail-prefetch", "25-and-30", "2026-07-29T01:00:00Z", 1, [
            opened(25.0, "108.177.2.32", agents.GMAIL_PREFETCH, "prefetch", "Gmail was open in a tab", prefetch),
            gmail(30.0, why="the person opened it five seconds later")], 1.0),
        by_hand("gmail-prefetch", "and-never-read", "2026-07-30T01:00:00Z", 2, [
            opened(58.0, "108.177.2.33", agents.GMAIL_PREFETCH, "prefetch", "a session still open on a telephone",
                   prefetch)], 1.0),
        by_hand("gmail-web", "fetched-at-delivery", "2026-07-31T01:00:00Z", 2, [
            gmail(1.3, "prefetch", "half a second after delivery: before anybody could have looked"),
            gmail(2 * HOUR, why="opened two hours later")], 0.8),
        by_hand("slack", "pasted-at-once", "2026-08-01T10:00:00Z", 2, [
            gmail(4 * MINUTE), clicked(5 * MINUTE, 1, "54.147.3.2", SLACK, "prefetch", "pasted into a channel"),
            *(follows(5 * MINUTE + 20.0 + 7 * n, 1, ip, who, "a colleague in the channel")
              for n, (ip, who) in enumerate(((HOME, FIREFOX), (DESK, WINDOWS_EDGE), (TRAIN, IPHONE))))], 1.0),
        by_hand("teams", "three-fetches", "2026-08-02T10:00:00Z", 2, [
            clicked(HOUR + 0.4 * n, 0, f"52.112.95.{40 + n}", TEAMS, "prefetch", "Teams fetched for a chat of three")
            for n in range(3)], 1.0),
        by_hand("whatsapp", "typed-letter-by-letter", "2026-08-03T10:00:00Z", 1, [
            clicked(HOUR, 0, TRAIN, "WhatsApp/2.23.20.0 A", "prefetch", "previewed on the writer's telephone"),
            follows(HOUR + 9, 0, "2a01:598:a1:c::7", ANDROID_CHROME, "who got it tapped it")], 1.0),
        by_hand("imessage", "same-address-as-person", "2026-08-04T10:00:00Z", 1, [
            follows(HOUR, 0, HOME, MAC_SAFARI, "followed the link"),
            clicked(HOUR + 70, 0, HOME, agents.IMESSAGE, "prefetch",
                    "then sent it on by Messages from the same desk")], 1.0),
        by_hand("browser-prefetch", "hover", "2026-08-05T10:00:00Z", 3, [
            clicked(HOUR + n, n, HOME, WINDOWS_CHROME.agent, "prefetch", "the pointer passed over three links",
                    WINDOWS_CHROME.page("https://mail.hosting.example/") | {"sec-purpose": "prefetch"})
            for n in range(3)], 1.0),
        by_hand("bing-preview", "outlook-com", "2026-08-06T10:00:00Z", 2, [
            clicked(6.0, 0, "40.77.167.5", "Mozilla/5.0 (Windows NT 6.1; WOW64) AppleWebKit/534+ (KHTML, like Gecko) "
                    "BingPreview/1.0b", "prefetch", "a picture for Outlook.com")], 2.0),
    ]  # fmt: skip


def _apple() -> list[Labelled]:
    return [
        by_hand("apple-privacy", "four-seconds", "2026-09-01T10:00:00Z", 2, [relay(4.0)], 1.0),
        by_hand("apple-privacy", "overnight-charger", "2026-09-02T18:00:00Z", 2, [
            relay(8.2 * HOUR, "2a02:26f7:c9c8:4000:8b6a:1f::", "fetched at night on the charger")], 1.0),
        by_hand("apple-privacy", "nine-days", "2026-09-03T10:00:00Z", 1, [
            relay(9 * DAY, "104.28.31.64", "an old iPad was switched on again")], 1.0),
        by_hand("apple-privacy", "collects-gmail", "2026-09-04T10:00:00Z", 2, [
            relay(40.0, why="Apple Mail collects a Gmail account"), gmail(3 * HOUR,
                                                                          why="opened in Gmail's own page")], 1.0),
        by_hand("apple-privacy-click", "tap-at-thirty", "2026-09-05T10:00:00Z", 2, [
            relay(6.0), follows(34.0, 0, TRAIN, IPHONE, "read and tapped within half a minute")], 1.0),
        by_hand("apple-privacy-click", "mac-and-iphone", "2026-09-06T10:00:00Z", 3, [
            relay(9.0), relay(11.5, "146.75.160.8", "the account's Mac fetched too"),
            follows(5 * HOUR, 1, HOME, MAC_SAFARI, "followed on the Mac"),
            follows(2 * DAY, 1, TRAIN, IPHONE, "followed again on the telephone")], 1.0),
        by_hand("apple-privacy-click", "behind-defender", "2026-09-07T10:00:00Z", 3, [
            *(clicked(5.0 + n, n, "40.94.31.7", OLD_CHROME, "scanner", "Defender before delivery") for n in range(3)),
            relay(31.0), follows(4 * HOUR, 2, TRAIN, IPHONE, "tapped in Apple Mail", SAFE)], 9.0),
    ]  # fmt: skip
