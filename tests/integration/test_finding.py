"""Lists find by index what reading every row would find: words, states, and what is known of an email."""

from __future__ import annotations

import itertools
import random
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.db import connection
from tests.copies import Copy, email_of, mailbox, member_of
from tests.counted import told

from truesend import clock
from truesend.organizations import finding
from truesend.organizations.models import Member, Organization, Role
from truesend.paging import CursorError
from truesend.providers.contract import Capability
from truesend.sending.models import Delivery, Email, EmailEntry, EmailStatus
from truesend.tracking import query
from truesend.tracking.models import CopyTally, EmailTally, Signal

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ana() -> Member:
    return member_of(Organization.objects.create(name="Northwind"), "ana", Role.OWNER)


def written(
    member: Member, subject: str, *to: str, html: str = "", status: str = "sent", age: int = 0
) -> Email:
    """An email past sending, ``age`` seconds old."""
    return Email.objects.create(
        organization=member.organization,
        member=member,
        connection=member.connections.first() or mailbox(member, [Capability.SEND]),
        status=status,
        subject=subject,
        to=list(to),
        html=html,
        created_at=clock.now() - timedelta(seconds=age),
    )


def found(member: Member, words: str = "", choice: str = "") -> list[str]:
    return [one.subject for one in finding.page(member, choice, words=words, size=50)[0]]


@pytest.mark.parametrize(
    "words",
    [
        "proposal",
        "PROPOSAL second",
        "version sec",
        "ines@globex.example",
        "Ines",
        "moreau",
        "globex",
        "muller",
        "Müller",
        "müll",
        "prices.example",
        "prices.example/list?year=2026",
        "https://prices.example/list?year=2026&x=1",
        "京",
        "東京",
        "🎉",
        "ΑΘΗΝΑ",
        "proposal ines prices",
        "o'neill",
        "  proposal,  ",
    ],
)
def test_the_beginnings_of_words_find_an_email(ana: Member, words: str) -> None:
    written(
        ana,
        "Proposal, second version for 東京タワー 🎉 Αθήνα",
        "Ines Moreau <ines@globex.example>",
        "Jörg Mu\N{COMBINING DIAERESIS}ller <j.mueller@initech.example>",
        "O'Neill <on@initech.example>",
        html='<p>See <a HREF="https://prices.example/list?year=2026&amp;x=1">this</a></p>',
    )
    written(ana, "Lunch", "Tom Okafor <tom@umbrella.example>")
    assert found(ana, words) == ["Proposal, second version for 東京タワー 🎉 Αθήνα"]


@pytest.mark.parametrize(
    "words",
    [
        "nobody",
        "roposal",
        "lex",
        "proposal nobody",
        "!!! ---",
        "'",
        "\\",
        "a & | ! (b",
        "%",
        "\x00",
        "pro\x00posal",
    ],
)
def test_other_words_find_nothing_and_break_nothing(ana: Member, words: str) -> None:
    written(ana, "Proposal", "Ines Moreau <ines@globex.example>")
    assert found(ana, words) == []


def test_what_changes_is_found_by_what_it_says_now(ana: Member) -> None:
    draft = written(ana, "First", status="draft", html='<a href="https://early.example/">x</a>')
    assert (found(ana, "first"), found(ana, "early")) == (["First"], [])
    Email.objects.filter(pk=draft.pk).update(subject="Second")
    assert (found(ana, "first"), found(ana, "second")) == ([], ["Second"])
    Email.objects.filter(pk=draft.pk).update(status="queued", subject="Third")
    assert (found(ana, "early"), found(ana, choice="drafts"), found(ana, choice="undrafted")) == (
        ["Third"],
        [],
        ["Third"],
    )
    draft.delete()
    assert not EmailEntry.objects.exists()


def test_an_email_to_very_many_people_is_stored_and_found(ana: Member) -> None:
    people = [
        f"Person {number} von und zu {uuid4().hex} <p{number}@{uuid4().hex}.example>"
        for number in range(10_000)
    ]
    written(ana, "Everybody", *people)
    assert found(ana, "p7@") == ["Everybody"]


def test_nobody_finds_what_another_wrote(ana: Member) -> None:
    written(ana, "Secret", "ines@globex.example")
    others = [
        member_of(ana.organization, "tom", Role.OWNER),
        member_of(Organization.objects.create(name="Globex"), "eve", Role.OWNER),
    ]
    for other in others:
        for choice in finding.CHOICES:
            assert found(other, choice=choice) == found(other, "secret", choice) == []
        assert finding.numbers(other, of_the_list=True) == finding.Numbers(
            0, [], finding.Listed(0, [], finding.Lately(0, 0, 0, 0, cut=False))
        )


def test_pages_follow_one_another_without_gap_or_repetition(
    ana: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "NEWEST", 7)
    now = clock.now()
    for number in range(40):
        email = written(ana, f"Number {number} {'rare' if number % 9 == 0 else 'usual'}", age=0)
        # Four of a time: the id decides then.
        Email.objects.filter(pk=email.pk).update(created_at=now - timedelta(minutes=number // 4))
    everything = list(Email.objects.order_by("-created_at", "-pk"))
    for words, wanted in (
        ("", everything),
        ("number", everything),
        ("rare", [one for one in everything if "rare" in one.subject]),
        ("usual", [one for one in everything if "usual" in one.subject]),
    ):
        seen: list[Email] = []
        cursor: str | None = ""
        while cursor is not None:
            emails, cursor = finding.page(ana, words=words, cursor=cursor, size=3)
            seen += emails
        assert seen == wanted
    with pytest.raises(CursorError):
        finding.page(ana, cursor="nonsense", size=3)


@pytest.mark.parametrize("status", list(EmailStatus))
def test_a_status_finds_its_emails_alone(ana: Member, status: EmailStatus) -> None:
    connection = mailbox(ana, [Capability.SEND])
    for one in EmailStatus:
        made = written(ana, one.value, status=one.value)
        if one in {EmailStatus.QUEUED, EmailStatus.SENDING}:
            Delivery.objects.create(email=made, connection=connection, status="queued", due_at=clock.now())
    assert found(ana, choice=status.value) == [status.value]
    assert found(ana, status.value, status.value) == [status.value]


def test_what_is_not_sent_and_what_needs_somebody(ana: Member) -> None:
    connection = mailbox(ana, [Capability.SEND])
    refused = email_of(ana, connection, Copy("refused", "recipient_refused"))
    partly = email_of(ana, connection, Copy("refused", "recipient_refused"), Copy("accepted"))
    stopped = email_of(ana, connection, Copy("cancelled"), Copy("accepted"))
    waits = email_of(ana, connection, Copy("queued", held="grant_revoked"))
    limited = email_of(ana, connection, Copy("queued", held="daily_limit", due=3600))
    looked = email_of(ana, connection, Copy("unknown", look=60))
    asked = email_of(ana, connection, Copy("unknown"))
    assert EmailStatus(stopped.status) == EmailStatus.PARTLY
    assert set(finding.page(ana, "failed", size=50)[0]) == {refused, partly}
    assert set(finding.page(ana, "needs", size=50)[0]) == {refused, partly, waits, asked}
    numbers = finding.numbers(ana, of_the_list=True)
    assert numbers.listed is not None
    assert (numbers.emails, numbers.listed.needs, numbers.listed.lately.sent) == (7, 4, 0)
    assert numbers.asked == [(asked.pk, connection.pk)]
    assert numbers.listed.held == [(connection.pk, "grant_revoked", 1)]
    assert {limited, looked} <= set(finding.page(ana, size=50)[0])


def signals(email: Email, copies: list[UUID], dice: random.Random, number: int) -> list[Signal]:
    return [
        Signal(
            organization=email.organization_id,
            email=email.pk,
            delivery=dice.choice(copies),
            kind=dice.choice(["open", "open", "click", "click", "reply", "bounce"]),
            klass=dice.choice(Signal.Klass.values),
            confidence=dice.choice([0.3, 0.79, 0.8, 0.95]),
            reason="",
            rule="",
            rules_version="2",
            at=clock.now() + timedelta(seconds=dice.randrange(5)),
            link=dice.choice([None, 0, 1, 2]),
            struck=dice.random() < 0.2,
            count=dice.choice([1, 1, 3]),
            changed_at=clock.now(),
        )
        for _ in range(number)
    ]


def test_a_signal_says_as_much_to_the_database_as_to_the_program() -> None:
    every = itertools.product(
        Signal.Kind.values, Signal.Klass.values, (0.0, 0.3, 0.699, 0.7, 0.79, 0.8, 0.81, 1.0), (False, True)
    )
    for kind, klass, confidence, struck in every:
        signal = Signal(kind=kind, klass=klass, confidence=confidence, struck=struck)
        with connection.cursor() as cursor:
            cursor.execute("SELECT tracking_level(%s, %s, %s, %s)", [kind, klass, confidence, struck])
            assert cursor.fetchone() == (query.rank(signal),), (kind, klass, confidence, struck)


@pytest.mark.parametrize("seed", range(8))
def test_tallies_say_what_counting_says_whatever_happens_to_signals(ana: Member, seed: int) -> None:
    dice = random.Random(seed)
    connection = mailbox(ana, [Capability.SEND])
    emails = [email_of(ana, connection, *[Copy("accepted")] * size) for size in (1, 1, 2, 4)]
    copies = {one.pk: list(one.deliveries.values_list("pk", flat=True)) for one in emails}
    for _ in range(12):
        act = dice.choice(["add", "add", "add", "strike", "change", "remove"])
        some = list(Signal.objects.order_by("?")[: dice.randrange(1, 6)].values_list("pk", flat=True))
        if act == "add":
            Signal.objects.bulk_create(
                [one for email in dice.sample(emails, 2) for one in signals(email, copies[email.pk], dice, 3)]
            )
        elif act == "strike":
            Signal.objects.filter(pk__in=some).update(struck=dice.random() < 0.5)
        elif act == "change":
            Signal.objects.filter(pk__in=some).update(klass=dice.choice(Signal.Klass.values))
        else:
            Signal.objects.filter(pk__in=some).delete()
        counted = {one.pk: told(query.signals_of(copies[one.pk])) for one in emails}
        assert query.told_of(copies) == {key: value for key, value in counted.items() if value}
        for choice, number in (("opened", "opened"), ("clicked", "clicked"), ("answered", "answered")):
            wanted = {key for key, value in counted.items() if value and getattr(value, number)}
            assert {one.pk for one in finding.page(ana, choice, size=50)[0]} == wanted
        doubtful = {key for key, value in counted.items() if value and value.level == query.DOUBT}
        assert {one.pk for one in finding.page(ana, "doubtful", size=50)[0]} == doubtful
        listed = finding.numbers(ana, of_the_list=True).listed
        assert listed is not None
        lately = listed.lately
        assert (lately.sent, lately.opened) == (4, sum(bool(one and one.opened) for one in counted.values()))
    Signal.objects.all().delete()
    assert not CopyTally.objects.exists()
    assert not EmailTally.objects.exclude(opened=0, level=0, best=None).exists()


@pytest.mark.parametrize("newest", [1, 4, 9, 4_000])
def test_a_choice_and_words_together(ana: Member, monkeypatch: pytest.MonkeyPatch, newest: int) -> None:
    monkeypatch.setattr(finding, "NEWEST", newest)
    box, dice = mailbox(ana, [Capability.SEND]), random.Random(newest)
    for number in range(30):
        email = email_of(ana, box, Copy("accepted" if number % 5 else "refused"))
        words = [word for word in ("offer", "news", "audit") if dice.random() < 0.5]
        Email.objects.filter(pk=email.pk).update(subject=f"{' '.join(words)} {number}")
        Signal.objects.bulk_create(signals(email, [email.deliveries.get().pk], dice, 2))
    emails = list(Email.objects.order_by("-created_at", "-pk"))
    known = {one.pk: told(query.signals_of([one.deliveries.get().pk])) for one in emails}
    chosen = {
        "": lambda one: True,
        "opened": lambda one: (found := known[one.pk]) is not None and found.opened,
        "clicked": lambda one: (found := known[one.pk]) is not None and found.clicked,
        "doubtful": lambda one: (found := known[one.pk]) is not None and found.level == query.DOUBT,
        "failed": lambda one: one.status == EmailStatus.FAILED,
    }
    for (choice, is_it), words in itertools.product(
        chosen.items(), (["offer"], ["audit"], ["news", "offer"], ["news", "audit", "offer"], ["1"])
    ):
        wanted = [
            one
            for one in emails
            if is_it(one) and all(any(each.startswith(w) for each in one.subject.split()) for w in words)
        ]
        seen: list[Email] = []
        cursor: str | None = ""
        while cursor is not None:
            page, cursor = finding.page(ana, choice, words=" ".join(words), cursor=cursor, size=3)
            seen += page
        assert seen == wanted, (choice, words)
