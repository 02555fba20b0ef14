"""Who may connect, reconnect, share and take back; and “Ask an owner” by who may not, to the end."""

from __future__ import annotations

import html
import re
from datetime import timedelta

import pytest
import requests
from tests.connections import ledger, proved, when
from tests.mails import mail, mails
from tests.stack import Person, Stack, until

SHARED = "capabilities=send&kind=organization"


@pytest.fixture
def ana(stack: Stack) -> Person:
    """An owner of an organization of its own."""
    person = stack.person()
    person.organization = f"Who may {person.email}"
    other = stack.person("ana", person.organization, signed_up=False)
    other.sign_up()
    return other


def words(page: requests.Response) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page.text)).split())


def broken(stack: Stack, owner: Person, address: str = "") -> dict[str, object]:
    """A shared connection that was revoked."""
    account = address or f"sales-{owner.email}"
    connection = proved(owner, account=account, query=SHARED)
    stack.sandbox.fault("any", "revoke_grant", account=account, times=1)
    owner.api("POST", f"connections/{connection['id']}/verify")
    return when(owner, connection["id"], lambda one: one["verdict"] == "broken")


def test_a_user_asks_an_owner_and_is_told(stack: Stack, ana: Person) -> None:
    ben = stack.member_of(ana)
    connection = broken(stack, ana)
    page = ben.get("/integration")
    assert "Who can help:" in words(page)
    assert ana.email in page.text
    assert f'action="/connections/{connection["id"]}/ask"' in page.text
    assert "Reconnect</button>" not in page.text
    assert ben.connection(str(connection["id"]))["fix"] == {
        "label": "Ask an owner",
        "url": f"/connections/{connection['id']}/ask",
    }
    answer = ben.post(f"/connections/{connection['id']}/ask?next=/emails/new")
    assert answer.url == f"{stack.url}/emails/new"
    assert f"{ana.email} is asked to reconnect {connection['address']}." in words(answer)
    text = mail(stack, ana.email, f"asks you to reconnect {connection['address']}")
    assert str(connection["sentence"]) in " ".join(text.split())
    link = re.search(rf"{re.escape(stack.url)}(/oauth/\S+)", text)
    assert link
    # Pressed again, it is remembered once and mailed once.
    ben.post(f"/connections/{connection['id']}/ask")
    assert "You asked" in words(ben.get("/integration"))
    assert sum("asks you to" in subject for subject, _ in mails(stack, ana.email)) == 1
    # The address in the mail does it.
    stack.sandbox.consent(str(connection["address"]))
    assert "connected=" in ana.get(link[1]).url
    done = mail(stack, ben.email, f"{connection['address']} is connected again")
    assert f"{stack.url}/emails/new" in done
    assert "You asked" not in words(ben.get("/integration"))


def test_many_ask_and_one_mail_is_sent_an_hour(stack: Stack, ana: Person) -> None:
    people = [stack.member_of(ana) for _ in range(3)]
    connection = broken(stack, ana)
    for person in people:
        assert "told when it is done" in words(person.post(f"/connections/{connection['id']}/ask"))

    def asked() -> int:
        return sum("asks you to" in subject for subject, _ in mails(stack, ana.email))

    until(asked, lambda count: count == 1, 10)
    stack.sandbox.advance(timedelta(minutes=61).total_seconds())
    assert asked() == 1
    people[0].post(f"/connections/{connection['id']}/ask")
    until(asked, lambda count: count == 2, 10)
    # All of them are told.
    stack.sandbox.consent(str(connection["address"]))
    ana.get(f"/oauth/google/start?capabilities=send&connection={connection['id']}")
    for person in people:
        mail(stack, person.email, "is connected again")


def test_somebody_asks_for_a_shared_account(stack: Stack, ana: Person) -> None:
    ben, max_ = stack.member_of(ana), stack.member_of(ana, "manager")
    there = ana.connect(f"sales-{ana.email}", SHARED)
    page = ben.get("/oauth/google/ask")
    assert "To connect a Google account for everyone in" in words(page)
    options = re.findall(r'<option value="([^"]+)">([^<]+)</option>', page.text)
    assert [label.split(" · ")[0] for _, label in options] == [ana.email, max_.email]
    ben.post("/oauth/google/ask", {"of": options[1][0]})
    text = mail(stack, max_.email, "asks you to connect a Google account for everyone")
    link = re.search(rf"{re.escape(stack.url)}(/oauth/\S+)", text)
    assert link
    # One that was there already is connected again: that is not what was asked for.
    stack.sandbox.consent(there["address"])
    ana.get(f"/oauth/google/start?capabilities=send&connection={there['id']}")
    account = f"team-{ana.email}"
    stack.sandbox.account(account)
    stack.sandbox.consent(account)
    assert "connected=" in max_.get(link[1]).url
    mail(stack, ben.email, f"{account} is connected for everyone")
    assert not any(there["address"] in subject for subject, _ in mails(stack, ben.email))
    assert not any("asks you to" in subject for subject, _ in mails(stack, ana.email))


def test_a_shared_account_that_comes_back_is_what_was_asked_for(stack: Stack, ana: Person) -> None:
    ben = stack.member_of(ana)
    account = f"sales-{ana.email}"
    connection = ana.connect(account, SHARED)
    assert ana.api("POST", f"connections/{connection['id']}/disconnect").status_code == 200
    ben.post("/oauth/google/ask")
    mail(stack, ana.email, "asks you to connect a Google account for everyone")
    stack.sandbox.consent(account)
    assert f"connected={connection['id']}" in ana.get(f"/oauth/google/start?{SHARED}").url
    mail(stack, ben.email, f"{account} is connected for everyone")
    assert "You asked" not in words(ben.get("/integration"))


def test_who_may_do_it_is_not_sent_asking(stack: Stack, ana: Person) -> None:
    connection = broken(stack, ana)
    assert ana.post(f"/connections/{connection['id']}/ask").url.split("#")[0] == f"{stack.url}/integration"
    assert ana.get("/oauth/google/ask").url.split("#")[0] == f"{stack.url}/integration"
    assert ana.get("/oauth/nobody/ask").status_code == 404


def test_a_choice_among_strangers_is_none(stack: Stack, ana: Person) -> None:
    """Whoever is named must be one of those who may: another id asks the first of them."""
    ben, eve = stack.member_of(ana), stack.person("eve", "Elsewhere")
    connection = broken(stack, ana)
    for odd in ("", "x", "00000000-0000-0000-0000-000000000000", eve.email):
        assert ben.post(f"/connections/{connection['id']}/ask", {"of": odd}).status_code == 200
    mail(stack, ana.email, "asks you to")
    assert not any("asks you to" in subject for subject, _ in mails(stack, eve.email))


# -- for whom ---------------------------------------------------------------------------------------------------


@pytest.mark.produces("not_allowed")
def test_for_whom_an_account_is_connected(stack: Stack, ana: Person) -> None:
    ben = stack.member_of(ana)
    assert 'name="kind" value="organization"' in ana.get("/integration").text
    page = ben.get("/integration").text
    assert 'name="kind" value="organization"' not in page
    # A button to each provider, and who it goes to before it is pressed.
    for provider in ("google", "microsoft", "keap"):
        assert f'action="/oauth/{provider}/ask"' in page
    assert f"Who can: {ana.email}" in page
    refused = ben.get(f"/oauth/google/start?{SHARED}", allow_redirects=False)
    assert refused.status_code == 403
    assert 'action="/oauth/google/ask"' in refused.text


@pytest.mark.produces("personal_not_allowed")
def test_personal_accounts_where_they_are_not_allowed(stack: Stack, ana: Person) -> None:
    ben, max_ = stack.member_of(ana), stack.member_of(ana, "manager")
    mine = proved(ben)
    waiting = ben.send(mine["id"], send_at="2099-01-01T00:00:00Z")["id"]
    for person in (ben, max_):
        assert person.post("/account/mailboxes", {}).status_code == 403
    assert "Saved." in words(ana.post("/account/mailboxes", {}))
    # Nothing is disconnected, and nothing is sent.
    assert ben.connection(mine["id"])["verdict"] == "working"
    held = ben.email_when(waiting, "held")
    assert held["problem_detail"]["cause"] == "personal_not_allowed"
    draft = {"connection": mine["id"], "to": ["a@b.example"], "subject": "x"}
    gates = {one["name"]: one["cause"] for one in ben.api("POST", "readiness", draft).json()["gates"]}
    assert gates["connection"] == "personal_not_allowed"
    page = ben.get("/integration")
    assert "sends from shared accounts only: nothing is sent from this one." in words(page)
    refused = ben.get("/oauth/google/start?kind=personal", allow_redirects=False)
    assert refused.status_code == 403
    # What an owner ruled out, an owner lets in again.
    assert ana.email in words(refused)
    assert max_.email not in words(refused)
    assert ana.get("/oauth/google/start?kind=personal", allow_redirects=False).status_code == 403
    # A consent that was begun before comes back to the same.
    ana.post("/account/mailboxes", {"personal": "on"})
    assert ben.email_when(waiting, "scheduled")
    url = ben.begin_consent()
    ana.post("/account/mailboxes", {})
    stack.sandbox.account(ben.email)
    stack.sandbox.consent(ben.email)
    back = requests.get(url, allow_redirects=False, timeout=30).headers["Location"]
    assert "cause=personal_not_allowed" in ben.get(back.removeprefix(stack.url)).url


# -- sharing ----------------------------------------------------------------------------------------------------


@pytest.mark.produces("connection_not_yours", api=True)
def test_sharing_and_taking_back(stack: Stack, ana: Person) -> None:
    ben = stack.member_of(ana)
    connection = proved(ana)
    assert ben.api("GET", "connections").json()["items"] == []
    assert "You can take it back." in words(ana.get(f"/connections/{connection['id']}/share"))
    ana.post(f"/connections/{connection['id']}/share")
    (shared,) = ben.api("GET", "connections").json()["items"]
    assert (shared["id"], shared["kind"]) == (connection["id"], "organization")
    ben.email_when(ben.send(connection["id"])["id"], "sent")
    later = ben.send(connection["id"], send_at="2099-01-01T00:00:00Z")["id"]
    own = ana.send(connection["id"], send_at="2099-01-01T00:00:00Z")["id"]
    told = words(ana.get(f"/connections/{connection['id']}/take-back"))
    assert f"1 waiting email is held, not lost: 1 of {ben.email}’s." in told
    assert f"{ben.email} has sent from it lately and no longer can." in told
    ana.post(f"/connections/{connection['id']}/take-back")
    assert ben.api("GET", "connections").json()["items"] == []
    held = ben.email_when(later, "held")
    assert held["problem_detail"]["cause"] == "connection_not_yours"
    assert "belongs to its owner alone again" in held["problem_detail"]["sentence"]
    assert "belongs to its owner alone again" in words(ben.get(f"/emails/{later}"))
    assert ben.api("POST", f"emails/{later}/release").status_code == 409
    assert ana.api("GET", f"emails/{own}").json()["status"] == "scheduled"
    assert [one["result"] for one in ledger(ana, connection["id"]) if one["kind"] == "sharing"] == [
        "taken_back",
        "shared",
    ]
    # Shared again, what is still to come waits for its hour again.
    ana.post(f"/connections/{connection['id']}/share")
    ben.email_when(later, "scheduled")


def test_what_was_connected_for_everybody_is_nobodys_to_take(stack: Stack, ana: Person) -> None:
    connection = ana.connect(f"team-{ana.email}", SHARED)
    assert "Take it back" not in ana.get("/integration").text
    assert ana.post(f"/connections/{connection['id']}/take-back").url == f"{stack.url}/integration"
    assert ana.connection(connection["id"])["kind"] == "organization"


def test_an_account_is_shared_once(stack: Stack, ana: Person) -> None:
    mine, team = ana.connect(), ana.connect(ana.email, SHARED)
    answer = ana.post(f"/connections/{mine['id']}/share")
    assert f"{ana.email} is shared already, by another connection." in words(answer)
    assert ana.connection(mine["id"])["kind"] == "personal"
    assert ana.connection(team["id"])["kind"] == "organization"


def test_a_user_shares_nothing(stack: Stack, ana: Person) -> None:
    ben = stack.member_of(ana)
    mine = ben.connect()
    assert "Share with everyone" not in ben.get("/integration").text
    assert ben.post(f"/connections/{mine['id']}/share").status_code == 403
    assert ben.connection(mine["id"])["kind"] == "personal"


# -- disconnecting ----------------------------------------------------------------------------------------------


@pytest.mark.produces("disconnected")
def test_disconnecting_says_what_happens_and_holds_what_waits(stack: Stack, ana: Person) -> None:
    ben = stack.member_of(ana)
    connection = proved(ana, account=f"team-{ana.email}", query=SHARED)
    far = "2099-01-01T00:00:00Z"
    ids = [ana.send(connection["id"], send_at=far)["id"] for _ in range(2)]
    theirs = ben.send(connection["id"], send_at=far)["id"]
    ben.email_when(ben.send(connection["id"])["id"], "sent")
    told = words(ana.get(f"/connections/{connection['id']}/disconnect"))
    assert f"3 waiting emails are held, not lost: 2 of yours, 1 of {ben.email}’s." in told
    assert f"{ben.email} has sent from it lately and no longer can." in told
    ana.post(f"/connections/{connection['id']}/disconnect")
    for person, one in [(ana, ids[0]), (ana, ids[1]), (ben, theirs)]:
        waiting = person.email_when(one, "held")
        assert waiting["problem"] == "disconnected"
        assert waiting["problem_detail"]["sentence"].endswith(
            "It waits here; reconnected before, it goes by itself on 1 Jan at 00:00 UTC."
        )
        assert "reconnected before, it goes by itself" in words(person.get(f"/emails/{one}"))
    # The same account again: its hour is still to come, so it waits for it again.
    stack.sandbox.consent(f"team-{ana.email}")
    assert f"connected={connection['id']}" in ana.get(f"/oauth/google/start?{SHARED}").url
    for person, one in [(ana, ids[0]), (ben, theirs)]:
        person.email_when(one, "scheduled")
