"""The log of administrative acts: what is noted, that it stays, who sees it, and what a spreadsheet makes of it."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import Error, IntegrityError, transaction
from tests import rows
from tests.accounts import sql, words
from tests.operators import operator
from tests.stack import PASSWORD, Person, Stack

from truesend import clock
from truesend.organizations import audit
from truesend.organizations.audit_models import AuditEntry
from truesend.organizations.models import Member, Organization, User

PAGE = "/settings/audit"


# -- rows -------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_an_entry_can_neither_be_changed_nor_taken_away() -> None:
    ana = rows.member()
    audit.record(ana.organization_id, ana, "token.made", about="nightly")
    kept = AuditEntry.objects.filter(organization=ana.organization)
    for change in (lambda: kept.update(about="x"), lambda: kept.update(actor=None), kept.delete):
        with pytest.raises(IntegrityError, match="stays as it was written"), transaction.atomic():
            change()
    assert kept.get().about == "nightly"


@pytest.mark.django_db
def test_who_left_stays_readable_and_an_organization_takes_its_log_along() -> None:
    ana, eve = rows.member(), rows.member("eve")
    User.objects.filter(pk=ana.user_id).update(name="Ana Ruiz")
    audit.record(ana.organization_id, Member.objects.get(pk=ana.pk), "token.made")
    audit.record(eve.organization_id, eve, "token.made")
    User.objects.get(pk=ana.user_id).delete()
    (entry,) = AuditEntry.objects.filter(organization=ana.organization_id)
    assert (entry.actor, entry.actor_name, entry.actor_email) == (ana.pk, "Ana Ruiz", "ana@northwind.example")
    Organization.objects.get(pk=ana.organization_id).delete()
    assert [one.organization_id for one in AuditEntry.objects.all()] == [eve.organization_id]


@pytest.mark.django_db
def test_an_act_and_its_entry_are_one() -> None:
    ana = rows.member()
    with transaction.atomic():
        audit.record(ana.organization_id, ana, "token.made")
        transaction.set_rollback(True)
    assert not AuditEntry.objects.exists()
    with pytest.raises(ValueError, match="no action"):
        audit.record(ana.organization_id, ana, "token.eaten")
    with pytest.raises(Error), transaction.atomic():
        audit.record(uuid4(), None, "token.made")  # of no organization


@pytest.mark.django_db
def test_pages_of_the_log_miss_and_repeat_nothing_while_it_grows(monkeypatch: pytest.MonkeyPatch) -> None:
    ana = rows.member()
    for number in range(7):
        audit.record(ana.organization_id, ana, "token.made", about=f"{number}")
    found, following = audit.page(ana.organization_id, size=3)
    audit.record(ana.organization_id, None, "token.made", about="later")
    seen = [one.about for one in found]
    while following:
        found, following = audit.page(ana.organization_id, cursor=following, size=3)
        seen += [one.about for one in found]
    assert seen == ["6", "5", "4", "3", "2", "1", "0"]
    # Of one moment too, and in an export that reads in stretches.
    same = clock.now() + timedelta(seconds=1)
    with monkeypatch.context() as patched:
        patched.setattr(AuditEntry._meta.get_field("at"), "_get_default", lambda: same)
        for number in range(7):
            audit.record(ana.organization_id, ana, "token.revoked", about=f"{number}")
    monkeypatch.setattr(audit, "AT_ONCE", 3)
    read = [one.pk for one in audit.every(ana.organization_id, area="token")]
    assert len(read) == len(set(read)) == 15


def test_every_act_belongs_to_an_area() -> None:
    assert {one.partition(".")[0] for one in audit.ACTIONS} <= audit.AREAS.keys()


# -- pages ------------------------------------------------------------------------------------------------------


@pytest.fixture
def ana(stack: Stack) -> Person:
    return stack.person(organization=f"Audited {uuid4()}")


def actions(stack: Stack, of: Person) -> list[tuple[str, str, str]]:
    """(action, about, words) of everything noted of somebody, oldest first."""
    return [
        (str(one[0]), str(one[1]), str(one[2]))
        for one in sql(
            stack,
            "SELECT action, about, words FROM organizations_auditentry WHERE actor_email = %s ORDER BY at, id",
            of.email,
        )
    ]


def test_what_is_done_to_connections_is_noted_once_by_page_and_api(stack: Stack, ana: Person) -> None:
    made = ana.connect()
    path = f"/connections/{made['id']}"
    ana.post(f"{path}/share")
    ana.post(f"{path}/take-back")
    stack.sandbox.consent(ana.email)
    ana.get(f"/oauth/google/start?capabilities=send&connection={made['id']}")
    stack.sandbox.consent(ana.email)
    ana.get(f"/oauth/google/start?capabilities=send&connection={made['id']}&reset=1")
    for _ in range(2):
        assert ana.api("POST", f"connections/{made['id']}/disconnect").status_code == 200
    ana.connect()
    ana.post(f"{path}/disconnect")
    found = [one for one in actions(stack, ana) if one[0].startswith("connection.")]
    assert [one[0] for one in found] == [
        "connection.connected",
        "connection.shared",
        "connection.taken_back",
        "connection.connected_again",
        "connection.reset",
        "connection.disconnected",
        "connection.connected",
        "connection.disconnected",
    ]
    assert {one[1] for one in found} == {ana.email}
    assert found[0][2] == "Google, personal"


def test_settings_lists_and_tokens_are_noted_and_nobody_of_whom_they_speak(stack: Stack, ana: Person) -> None:
    ana.post("/account/privacy", {"privacy": "verdict", "evidence_days": "30"})
    ana.post("/account/privacy", {"privacy": "verdict"})  # nothing changed
    ana.post("/account/links", {"track_addresses": "on"})
    ana.post("/account/mailboxes", {})
    ana.post("/account/mailboxes", {})
    ana.post("/settings/suppression", {"address": "ines@globex.example"})
    ana.api("POST", "suppressions", {"address": "tom@globex.example"})
    ana.api("DELETE", "suppressions/tom@globex.example")
    ana.jar.post(
        f"{stack.url}/settings/suppression/import",
        data={"csrfmiddlewaretoken": ana.jar.cookies["csrftoken"]},
        files={"file": ("old.csv", b"email\nleo@globex.example\nines@globex.example\n")},
        timeout=30,
    )
    ana.get("/settings/suppression/export")
    ana.post("/settings/suppression/footer", {"sentence": "You get this from us."})
    ana.post("/account/forget", {"address": "ines@globex.example", "action": "forget"})
    revoked = re.search(r"/account/tokens/[0-9a-f-]{36}/revoke", ana.get("/account").text)
    assert revoked
    for _ in range(2):
        ana.post(revoked[0])
    found = actions(stack, ana)
    assert found == [
        ("organization.privacy", "", "level: Truncated → Verdict only; evidence: 180 days → 30 days"),
        ("organization.links", "", "tracked"),
        ("organization.mailboxes", "", "shared accounts only"),
        ("suppression.added", "", "by hand"),
        ("token.made", "script", ""),
        ("suppression.added", "", "by_hand, by the API"),
        ("suppression.allowed", "", "by the API"),
        ("suppression.imported", "old.csv", "2 new, 0 there already"),
        ("suppression.exported", "", ""),
        ("suppression.footer", "", "You get this from us."),
        ("organization.forgot", "", "0 emails, 0 signals, 0 requests"),
        ("token.revoked", "script", ""),
    ]
    assert "globex" not in ana.get(PAGE).text  # none of them is named


def test_an_operators_acts_stand_in_their_own_organization(stack: Stack) -> None:
    oda = operator(stack)
    oda.post("/settings/blocklist", {"kind": "host", "what": "audited.example", "reason": "phishing"})
    lift = re.search(r"audited\.example.*?/settings/blocklist/([0-9a-f-]{36})/remove", oda.get(
        "/settings/blocklist").text, re.DOTALL)  # fmt: skip
    assert lift
    oda.post(f"/settings/blocklist/{lift[1]}/remove")
    assert actions(stack, oda)[-2:] == [
        ("installation.blocked", "audited.example", "phishing"),
        ("installation.unblocked", "audited.example", ""),
    ]


def test_owners_and_managers_read_it_others_do_not(stack: Stack, ana: Person) -> None:
    manager, user = stack.member_of(ana, "manager"), stack.member_of(ana, "user")
    eve = stack.person("eve", f"Elsewhere {uuid4()}")
    ana.post("/account/tokens", {"name": "board report"})
    assert "board report" in manager.get(PAGE).text
    assert "board report" not in eve.get(PAGE).text
    assert "board report" not in eve.post(f"{PAGE}/export").text
    assert "board report" in manager.post(f"{PAGE}/export").text
    for refused in (user.get(PAGE), user.post(f"{PAGE}/export")):
        assert refused.status_code == 403
        assert "Only an owner or manager sees what was done" in words(refused)
        assert ana.email in refused.text
        assert "board report" not in refused.text
    assert PAGE in manager.get("/account").text
    assert PAGE not in user.get("/account").text
    assert PASSWORD not in manager.get(PAGE).text


def test_found_by_person_thing_and_area(stack: Stack, ana: Person) -> None:
    other = stack.member_of(ana, "manager")
    ana.post("/account/tokens", {"name": "nightly report"})
    other.post("/account/tokens", {"name": "hourly"})
    ana.post("/account/links", {"track_addresses": "on"})
    for query, shown, hidden in (
        ("?q=nightly", "nightly report", "hourly"),
        (f"?q={other.email.upper()}", "hourly", "nightly"),
        ("?area=organization", "links that show another address", "hourly"),
        ("?area=token&q=hourly", "hourly", "nightly"),
        ("?q=%00", "hourly", "no action"),
        ("?area=nonsense", "nightly report", "Nothing found"),
    ):
        page = words(ana.get(PAGE + query))
        assert shown in page, query
        assert hidden not in page, query
    assert "Nothing found." in words(ana.get(f"{PAGE}?q=100%25"))
    for odd in ("x", "%00", "AAAA", "a" * 500):
        assert ana.get(f"{PAGE}?cursor={odd}").url == stack.url + PAGE
    for number in range(51):
        ana.post("/account/links", {"track_addresses": "on"} if number % 2 else {})
    whole = ana.get(PAGE)
    assert "area=token" in whole.text
    assert "area=billing" not in whole.text, "nobody is billed here"
    older = re.search(r'href="(/settings/audit\?cursor=[^"]+)"', whole.text)
    assert older
    assert "nightly report" not in whole.text
    assert "nightly report" in ana.get(older[1]).text


def test_the_export_is_computed_by_no_spreadsheet(stack: Stack, ana: Person) -> None:
    ana.post("/account", {"name": "=HYPERLINK(0)"})
    for name in ("+1+1", "@SUM(A1)", 'quote " and, comma', "-2"):
        ana.post("/account/tokens", {"name": name})
    answer = ana.post(f"{PAGE}/export", {"area": "token"})
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert re.fullmatch(r'attachment; filename="audit-[\d-]+\.csv"', answer.headers["Content-Disposition"])
    assert answer.headers["Cache-Control"] == "private, no-store"
    title, *lines = csv.reader(io.StringIO(answer.text))
    assert title == ["at", "who", "address", "action", "what", "about", "words", "id"]
    assert [one[5] for one in lines] == ["'-2", 'quote " and, comma', "'@SUM(A1)", "'+1+1"]
    assert {one[1] for one in lines} == {"'=HYPERLINK(0)"}
    assert {one[3] for one in lines} == {"token.made"}
    assert not [cell for one in lines for cell in one if cell.startswith(("=", "+", "-", "@"))]
    assert actions(stack, ana)[-1] == ("organization.audit_exported", "", "API tokens")
