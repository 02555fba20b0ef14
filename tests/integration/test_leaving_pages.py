"""Exports, and deleting an account or an organization, as people meet them: real processes, real HTTP, the sandbox."""

from __future__ import annotations

import email
import email.policy
import html
import io
import json
import os
import re
import signal
import zipfile
from pathlib import Path

import pytest
import requests
from tests import factors
from tests.accounts import sql, words
from tests.billing_stack import DAY, billing, subscribe
from tests.mails import mail
from tests.stack import PASSWORD, Person, Stack, until

EXPORT, ACCOUNT = "/account/export", "/account/delete"
DELETE, KEEP = "/settings/organization/delete", "/settings/organization/keep"


@pytest.fixture(scope="module")
def operator(stack: Stack) -> Person:
    """Somebody was here before everybody else, and runs the installation."""
    return stack.person("op", "Host")


@pytest.fixture
def owner(stack: Stack, operator: Person) -> Person:
    """An owner of an organization of its own."""
    return stack.verified("ana", f"Leaving {stack.person(signed_up=False).email}")


def confirmed(person: Person, path: str, fields: dict[str, str] | None = None) -> requests.Response:
    """Press a button that asks once more who one is, and show it by the password."""
    asked = person.post(path, fields)
    assert asked.url.startswith(f"{person.stack.url}/reauthenticate"), asked.url
    return person.post("/reauthenticate", {"password": PASSWORD, "next": path})


def file_of(person: Person) -> str:
    """The path of the newest archive, once it is ready."""
    page = until(
        lambda: person.get(EXPORT).text, lambda text: bool(re.search(r"/[0-9a-f-]{36}/file", text)), 60
    )
    found = re.search(r"/account/export/[0-9a-f-]{36}/file", page)
    assert found
    return found[0]


def gate_of(person: Person) -> dict[str, object]:
    gates = person.api("POST", "readiness", {"to": ["a@b.example"], "subject": "x"}).json()["gates"]
    found: dict[str, object] = next(one for one in gates if one["name"] == "account")
    return found


def link_in(stack: Stack, delivery: str) -> str:
    """The tracked link of a copy, as it lies in the mailbox."""
    (message,) = stack.sandbox.messages(delivery=delivery)
    read = email.message_from_string(message["raw"], policy=email.policy.default)
    body = read.get_body(("html",))
    assert body is not None
    found = re.search(r"http://[^\"\s]+/t/c/[\w-]+", html.unescape(body.get_content()))
    assert found
    return found[0]


def leads_on(link: str) -> bool:
    answer = requests.get(link, allow_redirects=False, timeout=30)
    return (answer.status_code, answer.headers.get("Location")) == (302, "https://example.com/prices")


# -- export -------------------------------------------------------------------------------------------------------


def test_what_is_ones_own_is_made_and_downloaded_by_oneself_alone(stack: Stack, owner: Person) -> None:
    colleague, stranger = stack.member_of(owner), stack.person("eve", "Elsewhere")
    box = owner.connect()["id"]
    sent = owner.send(box, subject="=Salary", attachments=[
        {"name": "prices.txt", "type": "text/plain", "content_base64": "YWJj"}
    ])  # fmt: skip
    owner.email_when(sent["id"], "sent")
    assert "You have none." in owner.get(EXPORT).text
    assert owner.post(EXPORT, {"scope": "member"}).status_code == 200
    path = file_of(owner)
    answer = owner.get(path)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/zip"
    assert re.fullmatch(
        r'attachment; filename="truesend-member-\d{4}-\d\d-\d\d\.zip"', answer.headers["Content-Disposition"]
    )
    assert {"private", "no-store"} <= set(answer.headers["Cache-Control"].replace(" ", "").split(","))
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    (told,) = [json.loads(one) for one in archive.read("emails.jsonl").decode().split("\n") if one]
    assert told["subject"] == "=Salary"
    assert archive.read(told["attachments"][0]["path"]) == b"abc"
    assert "'=Salary" in archive.read("emails.csv").decode("utf-8-sig")
    # Nobody else's, also not for an owner of the same organization.
    for person in (colleague, stranger):
        assert person.get(path).status_code == 404
        assert person.post(path.replace("/file", "/delete")).status_code == 404
    assert Person(stack, "", "").get(path, allow_redirects=False).headers["Location"].startswith("/login")
    assert "The export is deleted." in words(owner.post(path.replace("/file", "/delete")))
    gone = owner.get(path)
    assert gone.status_code == 409
    assert "kept for 7 days" in words(gone)
    assert not list((stack.up.data / "exports").glob(f"{path.split('/')[3]}*"))


def test_the_whole_organization_is_an_owners_and_asked_for_by_name(stack: Stack, owner: Person) -> None:
    manager = stack.member_of(owner, "manager")
    refused = manager.post(EXPORT, {"scope": "organization"})
    assert refused.status_code == 403
    assert owner.email in refused.text
    assert "An owner can do that" in words(manager.get(EXPORT))
    page = confirmed(owner, EXPORT, {"scope": "organization"})
    assert page.url == f"{stack.url}{EXPORT}"
    archive = zipfile.ZipFile(io.BytesIO(owner.get(file_of(owner)).content))
    assert manager.email in archive.read("members.csv").decode()
    assert "Exported the whole organization" in words(owner.get("/settings/audit"))
    assert "Exported" in words(owner.get(DELETE))
    # Of whoever is no owner any more it is none.
    other = stack.member_of(owner, "owner")
    team = {one["email"]: one["id"] for one in other.api("GET", "members").json()["items"]}
    path = file_of(owner)
    assert other.post(f"/users/{team[owner.email]}/role", {"role": "manager"}).status_code == 200
    assert owner.get(path).status_code == 404


@pytest.mark.parametrize("scope", ["", "everything", "\x00", "x" * 5000])
def test_a_scope_that_is_none_is_said(owner: Person, scope: str) -> None:
    page = owner.post(EXPORT, {"scope": scope})
    assert "Choose what is to be exported." in words(page)
    assert "You have none." in page.text


# -- one's account ------------------------------------------------------------------------------------------------


def test_an_account_is_deleted_and_the_address_is_free_again(stack: Stack, owner: Person) -> None:
    ben = stack.member_of(owner)
    box = ben.connect()["id"]
    sent = ben.send(box)
    delivery = ben.email_when(sent["id"], "sent")["deliveries"][0]["id"]
    link = link_in(stack, delivery)
    assert "Export and delete" in ben.get("/account").text
    told = words(ben.get(ACCOUNT))
    assert f"Your emails stay with {owner.organization}" in told
    assert "Never exported" in told
    assert ben.email in told  # the mailbox that is disconnected
    bearer = ben.bearer
    done = confirmed(ben, ACCOUNT)
    assert "Your account is deleted" in words(done), words(done)
    assert ben.get("/emails", allow_redirects=False).headers["Location"].startswith("/login")
    headers = {"Authorization": f"Bearer {bearer}"}
    assert requests.get(f"{stack.url}/api/v1/me", headers=headers, timeout=30).status_code == 401
    refused = Person(stack, ben.email, "").post("/login", {"login": ben.email, "password": PASSWORD})
    assert refused.url.endswith("/login")
    assert [one["operation"] for one in stack.sandbox.calls(account=ben.email, operation="revoke")] != []
    assert ben.email not in {one["email"] for one in owner.api("GET", "members").json()["items"]}
    assert sql(stack, "SELECT count(*) FROM sending_email WHERE id = %s", sent["id"]) == [(1,)]
    assert leads_on(link)
    assert "stay with" in mail(stack, ben.email, "Your account is deleted")
    again = Person(stack, ben.email, "Another")
    again.sign_up()
    assert again.api("GET", "me").json()["organization"] == "Another"


def test_the_last_owner_is_led_to_the_team_or_to_the_organization(stack: Stack, owner: Person) -> None:
    page = owner.get(ACCOUNT)
    assert "You are the last owner" in words(page)
    assert f'href="{DELETE}"' in page.text
    assert "Delete my account</button>" not in page.text
    # The form of an older page says the same.
    assert "Nothing was deleted. You are the last owner" in words(confirmed(owner, ACCOUNT))
    assert owner.api("GET", "me").status_code == 200


def test_a_wrong_password_deletes_nothing(stack: Stack, owner: Person) -> None:
    ben = stack.member_of(owner)
    ben.post(ACCOUNT)
    page = ben.post("/reauthenticate", {"password": "wrong-horse-9", "next": ACCOUNT})
    assert page.url.startswith(f"{stack.url}/reauthenticate")
    assert ben.api("GET", "me").status_code == 200


def test_a_second_factor_is_as_good(stack: Stack, owner: Person) -> None:
    ben = stack.member_of(owner)
    phone = factors.add_app(ben)
    ben.sign_in_again()
    factors.anew(stack, ben)
    ben.post("/login/second-factor", {"code": phone.code()})
    factors.anew(stack, ben)
    ben.post(ACCOUNT)
    done = ben.post("/reauthenticate/code", {"code": phone.code(), "next": ACCOUNT})
    assert "Your account is deleted" in words(done), done.url
    assert sql(stack, "SELECT count(*) FROM organizations_user WHERE email = %s", ben.email) == [(0,)]


def test_who_has_left_deletes_the_rest_of_it(stack: Stack, owner: Person) -> None:
    ben = stack.member_of(owner)
    team = {one["email"]: one["id"] for one in owner.api("GET", "members").json()["items"]}
    owner.post(f"/users/{team[ben.email]}/remove")
    ben.jar = requests.Session()
    ben.post("/login", {"login": ben.email, "password": PASSWORD})
    nowhere = ben.get("/emails")
    assert nowhere.status_code == 403
    assert f'href="{ACCOUNT}"' in nowhere.text
    assert "Your account is deleted" in words(confirmed(ben, ACCOUNT))


# -- the organization ---------------------------------------------------------------------------------------------


def test_it_is_to_be_deleted_and_taken_back(stack: Stack, owner: Person) -> None:
    ben = stack.member_of(owner)
    box = owner.connect(f"shared-{owner.email}", "capabilities=send&kind=organization")["id"]
    for method, path in (("get", DELETE), ("post", DELETE), ("post", KEEP)):
        refused = getattr(ben, method)(path)
        assert refused.status_code == 403
        assert owner.email in refused.text
    wrong = confirmed(owner, DELETE, {"name": "Something else"})
    assert "as it stands there" in words(wrong)
    assert gate_of(ben)["ok"]
    page = owner.post(DELETE, {"name": owner.organization})
    assert f"{owner.organization} is to be deleted on" in words(page)
    assert "Keep the organization" in page.text
    shut = gate_of(ben)
    assert (shut["ok"], shut["cause"]) == (False, "organization_ends")
    assert [one["email"] for one in shut["who"]] == [owner.email]  # type: ignore[attr-defined]
    refused = ben.api(
        "POST", "emails", {"connection": box, "to": ["a@b.example"], "subject": "x", "html": "x"}
    )
    assert refused.status_code == 409
    assert "is to be deleted on" in words(ben.get("/emails"))  # above every page
    assert "is to be deleted on" in words(
        ben.get("/oauth/google/start?capabilities=send", allow_redirects=False)
    )
    assert "has decided to delete" in mail(stack, ben.email, "is to be deleted on")
    assert ben.get(EXPORT).status_code == 200
    kept = owner.post(KEEP)
    assert f"{owner.organization} stays." in words(kept)
    assert gate_of(ben)["ok"]
    sent = ben.send(box)
    ben.email_when(sent["id"], "sent")
    assert "not to be deleted" in words(owner.post(KEEP))
    assert "has taken it back" in mail(stack, ben.email, f"{owner.organization} stays")


@pytest.mark.alone
def test_after_seven_days_nothing_of_it_is_left_and_nobody_pays(tmp_path: Path) -> None:
    with billing(tmp_path / "data") as stack:
        operator, eve = stack.person("op", "Host"), stack.person("eve", "Elsewhere")
        ana = stack.person("ana", "Northwind")
        subscribe(ana)
        box = ana.connect()["id"]
        sent = ana.send(box)
        delivery = ana.email_when(sent["id"], "sent")["deliveries"][0]["id"]
        link = link_in(stack, delivery)
        stack.sandbox.fault("revoke", "status", times=1, status=503, body="")
        bearer = ana.bearer
        confirmed(ana, DELETE, {"name": "Northwind"})
        stack.sandbox.advance(6 * DAY)
        assert "Erased: 1 email with its opens and clicks" in words(ana.get(DELETE))
        (stripe,) = _subscriptions(stack, ana)
        assert stripe["status"] != "canceled"
        os.kill(int((stack.up.data / "run" / "worker.pid").read_text()), signal.SIGKILL)
        stack.sandbox.advance(DAY + 60)

        def left() -> int:
            return int(
                sql(stack, "SELECT count(*) FROM organizations_organization WHERE name = 'Northwind'")[0][0]
            )

        def goes_on() -> bool:
            stack.sandbox.advance(120)  # what is tried again later
            return left() == 0

        until(goes_on, bool, 90)
        assert sql(stack, "SELECT count(*) FROM sending_email WHERE id = %s", sent["id"]) == [(0,)]
        assert sql(stack, "SELECT email FROM organizations_user ORDER BY id") == [
            (operator.email,),
            (eve.email,),
        ]
        assert _subscriptions(stack, ana) == []  # with its customer
        revoked = [one for one in stack.sandbox.calls(operation="revoke") if one["status"] == 200]
        assert revoked
        headers = {"Authorization": f"Bearer {bearer}"}
        assert requests.get(f"{stack.url}/api/v1/me", headers=headers, timeout=30).status_code == 401
        assert ana.get("/emails", allow_redirects=False).headers["Location"].startswith("/login")
        assert leads_on(link)
        assert "everything of it is being erased" in mail(stack, ana.email, "Northwind is deleted")
        assert eve.api("GET", "me").status_code == 200


def _subscriptions(stack: Stack, person: Person) -> list[dict[str, str]]:
    headers = {"Authorization": "Bearer sk_test_sandbox"}
    found: list[dict[str, str]] = requests.get(
        f"{stack.up.sandbox_url}/v1/subscriptions", params={"status": "all"}, headers=headers, timeout=30
    ).json()["data"]
    return [one for one in found if one["status"] != "canceled"]
