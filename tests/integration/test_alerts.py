"""Mails about connections, on real rows: the first failure and the recovery, to whom, and nothing in between."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.db import transaction
from tests.copies import Copy, email_of, member_of
from tests.states import State, write

from truesend import clock
from truesend.alerts import post, troubles
from truesend.alerts.models import ClientTrouble, Letter, Trouble
from truesend.connections import proofs
from truesend.connections.models import Connection, LedgerKind, Proof
from truesend.organizations.models import Member, Organization, Role, User
from truesend.providers.contract import Evidence
from truesend.sending import leaving

pytestmark = pytest.mark.django_db(transaction=True)

WORDS = "invalid_grant Token has been expired or revoked."


@pytest.fixture(autouse=True)
def _mailing(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    """System mail is sent as in real life, to a server that does not answer."""
    monkeypatch.setenv("TRUESEND_EMAIL_URL", "smtp://localhost:1")
    settings.EMAIL_BACKEND = "truesend.organizations.system_mail.SystemMail"


@pytest.fixture
def northwind() -> Organization:
    return Organization.objects.create(name="Northwind")


@pytest.fixture
def ana(northwind: Organization) -> Member:
    return member_of(northwind, "ana", Role.OWNER)


def box(member: Member, kind: str = "personal", **state: Any) -> Connection:
    made = write(member, State(kind=kind, history=False, **state))
    look()
    return made


def look() -> None:
    while troubles.look():
        pass


def fails(
    connection: Connection, cause: str = "grant_revoked", words: str = WORDS, check: str = "renew"
) -> None:
    call = {"renew": "token.refresh", "send": "send"}[check]
    evidence = [Evidence(check, False, call, cause, words)]
    kind = LedgerKind.REFRESH if check == "renew" else LedgerKind.SEND
    with transaction.atomic():
        proofs.record(connection, evidence, kind=kind, trigger="test")
    look()


def works(connection: Connection, check: str = "renew") -> None:
    good = [Evidence("grant", True, "token.refresh"), Evidence(check, True, "token.refresh")]
    with transaction.atomic():
        proofs.record(connection, good, kind=LedgerKind.REFRESH, trigger="test")
    look()


def letters(kind: Letter.Kind | None = None) -> list[tuple[str, str]]:
    """(kind, address) of what was planned, in order."""
    rows = Letter.objects.order_by("pk")
    return [(one.kind, one.address) for one in rows if kind is None or one.kind == kind]


def pass_(minutes: float) -> None:
    """As if everything had been so much earlier."""
    past = timedelta(minutes=minutes)
    for row in Trouble.objects.all():
        quiet = row.quiet_until - past if row.quiet_until is not None else None
        Trouble.objects.filter(pk=row.pk).update(look_at=row.look_at - past, quiet_until=quiet)


def test_a_failure_and_a_recovery_are_told_once(ana: Member) -> None:
    mailbox = box(ana, address="ana@northwind.example")
    for _ in range(3):
        fails(mailbox)
    assert letters() == [("broken", ana.user.email)]
    pass_(6)
    look()
    Letter.objects.update(sent_at=clock.real_now())
    for _ in range(3):
        works(mailbox)
    assert letters() == [("broken", ana.user.email), ("recovered", ana.user.email)]
    bad, good = Letter.objects.order_by("pk")
    assert bad.subject == "[dev] ana@northwind.example can no longer send"
    assert "Google says that the permission was withdrawn or has expired" in bad.body
    assert f"Google said: “{WORDS}”" in bad.body
    assert f"/oauth/google/start?capabilities=send%2Cread&kind=personal&connection={mailbox.pk}" in bad.body
    assert good.subject == "[dev] ana@northwind.example works again"
    # What is nothing any more leaves no row behind.
    pass_(11)
    look()
    assert not Trouble.objects.exists()


def test_whom_it_is_told(ana: Member, northwind: Organization) -> None:
    manager = member_of(northwind, "max", Role.MANAGER)
    member_of(northwind, "uli", Role.USER)
    gone = member_of(northwind, "gus", Role.OWNER)
    User.objects.filter(pk=gone.user_id).update(is_active=False)
    member_of(Organization.objects.create(name="Elsewhere"), "eve", Role.OWNER)
    uli = Member.objects.get(user__email="uli@northwind.example")
    fails(box(ana, "organization", address="sales@northwind.example"))
    assert letters() == [("broken", ana.user.email), ("broken", manager.user.email)]
    fails(box(uli, address="uli@northwind.example"))
    assert letters()[2:] == [("broken", "uli@northwind.example")]


def test_what_goes_to_and_fro_is_told_once_in_ten_minutes(ana: Member) -> None:
    mailbox = box(ana)
    for _ in range(5):
        fails(mailbox)
        Letter.objects.update(sent_at=clock.real_now())
        works(mailbox)
    assert [kind for kind, _ in letters()] == ["broken", "recovered"]
    fails(mailbox)
    pass_(11)
    look()
    assert [kind for kind, _ in letters()] == ["broken", "recovered", "broken"]
    Letter.objects.update(sent_at=clock.real_now())
    works(mailbox)
    assert [kind for kind, _ in letters()] == ["broken", "recovered", "broken", "recovered"]


def test_what_was_over_before_it_was_sent_is_not_told(ana: Member) -> None:
    mailbox = box(ana)
    fails(mailbox)
    works(mailbox)
    assert letters() == []


def test_another_trouble_is_no_recovery(ana: Member) -> None:
    mailbox = box(ana)
    fails(mailbox)
    Letter.objects.update(sent_at=clock.real_now())
    # What stops renewals alone lets the key at hand go on; that is no good news.
    fails(mailbox, "client_unknown", "unauthorized_client")
    pass_(6)
    look()
    assert letters(Letter.Kind.RECOVERED) == []
    fails(mailbox)
    assert letters(Letter.Kind.BROKEN) == [("broken", ana.user.email)]
    works(mailbox)
    assert letters(Letter.Kind.RECOVERED) == [("recovered", ana.user.email)]


def test_a_block_is_a_trouble_and_a_limit_is_none(ana: Member) -> None:
    mailbox = box(ana)
    for harmless in ("daily_limit", "throttled", "provider_error"):
        fails(mailbox, harmless, check="send")
    assert letters() == []
    fails(mailbox, "sending_blocked", "5.7.708 Access denied", check="send")
    (only,) = Letter.objects.all()
    assert only.subject.startswith("[dev] Google does not let ")
    assert "5.7.708 Access denied" in only.body


def test_disconnecting_ends_it_without_a_word(ana: Member) -> None:
    mailbox = box(ana)
    fails(mailbox)
    Letter.objects.update(sent_at=clock.real_now())
    leaving.disconnect(mailbox, trigger="ana")
    look()
    look()
    assert [kind for kind, _ in letters()] == ["broken"]
    assert not Trouble.objects.exists()


def test_what_a_consent_left_undone_stands_on_the_page_it_came_back_to(ana: Member) -> None:
    box(ana, cause="scope_missing")
    assert letters() == []


def test_it_says_what_waits_and_what_was_held(ana: Member) -> None:
    mailbox = box(ana)
    email_of(ana, mailbox, Copy("queued", due=3600))
    # What was held before waits for something else.
    email_of(ana, mailbox, Copy("queued", held="restored"))
    fails(mailbox)
    assert "2 emails wait for it." in Letter.objects.get().body
    held = email_of(ana, mailbox, Copy("queued", held="grant_revoked"))
    Letter.objects.update(sent_at=clock.real_now())
    works(mailbox)
    good = Letter.objects.get(kind="recovered").body
    assert "1 email was held meanwhile. Nothing goes without you" in good
    assert "/emails?filter=needs" in good
    assert held.status == "held"


def test_an_operators_part_is_told_once_to_the_operators(ana: Member, northwind: Organization) -> None:
    operator = User.objects.create_user("olga@host.example", is_operator=True)
    boxes = [box(ana, "organization", address=f"team{number}@x.example") for number in range(4)]
    for one in boxes:
        fails(one, "client_secret_wrong", "invalid_client")
    assert letters() == [("client", operator.email)]
    text = Letter.objects.get()
    assert text.subject == "[dev] Connections to Google need who runs them"
    assert "Google refuses this installation's client secret." in text.body
    assert "4 connections depend on it." in text.body
    assert "/settings/providers#google" in text.body
    Letter.objects.update(sent_at=clock.real_now())
    for one in boxes:
        works(one)
    assert letters() == [("client", operator.email), ("client_works", operator.email)]
    assert ClientTrouble.objects.get().since is None
    # An old failure that is read again begins nothing.
    Trouble.objects.update(look_at=clock.now())
    look()
    assert len(letters()) == 2


def test_a_members_part_that_follows_is_told_to_the_members(ana: Member) -> None:
    mailbox = box(ana)
    fails(mailbox, "client_secret_wrong")
    assert letters() == []  # there is no operator to tell
    fails(mailbox)
    assert letters() == [("broken", ana.user.email)]


def test_a_proof_that_comes_while_it_is_judged_is_not_lost(ana: Member) -> None:
    mailbox = box(ana)
    with transaction.atomic():
        proofs.record(
            mailbox,
            [Evidence("renew", False, "token.refresh", "grant_revoked", "")],
            kind=LedgerKind.REFRESH,
            trigger="test",
        )
    seen = Trouble.objects.get()
    with transaction.atomic():
        proofs.record(
            mailbox, [Evidence("renew", True, "token.refresh")], kind=LedgerKind.REFRESH, trigger="test"
        )
    assert not troubles._note(seen, told=True)
    look()
    assert letters() == []


def test_looking_together_tells_once(ana: Member) -> None:
    mailbox = box(ana)
    for round_ in range(5):
        with transaction.atomic():
            proofs.record(
                mailbox,
                [Evidence("renew", False, "token.refresh", "grant_revoked", "")],
                kind=LedgerKind.REFRESH,
                trigger="test",
            )

        def once(_: int) -> None:
            try:
                troubles.look()
            finally:
                database.close()

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(once, range(8)))
        assert len(letters()) == round_ * 2 + 1
        Letter.objects.update(sent_at=clock.real_now())
        works(mailbox)
        Trouble.objects.update(quiet_until=None)


def test_writers_of_proofs_never_wait_for_each_other(ana: Member) -> None:
    """As ordinary triggers this ends in deadlocks: each holds a proof and wants the trouble, or the reverse."""
    mailbox = box(ana)
    fails(mailbox)
    names: list[tuple[str, ...]] = [("grant", "read"), ("read",), ("read", "send"), ("send",)]

    def write_often(checks: Sequence[str]) -> None:
        try:
            for number in range(40):
                good = number % 2 == 0
                evidence = [Evidence(one, good, "x", "" if good else "provider_error") for one in checks]
                with transaction.atomic():
                    proofs.record(mailbox, evidence, kind=LedgerKind.PROBE, trigger="test")
        finally:
            database.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write_often, names * 2))
    assert Proof.objects.filter(connection=mailbox, check_name="read").count() == 2


def test_a_mail_server_that_is_away_is_asked_again_later(ana: Member) -> None:
    mailbox = box(ana)
    fails(mailbox)
    post._rests_until = float("-inf")
    post.send_some()
    row = Letter.objects.get()
    assert (row.sent_at, row.claimed_at) == (None, None)
    assert post._rests_until > float("-inf")
    post._rests_until = float("-inf")


def test_without_system_mail_nothing_is_planned(ana: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRUESEND_EMAIL_URL")
    mailbox = box(ana)
    fails(mailbox)
    works(mailbox)
    assert letters() == []
