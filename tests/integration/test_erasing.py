"""An organization that is erased leaves no row in any table, whatever happens meanwhile; everybody else keeps all."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.db import connection as database
from tests import filled
from tests.answering import Answering, Said, answering
from tests.filled import Filled
from tests.stack import until

from truesend import clock
from truesend.alerts.models import Letter
from truesend.billing.models import BillingAccount, BillingSubscription
from truesend.blocklist.models import Block, Outlived
from truesend.closing import deciding, erasing, plan, revoking
from truesend.closing.models import Closing, Revocation
from truesend.connections.models import Connection
from truesend.exports import folder
from truesend.exports.models import Export
from truesend.organizations import installation
from truesend.organizations.models import Installation, Member, Organization, User
from truesend.sending.models import Delivery, Email
from truesend.suppression import loading
from truesend.suppression.models import Suppression
from truesend.tracking.classifier import classify_pending
from truesend.tracking.models import Hit, Signal
from truesend.tracking.records import FRAME
from truesend.tracking.unsubscribe_records import Kind, Way, pack
from truesend.tracking.unsubscribe_records import Said as Unsubscribed

pytestmark = pytest.mark.django_db(transaction=True)

# Tables of the whole installation, and those of the programs it is built on: no row of them is an organization's.
INSTALLATION = {
    "auth_group", "auth_group_permissions", "auth_permission", "billing_billingevent", "blocklist_block",
    "blocklist_outlived", "truesend_cache", "closing_revocation", "connections_clientcheck", "connections_outage",
    "connections_providerclient", "alerts_clienttrouble", "django_content_type", "django_migrations",
    "account_emailconfirmation", "inbox_pushcount", "organizations_installation", "organizations_knownkey",
    "organizations_standstill", "organizations_standstillmail", "organizations_user_groups",
    "organizations_user_user_permissions", "privacy_pass", "sending_clientbucket", "sending_worker",
    "tracking_segmentoffset",
}  # fmt: skip


@pytest.fixture
def google(monkeypatch: pytest.MonkeyPatch) -> Iterator[Answering]:
    """Takes every permission back."""
    with answering() as server:
        server.will_say([Said(200)])
        monkeypatch.setenv("TRUESEND_GOOGLE_REVOKE_URL", server.url)
        monkeypatch.setenv("TRUESEND_GOOGLE_CLIENT_ID", "client")
        monkeypatch.setenv("TRUESEND_GOOGLE_CLIENT_SECRET", "secret")
        yield server


def over(one: Filled) -> None:
    """Its owner has it deleted, and the days to take that back are over."""
    deciding.begin(one.owner, one.organization.name)
    past = clock.now() - timedelta(seconds=1)
    Organization.objects.filter(pk=one.organization.pk).update(ends_at=past)
    Closing.objects.filter(pk=one.organization.pk).update(look_at=past)


def erase(one: Filled) -> None:
    here = Organization.objects.filter(pk=one.organization.pk)
    until(lambda: erasing.work(one.organization.pk) or not here.exists(), bool, 30)


def _of_ours(counts: dict[str, int]) -> dict[str, int]:
    return {
        table: count
        for table, count in counts.items()
        if not table.startswith("procrastinate_") and table != "organizations_installation"
    }


def test_no_row_of_it_is_left_in_any_table_and_another_keeps_all(google: Answering) -> None:
    stays = filled.organization("Elsewhere")
    assert installation.may_act()
    before, kept = _of_ours(filled.totals()), filled.contents(stays.words)
    doomed = filled.organization("Northwind", emails=3)
    over(doomed)
    grown = {table for table, count in _of_ours(filled.totals()).items() if count > before[table]}
    # A table that is new is an organization's, and then `tests/filled.py` has a row of it, or it is named above.
    assert sorted(before.keys() - grown - INSTALLATION) == []
    erase(doomed)
    assert _of_ours(filled.totals()) == before
    assert filled.naming(doomed.words) == {}
    assert filled.contents(stays.words) == kept


def test_what_hangs_on_an_organization_is_read_off_the_models() -> None:
    tables = {one._meta.db_table for one in plan.owned(Organization)}
    assert {"sending_attempt", "crm_recording", "exports_export", "organizations_apitoken"} <= tables
    assert not tables & {"organizations_user", "blocklist_block", "sending_worker"}
    steps = plan.below(Organization)
    order = [one.table for one in steps if not one.empties]
    for child, parent in (("sending_attempt", "sending_delivery"), ("sending_delivery", "sending_email")):
        assert max(i for i, one in enumerate(order) if one == child) < order.index(parent)
    with database.cursor() as cursor:
        for step in steps:  # each is a statement that PostgreSQL takes
            cursor.execute(f"EXPLAIN {step.sql()}", {"ids": [uuid4()], "most": 1})


def test_until_the_days_are_over_nothing_is_erased(google: Answering) -> None:
    one = filled.organization()
    deciding.begin(one.owner, one.organization.name)
    before = _of_ours(filled.totals())
    assert not erasing.work(one.organization.pk)
    assert _of_ours(filled.totals()) == before


_WORKER = """
import os, sys
import django
django.setup()
from uuid import UUID
from truesend.closing import erasing
erasing.ROWS = erasing.COPIES = erasing.EMAILS = erasing.MEMBERS = 1
print("begins", flush=True)
while not erasing.work(UUID(sys.argv[1])):
    pass
"""


def test_killed_again_and_again_it_goes_on_where_it_was(google: Answering) -> None:
    stays = filled.organization("Elsewhere")
    assert installation.may_act()
    before, kept = _of_ours(filled.totals()), filled.contents(stays.words)
    doomed = filled.organization("Northwind", emails=8)
    over(doomed)
    kills = 0
    for table in (
        "alerts_letter",
        "sending_attempt",
        "sending_email",
        "connections_proof",
        "writing_template",
    ):
        start = _count(table)
        worker = _begin(doomed)
        try:
            # Looked at steadily: it is to be met in the middle.
            until(lambda: _count(table) < start or worker.poll() is not None, bool, 60, steady=True)  # noqa: B023
        finally:
            killed = worker.poll() is None
            worker.send_signal(signal.SIGKILL)
            worker.wait(30)
        kills += killed
    assert kills >= 3
    erase(doomed)
    assert _of_ours(filled.totals()) == before
    assert filled.contents(stays.words) == kept


def _begin(one: Filled) -> subprocess.Popen[bytes]:
    place = database.settings_dict
    url = (
        f"postgresql://{place['USER']}:{place['PASSWORD']}@{place['HOST'] or 'localhost'}:{place['PORT'] or 5432}"
        f"/{place['NAME']}"
    )
    told = {**os.environ, "TRUESEND_DATABASE_URL": _of_the_tests(url)}
    return subprocess.Popen([sys.executable, "-c", _WORKER, str(one.organization.pk)], env=told)


def _of_the_tests(url: str) -> str:
    """The address of the tests' own database: as that of the server, with another name at its end."""
    server = os.environ["TRUESEND_DATABASE_URL"]
    name = url.rpartition("/")[2]
    head, _, query = server.partition("?")
    return f"{head.rpartition('/')[0]}/{name}{f'?{query}' if query else ''}"


def _count(table: str) -> int:
    return filled.totals()[table]


# -- what the outside hears ---------------------------------------------------------------------------------------


def test_a_permission_is_withdrawn_as_soon_as_its_provider_takes_it(google: Answering) -> None:
    one = filled.organization()
    over(one)
    google.will_say([Said(503)])
    assert not erasing.work(one.organization.pk)
    # Of everything else nothing is left but who it was, and nobody is let in.
    assert not Email.objects.exists()
    assert not Connection.objects.exists()
    assert not Member.objects.current().exists()
    (waits,) = Revocation.objects.all()
    assert waits.due_at > clock.now()
    google.will_say([Said(200)])
    assert not erasing.work(one.organization.pk)  # not before its time
    Revocation.objects.update(due_at=clock.now())
    assert erasing.work(one.organization.pk)
    assert not Organization.objects.exists()


def test_a_provider_that_takes_none_for_days_is_given_up(google: Answering) -> None:
    one = filled.organization()
    over(one)
    google.will_say([Said(503)])
    assert not erasing.work(one.organization.pk)
    Revocation.objects.update(due_at=clock.now(), began_at=clock.now() - revoking.GIVEN_UP_AFTER)
    assert erasing.work(one.organization.pk)
    assert not Revocation.objects.exists()


def test_who_lives_on_the_same_grant_keeps_it(google: Answering) -> None:
    stays, doomed = filled.organization("Elsewhere"), filled.organization()
    Connection.objects.filter(pk=doomed.box.pk).update(subject=stays.box.subject)
    google.will_say([Said(500)])  # asked, it would fail
    over(doomed)
    erase(doomed)


def test_nothing_is_finished_while_stripe_may_still_charge(
    google: Answering, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "BILLING": "stripe", "STRIPE_SECRET_KEY": "sk_test_x", "STRIPE_WEBHOOK_SECRET": "whsec_x",
        "STRIPE_PRICES": "premium=price_p", "STRIPE_API_URL": "http://localhost:1", "EMAIL_URL": "smtp://localhost:1",
    }.items():  # fmt: skip
        monkeypatch.setenv(f"TRUESEND_{name}", value)
    one = filled.organization()
    BillingAccount.objects.filter(pk=one.organization.pk).update(customer="cus_1")
    User.objects.create_user("op@host.example", is_operator=True)
    over(one)
    assert not erasing.work(one.organization.pk)
    assert not Email.objects.exists()
    assert BillingSubscription.objects.exists()
    closing = Closing.objects.get()
    assert closing.unbilled_at is None
    assert closing.problem
    assert not Letter.objects.filter(kind="account").exists()
    Closing.objects.update(erasing_at=clock.now() - timedelta(days=1))
    assert not erasing.work(one.organization.pk)
    assert (
        Letter.objects.filter(kind="account", address="op@host.example", body__contains="cus_1").count() == 1
    )
    # Switched off meanwhile, nobody here could end it: it is not forgotten for that.
    monkeypatch.setenv("TRUESEND_BILLING", "none")
    assert not erasing.work(one.organization.pk)
    assert BillingAccount.objects.get().customer == "cus_1"


def test_the_last_mail_is_to_its_members_and_names_nothing_more(
    google: Answering, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRUESEND_EMAIL_URL", "smtp://localhost:1")
    one = filled.organization()
    over(one)
    assert Letter.objects.filter(kind="closing").count() == 2
    erase(one)
    told = Letter.objects.all()
    assert {each.kind for each in told} == {"closed"}
    assert sorted(each.address for each in told) == ["ana@northwind.example", "ben@northwind.example"]
    assert filled.naming(one.words) == {"alerts_letter": 2}


# -- what outlives it ---------------------------------------------------------------------------------------------


def test_what_comes_later_by_its_links_is_learned_by_nobody(google: Answering) -> None:
    one = filled.organization()
    delivery = one.email.deliveries.all()[0].pk
    over(one)
    erase(one)
    Hit.objects.create(at=clock.now(), kind="click", delivery=delivery, method="GET", ip="198.51.100.4")
    while classify_pending():
        pass
    assert not Signal.objects.exists()
    assert Hit.objects.get().classified_at is not None  # and goes a day later, as every hit of nobody's
    said = Unsubscribed(
        Kind.UNSUBSCRIBE, Way.PAGE, clock.now(), delivery, one.organization.pk, "person0@globex.example"
    )
    place = database.settings_dict
    with psycopg.connect(
        dbname=place["NAME"], user=place["USER"], password=place["PASSWORD"], host=place["HOST"], port=place["PORT"]
    ) as loader:  # fmt: skip
        loading.keep(loader, [pack(said)[FRAME.size :]])
    assert not Suppression.objects.exists()


def test_links_that_the_operator_has_blocked_stay_blocked(google: Answering) -> None:
    one, other = filled.organization(), filled.organization("Elsewhere")
    theirs = set(Delivery.objects.filter(email__organization=one.organization).values_list("pk", flat=True))
    Block.objects.create(kind="organization", value=str(one.organization.pk), reason="Phishing")
    for each in (one, other):
        over(each)
        erase(each)
    assert set(Outlived.objects.values_list("delivery", flat=True)) == theirs


def test_files_of_its_exports_go_too(google: Answering) -> None:
    one = filled.organization()
    (export,) = Export.objects.all()
    folder.path_of(export.pk).write_bytes(b"PK")
    over(one)
    erase(one)
    assert not folder.path_of(export.pk).exists()


def test_an_operator_keeps_their_account_and_whoever_is_elsewhere_too(google: Answering) -> None:
    one, other = filled.organization(), filled.organization("Elsewhere")
    User.objects.filter(pk=one.owner.user_id).update(is_operator=True)
    # Ben has left and is in another organization now, where somebody of there was here before.
    Member.objects.filter(pk=one.user.pk).update(removed_at=clock.now())
    Member.objects.create(organization=other.organization, user=one.user.user, role="user")
    over(one)
    erase(one)
    left = set(User.objects.values_list("email", flat=True))
    assert left == {
        "ana@northwind.example", "ben@northwind.example", "ana@elsewhere.example", "ben@elsewhere.example"
    }  # fmt: skip


def test_a_copy_of_the_database_erases_nothing(google: Answering) -> None:
    one = filled.organization()
    assert installation.may_act()
    over(one)
    Installation.objects.update(installation=uuid4())
    installation.look_again()
    assert not erasing.work(one.organization.pk)
    assert Email.objects.exists()


def test_what_was_begun_by_two_workers_ends_once(google: Answering) -> None:
    stays = filled.organization("Elsewhere")
    assert installation.may_act()
    before = _of_ours(filled.totals())
    doomed = filled.organization("Northwind", emails=4)
    over(doomed)

    def go(_: int) -> Any:
        try:
            return erasing.work(doomed.organization.pk)
        except Exception as error:  # one is in the other's way: the next look goes on
            return error
        finally:
            database.close()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(go, range(2)))
    erase(doomed)
    assert _of_ours(filled.totals()) == before
    assert stays.organization.pk in Organization.objects.values_list("pk", flat=True)
