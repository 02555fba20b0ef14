"""A host has many spellings and is one host."""

from __future__ import annotations

import pytest

from truesend.blocklist.hosts import host_of, is_host, with_parents


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/x?y#z",
        "HTTPS://EVIL.example",
        "https://evil.example:8443/",
        "https://evil.example./",
        "https://good.example@evil.example/",
        "https://user:pass@evil.example:80/@good.example",
        "https://evil.example\\@good.example/",
        "https://evil.example?@good.example",
        "https://evil.example#@good.example",
        "https://ev%69l.example/",
        "https://ｅvil。example/",
        "evil.example",
        "  evil.example/path",
    ],
)
def test_one_host_in_many_spellings(target: str) -> None:
    assert host_of(target) == "evil.example"


@pytest.mark.parametrize(
    ("target", "host"),
    [
        ("https://bücher.example/", "xn--bcher-kva.example"),
        ("https://faß.example/", "xn--fa-hia.example"),
        ("http://203.0.113.9/", "203.0.113.9"),
        ("http://3405803785/", "203.0.113.9"),
        ("http://0xcb.0.0x71.011/", "203.0.113.9"),
        ("http://[2001:DB8:0::1]:80/", "2001:db8::1"),
        ("https://under_score.example/", "under_score.example"),
        ("https:///", ""),
        ("http://[nonsense]/", ""),
        ("", ""),
        ("http://1.2.3.4.5/", "1.2.3.4.5"),
        ("http://09.example/", "09.example"),
    ],
)
def test_hosts(target: str, host: str) -> None:
    assert host_of(target) == host


def test_a_block_holds_for_subdomains() -> None:
    assert list(with_parents("a.evil.example")) == ["a.evil.example", "evil.example", "example"]
    assert list(with_parents("203.0.113.9")) == ["203.0.113.9"]
    assert list(with_parents("2001:db8::1")) == ["2001:db8::1"]


@pytest.mark.parametrize(
    ("host", "good"),
    [
        ("evil.example", True),
        ("xn--bcher-kva.example", True),
        ("203.0.113.9", True),
        ("2001:db8::1", True),
        ("com", False),
        ("", False),
        ("a..b", False),
        ("evil .example", False),
        ("x" * 64 + ".example", False),
    ],
)
def test_what_can_be_blocked(host: str, good: bool) -> None:
    assert is_host(host) is good
