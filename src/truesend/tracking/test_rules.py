"""What version 2 of the rules knows beyond version 1, each with what version 1 said."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truesend.tracking import agents, shorten
from truesend.tracking.addresses import Holders
from truesend.tracking.classify import Seen, Trail, classify
from truesend.tracking.rules import CURRENT, VERSIONS
from truesend.tracking.rules.shape import Ranges
from truesend.tracking.test_classify import (
    CHROME,
    FIREFOX,
    GMAIL,
    HUMAN,
    IPHONE_MAIL,
    OUTLOOK,
    SENT,
    hit,
    judge,
)

V1, V2 = VERSIONS["1"], VERSIONS["2"]
GATEWAY, CLOUD, FASTMAIL = "67.231.150.2", "34.79.12.8", "103.168.172.40"
MAC_OUTLOOK = "MacOutlook/16.78.23100802 (Arm64 Mac OS X 14.0 (Build 23A344))"
WEBVIEW = (
    "Mozilla/5.0 (Linux; Android 13; Pixel 7 Build/TP1A.220624.014; wv) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Version/4.0 Chrome/120.0.6099.43 Mobile Safari/537.36"
)
GMAIL_AHEAD = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/42.0.2311.135 "
    "Safari/537.36 Edge/12.246 Mozilla/5.0"
)
SAFE_LINKS = {"referer": "https://eur02.safelinks.protection.outlook.com/"}
AHEAD = HUMAN | {"sec-purpose": "prefetch"}


@pytest.mark.parametrize(
    ("seen", "first", "second"),
    [
        (hit(60, ip=GATEWAY), ("person", "browser"), ("scanner", "gateway_network")),
        (hit(60, "click", ip=GATEWAY), ("person", "browser"), ("scanner", "gateway_network")),
        (hit(60, "click", ip="104.47.11.32", agent="ms-office", headers=SAFE_LINKS),
         ("person", "mail_program"), ("scanner", "gateway_network")),
        (hit(60, agent=GMAIL, ip=GATEWAY), ("person", "gmail"), ("person", "gmail")),
        (hit(60, "click", ip=CLOUD), ("person", "browser"), ("unknown", "cloud")),
        (hit(60, "click", ip=CLOUD, headers=HUMAN | SAFE_LINKS), ("person", "rewriter"), ("person", "rewriter")),
        (hit(60, ip=FASTMAIL, headers={}), ("unknown", "unknown"), ("person", "mail_service")),
        (hit(60, "click", ip=FASTMAIL, headers={}), ("unknown", "unknown"), ("unknown", "unknown")),
        (hit(60, agent=MAC_OUTLOOK, headers={}), ("unknown", "unknown"), ("person", "mail_program")),
        (hit(60, agent=WEBVIEW, headers={}), ("unknown", "unknown"), ("person", "mail_program")),
        (hit(60, "click", agent=OUTLOOK), ("person", "mail_program"), ("prefetch", "link_check")),
        (hit(60, agent=OUTLOOK, headers={}), ("person", "mail_program"), ("person", "mail_program")),
        (hit(60, agent=GMAIL_AHEAD, headers={}), ("unknown", "unknown"), ("prefetch", "preview")),
    ],
)  # fmt: skip
def test_one_hit(seen: Seen, first: tuple[str, str], second: tuple[str, str]) -> None:
    assert judge(seen, version=V1) == [first]
    assert judge(seen, version=V2) == [second]


def test_links_loaded_as_the_pointer_passes_are_no_burst_and_do_not_spoil_the_click() -> None:
    passed = [hit(60 + at, "click", link=at, headers=AHEAD) for at in range(3)]
    assert judge(*passed, hit(80, "click", link=1), version=V2) == [("prefetch", "ahead")] * 3 + [
        ("person", "browser")
    ]
    assert judge(*passed, hit(80, "click", link=1), version=V1) == [("scanner", "burst")] * 3 + [
        ("scanner", "burst_company")
    ]


def _two(gap: float, **more: Any) -> list[Seen]:
    return [hit(100, "click", **more), hit(100 + gap, "click", link=1, **more)]


def test_two_links_soon_after_somebody_opened_the_mail_are_a_reader() -> None:
    read = [hit(80, agent=GMAIL, headers={}, ip="66.249.84.71")]
    assert judge(*read, *_two(2), version=V2)[1:] == [("person", "browser")] * 2
    assert judge(*read, *_two(2), version=V1)[1:] == [("scanner", "burst")] * 2
    burst = [("scanner", "burst")] * 2
    assert judge(*_two(2), version=V2) == burst, "nobody had opened it"
    assert judge(*read, *_two(0.9), version=V2)[1:] == burst, "faster than a hand"
    assert judge(*read, *_two(2), links=2, version=V2)[1:] == [("person", "browser")] * 2
    assert judge(*read, *_two(2, ip=CLOUD), version=V2)[1:] == burst, "in a data centre"
    assert judge(*read, *_two(2, headers={}), version=V2)[1:] == burst, "no browser sends no language"
    two = [hit(100, "click"), hit(102, "click", link=1, agent=CHROME)]
    assert judge(*read, *two, version=V2)[1:] == burst, "two machines"
    assert judge(hit(5, agent=GMAIL), *_two(2), version=V2)[1:] == burst, "opened within the first seconds"
    every = [*_two(2), hit(104, "click", link=2)]
    assert judge(*read, *every, version=V2)[1:] == [("scanner", "burst")] * 3, "all of three"


def test_a_gap_of_one_second_and_confidence_below_a_clear_click() -> None:
    assert V2.confidence["browser_quick"] < V2.confidence["browser_click"]
    assert V1.quick_gap == float("inf")
    assert CURRENT is V2


@pytest.mark.parametrize(
    "ranges", [V2.gateway_networks, V2.mail_services, V2.clouds], ids=["gateways", "services", "clouds"]
)
def test_every_network_is_one_and_is_found_by_its_ends(ranges: Ranges) -> None:
    holders = Holders(ranges)
    for name, networks in ranges:
        for text in networks:
            network = ipaddress.ip_network(text)
            assert network.is_global, text
            assert holders.of(str(network[0])) == holders.of(str(network[-1])) == name, text
    assert (
        holders.of("203.0.113.7")
        is holders.of("127.0.0.1")
        is holders.of(None)
        is holders.of("nothing")
        is None
    )


def test_of_networks_inside_one_another_the_first_counts() -> None:
    holders = Holders((("inner", ("8.8.8.0/24", "8.8.9.128/25")), ("outer", ("8.8.0.0/16",))))
    named = {ip: holders.of(ip) for ip in ("8.8.8.8", "8.8.9.1", "8.8.9.200", "8.8.255.255", "8.9.0.0")}
    assert named == {
        "8.8.8.8": "inner", "8.8.9.1": "outer", "8.8.9.200": "inner", "8.8.255.255": "outer", "8.9.0.0": None,
    }  # fmt: skip


def test_googles_proxy_by_its_older_name() -> None:
    older = "Mozilla/5.0 (Windows; U; Windows NT 5.1; de; rv:1.9.0.7) Gecko/2009021910 Firefox/3.0.7 (via ggpht.com)"
    assert judge(hit(60, agent=older, headers={})) == [("person", "gmail")]


def test_a_browser_by_another_name_is_not_taken_for_a_mail_program() -> None:
    assert judge(hit(60, agent=FIREFOX), version=V2) == [("person", "browser")]


WINDOWS_CHROME = CHROME.replace("X11; Linux x86_64", "Windows NT 10.0; Win64; x64")
MIMECAST = "207.82.80.1"


@pytest.mark.parametrize(
    "machine",
    [
        hit(301.2, "click", link=1, ip=MIMECAST),
        hit(301.2, "click", link=1, ip=MIMECAST, agent=WINDOWS_CHROME),
        hit(301.2, "click", link=1, ip="198.51.100.9", agent="Barracuda Sentinel (EE)", headers={}),
        hit(303, "click", link=1, ip="198.51.100.9", agent="python-requests/2.32", headers={}),
        hit(301, "click", link=1, ip="198.51.100.9", method="HEAD"),
        hit(299, "click", link=1, ip=MIMECAST),
        hit(299, "click", link=1, ip="198.51.100.9", agent=GMAIL, headers={}),
    ],
)
def test_a_known_machine_says_nothing_of_a_click_from_elsewhere(machine: Seen) -> None:
    read = [hit(200, agent=OUTLOOK, headers={}), hit(300, "click", agent=WINDOWS_CHROME)]
    assert judge(*read, machine, version=V1)[1] == ("scanner", "burst")
    said = judge(*read, machine, version=V2)
    assert said[:2] == [("person", "mail_program"), ("person", "browser")]
    assert said[2][0] == "scanner"
    if machine.user_agent != WINDOWS_CHROME:
        assert judge(*read[1:], machine, version=V2)[0] == ("person", "browser"), "nobody had opened it"


def test_a_known_machine_speaks_for_its_own_address_and_agent() -> None:
    scan = hit(301, "click", link=1, ip="198.51.100.9", agent="python-requests/2.32", headers={})
    assert judge(hit(300, "click", ip="198.51.100.9"), scan)[0] == ("scanner", "burst")
    assert judge(hit(300, "click"), hit(301, "click", link=1, ip=MIMECAST))[0] == ("scanner", "burst")
    (told, _) = classify(Trail(SENT, 3, [hit(300, "click"), hit(301, "click", link=1, ip=MIMECAST)]))
    assert told.reason == "Scanner: 2 links within 1 s. Not counted.", "the other's network is not its own"
    stealth = [hit(301 + at / 10, "click", link=at, agent=CHROME, ip="198.51.100.77") for at in range(2)]
    assert judge(hit(300, "click", link=2, ip=MIMECAST), *stealth)[1:] == [("scanner", "burst")] * 2


def test_a_click_stays_a_persons_where_a_gateway_then_scans_the_whole_mail() -> None:
    read = [hit(100), hit(120, "click", link=1)]
    for agent in (CHROME, FIREFOX):
        scan = [
            hit(121 + at / 10, "click", link=at, ip=f"207.82.80.{at + 1}", agent=agent) for at in range(3)
        ]
        assert judge(*read, *scan) == [("person", "browser")] * 2 + [("scanner", "gateway_network")] * 3


IN_APP = f"{IPHONE_MAIL} "
ON_ANDROID = WEBVIEW + " "


@pytest.mark.parametrize(
    ("agent", "device"),
    [
        (IN_APP + "[LinkedInApp]/9.29.7586", "LinkedIn on an iPhone"),
        (
            IN_APP + "Instagram 331.0.8.29.90 (iPhone14,5; iOS 17_5; en_GB; scale=3.00)",
            "Instagram on an iPhone",
        ),
        (IN_APP + "[FBAN/FBIOS;FBAV/462.0.0.36.102;FBBV/593377893]", "Facebook on an iPhone"),
        (IN_APP + "MicroMessenger/8.0.49(0x18003128) NetType/WIFI Language/en", "WeChat on an iPhone"),
        (
            IN_APP.replace("Mobile", "GSA/316.0.630091404 Mobile") + "Safari/604.1",
            "Google’s app on an iPhone",
        ),
        (ON_ANDROID + "Instagram 331.0.0.37.90 Android (33/13; 420dpi)", "Instagram on Android"),
    ],
)
def test_a_browser_inside_an_app_is_a_persons(agent: str, device: str) -> None:
    (one,) = classify(Trail(SENT, 1, [hit(60, "click", agent=agent)]))
    assert (one.klass, one.rule, one.reason) == ("person", "browser", f"Person: {device}.")
    (bare,) = classify(Trail(SENT, 1, [hit(60, "click", agent=agent, headers={})]))
    assert bare.klass == "unknown", "no browser sends no language"
    short = shorten.agent(agent)
    assert agents.parse(short, "2") == agents.parse(agent, "2")
    assert len(short) < 60
    assert all(number not in short for number in ("7586", "331.0", "630091404", "593377893"))


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        ("Mozilla/5.0 (compatible; Superhuman/1.0)", "Superhuman"),
        ("Mozilla/5.0 (compatible; Fastmail)", "Fastmail"),
        ("Mozilla/5.0 (compatible; YandexImageResizer/2.0; +http://yandex.com/bots)", "YandexImageResizer"),
        (IN_APP + "Snapchat/12.88", "Snapchat"),
        ("Mozilla/5.0 (Windows NT 10.0)", "Mozilla/5.0 (Windows NT 10.0)"),
        ("Something/1.0", "Something"),
        ("a\u202eb\u200b\nc\x00d", "a b c d"),
        ("\u202e\u200b", "the agent"),
        ("x" * 500, "x" * 39 + "…"),
        ("Mozilla/5.0 (" + "y" * 500, "Mozilla/5.0 (" + "y" * 26 + "…"),
    ],
)
def test_what_we_do_not_know_is_called_by_its_own_name(agent: str, name: str) -> None:
    (one,) = classify(Trail(SENT, 1, [hit(60, agent=agent)]))
    assert one.reason == f"Cannot know: “{name}” is nothing we know."


@given(st.text(max_size=200))
def test_no_agent_brings_a_control_character_or_a_long_text_into_a_sentence(agent: str) -> None:
    (one,) = classify(
        Trail(
            SENT,
            1,
            [
                hit(60, agent=agent),
            ],
        )
    )
    assert one.reason.isprintable()
    assert len(one.reason) < 120


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        ("TelegramBot (like TwitterBot)", "Telegram"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_11_1) AppleWebKit/601.2.4 (KHTML, like Gecko) Version/9.0.1 "
         "Safari/601.2.4 facebookexternalhit/1.1 Facebot Twitterbot/1.0", "Apple Messages"),
        ("Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5 skype-url-preview@microsoft.com",
         "Skype or Microsoft Teams"),
        ("facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)", "Facebook"),
        ("Twitterbot/1.0", "X"),
    ],
)  # fmt: skip
def test_a_preview_is_told_by_whoever_made_it(agent: str, name: str) -> None:
    (one,) = classify(Trail(SENT, 1, [hit(60, agent=agent)]))
    assert one.reason == f"Prefetch: {name} made a preview. Not counted."


def test_the_first_seconds_claim_no_more_than_is_known() -> None:
    trail = Trail(SENT, 1, [hit(9), hit(-2)])
    assert [one.reason for one in classify(trail)] == [
        "Prefetch: 9 s after sending, within the first seconds, when machines look first. Not counted.",
        "Prefetch: before sending, when only machines look. Not counted.",
    ]


def _crowd(size: int, within: float, **more: Any) -> list[Seen]:
    return [hit(100 + at * within / size, "click", ip=f"198.51.{at}.9", **more) for at in range(size)]


def test_a_link_followed_from_very_many_addresses_is_no_persons() -> None:
    crowd = _crowd(20, 60)
    assert judge(*crowd, version=V1) == [("person", "browser")] * 20
    assert judge(*crowd) == [("unknown", "crowd")] * 20
    assert judge(*crowd[1:]) == [("person", "browser")] * 19
    assert judge(*_crowd(20, 66)) == [("person", "browser")] * 20, "slower"
    assert judge(*crowd, hit(400, "click", ip="198.51.0.9"))[-1] == ("person", "browser"), "long after"
    assert judge(*crowd, hit(130, ip="203.0.113.7"))[-1] == ("person", "browser"), "a picture is no link"
    assert judge(*crowd, recipients=2) == [("person", "browser")] * 20, "one of them may be the other’s"
    many = [hit(100 + at, "click", ip="198.51.3.9") for at in range(40)]
    assert judge(*many) == [("person", "browser")] * 40, "one address"
    known = [hit(110, "click", ip=f"67.231.150.{at}") for at in range(30)]
    assert judge(hit(100, "click"), *known)[0] == ("person", "browser"), (
        "known machines tell nothing of others"
    )
    (one, *_) = classify(Trail(SENT, 1, crowd))
    assert (
        one.reason
        == "Cannot know: 20 addresses followed this link within a minute, more than one reader has."
    )
