"""Deleting one's account: what goes with it, what stays with the organization, and who cannot yet."""

from __future__ import annotations

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.test import Client
from tests import filled
from tests.answering import Said, answering
from tests.copies import member_of
from tests.filled import Filled

from truesend import clock
from truesend.alerts.models import Letter
from truesend.billing.models import BillingAccount, BillingSubscription
from truesend.closing import account
from truesend.connections.models import Connection, Token
from truesend.organizations import sessions
from truesend.organizations.audit_models import AuditEntry
from truesend.organizations.members import NotDone
from truesend.organizations.models import (
    ApiToken,
    FactorSecret,
    Member,
    Organization,
    Role,
    SeenFrom,
    User,
)
from truesend.organizations.session_models import SignedIn
from truesend.sending.models import Email
from truesend.writing.models import Signature, Template

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def team(monkeypatch: pytest.MonkeyPatch) -> Filled:
    for one in ("TOKEN", "REVOKE", "USERINFO", "JWKS", "API"):
        monkeypatch.setenv(f"TRUESEND_GOOGLE_{one}_URL", "http://localhost:1")
    monkeypatch.setenv("TRUESEND_GOOGLE_CLIENT_ID", "client")
    monkeypatch.setenv("TRUESEND_GOOGLE_CLIENT_SECRET", "secret")
    return filled.organization()


def test_emails_stay_with_the_organization_and_nobody_signs_in_any_more(team: Filled) -> None:
    Template.objects.create(
        organization=team.organization, member=team.user, kind="template", name="Shared", shared=True
    )
    user, sent = team.user.user, Email.objects.get(subject="Of Ben")
    account.delete(user, team.user)
    sent.refresh_from_db()
    assert sent.member_id == team.user.pk
    assert not Email.objects.filter(member=team.user, status="draft").exists()
    assert list(Template.objects.filter(member=team.user).values_list("name", flat=True)) == ["Shared"]
    for gone in (Signature, SeenFrom, ApiToken):
        assert not gone.objects.filter(member=team.user).exists()
    assert not EmailAddress.objects.filter(user=user).exists()
    assert not Authenticator.objects.filter(user=user).exists()
    assert FactorSecret.objects.count() == 1  # that of the other
    assert not SignedIn.objects.filter(user=user).exists()
    left = User.objects.get(pk=user.pk)
    assert (left.name, left.is_active, left.has_usable_password()) == (account.NOBODY, False, False)
    # By name it stands in the log alone, as for everybody who leaves.
    assert filled.naming({"ben@northwind.example"}).keys() == {"organizations_auditentry"}
    told = list(AuditEntry.objects.order_by("at").values_list("action", flat=True))
    assert told[-2:] == ["member.left", "member.account_deleted"]


def test_the_address_is_free_again(team: Filled) -> None:
    account.delete(team.user.user, team.user)
    again = User.objects.create_user("ben@northwind.example", "correct-horse-9")
    assert again.pk != team.user.user_id


def test_their_mailboxes_are_disconnected_and_withdrawn(
    team: Filled, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = member_of(team.organization, "olga", Role.OWNER)
    with answering() as google:
        google.will_say([Said(200)])
        monkeypatch.setenv("TRUESEND_GOOGLE_REVOKE_URL", google.url)
        account.delete(team.owner.user, team.owner)
    box = Connection.objects.get(pk=team.box.pk)
    assert box.disconnected_at is not None
    assert not Token.objects.exists()
    assert [one.result for one in box.ledger.filter(kind="disconnect")] == ["ok"]
    assert Member.objects.current().filter(pk=other.pk).exists()


def test_the_last_owner_is_told_of_the_two_ways(team: Filled) -> None:
    before = filled.totals()
    assert "or delete the organization" in account.refusal(team.owner.user, team.owner)
    with pytest.raises(NotDone, match="last owner"):
        account.delete(team.owner.user, team.owner)
    assert filled.totals() == before


def test_the_only_operator_stays(team: Filled) -> None:
    User.objects.filter(pk=team.user.user_id).update(is_operator=True)
    user = User.objects.get(pk=team.user.user_id)
    with pytest.raises(NotDone, match="only operator"):
        account.delete(user, team.user)
    assert Member.objects.current().filter(pk=team.user.pk).exists()
    User.objects.create_user("op@host.example", is_operator=True)
    account.delete(user, team.user)
    assert not User.objects.filter(pk=user.pk, is_operator=True).exists()


def test_an_only_operator_who_owns_it_is_offered_nothing_that_does_not_help(team: Filled) -> None:
    end = 'href="/settings/organization/delete"'
    browser = Client(headers={"host": "localhost:8000"})
    browser.force_login(team.owner.user)
    assert end in browser.get("/account/delete").content.decode()
    User.objects.filter(pk=team.owner.user_id).update(is_operator=True)
    page = browser.get("/account/delete").content.decode()
    assert "only operator" in page
    assert end not in page
    told = browser.get("/settings/organization/delete").content.decode()
    assert "keeps their account" in told
    # The accounts that are counted are those that go.
    assert "of 1 member is deleted" in told
    Member.objects.filter(pk=team.user.pk).update(removed_at=clock.now())
    assert "<li>Every token ends.</li>" in browser.get("/settings/organization/delete").content.decode()


def test_a_subscription_is_told_to_end_where_there_is_one(
    team: Filled, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRUESEND_BILLING", "stripe")
    BillingAccount.objects.filter(pk=team.organization.pk).delete()
    browser = Client(headers={"host": "localhost:8000"})
    browser.force_login(team.owner.user)
    path, told = "/settings/organization/delete", "Its subscription ends at Stripe"
    assert told not in browser.get(path).content.decode()
    bill = BillingAccount.objects.get(pk=team.organization.pk)
    BillingAccount.objects.filter(pk=bill.pk).update(customer="cus_1")
    BillingSubscription.objects.create(account=bill, external_id="sub_1", status="active", tier="starter")
    assert told in browser.get(path).content.decode()


def test_who_is_deactivated_is_told_whom_to_ask(team: Filled) -> None:
    Member.objects.filter(pk=team.user.pk).update(deactivated_at=clock.now())
    before = filled.totals()
    with pytest.raises(NotDone, match="deactivated in Northwind"):
        account.delete(team.user.user, None)
    assert filled.totals() == before


def test_who_belongs_nowhere_is_deleted_whole(team: Filled) -> None:
    alone = User.objects.create_user("eve@elsewhere.example", "correct-horse-9")
    EmailAddress.objects.create(user=alone, email=alone.email, verified=True, primary=True)
    account.delete(alone, None)
    assert filled.naming({"eve@elsewhere.example"}) == {}


def test_cut_short_after_leaving_it_goes_on(team: Filled) -> None:
    """Their connections may take long to be withdrawn, and a process may end there."""
    Member.objects.filter(pk=team.user.pk).update(removed_at=clock.now())
    account.delete(team.user.user, None)
    assert not Email.objects.filter(member=team.user, status="draft").exists()
    assert filled.naming({"ben@northwind.example"}) == {}


def test_they_are_told_by_mail_and_by_nothing_that_stays(
    team: Filled, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRUESEND_EMAIL_URL", "smtp://localhost:1")
    account.delete(team.user.user, team.user)
    (told,) = Letter.objects.filter(address="ben@northwind.example")
    assert (told.kind, told.subject.endswith("Your account is deleted")) == ("closed", True)
    assert "stay with Northwind" in told.body


def test_of_two_organizations_they_were_in_both_keep_what_was_sent(team: Filled) -> None:
    elsewhere = filled.organization("Elsewhere")
    # Olga was in the first, and is in the second now.
    olga = User.objects.create_user("olga@x.example")
    was = Member.objects.create(
        organization=team.organization, user=olga, role="user", removed_at=clock.now()
    )
    now = Member.objects.create(organization=elsewhere.organization, user=olga, role="user")
    Email.objects.create(organization=team.organization, member=was, connection=team.box, status="sent")
    account.delete(olga, now)
    assert Email.objects.filter(member=was).exists()
    assert User.objects.get(pk=olga.pk).name == account.NOBODY
    assert Organization.objects.count() == 2
    assert not sessions.listed(User.objects.get(pk=olga.pk), "")
