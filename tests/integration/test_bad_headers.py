"""Nothing that is typed, by API or form, becomes a header, a recipient or a script of ours; what is typed arrives."""

from __future__ import annotations

import json
import re
from uuid import uuid4

import pytest
import requests
from tests.bad_input import arrived, connection_of, draft_of, html_of, is_problem, post, stored
from tests.stack import Person, Stack

SCRIPT = "<script>document.title='run'</script><img src=x onerror=alert(1)><p>Hello</p>"


@pytest.fixture(scope="module")
def ana(stack: Stack) -> Person:
    """A member with a connected account."""
    person = stack.person()
    person.connect()
    return person


# -- what is run nowhere ----------------------------------------------------------------------------------------


def test_scripts_are_sent_as_written_and_never_run_here(stack: Stack, ana: Person) -> None:
    sent = ana.send(connection_of(ana), html=SCRIPT, subject=SCRIPT, track=False)
    message = arrived(stack, ana.email_when(sent["id"], "sent", 30))
    assert html_of(message) == SCRIPT
    assert message["Subject"] == SCRIPT
    for path in ("/emails", "/emails/rows", f"/emails/{sent['id']}", f"/emails/{sent['id']}/timeline"):
        page = ana.get(path)
        assert SCRIPT not in page.text
        assert "<img src=x" not in page.text
        assert "default-src 'self'" in page.headers["Content-Security-Policy"]
        assert "unsafe" not in page.headers["Content-Security-Policy"]
    body = ana.get(f"/emails/{sent['id']}/body")
    policy = body.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert re.search(r"sandbox(?! [^;]*allow-scripts)", policy)


# -- header injection -------------------------------------------------------------------------------------------

EVIL = "x\r\nBcc: eve@evil.example\r\n\r\ninjected"


BROKEN = [
    EVIL,
    EVIL.replace("\r", ""),
    EVIL.replace("\n", ""),
    "x\u2028Bcc: eve@evil.example",
    "Offer\x1b",
    "Offer\x85",
    "Offer\n",
    "Of\tfer",
]


@pytest.mark.parametrize("broken", BROKEN)
@pytest.mark.parametrize("path", ["emails", "readiness"])
def test_a_subject_is_one_line(ana: Person, path: str, broken: str) -> None:
    before = stored(ana)
    answer = ana.api("POST", path, draft_of(ana, subject=broken))
    body = is_problem(answer, 422, "invalid")
    assert "subject contains a line break or control character" in body["sentence"]
    assert stored(ana) == before


@pytest.mark.parametrize("broken", BROKEN)
def test_a_files_name_is_one_line(ana: Person, broken: str) -> None:
    before = stored(ana)
    files = [{"name": broken, "content_base64": "JVBERg=="}]
    body = is_problem(ana.api("POST", "emails", draft_of(ana, attachments=files)), 422, "invalid")
    assert "attachments.0.name contains a line break or control character" in body["sentence"]
    assert stored(ana) == before


@pytest.mark.parametrize("broken", BROKEN)
def test_the_document_says_what_a_line_may_be(stack: Stack, broken: str) -> None:
    shapes = requests.get(f"{stack.url}/api/v1/openapi.json", timeout=20).json()["components"]["schemas"]
    for shape, field in (("DraftIn", "subject"), ("FileIn", "name")):
        pattern = shapes[shape]["properties"][field]["pattern"]
        assert re.search(pattern.removesuffix("$") + r"\Z", "Grüße 見積書 😀")
        assert not re.search(pattern.removesuffix("$") + r"\Z", broken)


@pytest.mark.parametrize(
    "subject",
    [
        "=?utf-8?q?Caf=C3=A9?=",
        "Re: =?utf-8?b?R3LDvMOfZQ==?= Grüße",
        "=?x?q?y?= " * 60,
        "👩‍👩‍👧 family",
        "می‌خواهم",
        "x" * 998,
    ],
)
def test_a_subject_arrives_as_typed(stack: Stack, ana: Person, subject: str) -> None:
    sent = ana.send(connection_of(ana), subject=subject)
    assert arrived(stack, ana.email_when(sent["id"], "sent", 30))["Subject"] == subject.strip()


@pytest.mark.parametrize("field", ["to", "cc", "bcc"])
@pytest.mark.parametrize(
    "entry",
    [
        "a@globex.example" + EVIL[1:],
        "Ana\r\nX: y <a@globex.example>",
        '"Ana\n" <a@globex.example>',
        "a\r@globex.example",
    ],
)
def test_a_recipient_cannot_add_a_header(ana: Person, field: str, entry: str) -> None:
    before = stored(ana)
    answer = post(ana, json.dumps(draft_of(ana, **{"to": ["ines@globex.example"], field: [entry]})))
    body = is_problem(answer, 409, "not_ready")
    assert body["cause"] == "recipient_invalid"
    assert "contains a line break or control character." in body["sentence"]
    assert stored(ana) == before


@pytest.mark.parametrize(
    "name",
    [
        "=?utf-8?q?x=2C_eve=40evil.example?=",
        "Ruiz, eve@evil.example",
        '"a" <eve@evil.example',
        "Zoë, eve@evil.example",
    ],
)
def test_a_name_cannot_add_a_recipient(stack: Stack, ana: Person, name: str) -> None:
    quoted = json.dumps(name, ensure_ascii=False)
    sent = ana.send(connection_of(ana), to=[f"{quoted} <ines@globex.example>"])
    found = ana.email_when(sent["id"], "sent", 30)
    message = arrived(stack, found)
    assert [one.addr_spec for one in message["To"].addresses] == ["ines@globex.example"]
    assert stack.sandbox.messages(to="eve@evil.example") == []


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ('a"; name="b.exe', 'a"; name="b.exe'),
        ("../../etc/passwd", "passwd"),
        ("=?utf-8?q?a=2Epdf?=", "=?utf-8?q?a=2Epdf?="),
        ("Übersicht – 2026.pdf", "Übersicht – 2026.pdf"),
        ("\u202egpj.exe", "gpj.exe"),
    ],
)
def test_an_attachments_name_is_only_a_name(stack: Stack, ana: Person, given: str, kept: str) -> None:
    files = [{"name": given, "type": "application/pdf", "content_base64": "JVBERg=="}]
    sent = ana.send(connection_of(ana), attachments=files)
    message = arrived(stack, ana.email_when(sent["id"], "sent", 30))
    (file,) = message.iter_attachments()
    assert file.get_filename() == kept
    assert file.get_content() == b"%PDF"
    assert file["X-Evil"] is None
    assert message["X-Evil"] is None


@pytest.mark.parametrize("key", ["Schlüssel", "k" * 256, "\u200bk", "k\tk"])
def test_an_idempotency_key_is_a_plain_word(ana: Person, key: str) -> None:
    before = stored(ana)
    answer = post(ana, json.dumps(draft_of(ana)), **{"Idempotency-Key": key.encode().decode("latin-1")})
    body = is_problem(answer, 422, "invalid")
    assert "Idempotency-Key" in body["sentence"]
    assert stored(ana) == before


# -- forms ------------------------------------------------------------------------------------------------------


def _form(person: Person, **fields: str) -> requests.Response:
    values = {"to": "ines@globex.example", "subject": "By form", "html": "<p>x</p>", **fields}
    values = {"cc": "", "bcc": "", "connection": connection_of(person), **values}
    return person.post(f"/emails/drafts/{uuid4()}/send", values)


@pytest.mark.parametrize(
    ("fields", "status", "said"),
    [
        (
            {"to": "Team: a@globex.example, b@globex.example;"},
            409,
            "is a group; write the addresses in it one by one.",
        ),
        ({"to": "Ruiz"}, 409, "has no @; where it is part of a name"),
        ({"to": ""}, 409, "Add somebody to send to."),
        (
            {"subject": "Offer\u2028Bcc: eve@evil.example"},
            409,
            "The subject contains a line break or control character after “Offer”; take it out.",
        ),
        ({"subject": "a\x00b"}, 400, "cannot be stored"),
        ({"connection": "nonsense"}, 400, "is not one"),
    ],
)
def test_a_bad_form_is_answered_in_words_and_sends_nothing(
    stack: Stack, ana: Person, fields: dict[str, str], status: int, said: str
) -> None:
    answer = _form(ana, **fields)
    assert answer.status_code == status
    assert said in re.sub(r"\s+", " ", answer.text)
    if status == 400:  # the way back is to this draft
        draft = answer.url.split("/")[-2]
        assert f'<input type="hidden" name="draft" value="{draft}">' in answer.text


def test_a_form_cannot_add_a_header_or_run_a_script(stack: Stack, ana: Person) -> None:
    mark = uuid4().hex
    answer = _form(
        ana, subject=f"{mark} {EVIL}", html=SCRIPT, to="Ines <ines@globex.example>\r\nBcc: eve@evil.example"
    )
    assert answer.status_code == 409  # the second line is an entry of its own, and none
    assert "is a group" in answer.text
    answer = _form(ana, subject=mark, html=SCRIPT)
    assert answer.status_code == 200
    assert SCRIPT not in answer.text
    message = arrived(stack, ana.email_when(answer.url.rpartition("/")[2], "sent", 30))
    assert message["Subject"] == mark
    assert html_of(message).startswith(SCRIPT)


def test_a_subject_of_two_lines_is_kept_as_a_draft_and_not_sent(ana: Person) -> None:
    draft = uuid4()
    values = {
        "to": "ines@globex.example",
        "subject": EVIL,
        "html": "<p>x</p>",
        "connection": connection_of(ana),
    }
    saved = ana.jar.post(
        f"{ana.stack.url}/emails/drafts/{draft}",
        json=values,
        headers={"X-CSRFToken": ana.jar.cookies["csrftoken"]},
        timeout=20,
    )
    assert saved.status_code == 200
    answer = ana.post(f"/emails/drafts/{draft}/send", values)
    assert answer.status_code == 409
    assert 'data-cause="subject_invalid"' in answer.text
    assert 'data-here="subject"' in answer.text
    assert "Bcc: eve@evil.example" in answer.text  # as it was typed
    assert ana.api("GET", f"emails/{draft}").json()["status"] == "draft"
