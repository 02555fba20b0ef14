"""Files of a draft over HTTP: counted, named, kept, sent, and never believed."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from email import message_from_string, policy
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

import pytest
import requests
from tests.stack import Person, Stack, until

MB = 1024 * 1024


def upload(
    person: Person, draft: str, content: bytes | Iterator[bytes], name: str = "file.bin", kind: str = ""
) -> requests.Response:
    """One file to a draft, as the page sends it."""
    if "csrftoken" not in person.jar.cookies:
        person.get("/login")
    return person.jar.post(
        f"{person.stack.url}/emails/drafts/{draft}/attachments",
        data=content,
        headers={
            "X-CSRFToken": person.jar.cookies["csrftoken"],
            "Accept": "application/json",
            "Content-Type": "application/octet-stream",
            "X-File-Name": quote(name, safe="", errors="surrogatepass"),
            "X-File-Type": kind,
        },
        timeout=60,
    )


def compose(person: Person, connection: str, draft: str = "", **fields: str) -> str:
    """Send a draft from Compose; its id."""
    draft = draft or str(uuid4())
    form = {
        "to": "ines@globex.example",
        "subject": "Files",
        "html": '<p>Hello, <a href="https://example.com/prices">prices</a></p>',
        "connection": connection,
        "track": "on",
        "action": "send",
    }
    answer = person.post(f"/emails/drafts/{draft}/send", {**form, **fields})
    assert answer.url.endswith(f"/emails/{draft}"), answer.url
    return draft


def arrived(person: Person, email: str) -> EmailMessage:
    person.stack.sandbox.advance(11)  # the time to undo is over
    delivery = person.email_when(email, "sent", 40)["deliveries"][0]["id"]
    (message,) = person.stack.sandbox.messages(delivery=delivery)
    parsed: EmailMessage = message_from_string(message["raw"], policy=policy.default)
    return parsed


def files_of(person: Person, draft: str) -> list[str]:
    page = person.get(f"/emails/new?draft={draft}")
    assert page.status_code == 200, page.text
    return re.findall(r'data-file="([0-9a-f-]{36})"', page.text)


@pytest.fixture(scope="module")
def ana(stack: Stack) -> Person:
    return stack.person("files")


@pytest.fixture(scope="module")
def connection(ana: Person) -> str:
    found: str = ana.connect()["id"]
    return found


def test_files_arrive_byte_for_byte_in_their_order_with_their_names(ana: Person, connection: str) -> None:
    draft = str(uuid4())
    large = bytes(range(256)) * 4096 * 3
    given = [
        ("Angebot für Zoë 見積.pdf", "application/pdf", large),
        ("../../a Bcc: eve@evil.example .html", "text/html; charset=x", b"<script>alert(1)</script>"),
        ("fwd.eml", "message/rfc822", b"Subject: inner\r\n\r\nBody"),
        ("empty", "", b""),
    ]
    for name, kind, content in given:
        answer = upload(ana, draft, content, name, kind)
        assert answer.status_code == 201, answer.text
    assert answer.json()["size_words"] == "empty, 0 bytes"
    ids = files_of(ana, draft)
    message = arrived(ana, compose(ana, connection, draft))
    got = [(one.get_filename(), one.get_content_type()) for one in message.iter_attachments()]
    assert got == [
        ("Angebot für Zoë 見積.pdf", "application/pdf"),
        ("a Bcc: eve@evil.example .html", "text/html"),
        ("fwd.eml", "application/octet-stream"),
        ("empty", "application/octet-stream"),
    ]
    payloads = [one.get_payload(decode=True) for one in message.iter_attachments()]
    assert payloads == [content for _, _, content in given]
    assert message["Bcc"] is None
    # The rows are the draft's own: nothing was copied.
    assert all(ana.get(f"/emails/{draft}/attachments/{one}").status_code == 200 for one in ids)


def test_a_file_is_saved_and_never_shown_by_our_pages(ana: Person) -> None:
    draft = str(uuid4())
    made = upload(ana, draft, b"<script>alert(1)</script>", "évil.html", "text/html").json()
    answer = ana.get(made["url"])
    assert answer.content == b"<script>alert(1)</script>"
    assert answer.headers["Content-Disposition"] == "attachment; filename*=utf-8''%C3%A9vil.html"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer.headers["Cache-Control"] == "private, no-store"


def _memory(stack: Stack) -> int:
    """KB the web process ever held."""
    status = Path(f"/proc/{stack.up.pid('web')}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+)", status)
    assert found
    return int(found[1])


def _stretches(size: int) -> Iterator[bytes]:
    """A body without a length, as `Transfer-Encoding: chunked`."""
    while size > 0:
        yield b"x" * min(size, 256 * 1024)
        size -= 256 * 1024


def test_the_limit_holds_whatever_the_length_claims(ana: Person, stack: Stack) -> None:
    draft = str(uuid4())
    before = _memory(stack)
    too_large = "“big.bin” is 26 MB. Attachments may be 25 MB in all."
    for content in (b"x" * 26 * MB, _stretches(26 * MB)):
        answer = upload(ana, draft, content, "big.bin")
        assert (answer.status_code, answer.json()["sentence"]) == (413, too_large)
    # More than the server keeps even on disk is still answered in words.
    answer = upload(ana, draft, _stretches(60 * MB), "big.bin")
    assert (answer.status_code, answer.json()["sentence"]) == (413, too_large.replace("26", "60"))
    assert files_of(ana, draft) == []
    assert upload(ana, draft, _stretches(20 * MB), "most.bin").json()["size"] == 20 * MB
    answer = upload(ana, draft, b"x" * (5 * MB + 1), "rest.bin")
    assert answer.json()["sentence"] == (
        "“rest.bin” is 5.01 MB. Attachments may be 25 MB in all; this email has 20 MB already."
    )
    assert upload(ana, draft, b"x" * 5 * MB, "rest.bin").status_code == 201
    assert len(files_of(ana, draft)) == 2
    # Uploads of 150 MB went through; the process grew by a few pieces.
    assert _memory(stack) - before < 40_000


def test_two_uploads_at_once_do_not_pass_the_limit_together(ana: Person) -> None:
    draft = str(uuid4())
    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda _: upload(ana, draft, b"x" * 10 * MB), range(3)))
    assert sorted(one.status_code for one in answers) == [201, 201, 413]
    assert len(files_of(ana, draft)) == 2


def test_very_many_files_are_refused_in_words(ana: Person) -> None:
    draft = str(uuid4())
    with ThreadPoolExecutor(3) as pool:
        codes = list(
            pool.map(lambda number: upload(ana, draft, b"x", f"{number}.txt").status_code, range(103))
        )
    assert (codes.count(201), codes.count(413)) == (100, 3)
    assert upload(ana, draft, b"x").json()["sentence"] == (
        "An email carries 100 files at most. Put them into one archive (ZIP) and attach that."
    )
    assert len(files_of(ana, draft)) == 100


@pytest.mark.parametrize("name", ["a.pdf\r\nX-Evil: y", "a\u2028.pdf", "a\x1b.pdf"])
def test_a_files_name_of_two_lines_is_refused_in_words(ana: Person, name: str) -> None:
    draft = str(uuid4())
    answer = upload(ana, draft, b"x", name)
    assert answer.status_code == 422
    said = answer.json()["sentence"]
    assert "contains a line break or control character. Rename the file and attach it again." in said
    assert ana.api("GET", f"emails/{draft}").status_code == 404  # not even an empty draft


def test_nothing_is_attached_to_what_was_sent_or_belongs_to_somebody_else(
    ana: Person, connection: str, stack: Stack
) -> None:
    sent = compose(ana, connection)
    assert upload(ana, sent, b"x").status_code == 409
    draft = str(uuid4())
    made = upload(ana, draft, b"x").json()
    eve = stack.person("eve", "Elsewhere")
    assert upload(eve, draft, b"x").status_code == 409
    assert eve.get(made["url"]).status_code == 404
    assert eve.post(f"/emails/drafts/{draft}/attachments/{made['id']}/remove").status_code == 404
    assert files_of(ana, draft) == [made["id"]]
    ana.post(f"/emails/drafts/{draft}/attachments/{made['id']}/remove")
    assert files_of(ana, draft) == []


def test_undo_and_writing_again_keep_the_files(ana: Person, connection: str) -> None:
    draft = str(uuid4())
    made = upload(ana, draft, b"contract", "contract.txt").json()["id"]
    compose(ana, connection, draft)
    answer = ana.post(f"/emails/{draft}/undo")
    assert answer.url.endswith(f"/emails/new?draft={draft}")
    assert files_of(ana, draft) == [made]
    compose(ana, connection, draft)
    ana.post(f"/emails/{draft}/cancel")
    assert ana.api("GET", f"emails/{draft}").json()["status"] == "cancelled"
    again = ana.post(f"/emails/{draft}/again").url.rsplit("=", 1)[1]
    (copied,) = files_of(ana, again)
    assert copied != made
    assert ana.get(f"/emails/{again}/attachments/{copied}").text == "contract"
    (file,) = arrived(ana, compose(ana, connection, again)).iter_attachments()
    assert file.get_payload(decode=True) == b"contract"


def test_without_scripts_files_come_with_the_form(ana: Person, connection: str) -> None:
    draft = str(uuid4())
    ana.get("/login")
    form = {
        "csrfmiddlewaretoken": ana.jar.cookies["csrftoken"],
        "to": "ines@globex.example",
        "subject": "Plain",
        "text": "Hello",
        "connection": connection,
        "action": "save",
    }
    url = f"{ana.stack.url}/emails/drafts/{draft}/send"
    files = [("files", ("plain.txt", b"one", "text/plain")), ("files", ("big.bin", b"x" * 26 * MB, ""))]
    page = ana.jar.post(url, data=form, files=files, timeout=60)
    assert "“big.bin” is 26 MB." in page.text
    (kept,) = files_of(ana, draft)
    ana.post(f"/emails/drafts/{draft}/send", {**form, "remove": kept})
    assert files_of(ana, draft) == []


def test_the_switch_sends_without_pixel_and_with_the_links_as_written(ana: Person, connection: str) -> None:
    for fields, tracked in (({}, True), ({"track": "", "track_shown": "1"}, False)):
        body = arrived(ana, compose(ana, connection, **fields)).get_body(("html",))
        assert body is not None
        html = body.get_content()
        assert ("/t/o/" in html) is tracked
        assert ('href="https://example.com/prices"' in html) is not tracked


def test_the_preview_shows_what_is_sent_and_nothing_of_it_is_live(ana: Person, connection: str) -> None:
    draft = str(uuid4())
    upload(ana, draft, b"x" * 2048, "list.csv")
    fields = {
        "to": "ines@globex.example",
        "bcc": "tom@globex.example",
        "subject": "Preview & more",
        "html": '<p>Hi <a href="https://example.com/a">one</a> <a href="mailto:x@y.example">two</a></p>',
        "connection": connection,
        "action": "save",
    }
    ana.post(f"/emails/drafts/{draft}/send", fields)
    page = ana.get(f"/emails/drafts/{draft}/preview").text
    body = ana.get(f"/emails/drafts/{draft}/body")
    for shown in ("Preview &amp; more", ana.email, "tom@globex.example", "list.csv", "https://example.com/a"):
        assert shown in page
    assert "mailto: links stay as they are" in page
    assert "one (https://example.com/a)" in page  # the plain part
    assert fields["html"] in body.text
    for text in (page, body.text):
        assert "/t/o/" not in text
        assert "/t/c/" not in text
    assert "sandbox" in body.headers["Content-Security-Policy"]
    assert ana.get(f"/emails/drafts/{uuid4()}/preview").status_code == 404
    off = {**fields, "track": "", "track_shown": "1"}
    ana.post(f"/emails/drafts/{draft}/send", off)
    assert "Nothing in it is tracked" in ana.get(f"/emails/drafts/{draft}/preview").text


def test_slow_uploads_hold_no_thread(ana: Person, stack: Stack) -> None:
    """More of them than the web process has threads, and pages still answer."""
    with ExitStack() as open_ones:
        for _ in range(40):
            one = open_ones.enter_context(socket.create_connection(("localhost", stack.up.port)))
            head = (
                f"POST /emails/drafts/{uuid4()}/attachments HTTP/1.1\r\nHost: localhost:{stack.up.port}\r\n"
            )
            one.sendall(f"{head}Content-Length: 1000000\r\n\r\n{'x' * 1000}".encode())
        time.sleep(0.5)
        began = time.monotonic()
        assert ana.get("/emails/new").status_code == 200
        assert time.monotonic() - began < 5


@pytest.mark.parametrize("body", [b"", b"[]", b'{"texts": 1}', b'{"texts": [1]}', b"\xff"])
def test_what_is_no_list_of_recipients_is_refused(ana: Person, body: bytes) -> None:
    answer = _check(ana, body)
    assert answer.status_code == 400
    assert answer.json()["sentence"] == "That is not a list of recipients."


def _check(person: Person, body: bytes) -> requests.Response:
    return person.jar.post(
        f"{person.stack.url}/emails/recipients",
        data=body,
        headers={"X-CSRFToken": person.jar.cookies["csrftoken"], "Content-Type": "application/json"},
        timeout=30,
    )


def test_the_server_says_who_can_be_written_to(ana: Person) -> None:
    answer = _check(
        ana, '{"texts": ["Zoë <zoe@globex.example>, tom@", "\\"Ruiz, Ana\\" <ana@x.example>"]}'.encode()
    )
    first, second = answer.json()["people"]
    assert [(one["name"], one["address"]) for one in first] == [("Zoë", "zoe@globex.example"), ("", "")]
    assert "tom@" in first[1]["problem"]
    assert [(one["name"], one["problem"]) for one in second] == [("Ruiz, Ana", "")]
    too_many = _check(ana, ('{"texts": [' + ",".join(['"a@b.example"'] * 2001) + "]}").encode())
    assert too_many.json()["sentence"] == "These are too many recipients to check."


def test_undo_is_offered_for_ten_seconds_on_any_page(ana: Person, connection: str) -> None:
    email = compose(ana, connection)
    assert f"/emails/{email}/undo" in ana.get("/emails").text
    assert f"/emails/{email}/undo" in ana.get("/account").text
    ana.stack.sandbox.advance(11)
    assert f"/emails/{email}/undo" not in ana.get("/emails").text
    until(lambda: ana.api("GET", f"emails/{email}").json()["status"], lambda status: status == "sent", 20)
    assert "too late to undo" in ana.post(f"/emails/{email}/undo").text
