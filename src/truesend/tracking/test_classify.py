"""Classes and their reasons, as the design's paragraph on evidence states them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truesend.tracking.addresses import client_address
from truesend.tracking.classify import Seen, Trail, classify
from truesend.tracking.rules import CURRENT, VERSIONS, Rules

V1 = VERSIONS["1"]

SENT = datetime(2026, 11, 3, 10, 0, tzinfo=UTC)
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:132.0) Gecko/20100101 Firefox/132.0"
CHROME = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36"
)
IPHONE_MAIL = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Mobile/15E148"
)
GMAIL = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
YAHOO = "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html"
APPLE = "Mozilla/5.0"
OUTLOOK = "Microsoft Office/16.0 (Microsoft Outlook 16.0; Pro)"
SLACK = "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)"
HUMAN = {"accept-language": "en-GB,en;q=0.8"}


def hit(seconds: float, kind: str = "open", agent: str = FIREFOX, **more: Any) -> Seen:
    headers: Mapping[str, str] = more.pop("headers", HUMAN)
    link = more.pop("link", 0 if kind == "click" else None)
    ip = more.pop("ip", "203.0.113.7")
    return Seen(
        SENT + timedelta(seconds=seconds), kind, link, user_agent=agent, ip=ip, headers=headers, **more
    )


def judge(*hits: Seen, links: int = 3, version: Rules = CURRENT, **more: Any) -> list[tuple[str, str]]:
    trail = Trail(sent_at=SENT, links=links, hits=hits, **more)
    return [(one.klass, one.rule) for one in classify(trail, version)]


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (hit(60), ("person", "browser")),
        (hit(60, "click"), ("person", "browser")),
        (hit(60, agent=GMAIL, headers={}), ("person", "gmail")),
        (hit(60, agent=YAHOO, headers={}), ("person", "yahoo")),
        (hit(60, agent=APPLE, headers={}), ("proxy", "apple")),
        (hit(3, agent=APPLE, headers={}), ("proxy", "apple")),
        (hit(60, agent=IPHONE_MAIL), ("person", "mail_program")),
        (hit(60, agent=OUTLOOK, headers={}), ("person", "mail_program")),
        (hit(60, "click", agent=APPLE), ("scanner", "proxy_click")),
        (hit(60, "click", agent=GMAIL), ("scanner", "proxy_click")),
        (hit(60, method="HEAD"), ("scanner", "head")),
        (hit(60, "click", agent="Barracuda Sentinel (EE)"), ("scanner", "gateway")),
        (hit(60, "click", agent="python-requests/2.32"), ("scanner", "library")),
        (hit(60, network_recipients=5), ("scanner", "network")),
        (hit(60, network_recipients=4), ("person", "browser")),
        (hit(60, agent=GMAIL, network_recipients=50), ("person", "gmail")),
        (hit(60, count=900), ("scanner", "flood")),
        (hit(60, "click", agent=SLACK), ("prefetch", "preview")),
        (hit(60, headers=HUMAN | {"sec-purpose": "prefetch;prerender"}), ("prefetch", "ahead")),
        (hit(9.9), ("prefetch", "first_seconds")),
        (hit(10), ("person", "browser")),
        (hit(-2), ("prefetch", "first_seconds")),
        (hit(5, agent=GMAIL), ("prefetch", "first_seconds")),
        (hit(60, headers={}), ("unknown", "unknown")),
        (hit(60, "click", agent=""), ("unknown", "unknown")),
        (hit(60, agent="Something/1.0"), ("unknown", "unknown")),
        (
            hit(60, "click", headers={"referer": "https://eur01.safelinks.protection.outlook.com/?url=x"}),
            ("person", "rewriter"),
        ),
    ],
)  # fmt: skip
def test_one_hit(seen: Seen, expected: tuple[str, str]) -> None:
    assert judge(seen) == [expected]


def test_the_first_seconds_begin_with_delivery_where_it_is_known() -> None:
    assert judge(hit(65), delivered_at=SENT + timedelta(seconds=60)) == [("prefetch", "first_seconds")]


def test_two_links_within_five_seconds_are_a_machine_and_so_is_its_picture() -> None:
    hits = (hit(60, "click", link=0), hit(64.9, "click", link=1), hit(63), hit(200, "click", link=2))
    assert judge(*hits, links=9) == [
        ("scanner", "burst"),
        ("scanner", "burst"),
        ("scanner", "burst_company"),
        ("person", "browser"),
    ]


def test_the_same_link_twice_is_no_burst() -> None:
    assert judge(hit(60, "click"), hit(61, "click")) == [("person", "browser")] * 2


def test_two_links_in_six_seconds_are_a_person_but_all_three_in_ten_are_not() -> None:
    assert judge(hit(60, "click"), hit(66, "click", link=1), links=2) == [("person", "browser")] * 2
    three = (hit(60, "click"), hit(66, "click", link=1), hit(70, "click", link=2))
    assert judge(*three, links=3) == [("scanner", "burst")] * 3


def test_a_person_led_through_a_rewriter_after_a_scan_stays_a_person() -> None:
    safe = {"referer": "https://nam02.safelinks.protection.outlook.com/"}
    scan = [hit(61 + at / 10, "click", link=at, ip="198.51.100.4", agent=CHROME) for at in range(3)]
    assert judge(*scan, hit(62, "click", headers=safe))[-1] == ("person", "rewriter")


def test_the_sender_is_known_by_address_and_family_together() -> None:
    sender: dict[str, Any] = {"sender_ips": frozenset({"203.0.113.7"}), "sender_agents": frozenset({FIREFOX})}
    newer = FIREFOX.replace("132", "133")
    assert judge(hit(60, agent=newer), **sender) == [("self", "self")]
    assert judge(hit(60, ip="203.0.113.8"), **sender) == [("person", "browser")]
    near = hit(60, agent=CHROME)
    assert judge(near, **sender) == [("unknown", "sender_address")]
    assert judge(near, version=V1, **sender) == [("person", "browser")]


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.1.2.3", "192.168.0.4", "::1", "fd00::1", None, "garbage"]
)
def test_private_addresses_are_no_evidence(address: str | None) -> None:
    sender: dict[str, Any] = {"sender_ips": frozenset({address or ""}), "sender_agents": frozenset({FIREFOX})}
    assert judge(hit(60, ip=address), **sender) == [("person", "browser")]


def test_on_a_developers_machine_a_look_from_it_is_the_senders() -> None:
    sender: dict[str, Any] = {
        "sender_agents": frozenset({FIREFOX, "curl/8.5.0"}),
        "sender_on_this_machine": True,
    }
    for address in ("127.0.0.1", "::1"):
        assert judge(hit(60, ip=address), **sender) == [("self", "self")]
        assert judge(hit(60, ip=address, agent=CHROME), **sender) == [("person", "browser")]
    assert judge(hit(60, ip="127.0.0.1", agent="curl/8.5.0"), **sender) == [("scanner", "library")]
    for elsewhere in ("10.1.2.3", "203.0.113.7", None):
        assert judge(hit(60, ip=elsewhere), **sender) == [("person", "browser")]
    (one,) = classify(Trail(sent_at=SENT, links=1, hits=[hit(60, ip="127.0.0.1")], **sender))
    assert one.reason == "You: this machine and Firefox on Windows you use Truesend with. Not counted."


@pytest.mark.parametrize(
    ("peer", "forwarded", "trust", "expected"),
    [
        ("127.0.0.1", "81.2.69.142", True, "81.2.69.142"),
        ("127.0.0.1", "10.0.0.1, 81.2.69.142", True, "81.2.69.142"),
        ("::1", "2A02:8108::0001", True, "2a02:8108::1"),
        ("127.0.0.1", "81.2.69.142", False, "127.0.0.1"),
        ("198.51.100.4", "81.2.69.142", True, "198.51.100.4"),
        ("127.0.0.1", "unknown", True, "127.0.0.1"),
        ("127.0.0.1", "", True, "127.0.0.1"),
        ("", "81.2.69.142", True, ""),
    ],
)
def test_whose_request_it_is(peer: str, forwarded: str, trust: bool, expected: str) -> None:
    assert client_address(peer, forwarded, trust_forwarded=trust) == expected


@pytest.mark.parametrize(
    ("peer", "forwarded", "proxies", "expected"),
    [
        ("10.0.0.7", "81.2.69.142", 1, "81.2.69.142"),
        ("10.0.0.7", "81.2.69.142:51234", 1, "81.2.69.142"),
        ("10.0.0.7", "[2a02:8108::1]:51234", 1, "2a02:8108::1"),
        ("10.0.0.7", "192.0.2.1, 81.2.69.142", 1, "81.2.69.142"),  # the first is what the client made up
        ("10.0.0.7", "192.0.2.1, 81.2.69.142, 10.0.0.9", 2, "81.2.69.142"),
        ("10.0.0.7", "81.2.69.142", 2, "10.0.0.7"),  # around the outer one
        ("10.0.0.7", "", 1, "10.0.0.7"),
        ("10.0.0.7", "unknown", 1, "10.0.0.7"),
        ("127.0.0.1", "81.2.69.142", 0, "127.0.0.1"),
    ],
)
def test_whose_request_it_is_behind_proxies(peer: str, forwarded: str, proxies: int, expected: str) -> None:
    assert client_address(peer, forwarded, trust_forwarded=False, proxies=proxies) == expected


def test_gmail_from_a_google_mailbox_may_be_the_sender() -> None:
    def answer(**more: Any) -> tuple[float, str]:
        trail = Trail(sent_at=SENT, links=1, hits=[hit(60, agent=GMAIL)], **more)
        (one,) = classify(trail)
        return one.confidence, one.reason

    assert answer()[0] >= 0.8
    assert answer(sent_copy_behind_proxy=True) == (
        0.7,
        "Person: Gmail fetched the pictures when the mail was opened. Could also be you at the Sent copy.",
    )
    confidence, reason = answer(sent_copy_behind_proxy=True, replied_at=SENT)
    assert confidence <= 0.7
    assert "or at its quote" in reason


def test_reasons_read_as_in_the_look() -> None:
    trail = Trail(
        sent_at=SENT,
        links=2,
        hits=[
            hit(2, "click", ip="198.51.100.4", agent=CHROME),
            hit(2.8, "click", link=1, ip="198.51.100.4", agent=CHROME),
            hit(600, "click"),
            hit(900, "click"),
        ],
        delivered_at=SENT,
    )
    assert [one.reason for one in classify(trail)] == [
        "Scanner: both links within 0.8 s, 2 s after delivery. Not counted.",
        "Scanner: both links within 0.8 s, 2 s after delivery. Not counted.",
        "Person: Firefox on Windows.",
        "Person: Firefox on Windows, same device as the first click.",
    ]


def test_a_shared_thread_does_not_say_who() -> None:
    (one,) = classify(Trail(sent_at=SENT, links=1, hits=[hit(60)], recipients=3))
    assert one.reason.endswith("One of 3 recipients.")


_texts = st.one_of(st.sampled_from([FIREFOX, CHROME, GMAIL, YAHOO, APPLE, "curl/8"]), st.text(max_size=40))
_hits = st.builds(
    Seen,
    at=st.integers(-100, 100_000).map(lambda tenths: SENT + timedelta(seconds=tenths / 10)),
    kind=st.sampled_from(["open", "click"]),
    link=st.none() | st.integers(0, 5),
    method=st.sampled_from(["GET", "HEAD"]),
    ip=st.none() | st.ip_addresses().map(str) | st.text(max_size=8),
    user_agent=_texts,
    headers=st.dictionaries(st.sampled_from(["referer", "purpose", "accept-language"]), _texts),
    count=st.integers(1, 500),
    network_recipients=st.integers(1, 9),
)


@given(st.lists(_hits, max_size=12), st.randoms())
def test_every_hit_gets_one_answer_whatever_the_order(hits: list[Seen], random: Any) -> None:
    answers = classify(Trail(sent_at=SENT, links=3, hits=hits))
    assert len(answers) == len(hits)
    assert all(0 < one.confidence <= 1 and one.reason.endswith(".") for one in answers)
    assert {one.klass for one in answers} <= {"person", "proxy", "prefetch", "scanner", "self", "unknown"}
    order = list(range(len(hits)))
    random.shuffle(order)
    mixed = classify(Trail(sent_at=SENT, links=3, hits=[hits[at] for at in order]))
    assert [one.klass for one in mixed] == [answers[at].klass for at in order]


def test_every_rule_has_a_confidence_below_certainty() -> None:
    assert all(0 < value < 1 for value in CURRENT.confidence.values())
    assert max(CURRENT.confidence["gmail_sent_copy"], CURRENT.confidence["gmail_quote"]) <= 0.7
