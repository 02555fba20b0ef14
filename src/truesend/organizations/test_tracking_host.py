"""What can be a tracking host."""

from __future__ import annotations

import socket

import pytest

from truesend.organizations.tracking_host import Unusable, leads_inside, read


@pytest.fixture
def prod(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRUESEND_ENVIRONMENT", "prod")
    monkeypatch.setenv("TRUESEND_TRACKING_URL", "https://t.truesend.example")


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("t.northwind.example", "https://t.northwind.example"),
        (" https://T.Northwind.Example/ ", "https://t.northwind.example"),
        ("t.größe.example", "https://t.xn--gre-6ka8i.example"),
        ("https://t.truesend.example", ""),
        ("", ""),
        ("  ", ""),
    ],
)
@pytest.mark.usefixtures("prod")
def test_a_host_is_read_as_it_is_typed(text: str, url: str) -> None:
    assert read(text) == url


@pytest.mark.parametrize(
    "text",
    [
        "http://t.northwind.example", "https://t.northwind.example:8443", "localhost", "https://127.0.0.1",
        "https://[::1]", "https://2130706433", "https://10.1", "t.localhost", "printer.local", "db.internal",
        "https://t.northwind.example/x", "https://t.northwind.example?x", "https://t.northwind.example#x",
        "https://a@t.northwind.example", "//t.northwind.example", "javascript:alert(1)", "t..example", "-t.example",
        "t.northwind.example\r\nX: y.example", "a b.example", f"{'x' * 64}.example", f"{'x.' * 130}example",
    ],
)  # fmt: skip
@pytest.mark.usefixtures("prod")
def test_anything_else_is_refused_in_words(text: str) -> None:
    with pytest.raises(Unusable, match=r"\.$"):
        read(text)


def test_in_dev_an_address_and_a_port_may_be_named() -> None:
    assert read("http://127.0.0.1:8001") == "http://127.0.0.1:8001"


def test_a_name_that_leads_inside_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    def found(*addresses: str) -> None:
        answer = [(0, 0, 0, "", (one, 443)) for one in addresses]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answer)

    for inside in ("127.0.0.1", "10.0.0.7", "169.254.169.254", "::1", "fd00::1", "::ffff:10.0.0.7"):
        found("203.0.114.7", inside)
        assert leads_inside("https://t.northwind.example"), inside
    found("8.8.8.8", "2606:4700::1111")
    assert not leads_inside("https://t.northwind.example")
