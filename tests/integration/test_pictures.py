"""Pictures in the text of an email: stored as what they are, sent where the text shows them, refused by name."""

from __future__ import annotations

import base64
import email as emails
import email.policy
import os
from typing import Any
from uuid import uuid4

import pytest
import requests
from tests.integration.test_compose_files import compose
from tests.stack import Person, Stack

READING = "capabilities=send,read&kind=personal"
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)


@pytest.fixture
def ana(stack: Stack) -> Person:
    return stack.person()


def put(person: Person, draft: str, content: bytes = PNG, name: str = "map.png") -> requests.Response:
    """A picture into the text of a draft, as the page puts it there."""
    person.get("/login")
    return person.jar.post(
        f"{person.stack.url}/emails/drafts/{draft}/attachments",
        data=content,
        headers={
            "X-CSRFToken": person.jar.cookies["csrftoken"],
            "Content-Type": "application/octet-stream",
            "X-File-Name": name,
            "X-File-Type": "text/html",
            "X-File-Picture": "1",
        },
        timeout=60,
    )


def mail(stack: Stack, sent: dict[str, Any]) -> Any:
    (message,) = stack.sandbox.messages(delivery=sent["deliveries"][0]["id"])
    assert message["count"] == 1
    return emails.message_from_string(message["raw"], policy=emails.policy.default)


def pictures(parsed: Any) -> dict[str, bytes]:
    """What a mail program finds by content id."""
    return {part["Content-ID"]: part.get_content() for part in parsed.walk() if part["Content-ID"]}


@pytest.mark.parametrize(
    ("provider", "query"),
    [("google", READING), ("microsoft", READING), ("microsoft", "capabilities=send&kind=personal")],
    ids=["google", "microsoft", "microsoft send-only"],
)
def test_put_into_the_text_and_sent_with_it(stack: Stack, ana: Person, provider: str, query: str) -> None:
    connection, draft = ana.connect(provider=provider, query=query)["id"], str(uuid4())
    stored = put(ana, draft).json()
    number = stored["content_id"]
    spare = put(ana, draft, name="spare.png").json()["content_id"]
    html = f'<p>Here: <img src="cid:{number}" alt="map"> <a href="https://example.com/x">x</a></p>'
    ana.post(f"/emails/drafts/{draft}/send", {"action": "save", "html": html, "connection": connection})
    page = ana.get(f"/emails/new?draft={draft}").text
    assert "spare.png" not in page  # no file of its own
    shown = ana.get(f"/emails/drafts/{draft}/body").text
    assert f"data:image/png;base64,{base64.b64encode(PNG).decode()}" in shown
    assert "cid:" not in shown
    found = ana.get(stored["url"])
    assert (found.content, found.headers["Content-Type"]) == (PNG, "image/png")
    compose(ana, connection, draft, html=html)
    stack.sandbox.advance(11)
    sent = ana.email_when(draft, "sent")
    parsed = mail(stack, sent)
    assert pictures(parsed) == {f"<{number}>": PNG}
    content = parsed.get_body(("html",)).get_content()
    assert f'<img src="cid:{number}" alt="map">' in content
    assert "/t/c/" in content  # links are tracked as ever
    assert f"base64,{base64.b64encode(PNG).decode()}" in ana.get(f"/emails/{draft}/body").text
    # What was taken out of the text again went nowhere, and is kept no longer.
    assert ana.get(f"/emails/{draft}/attachments/{spare.partition('@')[0]}").status_code == 404
    # The quote of an answer shows it too.
    answer = ana.post(f"/emails/{draft}/reply")
    quoted = answer.url.rpartition("=")[2]
    assert f"base64,{base64.b64encode(PNG).decode()}" in ana.get(f"/emails/drafts/{quoted}/body").text


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "is no PNG, JPEG, GIF or WebP picture"),
        (b"<html><script>alert(1)</script>", "is no PNG, JPEG, GIF or WebP picture"),
        (b"", "is empty"),
        (PNG + b"x" * (5 * 1024 * 1024), "may be 5 MB"),
    ],
    ids=["svg", "html", "empty", "large"],
)
def test_what_cannot_stand_in_a_text(ana: Person, content: bytes, words: str) -> None:
    draft = str(uuid4())
    refused = put(ana, draft, content)
    assert refused.status_code == 413
    assert words in refused.json()["sentence"]
    assert put(ana, draft).status_code == 201  # the draft is as it was


def test_large_ones_beside_large_files(stack: Stack, ana: Person) -> None:
    """More than one request of the provider carries: all of it goes beside the message, and is shown all the same."""
    connection = ana.connect(provider="microsoft", query=READING)["id"]
    picture, plan = PNG + os.urandom(2_000_000), os.urandom(4_000_000)
    files = [
        {
            "name": "map.png",
            "type": "image/png",
            "content_base64": base64.b64encode(picture).decode(),
            "content_id": "map@x",
        },
        {"name": "plan.bin", "content_base64": base64.b64encode(plan).decode()},
    ]
    sent = ana.email_when(
        ana.send(connection, html='<img src="cid:map@x">', attachments=files)["id"], "sent", 60
    )
    parsed = mail(stack, sent)
    assert pictures(parsed) == {"<map@x>": picture}
    assert plan in [part.get_content() for part in parsed.walk() if part.get_filename() == "plan.bin"]


def test_by_the_api(stack: Stack, ana: Person) -> None:
    connection = ana.connect()["id"]
    file = {"name": "map.png", "type": "image/png", "content_base64": base64.b64encode(PNG).decode()}
    named = ana.send(connection, html='<img src="cid:map">', attachments=[{**file, "content_id": "map"}])
    assert pictures(mail(stack, ana.email_when(named["id"], "sent"))) == {"<map>": PNG}
    # One that the text does not name is a file like any other.
    unnamed = ana.send(connection, attachments=[{**file, "content_id": "other"}])
    parsed = mail(stack, ana.email_when(unnamed["id"], "sent"))
    assert [part.get_filename() for part in parsed.iter_attachments()] == ["map.png"]
    body = {"connection": connection, "to": ["a@b.example"], "subject": "x", "html": "x"}
    for wrong in ("a b", "a>b", "<a@b>", "x" * 81):
        refused = ana.api("POST", "emails", {**body, "attachments": [{**file, "content_id": wrong}]})
        assert refused.status_code == 422


def test_keap_refuses_them_by_name(ana: Person) -> None:
    connection, draft = ana.connect(provider="keap")["id"], str(uuid4())
    number = put(ana, draft).json()["content_id"]
    fields = {
        "connection": connection,
        "to": "a@b.example",
        "subject": "x",
        "html": f'<p>x<img src="cid:{number}"></p>',
    }
    page = ana.post(f"/emails/drafts/{draft}/send", {"action": "save", **fields}).text
    assert 'data-cause="pictures_refused"' in page
    assert "“map.png”" in page
    fields["html"] = "<p>x</p>"
    page = ana.post(f"/emails/drafts/{draft}/send", {"action": "save", **fields}).text
    assert "pictures_refused" not in page
