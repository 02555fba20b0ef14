"""Copies to more than twenty people: what they carry, at every provider, and that it works to the end."""

from __future__ import annotations

import email
import email.policy
import re
from email.message import EmailMessage
from typing import Any

import pytest
import requests
from tests.arrived import parts
from tests.stack import Person, Stack, until

ONE_CLICK = "List-Unsubscribe=One-Click"


@pytest.fixture(scope="module")
def ana(stack: Stack) -> Person:
    person = stack.person()
    person.get("/account")
    return person


@pytest.fixture(scope="module")
def connection(ana: Person) -> str:
    return str(ana.connect()["id"])


def people(count: int, name: str) -> list[str]:
    return [f"{name}{number}@globex.example" for number in range(count)]


def sent(person: Person, connection: str, to: list[str], **draft: Any) -> dict[str, Any]:
    made = person.send(connection, to=to, separate_copies=True, **draft)
    return person.email_when(made["id"], "sent", 60)


def copy_to(stack: Stack, made: dict[str, Any], address: str) -> dict[str, Any]:
    (delivery,) = [one["id"] for one in made["deliveries"] if one["recipients"][0]["address"] == address]
    (message,) = stack.sandbox.messages(delivery=delivery)
    return dict(message)


def headers(message: dict[str, Any]) -> EmailMessage:
    parsed = email.message_from_string(message["raw"], policy=email.policy.default)
    assert isinstance(parsed, EmailMessage)
    return parsed


def link_in(text: str) -> str:
    found = re.search(r"http://[^\s\"<>]+/t/u/[\w-]+", text)
    assert found, text
    return found[0]


def test_header_and_link_from_21_people_on(stack: Stack, ana: Person, connection: str) -> None:
    html = '<html><body><p>News, <a href="https://example.com/x">read</a></p></body></html>'
    made = sent(ana, connection, people(21, "many"), html=html)
    links = set()
    for address in ("many0@globex.example", "many20@globex.example"):
        message = copy_to(stack, made, address)
        parsed = headers(message)
        assert parsed["List-Unsubscribe-Post"] == ONE_CLICK
        (link,) = re.findall(r"<(http[^>]+)>", parsed["List-Unsubscribe"])
        text, arrived = parts(message)
        # One address in header, text and HTML; it is no tracked link, and stands in the body.
        assert link_in(text) == link_in(arrived) == link
        assert arrived.index("Unsubscribe</a>") < arrived.index("</body>")
        assert f"because {ana.organization} wrote to many people" in text
        assert len(re.findall("/t/c/", arrived)) == 1
        assert all(len(line) <= 998 for line in message["raw"].split("\r\n"))
        links.add(link)
    assert len(links) == 2
    few = sent(ana, connection, people(20, "few"), html=html)
    message = copy_to(stack, few, "few3@globex.example")
    assert headers(message)["List-Unsubscribe"] is None
    assert "/t/u/" not in "".join(parts(message))


def test_a_thread_to_many_and_mail_without_html(stack: Stack, ana: Person, connection: str) -> None:
    thread = ana.email_when(ana.send(connection, to=people(25, "thread"))["id"], "sent", 60)
    (message,) = stack.sandbox.messages(delivery=thread["deliveries"][0]["id"])
    assert headers(message)["List-Unsubscribe"] is None
    plain = sent(ana, connection, people(22, "plain"), html="", text="News\n")
    text = headers(copy_to(stack, plain, "plain1@globex.example")).get_content()
    assert text.startswith("News")
    assert "Unsubscribe: http" in text


def test_the_sentence_is_the_organizations_and_the_link_stays(
    stack: Stack, ana: Person, connection: str
) -> None:
    page = ana.post("/settings/suppression/footer", {"sentence": "{organization} <b>sends</b> news. Enough?"})
    assert page.status_code == 200
    try:
        message = copy_to(stack, sent(ana, connection, people(21, "own")), "own4@globex.example")
    finally:
        ana.post("/settings/suppression/footer", {"sentence": ""})
    text, html = parts(message)
    assert f"{ana.organization} <b>sends</b> news. Enough?" in text
    assert f"{ana.organization} &lt;b&gt;sends&lt;/b&gt; news. Enough?" in html
    assert link_in(html)
    long = ana.post("/settings/suppression/footer", {"sentence": "x" * 301})
    assert "300 is the most" in long.text


def test_where_no_header_is_carried_the_link_is_there(stack: Stack) -> None:
    kim = stack.person("kim")
    connection = kim.connect(provider="keap", query="capabilities=send&kind=personal")["id"]
    made = sent(kim, connection, people(21, f"keap-{kim.email.partition('@')[0]}-"), html="<p>News</p>")
    (message,) = stack.sandbox.messages(delivery=made["deliveries"][0]["id"])
    assert "List-Unsubscribe" not in message["raw"].partition("\r\n\r\n")[0]
    answer = requests.post(link_in(parts(message)[1]), data={"action": "unsubscribe"}, timeout=10)
    assert "You are unsubscribed" in answer.text
    listed = until(lambda: kim.api("GET", "suppressions").json()["items"], bool, 10)
    assert [one["address"] for one in listed] == [made["deliveries"][0]["recipients"][0]["address"]]


def test_microsoft_carries_the_header(stack: Stack) -> None:
    mia = stack.person("mia")
    connection = mia.connect(provider="microsoft")["id"]
    made = sent(mia, connection, people(21, "ms"), html="<p>News</p>")
    parsed = headers(copy_to(stack, made, "ms2@globex.example"))
    assert parsed["List-Unsubscribe-Post"] == ONE_CLICK
    assert "/t/u/" in parsed["List-Unsubscribe"]


def test_a_mail_programs_button_to_the_end(stack: Stack, ana: Person, connection: str) -> None:
    made = sent(ana, connection, people(21, "one-click"))
    address = "one-click7@globex.example"
    message = copy_to(stack, made, address)
    # Gateways fetch every link: nothing happens.
    stack.sandbox.act(message["id"], "scan", as_="safelinks")
    assert address not in [
        one["address"] for one in ana.api("GET", "suppressions?q=one-click").json()["items"]
    ]
    done = stack.sandbox.act(message["id"], "unsubscribe")
    assert [(one["method"], one["status"]) for one in done["requests"]] == [("POST", 200)]
    (listed,) = until(lambda: ana.api("GET", "suppressions?q=one-click7").json()["items"], bool, 10)
    assert (listed["address"], listed["reason"], listed["blocks"]) == (address, "asked", False)
    signals = [one for one in ana.signals(made["id"], 1) if one["kind"] == "unsubscribe"]
    assert [(one["recipient"], one["class"]) for one in signals] == [(address, "person")]
    page = ana.get(f"/emails/{made['id']}").text
    assert "unsubscribed" in page
    assert "By the mail program’s own button" in page
    assert f'href="/emails/{made["id"]}"' in ana.get("/settings/suppression?q=one-click7").text
    # Mail to many goes to the others from now on; written to alone, they still get it.
    again = sent(ana, connection, people(21, "one-click"))
    assert len(again["deliveries"]) == 20
    ana.email_when(ana.send(connection, to=[address])["id"], "sent")


def test_the_preview_shows_the_end(ana: Person, connection: str) -> None:
    draft = "7b1f4a6e-2f0e-4a52-9b6e-0f5f6a6c1d77"
    ana.post("/settings/suppression/footer", {"sentence": "Enough of our news?"})
    try:
        for count, ends in ((20, False), (21, True)):
            fields = {
                "to": ", ".join(people(count, "preview")),
                "cc": "",
                "bcc": "",
                "subject": "x",
                "text": "Hello",
                "connection": connection,
                "separate_copies": "on",
                "action": "save",
            }
            saved = ana.get(f"/emails/new?draft={draft}").text
            revision = re.search(r'name="revision" value="(\d+)"', saved)
            assert revision
            answer = ana.post(f"/emails/drafts/{draft}/send", {**fields, "revision": revision[1]})
            assert answer.status_code == 200
            page = ana.get(f"/emails/drafts/{draft}/preview").text
            assert ("Enough of our news?" in page) == ends
    finally:
        ana.post("/settings/suppression/footer", {"sentence": ""})
