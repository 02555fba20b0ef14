"""What comes after an email on its page and in the list: written again and sent, told late that it had arrived."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.copies import Copy, email_of, mailbox, member_of
from tests.integration.test_unknown_pages import BOTH, SEND, UNKNOWN, markup, pressed, shown

from truesend import clock
from truesend.organizations import finding
from truesend.organizations.models import Member, Organization, Role
from truesend.providers import registry
from truesend.providers.errors import Outcome, SendResult
from truesend.sending import dispatch, reconcile
from truesend.sending.models import (
    Attempt,
    Delivery,
    DeliveryStatus,
    Email,
    EmailStatus,
    Recipient,
    RecipientType,
)
from truesend.tracking.models import Signal
from truesend.web import context, rows, statuses
from truesend.web.facts import PageFacts

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ana() -> Member:
    return member_of(Organization.objects.create(name="Northwind"), "ana", Role.OWNER)


def needing() -> list[Email]:
    return finding.page(Member.objects.get(), "needs", size=10)[0]


def test_what_was_written_again_and_sent_needs_nobody_any_more(ana: Member) -> None:
    refused = email_of(ana, mailbox(ana, SEND), Copy("refused", "recipient_refused", "No such user"))
    draft = Email.objects.get(pk=pressed(ana, f"/emails/{refused.pk}/again").partition("draft=")[2])
    # It was begun, not sent: nothing has changed for the one that was refused.
    assert needing() == [refused]
    assert "Sent again" not in shown(ana, refused)
    assert ">Edit the email</button>" in markup(ana, refused)
    Email.objects.filter(pk=draft.pk).update(status=EmailStatus.QUEUED, subject="Contract, to the right one")
    assert needing() == []
    row = rows.rows([refused])[0]
    assert (row["detail"], row["state"]) == ("Sent again as “Contract, to the right one”.", "none")
    assert "Sent again as “Contract, to the right one”." in shown(ana, refused)
    html = markup(ana, refused)
    assert f'action="/emails/{draft.pk}"' in html
    assert ">Edit the email</button>" not in html
    # Taken back, it is as it was; and one that is thrown away leaves the first one standing.
    Email.objects.filter(pk=draft.pk).update(status=EmailStatus.DRAFT)
    assert needing() == [refused]
    draft.delete()
    assert needing() == [refused]


def bounced(email: Email, position: int, *, hard: bool) -> None:
    """A bounce of the copy's first person."""
    copy = Delivery.objects.get(email=email, position=position)
    Signal.objects.create(
        organization=email.organization_id,
        email=email.pk,
        delivery=copy.pk,
        kind=Signal.Kind.BOUNCE,
        klass=Signal.Klass.UNKNOWN,
        confidence=1,
        reason="The mailbox is full. Try again in some days.",
        rule="bounce_hard" if hard else "bounce_soft",
        rules_version="1",
        at=clock.now(),
        recipient=f"person{position}@globex.example",
        changed_at=clock.now(),
    )


def leaves(draft: Email, address: str) -> None:
    """It is sent, to this address."""
    assert draft.connection is not None
    sent = Delivery.objects.create(
        email=draft, connection=draft.connection, status=DeliveryStatus.QUEUED, due_at=clock.now()
    )
    Recipient.objects.create(delivery=sent, position=0, address=address, type=RecipientType.TO)
    Email.objects.filter(pk=draft.pk).update(status=EmailStatus.QUEUED)


def written_again(ana: Member, email: Email) -> Email:
    """The draft that the button of its bounces leads to."""
    return Email.objects.get(pk=pressed(ana, f"/emails/{email.pk}/again?of=bounced").partition("draft=")[2])


def test_those_at_whom_it_bounced_are_written_to_again_alone(ana: Member) -> None:
    email = email_of(ana, mailbox(ana, BOTH), *[Copy("accepted")] * 4)
    bounced(email, 1, hard=False)
    bounced(email, 2, hard=True)  # nothing that is sent there arrives
    bounced(email, 3, hard=False)
    assert f'action="/emails/{email.pk}/again?of=bounced"' in markup(ana, email)
    assert "Write to 2 people again" in shown(ana, email)
    draft = written_again(ana, email)
    assert (draft.to, draft.separate_copies) == (["person1@globex.example", "person3@globex.example"], True)
    # Two presses at once make one.
    assert written_again(ana, email) == draft
    assert rows.rows([email])[0]["status_word"] == "Bounced"
    leaves(draft, "Person1@globex.example")
    # One of them was written to: the other still can be.
    assert "Whom it did not reach was written to again: “Contract”." in shown(ana, email)
    assert "Write again" in shown(ana, email)
    assert written_again(ana, email).to == ["person3@globex.example"]
    # It reached somebody: what became of it there is still told.
    assert rows.rows([email])[0]["status_word"] == "Bounced"


def test_an_address_that_does_not_exist_can_be_corrected(ana: Member) -> None:
    email = email_of(ana, mailbox(ana, BOTH), Copy("accepted"))
    bounced(email, 0, hard=True)
    assert ">Correct the address</button>" in markup(ana, email)
    draft = written_again(ana, email)
    assert draft.to == email.to
    assert ">Correct the address</button>" in markup(ana, email)
    leaves(draft, "peter@globex.example")
    text = shown(ana, email)
    assert "Sent again as “Contract”." in text
    assert "Correct the address" not in text
    assert pressed(ana, f"/emails/{email.pk}/again?of=bounced") == f"/emails/{email.pk}"
    assert rows.rows([email])[0]["detail"] == "Sent again as “Contract”."


def test_of_a_joint_mail_everybody_stays_in_the_header_they_were_in(ana: Member) -> None:
    email = email_of(ana, mailbox(ana, BOTH), Copy("accepted"))
    Email.objects.filter(pk=email.pk).update(
        cc=["Person Zero <person0@globex.example>"], to=["ines@globex.example"], bcc=["lea@globex.example"]
    )
    email.refresh_from_db()
    bounced(email, 0, hard=False)
    draft = written_again(ana, email)
    assert (draft.to, draft.cc, draft.bcc) == ([], ["Person Zero <person0@globex.example>"], [])


@pytest.mark.parametrize(
    ("resend", "status", "told", "row"),
    [
        (True, "accepted", "This person may have it twice.", "somebody may have it twice"),
        (True, "queued", "The second one waits still: Cancel stops it.", "Cancel it, or"),
        (False, "cancelled", "It was not to be sent any more, and is there.", "It was stopped before"),
    ],
)
def test_a_late_acceptance_is_told_where_it_was_to_be_sent_again(
    ana: Member, resend: bool, status: str, told: str, row: str
) -> None:
    email = email_of(ana, mailbox(ana, SEND), Copy("unknown", "worker_lost", ask=-1))
    copy, attempt = Delivery.objects.get(email=email), Attempt.objects.get()
    reconcile.resolve(copy, ana, sent=False, resend=resend)
    if status == "queued":
        Delivery.objects.filter(pk=copy.pk).update(due_at=clock.now() + timedelta(hours=1))
    if status == "accepted":
        second = Attempt.objects.create(
            delivery=copy, number=2, started_at=clock.now(), started_real_at=clock.real_now(), worker="w"
        )
        Delivery.objects.filter(pk=copy.pk).update(status="sending", due_at=None)
        Email.objects.filter(pk=email.pk).update(status=EmailStatus.SENDING)
        dispatch.record(copy, second.pk, 2, SendResult(Outcome.ACCEPTED, message_id="m2"))
    assert "It had arrived after all" not in shown(ana, email)
    for _ in range(2):  # its worker tells it once, however often
        dispatch.record(copy, attempt.pk, 1, SendResult(Outcome.ACCEPTED, message_id="m1"))
    email.refresh_from_db()
    assert f"It had arrived after all Google had taken over what was tried first. {told}" in shown(ana, email)
    assert shown(ana, email).count("Google had taken over what was tried first") == 1
    assert row in rows.rows([email])[0]["detail"]
    assert (email in needing()) == (status == "queued")
    assert Delivery.objects.get(pk=copy.pk).status == status
    assert copy.connection.ledger.filter(trigger="late").count() == 1


@pytest.mark.parametrize("status", EmailStatus.values)
def test_an_empty_timeline_says_what_is_so(ana: Member, status: str) -> None:
    assert statuses.NOTHING[status].endswith(".")
    assert "Nothing has happened" not in statuses.NOTHING[status]


@pytest.mark.parametrize(
    ("copies", "told"),
    [
        ([Copy("sending")], "It is being handed over; what comes of it shows here."),
        ([Copy("accepted"), Copy("sending")], "Accepted by Google"),
        ([Copy("queued", due=0)], "Nothing was tried yet."),
        ([Copy("queued", held="not_adopted")], "Nothing was tried. What happens once it goes shows here."),
        ([Copy("cancelled")], "Nothing was tried before it was stopped."),
        ([Copy("refused")], "Nothing was tried, and nothing left."),
    ],
)
def test_under_each_status_stands_what_happened(ana: Member, copies: list[Copy], told: str) -> None:
    email = email_of(ana, mailbox(ana, SEND), *copies)
    Attempt.objects.filter(delivery__email=email, delivery__status="refused").delete()
    text = shown(ana, email)
    assert told in text
    assert "Nothing has happened" not in text


def test_what_was_not_tracked_promises_no_opening(ana: Member) -> None:
    email = email_of(ana, mailbox(ana, SEND), Copy("accepted"))
    assert "No opening known yet." in shown(ana, email)
    email.track = False
    assert "Sent without tracking: whether it was opened cannot be known." in shown(ana, email)


def test_a_mailbox_that_is_not_ones_own_is_named(ana: Member) -> None:
    shared = mailbox(ana, SEND, kind="organization")
    tom = member_of(ana.organization, "tom", Role.USER)
    folder = "the Sent folder of ana@northwind.example"
    for member in (ana, tom):
        email = email_of(member, shared, UNKNOWN)
        assert rows.rows([email])[0]["detail"] == f"Needs you: is it in {folder}?"
        assert f"Look into {folder}: is it there?" in shown(member, email)
        assert "It is in that Sent folder" in shown(member, email)
        assert context.health(PageFacts(member))["sentence"] == f"Is it in {folder}?"
    looked = email_of(
        tom, mailbox(ana, BOTH, kind="organization"), Copy("unknown", "provider_timeout", look=3)
    )
    assert rows.rows([looked])[0]["detail"] == f"Google did not answer in time. Looking in {folder}."
    own = email_of(ana, mailbox(ana, SEND), UNKNOWN)
    assert rows.rows([own])[0]["detail"] == "Needs you: is it in your Sent folder?"


def test_the_sent_folder_is_one_press_away(ana: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRUESEND_GOOGLE_MAIL_URL", "https://mail.google.com/mail/")
    url = "https://mail.google.com/mail/?authuser=ana%2Bx%40northwind.example#sent"
    assert registry.provider("google").sent_folder_url("ana+x@northwind.example") == url
    html = markup(ana, email_of(ana, mailbox(ana, SEND), UNKNOWN))
    assert 'href="https://mail.google.com/mail/?authuser=ana%40northwind.example#sent"' in html
    assert 'target="_blank" rel="noopener noreferrer">Open Sent in Gmail' in html
