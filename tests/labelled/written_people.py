"""Written cases: people, from the plain day to the confusing one. Each stands for a story that happens.

Behaviour as cited in webmail.py, programs.py, privacy.py and people.py.
"""

from __future__ import annotations

from tests.labelled import agents
from tests.labelled.cast import (
    ANDROID_CHROME,
    DAY,
    FIREFOX,
    HOUR,
    IPHONE,
    IPHONE_MAIL,
    MAC_CHROME,
    MAC_SAFARI,
    MINUTE,
    OUTLOOK,
    OUTLOOK_2010,
    THUNDERBIRD,
    WINDOWS_CHROME,
    WINDOWS_EDGE,
    clicked,
    follows,
    gmail,
    opened,
    relay,
)  # fmt: skip
from tests.labelled.shape import Labelled, by_hand

GMAIL, OWA = "https://mail.google.com/", "https://outlook.office.com/"
DESK, DESK6, TRAIN, HOME = "213.123.45.9", "2a00:23c6:1e2:8800:4d1:9f:21:7", "92.40.176.33", "86.150.77.4"


def cases() -> list[Labelled]:
    """Every written case about people."""
    return [*_plain(), *_quick(), *_shared(), *_own(), *_odd()]


def _plain() -> list[Labelled]:
    return [
        by_hand("gmail-web", "never-opened", "2026-02-03T09:14:07Z", 2, [], 1.2),
        by_hand("gmail-web", "three-weeks", "2026-01-12T16:40:00Z", 3, [
            gmail(21.4 * DAY), follows(21.4 * DAY + 48, 1, HOME, WINDOWS_CHROME, referer=GMAIL)], 0.9),
        by_hand("gmail-web", "click-without-open", "2026-03-02T08:00:11Z", 2, [
            follows(5 * HOUR, 0, DESK, FIREFOX, "images are off in Gmail; the link still works")], 1.4),
        by_hand("gmail-web", "seven-openings", "2026-03-09T10:00:00Z", 1, [
            gmail(n, why="a mail kept open and come back to all day", ip=f"66.249.93.{20 + i}")
            for i, n in enumerate((300.0, 1900.0, 4000.5, 9000.0, 15_000.0, 21_000.0, 90_000.0))], 1.0),
        by_hand("gmail-app", "tunnel", "2026-04-01T07:31:20Z", 2, [
            gmail(11 * MINUTE), follows(12 * MINUTE, 1, "2607:fb90:48a:11::5", ANDROID_CHROME),
            follows(12.4 * MINUTE, 1, "172.58.27.90", ANDROID_CHROME, "tapped again after the train's tunnel")]),
        by_hand("yahoo", "one-look", "2026-05-20T18:09:00Z", 1, [
            opened(2 * HOUR, "87.248.115.40", agents.YAHOO_PROXY, "person", "opened in Yahoo Mail")], 2.2),
        by_hand("yahoo", "open-and-call", "2026-05-21T18:09:00Z", 4, [
            opened(44 * MINUTE, "98.137.66.9", agents.YAHOO_PROXY, "person", "opened in Yahoo Mail"),
            follows(46 * MINUTE, 2, HOME, MAC_SAFARI, "booked a call")], 2.0),
        by_hand("outlook-classic", "reading-pane", "2026-02-17T12:00:00Z", 2, [
            opened(t, DESK, OUTLOOK, "person", "the reading pane showed it while going through the inbox")
            for t in (31 * MINUTE, 31 * MINUTE + 4, 95 * MINUTE)], 3.1),
        by_hand("outlook-classic", "windows-7-still", "2026-06-02T09:10:00Z", 1, [
            opened(26 * HOUR, "62.153.80.2", OUTLOOK_2010, "person", "Outlook 2010 in a workshop"),
            clicked(26.01 * HOUR, 0, "62.153.80.2",
                    "Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; rv:11.0) like Gecko", "person",
                    "the link opened in Internet Explorer 11",
                    {"accept": "text/html, application/xhtml+xml, */*", "accept-language": "de-DE", "dnt": "1"})]),
        by_hand("ios-mail", "at-the-beach", "2026-07-14T11:22:33Z", 3, [
            opened(3 * DAY, TRAIN, IPHONE_MAIL, "person", "Mail on a telephone that does not protect activity"),
            follows(3 * DAY + 19, 2, TRAIN, IPHONE)], 1.7),
        by_hand("thunderbird", "allowed-images-late", "2026-03-30T06:00:00Z", 2, [
            follows(2 * HOUR, 0, HOME, FIREFOX, "followed the link with images still blocked"),
            opened(2 * HOUR + 90, HOME, THUNDERBIRD, "person", "then allowed the images")], 0.8),
        by_hand("behind-a-proxy", "headers-cut", "2026-03-18T13:00:00Z", 2, [
            clicked(50 * MINUTE, 1, "165.225.72.19", WINDOWS_EDGE.agent, "person",
                    "a ministry's proxy takes language and fetch metadata away",
                    {"accept": agents.NAVIGATION, "via": "1.1 proxy.ministry.example",
                     "cache-control": "max-age=0"})], 2.5),
        by_hand("private-relay", "hotel", "2026-08-08T20:00:00Z", 2, [
            follows(4 * HOUR, 0, "2606:54c0:7680:d98::1a4:1d", IPHONE, "Safari by Private Relay"),
            follows(4 * HOUR + 31, 1, "104.28.55.200", IPHONE, "the relay changed its way out between two taps")],
                1.1),
        by_hand("private-relay", "hotel-portal", "2026-08-09T20:00:00Z", 2, [
            follows(5 * HOUR + t, 1, "188.98.4.60", IPHONE, "tapped until the hotel's sign-in page let it through")
            for t in (0.0, 14.0, 75.0)], 1.1),
        by_hand("vpn", "every-two-minutes", "2026-04-11T15:00:00Z", 3, [
            follows(7 * HOUR, 0, "146.70.112.6", WINDOWS_CHROME, "at work by VPN"),
            follows(7 * HOUR + 140, 2, "146.70.112.6", WINDOWS_CHROME, "and one more link")], 1.3),
    ]  # fmt: skip


def _quick() -> list[Labelled]:
    return [
        by_hand("quick", "on-the-telephone", "2026-02-10T14:00:00Z", 1, [
            gmail(6.2, why="both were on the telephone and waited for the mail"),
            follows(9.8, 0, HOME, WINDOWS_CHROME, referer=GMAIL)], 1.1),
        by_hand("quick", "confirm-your-address", "2026-02-10T15:00:00Z", 1, [
            follows(8.4, 0, DESK6, MAC_SAFARI, "waited for a confirmation and clicked it at once")], 1.9),
        by_hand("quick", "slow-delivery", "2026-02-11T15:00:00Z", 2, [
            opened(607.5, DESK, OUTLOOK, "person", "greylisted for ten minutes, then read from the notice"),
            follows(612.0, 1, DESK, WINDOWS_EDGE)], 603.0),
        by_hand("quick", "owa-at-four-seconds", "2026-02-12T09:00:00Z", 2, [
            opened(4.9, DESK, WINDOWS_EDGE.agent, "person", "had the inbox on screen", WINDOWS_EDGE.image(OWA))],
                0.7),
        by_hand("quick", "iphone-notice", "2026-02-12T10:00:00Z", 2, [
            opened(14.0, TRAIN, IPHONE_MAIL, "person", "tapped the notice on the lock screen"),
            follows(19.5, 0, TRAIN, IPHONE)], 2.1),
        by_hand("two-links", "three-tabs", "2026-03-03T11:00:00Z", 3, [
            gmail(HOUR), follows(HOUR + 21, 0, HOME, MAC_CHROME, "middle-clicked one after another", GMAIL),
            follows(HOUR + 22.1, 1, HOME, MAC_CHROME, "middle-clicked one after another", GMAIL),
            follows(HOUR + 23.4, 2, HOME, MAC_CHROME, "middle-clicked one after another", GMAIL)], 1.0),
        by_hand("two-links", "double-click", "2026-03-04T11:00:00Z", 2, [
            opened(20 * MINUTE, HOME, THUNDERBIRD, "person", "read in Thunderbird"),
            follows(20 * MINUTE + 9, 1, HOME, FIREFOX, "a double click where one was enough"),
            follows(20 * MINUTE + 9.3, 1, HOME, FIREFOX, "a double click where one was enough")], 1.6),
        by_hand("two-links", "misclick", "2026-03-05T11:00:00Z", 6, [
            opened(9 * MINUTE, DESK, OUTLOOK, "person", "read at a desk"),
            follows(9 * MINUTE + 12, 3, DESK, WINDOWS_EDGE, "took the wrong link"),
            follows(9 * MINUTE + 15.2, 4, DESK, WINDOWS_EDGE, "then the right one, three seconds later")], 2.0),
    ]  # fmt: skip


def _shared() -> list[Labelled]:
    return [
        by_hand("forwarded", "to-the-boss", "2026-04-20T08:30:00Z", 2, [
            opened(40 * MINUTE, DESK, OUTLOOK, "person", "the recipient"),
            opened(3 * HOUR, DESK, "Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.14931; Pro)",
                   "person",
                   "the recipient's chief, same office, other Outlook"),
            follows(3 * HOUR + 40, 1, DESK, WINDOWS_CHROME, "the chief followed a link")], 1.4),
        by_hand("forwarded", "to-eleven-suppliers", "2026-04-21T08:30:00Z", 1, [
            opened(HOUR + 300.0 * n, f"62.153.{80 + n}.2", OUTLOOK, "person",
                   "each of eleven suppliers read the forward")
            for n in range(11)], 1.4),
        by_hand("forwarded", "to-private-gmail", "2026-04-22T08:30:00Z", 3, [
            opened(HOUR, DESK, OUTLOOK, "person", "read at work, sent on to a private account"),
            gmail(9 * HOUR, why="read again at home in Gmail"), follows(9 * HOUR + 30, 0, HOME, MAC_SAFARI)], 1.4),
        by_hand("forwarded", "to-an-iphone", "2026-04-23T08:30:00Z", 2, [
            gmail(HOUR), relay(HOUR + 95, "146.75.204.3", "forwarded to somebody whose iPhone protects activity"),
            follows(6 * HOUR, 1, TRAIN, IPHONE, "that person followed a link")], 1.4),
        by_hand("one-office", "same-minute", "2026-05-04T09:00:00Z", 2, [
            opened(12 * MINUTE, DESK, OUTLOOK, "person", "the first of two on the thread"),
            opened(12 * MINUTE + 2.5, DESK, OUTLOOK_2010, "person", "the second, two seconds later"),
            follows(12 * MINUTE + 20, 0, DESK, WINDOWS_EDGE, "the first clicked"),
            follows(12 * MINUTE + 21, 1, DESK, WINDOWS_CHROME, "the second clicked another link a second later")],
                2.2),
        by_hand("one-office", "meeting-room", "2026-05-05T09:00:00Z", 1, [
            follows(HOUR + n * 1.7, 0, DESK, who, "four people in a meeting opened the link that was read out")
            for n, who in enumerate((WINDOWS_EDGE, WINDOWS_CHROME, MAC_SAFARI, FIREFOX))], 2.2),
    ]  # fmt: skip


def _own() -> list[Labelled]:
    me = ("86.150.77.4", WINDOWS_CHROME.agent)
    look = WINDOWS_CHROME.image(OWA)
    return [
        by_hand("the-sender", "sent-folder", "2026-06-10T09:00:00Z", 2, [
            opened(21, HOME, WINDOWS_CHROME.agent, "self", "looked into Sent to see that it left", look),
            opened(5 * HOUR, DESK, OUTLOOK, "person", "the recipient read it")], 1.0, me),
        by_hand("the-sender", "tries-all-links", "2026-06-11T09:00:00Z", 3, [
            follows(30 + 1.5 * n, n, HOME, WINDOWS_CHROME, "the sender tried every link of their own mail",
                    truth="self")
            for n in range(3)], 1.0, me),
        by_hand("the-sender", "browser-updated", "2026-06-12T09:00:00Z", 1, [
            opened(9 * DAY, HOME, WINDOWS_CHROME.agent.replace("Chrome/131", "Chrome/132"), "self",
                   "the sender nine days later; Chrome has updated itself in between", look)], 1.0, me),
        by_hand("the-sender", "at-four-seconds", "2026-06-13T09:00:00Z", 1, [
            opened(3.6, HOME, WINDOWS_CHROME.agent, "self", "the conversation view showed the sent copy at once",
                   look)],
            1.0, me),
        by_hand("the-sender", "temporary-address", "2026-06-19T09:00:00Z", 2, [  # RFC 8981: a new address every day
            opened(3 * DAY, "2003:c5:7f0a:4400:b1d:77:e0:19", WINDOWS_CHROME.agent, "self",
                   "the sender at home; IPv6 gave the computer another address in the same /64", look)],
            1.0, ("2003:c5:7f0a:4400:91ac:3:52f0:8", WINDOWS_CHROME.agent)),
        by_hand("the-sender", "cc-to-self-gmail", "2026-06-14T09:00:00Z", 1, [
            gmail(40 * MINUTE, "unknown", "sender and recipient both had it open in Gmail within the same minute; "
                  "one fetch came, from the proxy, for one of them")], 1.0, me),
        by_hand("sender-elsewhere", "own-telephone", "2026-06-15T09:00:00Z", 2, [
            opened(HOUR, HOME, IPHONE_MAIL, "self", "the sender's telephone showed Sent, at home on the same Wi-Fi")],
            1.0, me),
        by_hand("sender-elsewhere", "married", "2026-06-16T09:00:00Z", 1, [
            opened(2 * HOUR, HOME, MAC_SAFARI.agent, "person", "the mail was for the spouse in the same house",
                   MAC_SAFARI.image("https://outlook.live.com/")),
            follows(2 * HOUR + 8, 0, HOME, MAC_SAFARI, "the spouse followed the link")], 1.0, me),
        by_hand("sender-elsewhere", "sender-on-mobile-data", "2026-06-17T09:00:00Z", 1, [
            follows(HOUR, 0, TRAIN, IPHONE, "the sender from a train, on an address and a device never seen before",
                    truth="self")], 1.0, me),
        by_hand("sender-elsewhere", "same-browser-elsewhere", "2026-06-18T09:00:00Z", 2, [
            follows(3 * HOUR,
                    1, DESK6, WINDOWS_CHROME, "the recipient uses the most common browser, as the sender does")],
            1.0, me),
    ]  # fmt: skip


def _odd() -> list[Labelled]:
    return [
        by_hand("nobody-knows", "empty-once", "2026-07-01T09:00:00Z", 2, [
            opened(6 * HOUR, "188.97.30.2", "", "unknown", "no agent, no header but accept; from a home line")], 1.0),
        by_hand("nobody-knows", "dash", "2026-07-02T09:00:00Z", 2, [
            clicked(2 * DAY, 0, "159.69.14.80", "-", "unknown", "one click, agent is a dash, a hosting company")],
                1.0),
        by_hand("nobody-knows", "virtual-desktop", "2026-07-03T09:00:00Z", 3, [
            clicked(33 * MINUTE, 1, "20.74.18.7", WINDOWS_EDGE.agent, "unknown",
                    "Edge in Azure: a company's virtual desktop or a single detonation",
                    {"accept": agents.NAVIGATION})], 1.0),
        by_hand("nobody-knows", "bare-mozilla-click", "2026-07-04T09:00:00Z", 2, [
            clicked(8 * HOUR, 1, "188.97.30.2", "Mozilla/5.0", "unknown",
                    "a bare agent clicked from a home line: a privacy tool or a script (Apple's never clicks)")], 1.0),
        by_hand("nobody-knows", "gmail-name-elsewhere", "2026-07-05T09:00:00Z", 1, [
            opened(HOUR, "51.68.20.4", agents.GMAIL_PROXY, "unknown",
                   "the proxy's name from an address that is not Google's: somebody copied the agent")], 1.0),
    ]  # fmt: skip
