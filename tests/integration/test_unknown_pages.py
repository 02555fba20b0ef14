"""What the pages of an email say in each of its states, on rows: unknown in its three stages, held, refused, again."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from html import unescape

import pytest
from django.db import connections
from django.template.loader import render_to_string
from django.test import Client
from tests.copies import Copy, email_of, mailbox, member_of

from truesend.connections import proofs
from truesend.connections.models import LedgerKind
from truesend.organizations import finding
from truesend.organizations.models import Member, Organization, Role
from truesend.providers.contract import Capability, Evidence
from truesend.sending import reconcile
from truesend.sending.models import (
    Attachment,
    AttachmentPiece,
    Delivery,
    DeliveryStatus,
    Email,
    EmailStatus,
    SettledBy,
)
from truesend.web import context, rows, statuses, timeline
from truesend.web.facts import PageFacts

pytestmark = pytest.mark.django_db(transaction=True)

SEND, BOTH = [Capability.SEND], [Capability.SEND, Capability.READ]
BUTTONS = ("It is in your Sent folder", "It is not there: send again", "It is not there: do not send")


@pytest.fixture
def ana() -> Member:
    return member_of(Organization.objects.create(name="Northwind"), "ana", Role.OWNER)


def shown(member: Member, email: Email) -> str:
    """What the email's page says, without its tags; buttons that cannot be pressed in brackets."""
    html = re.sub(r"<button[^>]* disabled[^>]*>([^<]*)</button>", r" [\1] ", markup(member, email))
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def markup(member: Member, email: Email) -> str:
    return render_to_string("partials/timeline.html", timeline.page(PageFacts(member), email))


UNKNOWN = Copy("unknown", "provider_timeout", ask=90)


def test_every_status_has_a_word_and_a_sentence(ana: Member) -> None:
    assert statuses.EMAIL.keys() == set(EmailStatus.values)
    assert statuses.DELIVERY.keys() == set(DeliveryStatus.values)
    told = [*statuses.EMAIL.values(), *statuses.DELIVERY.values(), statuses.HELD, statuses.HELD_FOR_A_WHILE]
    assert all(one.word and one.sentence.endswith(".") for one in told)
    connection = mailbox(ana, SEND)
    for status in ("sending", "accepted", "cancelled"):
        email = email_of(ana, connection, Copy(status))
        word, _, sentence = statuses.EMAIL[email.status]
        assert f"{word} {sentence}" in shown(ana, email)
    several = email_of(ana, connection, Copy("accepted"), Copy("sending"))
    assert "Sending 1 / 2 On its way." in shown(ana, several)
    assert "Google has taken it over." in shown(ana, several)
    queued = email_of(ana, connection, Copy("queued", due=0))
    assert "Queued Leaves when its turn comes, mostly at once." in shown(ana, queued)


def test_what_can_be_read_is_looked_up_and_nobody_is_asked(ana: Member) -> None:
    email = email_of(ana, mailbox(ana, BOTH), replace(UNKNOWN, look=3))
    text = shown(ana, email)
    assert "Google did not answer in time." in text
    assert "Truesend looks into your Sent folder; the answer comes by" in text
    assert not any(button in text for button in BUTTONS)
    assert re.search(r'hx-trigger="load delay:(8\d|9[0-2])s"', markup(ana, email))
    assert finding.numbers(ana).asked == []
    (row,) = rows.rows([email])
    assert row["detail"] == "Google did not answer in time. Looking in your Sent folder."


def test_the_moment_that_decides_is_over_and_the_look_goes_on(ana: Member) -> None:
    email = email_of(ana, mailbox(ana, BOTH), replace(UNKNOWN, ask=-5, look=1))
    assert "the answer comes in a moment" in shown(ana, email)
    assert 'hx-trigger="load' not in markup(ana, email)


def test_a_mailbox_that_cannot_be_read_just_now_asks_too(ana: Member) -> None:
    connection = mailbox(ana, BOTH)
    email = email_of(ana, connection, replace(UNKNOWN, look=30))
    evidence = [Evidence("read", False, "sent.list", "provider_unreachable", "no route")]
    proofs.record(connection, evidence, kind=LedgerKind.PROBE, trigger="look_up")
    text = shown(ana, email)
    assert "Truesend cannot look for itself right now. Google could not be reached." in text
    assert "It looks again by itself, next at" in text
    assert f"{BUTTONS[0]} [{BUTTONS[1]}] [{BUTTONS[2]}]" in text


@pytest.mark.parametrize(("ask", "disabled"), [(90, True), (-1, False)])
def test_it_is_not_there_can_be_said_from_its_moment_on(ana: Member, ask: float, disabled: bool) -> None:
    email = email_of(ana, mailbox(ana, SEND), replace(UNKNOWN, ask=ask))
    text = shown(ana, email)
    assert "Look into your Sent folder: is it there? Tried at" in text
    rest = f"[{BUTTONS[1]}] [{BUTTONS[2]}]" if disabled else f"{BUTTONS[1]} {BUTTONS[2]}"
    assert f"{BUTTONS[0]} {rest}" in text
    assert ("until then it may still arrive" in text) is disabled
    assert ('hx-trigger="load' in markup(ana, email)) is disabled
    assert finding.numbers(ana).asked == [(email.pk, email.connection_id)]
    assert rows.rows([email])[0]["detail"] == "Needs you: is it in your Sent folder?"
    assert context.health(PageFacts(ana))["title"] == "1 email needs you"
    assert context.health(PageFacts(ana))["fix"] == {"label": "Look", "url": f"/emails/{email.pk}"}


def test_reading_is_offered_to_those_who_may_allow_it(ana: Member) -> None:
    shared = mailbox(ana, SEND, kind="organization")
    tom = member_of(ana.organization, "tom", Role.USER)
    own, others = email_of(ana, shared, UNKNOWN), email_of(tom, shared, UNKNOWN)
    assert "See replies and bounces" in shown(ana, own)
    assert f'name="next" value="/emails/{own.pk}"' in markup(ana, own)
    assert 'name="capabilities" value="send,read"' in markup(ana, own)
    text = shown(tom, others)
    assert "See replies and bounces" not in text
    assert "Who can allow it: ana@northwind.example" in text
    assert "Look into the Sent folder of ana@northwind.example: is it there?" in text
    assert "Truesend could find out by itself" not in shown(ana, email_of(ana, mailbox(ana, BOTH), UNKNOWN))


def test_copies_are_asked_for_by_name_ten_at_a_time(ana: Member) -> None:
    copies = [replace(UNKNOWN, ask=-1)] * 12 + [Copy("accepted")] * 2
    email = email_of(ana, mailbox(ana, SEND), *copies)
    text = shown(ana, email)
    assert text.count("Look into your Sent folder: is the copy to person") == 10
    assert "2 more copies are asked for when these are answered." in text
    assert "Copies: 12 unknown, 2 accepted" in text
    looked = email_of(ana, mailbox(ana, BOTH), *[replace(UNKNOWN, look=3)] * 12)
    assert "12 copies being looked up." in shown(ana, looked)


@pytest.mark.parametrize(
    ("copy", "words"),
    [
        (
            Copy("accepted", "provider_timeout", settled_by=SettledBy.SENT),
            "Found in Sent Google had taken it over after all.",
        ),
        (
            Copy("queued", "provider_timeout", due=0, settled_by=SettledBy.SENT),
            "Not in Sent Nothing had left, so it is sent again by itself.",
        ),
        (
            Copy("queued", "restored", held="restored", settled_by=SettledBy.SENT),
            "Not in Sent Nothing had left. It goes when somebody lets it.",
        ),
        (
            Copy("accepted", "worker_lost", settled_by=SettledBy.PERSON),
            "tom@northwind.example said it was in Sent",
        ),
        (
            Copy("queued", "worker_lost", due=0, settled_by=SettledBy.PERSON),
            "tom@northwind.example said it was not in Sent So it is to be sent again.",
        ),
        (
            Copy("cancelled", "worker_lost", outcome="NOT_SENT", settled_by=SettledBy.PERSON),
            "tom@northwind.example said it was not in Sent It is not sent any more.",
        ),
        (Copy("accepted", settled_by=SettledBy.WORKER), "Accepted by Google Our worker reported it late."),
        (
            Copy("refused", "recipient_refused", "No such user", settled_by=SettledBy.WORKER),
            "Not accepted Google refused a recipient: “No such user”.",
        ),
    ],
)
def test_the_timeline_tells_how_it_was_cleared_up(ana: Member, copy: Copy, words: str) -> None:
    email = email_of(ana, mailbox(ana, SEND), copy)
    if copy.settled_by == SettledBy.PERSON:
        delivery = Delivery.objects.get(email=email)
        result = "settled_sent" if copy.status == "accepted" else "settled_not_sent"
        proofs.note(
            delivery.connection,
            LedgerKind.SEND,
            trigger="tom@northwind.example",
            result=result,
            ref=str(delivery.pk),
        )
    text = shown(ana, email)
    assert words in text
    assert "It was open whether it had been sent" in text
    assert not any(button in text for button in BUTTONS)


def test_what_stands_in_the_way_is_told_by_cause_with_its_count_and_one_button_each(ana: Member) -> None:
    connection = mailbox(ana, SEND)
    proofs.record(
        connection,
        [Evidence("grant", False, "token.refresh", "grant_revoked", "Token has been expired or revoked.")],
        kind=LedgerKind.REFRESH,
        trigger="schedule",
    )
    email = email_of(
        ana,
        connection,
        *[Copy("queued", held="grant_revoked")] * 2,
        Copy("queued", held="daily_limit", due=3600),
        Copy("refused", "recipient_refused", "No such user"),
        Copy("accepted"),
    )
    text = shown(ana, email)
    assert "2 of 5 copies: nothing was sent. Google says that the permission was withdrawn" in text
    assert "1 of 5 copies: nothing was sent yet. This mailbox has reached Google's daily limit" in text
    assert re.search(r"It goes by itself (on \d+ \w+ )?at", text)
    assert "UTC ." not in text  # the page's own time stands there
    assert "1 of 5 copies: nothing was sent. Google refused a recipient: “No such user”." in text
    html = markup(ana, email)
    assert html.count(">Reconnect</button>") == html.count(">Edit the email</button>") == 1
    assert ">Send now</button>" not in html
    order = [text.index(one) for one in ("2 of 5", "daily limit", "No such user")]
    assert order == sorted(order)
    assert finding.page(ana, "needs", size=10) == ([email], None)


def test_what_goes_by_itself_needs_nobody(ana: Member) -> None:
    connection = mailbox(ana, SEND)
    held = email_of(ana, connection, Copy("queued", held="daily_limit", due=3600))
    again = email_of(ana, connection, Copy("queued", "provider_error", due=60))
    stopped = email_of(ana, connection, Copy("accepted"), Copy("cancelled"))
    assert finding.page(ana, "needs", size=10) == ([], None)
    (row,) = rows.rows([held])
    assert row["state"] == "warn"
    assert row["detail"].startswith("Goes by itself ")
    assert row["detail"].endswith(". This mailbox has reached Google's daily limit.")
    assert "Nothing was sent yet. Google has a fault at the moment. It goes by itself at" in shown(ana, again)
    assert "Some copies were accepted, some were not." in shown(ana, stopped)


def test_what_was_held_goes_at_one_press_once_the_way_is_free(ana: Member) -> None:
    email = email_of(ana, mailbox(ana, SEND), Copy("queued", held="grant_revoked"))
    html = markup(ana, email)
    assert f'action="/emails/{email.pk}/release"' in html
    assert ">Send now</button>" in html


def pressed(member: Member, path: str) -> str:
    """Press a button of the page; the address it leads to."""
    browser = Client(headers={"host": "localhost:8000"})
    browser.force_login(member.user)
    answer = browser.post(path)
    assert answer.status_code == 302, answer.content
    return str(answer.headers["Location"])


def test_what_was_stopped_in_part_is_written_again_by_a_button_of_the_page(ana: Member) -> None:
    connection = mailbox(ana, SEND)
    one = email_of(ana, connection, Copy("accepted"), Copy("cancelled"), Copy("accepted"))
    assert "1 of 3 copies was stopped before it left. Edit the email to write to that person" in shown(
        ana, one
    )
    two = email_of(ana, connection, Copy("unknown", "provider_timeout", ask=-1), *[Copy("cancelled")] * 2)
    assert "2 of 3 copies were stopped before they left. Edit the email to write to those people" in shown(
        ana, two
    )
    for email in (one, two):
        assert markup(ana, email).count(f'action="/emails/{email.pk}/again"') == 1
        assert not timeline.page(PageFacts(ana), email)["can_edit"]
    draft = Email.objects.get(pk=pressed(ana, f"/emails/{one.pk}/again").partition("draft=")[2])
    assert draft.to == ["person1@globex.example"]
    whole = email_of(ana, connection, Copy("cancelled"))
    assert timeline.page(PageFacts(ana), whole)["can_edit"]
    assert "/again" not in markup(ana, whole)


def test_however_often_edit_is_pressed_there_is_one_draft(ana: Member) -> None:
    email = email_of(ana, mailbox(ana, SEND), Copy("cancelled"))
    file = Attachment.objects.create(
        email=email, position=0, name="offer.pdf", content_type="application/pdf", size=5
    )
    AttachmentPiece.objects.create(attachment=file, position=0, content=b"%PDF-")
    path = f"/emails/{email.pk}/again"
    with ThreadPoolExecutor(4) as pool:
        led = set(pool.map(lambda _: pressed_alone(ana, path), range(4)))
    assert len(led) == 1
    (draft,) = Email.objects.filter(status=EmailStatus.DRAFT)
    assert [one.name for one in draft.attachments.all()] == ["offer.pdf"]
    Email.objects.filter(pk=draft.pk).update(subject="Corrected")
    assert pressed(ana, path) == f"/emails/new?draft={draft.pk}"
    assert Email.objects.get(pk=draft.pk).subject == "Corrected"
    # It was sent: writing once more is another draft.
    Email.objects.filter(pk=draft.pk).update(status=EmailStatus.QUEUED)
    assert pressed(ana, path) not in led


def pressed_alone(member: Member, path: str) -> str:
    """As :func:`pressed`, in a thread of its own."""
    try:
        return pressed(member, path)
    finally:
        connections.close_all()


def test_editing_takes_those_whose_copy_did_not_leave_and_the_files(ana: Member) -> None:
    connection = mailbox(ana, SEND)
    email = email_of(
        ana, connection, Copy("accepted"), Copy("refused", "recipient_refused"), Copy("cancelled"), UNKNOWN
    )
    file = Attachment.objects.create(
        email=email, position=0, name="offer.pdf", content_type="application/pdf", size=5
    )
    AttachmentPiece.objects.create(attachment=file, position=0, content=b"%PDF-")
    draft = Email.objects.get(pk=pressed(ana, f"/emails/{email.pk}/again").partition("draft=")[2])
    # They did not know of each other, and a correction does not tell them.
    assert (draft.to, draft.bcc) == (["person1@globex.example", "person2@globex.example"], [])
    assert draft.separate_copies
    assert [(one.name, one.content) for one in draft.attachments.all()] == [("offer.pdf", b"%PDF-")]
    assert email.attachments.count() == 1
    one = email_of(ana, connection, Copy("refused", "recipient_refused"))
    draft = Email.objects.get(pk=pressed(ana, f"/emails/{one.pk}/again").partition("draft=")[2])
    assert draft.to == ["person0@globex.example"]


def test_nothing_that_may_have_left_can_be_written_again(ana: Member) -> None:
    connection = mailbox(ana, SEND)
    for copy in (UNKNOWN, Copy("accepted"), Copy("sending"), Copy("queued", due=0)):
        email = email_of(ana, connection, copy)
        before = Email.objects.count()
        assert pressed(ana, f"/emails/{email.pk}/again") == f"/emails/{email.pk}"
        assert Email.objects.count() == before


def test_a_stranger_answers_nothing(ana: Member) -> None:
    email = email_of(ana, mailbox(ana, SEND), replace(UNKNOWN, ask=-1))
    copy = Delivery.objects.get(email=email)
    stranger = member_of(Organization.objects.create(name="Globex"), "eve", Role.OWNER)
    colleague = member_of(ana.organization, "tom", Role.MANAGER)
    for other in (stranger, colleague):
        browser = Client(headers={"host": "localhost:8000"})
        browser.force_login(other.user)
        assert browser.post(f"/deliveries/{copy.pk}/resolve", {"answer": "sent"}).status_code == 404
        assert browser.get(f"/emails/{email.pk}/timeline").status_code == 404
        assert finding.numbers(other).asked == []
    copy.refresh_from_db()
    assert copy.status == DeliveryStatus.UNKNOWN


def test_the_answer_is_taken_once(ana: Member) -> None:
    email = email_of(ana, mailbox(ana, SEND), replace(UNKNOWN, ask=-1))
    copy = Delivery.objects.get(email=email)
    reconcile.resolve(copy, ana, sent=True)
    copy.refresh_from_db()
    with pytest.raises(reconcile.NotUnknown):
        reconcile.resolve(copy, ana, sent=False, resend=True)
    email.refresh_from_db()
    assert (copy.status, email.status) == (DeliveryStatus.ACCEPTED, EmailStatus.SENT)
    assert finding.page(ana, "needs", size=10) == ([], None)
