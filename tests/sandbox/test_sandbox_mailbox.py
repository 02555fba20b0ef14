"""Recipients: acting for them really fetches, what comes back is real mail, and the pages work for a person."""

from __future__ import annotations

import base64
import ipaddress
import re
from collections.abc import Iterator
from email import message_from_string, policy
from email.message import Message
from pathlib import Path

import pytest
import requests
from tests.sandbox.google_client import READ, SEND, SIGN_IN, GoogleClient, mail
from tests.sandbox.listener import TARGET, Listener, listening
from tests.sandbox_process import Sandbox

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
GOOGLE_PROXY = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"


@pytest.fixture
def web() -> Iterator[Listener]:
    with listening() as listener:
        yield listener


@pytest.fixture
def message(sandbox: Sandbox, google: GoogleClient, web: Listener) -> str:
    """A mail with a pixel and three links, in Bob's and Carol's mailboxes; its id."""
    body = (
        f'<html><head><style>p {{color: red}}</style></head><body onload="x()"><p>Hello &amp; welcome</p>'
        f'<a href="{web.url}/t/c/one?a=1&amp;b=2">First</a> <a href="{web.url}/t/c/two">Second <b>link</b></a>'
        f'<a href="mailto:a@b.example">Write</a><a href="https://example.org/far">Far</a>'
        f'<img src="{web.url}/t/o/pixel.gif" width="1"><img src="https://example.org/logo.png">'
        "<script>alert(1)</script></body></html>"
    )
    tokens = google.connect(scope=f"{SIGN_IN} {SEND} {READ}")
    text = mail(to="bob@example.com, carol@example.com", body=body, X_Truesend_Delivery="d-1")
    assert google.send(tokens, text).status_code == 200
    return str(sandbox.messages(delivery="d-1")[0]["id"])


@pytest.mark.parametrize(
    ("agent", "user_agent", "network"),
    [
        ("gmail", GOOGLE_PROXY, "66.249.84.0/24"),
        ("apple", "Mozilla/5.0", "104.28.0.0/16"),
        (
            "yahoo",
            "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html",
            "98.137.0.0/16",
        ),
        ("browser", "Chrome/", "0.0.0.0/0"),
        ("outlook", "Microsoft Outlook", "0.0.0.0/0"),
    ],
)
def test_an_open_fetches_the_pixel_as_that_program_does(
    *, sandbox: Sandbox, web: Listener, message: str, agent: str, user_agent: str, network: str
) -> None:
    done = sandbox.act(message, "open", as_=agent)
    (hit,) = web.hits
    assert (hit.method, hit.path) == ("GET", "/t/o/pixel.gif")
    assert user_agent in hit.headers["User-Agent"]
    if user_agent == "Mozilla/5.0":
        assert hit.headers["User-Agent"] == user_agent
    address = ipaddress.ip_address(hit.headers["X-Forwarded-For"])
    assert address.is_global
    assert address in ipaddress.ip_network(network)
    assert ("Accept-Language" in hit.headers) == (agent == "browser")
    fetched, skipped = done["requests"]
    assert fetched["status"] == 200
    assert (skipped["status"], skipped["error"]) == (None, "not fetched: the address is not on this machine")


def test_a_click_is_a_person_in_a_browser_and_is_not_followed(
    sandbox: Sandbox, web: Listener, message: str
) -> None:
    first = sandbox.act(message, "click", as_="gmail")["requests"][0]
    assert first["location"] == TARGET
    assert first["status"] == 302
    sandbox.act(message, "click", link="Second link")
    sandbox.act(message, "click", link=f"{web.url}/t/c/two", to="carol@example.com")
    assert [hit.path for hit in web.hits] == ["/t/c/one?a=1&b=2", "/t/c/two", "/t/c/two"]
    assert "Chrome/" in web.hits[0].headers["User-Agent"]
    assert "via ggpht" not in web.hits[0].headers["User-Agent"]
    addresses = [hit.headers["X-Forwarded-For"] for hit in web.hits]
    assert addresses[0] == addresses[1], "a recipient keeps its address"
    assert addresses[1] != addresses[2]
    assert sandbox.act(message, "click", link=2)["requests"][0]["error"]


@pytest.mark.parametrize("gateway", ["safelinks", "barracuda", "proofpoint", "mimecast"])
def test_a_gateway_scans_every_link_from_few_addresses(
    sandbox: Sandbox, web: Listener, message: str, gateway: str
) -> None:
    sandbox.act(message, "scan", as_=gateway)
    methods = [hit.method for hit in web.hits if hit.path.startswith("/t/c/")]
    assert sorted(methods) == (
        ["GET", "GET", "HEAD", "HEAD"] if gateway in ("safelinks", "mimecast") else ["GET", "GET"]
    )
    assert [hit.path for hit in web.hits if hit.path.startswith("/t/o/")] == ["/t/o/pixel.gif"]
    assert len({hit.headers["X-Forwarded-For"] for hit in web.hits}) == 1
    person = sandbox.act(message, "click", via=gateway)["requests"][0]
    assert web.hits[-1].headers["Referer"].startswith("https://")
    assert person["user_agent"] == web.hits[-1].headers["User-Agent"]


def test_everything_about_a_request_can_be_set(sandbox: Sandbox, web: Listener, message: str) -> None:
    sandbox.act(message, "open", ip="203.0.113.9", user_agent="", headers={"X-Test": "1"}, method="HEAD")
    (hit,) = web.hits
    assert (hit.method, hit.headers["X-Forwarded-For"], hit.headers["X-Test"]) == ("HEAD", "203.0.113.9", "1")
    assert hit.headers["User-Agent"] == ""


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        ({"act": "jump"}, 400, "unknown act"),
        ({"act": "open", "as": "lynx"}, 400, "unknown agent"),
        ({"act": "open", "link": 0}, 400, "open has no link"),
        ({"act": "click", "link": 9}, 400, "there is no link 9"),
        ({"act": "click", "link": "Nope"}, 400, "no link 'Nope'"),
        ({"act": "open", "to": "dave@example.com"}, 400, "is no recipient"),
        ({"act": "open", "ip": "300.1.1.1"}, 400, "300.1.1.1"),
        ({"act": "open", "headers": {"A": "b\r\nc"}}, 400, "headers must be"),
    ],
)
def test_wrong_acts_are_refused_in_a_sentence(
    sandbox: Sandbox, message: str, body: dict[str, object], status: int, says: str
) -> None:
    assert says in sandbox.control("POST", f"messages/{message}/act", body, expect=status)["error"]
    assert (
        "no message 999" in sandbox.control("POST", "messages/999/act", {"act": "open"}, expect=404)["error"]
    )


def _inbox(google: GoogleClient) -> list[dict[str, str]]:
    tokens = google.connect(scope=f"{SIGN_IN} {SEND} {READ}")
    listed = google.gmail("GET", "messages?labelIds=INBOX", tokens).json().get("messages", [])
    found = []
    for item in listed:
        body = google.gmail("GET", f"messages/{item['id']}?format=metadata", tokens).json()
        headers = {header["name"]: header["value"] for header in body["payload"]["headers"]}
        found.append({**headers, "thread": body["threadId"]})
    return found


def _sent_thread(google: GoogleClient) -> str:
    tokens = google.connect(scope=f"{SIGN_IN} {SEND} {READ}")
    (item,) = google.gmail("GET", "messages?labelIds=SENT", tokens).json()["messages"]
    return str(item["threadId"])


def test_a_reply_lands_in_the_senders_thread_and_quotes(
    sandbox: Sandbox, google: GoogleClient, web: Listener, message: str
) -> None:
    done = sandbox.act(message, "reply", to="carol@example.com", text="Yes & no")
    (came,) = _inbox(google)
    assert (came["From"], came["Subject"]) == ("carol@example.com", "Re: Hello")
    assert came["thread"] == _sent_thread(google)
    assert came["In-Reply-To"] == came["References"]
    assert "Auto-Submitted" not in came
    text = sandbox.control("GET", f"messages/{done['message']}")["raw"]
    assert "Yes &amp; no" in text
    assert f"{web.url}/t/o/pixel.gif" in text, "the quote carries the pixel"
    bare = sandbox.act(message, "reply", quote=False)
    assert "pixel.gif" not in sandbox.control("GET", f"messages/{bare['message']}")["raw"]


def test_an_automatic_reply_says_that_it_is_one(sandbox: Sandbox, google: GoogleClient, message: str) -> None:
    sandbox.act(message, "auto_reply")
    (came,) = _inbox(google)
    assert came["Auto-Submitted"] == "auto-replied"
    assert came["Subject"] == "Automatic reply: Hello"
    assert came["thread"] == _sent_thread(google)


@pytest.mark.parametrize(
    ("act", "more", "action", "status"),
    [
        ("bounce", {}, "failed", "5.1.1"),
        ("bounce", {"status": "5.2.2", "diagnostic": "552 5.2.2 Mailbox full"}, "failed", "5.2.2"),
        ("bounce", {"about": "sender"}, "failed", "5.4.5"),
        ("delay", {}, "delayed", "4.4.1"),
    ],
)
def test_bounces_and_delays_are_real_delivery_reports(
    *,
    sandbox: Sandbox,
    google: GoogleClient,
    message: str,
    act: str,
    more: dict[str, str],
    action: str,
    status: str,
) -> None:
    done = sandbox.act(message, act, **more)
    report = message_from_string(
        sandbox.control("GET", f"messages/{done['message']}")["raw"], policy=policy.default
    )
    assert report.get_content_type() == "multipart/report"
    assert report.get_param("report-type") == "delivery-status"
    assert report["Return-Path"] == "<>"
    assert "mailer-daemon@googlemail.com" in report["From"]
    assert (report["X-Failed-Recipients"] == "bob@example.com") == (action == "failed")
    delivery = next(part for part in report.walk() if part.get_content_type() == "message/delivery-status")
    fields = delivery.get_payload(1)
    assert isinstance(fields, Message)
    assert fields["Action"] == action
    assert fields["Status"] == status
    assert fields["Final-Recipient"] == "rfc822; bob@example.com"
    original = next(part for part in report.walk() if part.get_content_type() == "message/rfc822")
    returned = original.get_payload(0)
    assert isinstance(returned, Message)
    assert returned["X-Truesend-Delivery"] == "d-1"
    (came,) = _inbox(google)
    assert came["thread"] == _sent_thread(google)


def test_messages_are_one_item_per_mark_with_its_count(sandbox: Sandbox, google: GoogleClient) -> None:
    tokens = google.connect()
    for to, mark in (("a@example.com", "m1"), ("b@example.com", "m2"), ("a@example.com", "m1")):
        google.send(tokens, mail(to=to, X_Truesend_Delivery=mark))
    google.send(tokens, mail(to="a@example.com"))
    assert [(item["delivery"], item["count"]) for item in sandbox.messages()] == [
        ("m1", 2),
        ("m2", 1),
        (None, 1),
    ]
    assert [item["delivery"] for item in sandbox.messages(to="A@example.com")] == ["m1", None]
    assert [item["to"] for item in sandbox.messages(delivery="m2")] == [["b@example.com"]]
    assert sandbox.messages(delivery="nothing") == []


def test_a_persons_way_through_the_pages(sandbox: Sandbox, web: Listener, message: str) -> None:
    box = requests.get(f"{sandbox.url}/mailbox/bob@example.com", timeout=10)
    assert "1 new" in box.text
    assert 'http-equiv="refresh"' in box.text
    page = requests.get(f"{sandbox.url}/mailbox/bob@example.com/{message}", timeout=10).text
    frame = re.search(r'<iframe src="([^"]+)"', page)
    assert frame
    body = requests.get(sandbox.url + frame[1], timeout=10)
    assert "sandbox" in body.headers["Content-Security-Policy"]
    assert "<script" not in body.text
    assert "alert(1)" not in body.text
    assert "onload" not in body.text
    assert "Hello &amp; welcome" in body.text
    assert web.url not in body.text, "nothing in the frame reaches the tracker but through the proxy"
    assert web.hits == []
    pixel, logo = re.findall(r'<img src="([^"]+)"', body.text)
    fetched = requests.get(sandbox.url + pixel, timeout=10)
    assert fetched.headers["Content-Type"] == "image/gif"
    assert web.hits[0].headers["User-Agent"] == GOOGLE_PROXY
    assert web.hits[0].headers["X-Forwarded-For"].startswith("66.249.84.")
    grey = requests.get(sandbox.url + logo, timeout=10)
    assert grey.headers["Content-Type"] == "image/png"
    assert len(web.hits) == 1
    links = re.findall(r'<a href="(/mailbox[^"]+)"', body.text)
    clicked = requests.get(
        sandbox.url + links[0],
        headers={"User-Agent": "My Browser", "Accept-Language": "de"},
        allow_redirects=False,
        timeout=10,
    )
    assert (clicked.status_code, clicked.headers["Location"]) == (302, TARGET)
    hit = web.hits[1]
    assert (hit.path, hit.headers["User-Agent"], hit.headers["Accept-Language"]) == (
        "/t/c/one?a=1&b=2",
        "My Browser",
        "de",
    )
    assert ipaddress.ip_address(hit.headers["X-Forwarded-For"]).is_global
    far = requests.get(sandbox.url + links[2], allow_redirects=False, timeout=10)
    assert far.headers["Location"] == "https://example.org/far"
    assert len(web.hits) == 2
    assert "Nothing new" in requests.get(f"{sandbox.url}/mailbox/bob@example.com", timeout=10).text
    assert "1 new" in requests.get(f"{sandbox.url}/mailbox/carol@example.com", timeout=10).text
    overview = requests.get(f"{sandbox.url}/", timeout=10).text
    assert "carol@example.com" in overview
    assert "ada@gmail.com" in overview


def test_pages_for_nobody(sandbox: Sandbox) -> None:
    assert (
        "No mail for this address yet" in requests.get(f"{sandbox.url}/mailbox/x@y.example", timeout=10).text
    )
    assert "No mail yet" in requests.get(f"{sandbox.url}/", timeout=10).text
    for path in ("/mailbox/nonsense", "/mailbox/x@y.example/1", "/mailbox/x@y.example/x", "/_proxy/1/0"):
        assert requests.get(sandbox.url + path, timeout=10).status_code == 404, path
    sent_on = requests.get(f"{sandbox.url}/?address=x@y.example", allow_redirects=False, timeout=10)
    assert sent_on.headers["Location"] == "/mailbox/x@y.example"


def test_mail_of_the_application_shows_its_links_directly(sandbox: Sandbox) -> None:
    text = (
        "From: Truesend <noreply@truesend.example>\r\nTo: Ada <ada@example.com>\r\nSubject: Reset <b>\r\n"
        "Content-Type: text/plain; charset=utf-8\r\n\r\n"
        "Follow http://localhost:8000/reset/abc-1.\r\n<script>alert(1)</script>\r\n"
    )
    answer = requests.post(
        f"{sandbox.url}/_sandbox/mail",
        data=text.encode(),
        headers={"Content-Type": "message/rfc822", "X-Envelope-To": "ada@example.com, eve@example.com"},
        timeout=10,
    )
    assert answer.status_code == 201
    (item,) = sandbox.messages(to="eve@example.com")
    assert item["provider"] == "system"
    page = requests.get(f"{sandbox.url}/mailbox/ada@example.com/{item['id']}", timeout=10).text
    assert '<a href="http://localhost:8000/reset/abc-1"' in page
    assert "<script" not in page
    assert "Reset &lt;b&gt;" in page
    by_header = requests.post(f"{sandbox.url}/_sandbox/mail", data=text.encode(), timeout=10)
    assert by_header.json()["to"] == ["ada@example.com"]
    nobody = requests.post(f"{sandbox.url}/_sandbox/mail", data=b"Subject: x\r\n\r\n", timeout=10)
    assert nobody.json() == {"error": "the mail has no recipient"}


def test_pictures_inside_the_mail_are_shown(sandbox: Sandbox, google: GoogleClient) -> None:
    text = (
        "To: bob@example.com\r\nSubject: Pic\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/related; boundary="e"\r\n\r\n--e\r\nContent-Type: text/html\r\n\r\n'
        '<img src="cid:logo">\r\n--e\r\nContent-Type: image/gif\r\nContent-ID: <logo>\r\n'
        f"Content-Transfer-Encoding: base64\r\n\r\n{base64.b64encode(b'GIF89a').decode()}\r\n--e--\r\n"
    )
    google.send(google.connect(), text.encode())
    number = sandbox.messages()[0]["id"]
    body = requests.get(f"{sandbox.url}/mailbox/bob@example.com/{number}/body", timeout=10)
    assert f'src="data:image/gif;base64,{base64.b64encode(b"GIF89a").decode()}"' in body.text


def test_newsletters_of_others_are_shown_whole(sandbox: Sandbox, google: GoogleClient) -> None:
    pages = sorted((DATA / "newsletters").rglob("*.html")) if DATA.exists() else []
    if not pages:
        pytest.skip(f"no newsletters at {DATA / 'newsletters'}")
    tokens = google.connect()
    for path in pages[:15]:
        html = path.read_text(errors="replace")
        assert google.send(tokens, mail(to="bob@example.com", body=html)).status_code == 200
        number = sandbox.messages()[-1]["id"]
        shown = requests.get(f"{sandbox.url}/mailbox/bob@example.com/{number}/body", timeout=10)
        assert shown.status_code == 200
        assert "<script" not in shown.text.lower()
        wanted = len(re.findall(r"<a\b[^>]*\bhref\s*=\s*[\"']?\s*https?:", html, re.I))
        assert shown.text.count(f"/mailbox/bob@example.com/{number}/link/") <= wanted + 5
        assert (wanted > 0) == (f"/{number}/link/" in shown.text), path.name
