"""What is left of shortened evidence, and that it still says what the rules ask of it."""

from __future__ import annotations

import pytest

from truesend.tracking import agents, rules, shorten


@pytest.mark.parametrize(
    ("ip", "kept"),
    [
        ("203.0.113.7", "203.0.113.0"),
        ("2001:db8:12:3456:789a::1", "2001:db8:12::"),
        ("127.0.0.1", "127.0.0.0"),
        (None, None),
    ],
)
def test_of_an_address_its_network_is_left(ip: str | None, kept: str | None) -> None:
    assert shorten.address(ip) == kept


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:132.0) Gecko/20100101 Firefox/132.0",
            "Mozilla/5.0 (Windows) Firefox/132",
        ),
        (
            "Mozilla/5.0 (Linux; Android 14; SM-S918B Build/UP1A.231005.007) AppleWebKit/537.36 (KHTML, like Gecko) "
            "Chrome/130.0.6723.102 Mobile Safari/537.36",
            "Mozilla/5.0 (Android) Chrome/130",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_6_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
            "Version/17.6 Mobile/15E148 Safari/604.1",
            "Mozilla/5.0 (iPhone) Version/17 Safari/0",
        ),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)",
            "Mozilla/5.0 (Macintosh) AppleWebKit/0 (KHTML, like Gecko)",
        ),
        (
            "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)",
            "GoogleImageProxy",
        ),
        ("Mozilla/5.0", "Mozilla/5.0"),
        ("", ""),
        ("curl/8.5.0", "curl/8"),
    ],
)
def test_of_an_agent_its_family_major_version_and_system_are_left(text: str, kept: str) -> None:
    assert shorten.agent(text) == kept


@pytest.mark.parametrize(
    "text",
    [
        "acme-crawler/2.3 (+https://acme.example/bot; contact ana@acme.example)",
        "Mozilla/5.0 (X11; Linux x86_64) ana.ruiz@corp.example",
        "x" * 600,
        "Ünknown ☃ agent",
    ],
)
def test_what_nobody_knows_is_cut_down_too(text: str) -> None:
    kept = shorten.agent(text)
    version = rules.CURRENT.version
    assert agents.parse(kept, version) == agents.parse(text, version)
    assert len(kept) <= 60
    assert "@" not in kept


def test_of_headers_only_what_rules_ask_for_is_left() -> None:
    sent = {
        "accept-language": "de-CH,de;q=0.9,en;q=0.5",
        "referer": "https://eur02.safelinks.protection.outlook.com/?url=x&data=05|ines@globex.example",
        "sec-ch-ua": '"Chromium";v="130"',
        "sec-purpose": "prefetch;prerender",
        "via": "1.1 proxy.globex.example",
    }
    assert shorten.headers(sent) == {
        "accept-language": "de",
        "referer": "https://safelinks.protection.outlook.com/",
        "sec-purpose": "prefetch;prerender",
    }
    assert shorten.headers({"referer": "https://intranet.globex.example/mail/ines"}) == {}
    assert shorten.headers({"referer": "http://[broken"}) == {}
