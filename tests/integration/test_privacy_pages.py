"""Tracking and privacy as an owner sets it and others read it; forgetting somebody by page and command."""

from __future__ import annotations

import re
from uuid import uuid4

import pytest
import requests
from tests.accounts import form, sql, words
from tests.stack import PASSWORD, Person, Stack, until

LEVEL = "SELECT privacy, track_by_default, evidence_days, signal_months FROM organizations_organization WHERE name = %s"
REQUESTS = """
SELECT host(h.ip), h.user_agent, h.headers::text, h.reduced FROM tracking_hit h
  JOIN sending_delivery d ON d.id = h.delivery WHERE d.email_id = %s ORDER BY h.id
"""


@pytest.fixture
def ana(stack: Stack) -> Person:
    """The owner of an organization that nobody else has the name of."""
    return stack.person(organization=f"Keepers {uuid4()}")


def opened(stack: Stack, person: Person, *to: str) -> str:
    """An email that somebody has opened and clicked."""
    connection = person.api("GET", "connections").json()["items"] or [person.connect()]
    made = person.send(connection[0]["id"], to=list(to) or ["ines@globex.example"])["id"]
    delivery = person.email_when(made, "sent")["deliveries"][0]["id"]
    message = stack.sandbox.messages(delivery=delivery)[0]
    stack.sandbox.advance(30)
    stack.sandbox.act(message["id"], "open", as_="browser", ip="81.2.69.142")
    stack.sandbox.advance(60)
    stack.sandbox.act(message["id"], "click", as_="browser", ip="81.2.69.142")
    assert len(person.signals(made, 2)) == 2
    return str(made)


def test_an_owner_chooses_and_everybody_reads_it(stack: Stack, ana: Person) -> None:
    assert sql(stack, LEVEL, ana.organization) == [("truncated", True, 180, None)]
    wanted = {"track_shown": "1", "privacy": "verdict", "evidence_days": "30", "signal_months": "12"}
    page = ana.post("/account/privacy", wanted)
    assert page.url == f"{stack.url}/settings/organization#privacy"
    assert "Saved." in words(page)
    assert sql(stack, LEVEL, ana.organization) == [("verdict", False, 30, 12)]
    assert re.search(r'id="privacy-verdict"[^>]* checked', page.text)
    assert not re.search(r'id="track-by-default"[^>]* checked', page.text)
    # A form that sends one field changes one.
    ana.post("/account/privacy", {"signal_months": "ever"})
    assert sql(stack, LEVEL, ana.organization) == [("verdict", False, 30, None)]

    manager, user = stack.member_of(ana, "manager"), stack.member_of(ana, "user")
    manager.post("/account/privacy", {"privacy": "full"})
    assert sql(stack, LEVEL, ana.organization)[0][0] == "full"
    text = words(user.get("/settings/organization"))
    assert "are not tracked, unless their writer switches it on" in text
    assert f"An owner or manager can change that: {ana.email}" in text
    assert "/account/forget" not in user.get("/settings/organization").text
    for refused in (user.post("/account/privacy", {"privacy": "verdict"}), user.get("/account/forget")):
        assert refused.status_code == 403
        assert ana.email in words(refused)
    assert sql(stack, LEVEL, ana.organization)[0][0] == "full"


@pytest.mark.parametrize(
    "sent",
    [{"privacy": "none"}, {"evidence_days": "0"}, {"evidence_days": "-1"}, {"evidence_days": "4000"},
     {"signal_months": "0"}, {"signal_months": "x"}, {"evidence_days": "9" * 30}, {"evidence_days": ""}],
)  # fmt: skip
def test_what_is_not_offered_changes_nothing(stack: Stack, ana: Person, sent: dict[str, str]) -> None:
    assert "Nothing was saved" in words(ana.post("/account/privacy", sent))
    assert sql(stack, LEVEL, ana.organization) == [("truncated", True, 180, None)]


def test_what_is_kept_goes_while_the_page_tells_of_it(stack: Stack, ana: Person) -> None:
    ana.post("/account/privacy", {"privacy": "full"})
    email = opened(stack, ana)
    before = sql(stack, REQUESTS, email)
    assert {row[0] for row in before} == {"81.2.69.142"}
    told = ana.signals(email, 2)
    stack.sandbox.advance(3600)
    page = ana.post("/account/privacy", {"privacy": "truncated"})
    assert "The past is brought to this level now" in words(page)
    until(lambda: sql(stack, REQUESTS, email), lambda rows: {row[0] for row in rows} == {"81.2.69.0"}, 10)
    until(
        lambda: words(ana.get("/account/privacy/progress")),
        lambda text: "The past is at this level since" in text and "1 of 1 emails done" in text,
        10,
    )
    ana.post("/account/privacy", {"privacy": "verdict"})
    until(lambda: sql(stack, REQUESTS, email), lambda rows: rows == [(None, "", "{}", 2)] * len(rows), 10)
    assert ana.signals(email, 2) == told


def test_new_emails_start_as_the_organization_says(stack: Stack, ana: Person) -> None:
    connection = ana.connect()["id"]
    assert 'name="track" checked' in ana.get("/emails/new").text
    body = {"connection": connection, "to": ["ines@globex.example"], "subject": "x", "html": "<p>x</p>"}

    def tracked(**more: object) -> bool:
        made = ana.api("POST", "emails", {**body, **more})
        assert made.status_code == 201, made.text
        return bool(sql(stack, "SELECT track FROM sending_email WHERE id = %s", made.json()["id"])[0][0])

    assert tracked()
    key = {"Idempotency_Key": str(uuid4())}
    first = ana.api("POST", "emails", body, **key).json()["id"]
    ana.post("/account/privacy", {"track_shown": "1"})
    assert not tracked()
    assert not tracked(track=None)
    assert tracked(track=True)
    assert ana.api("POST", "emails", {**body, "track": "yes"}).status_code == 422
    # The same request is the same email, whatever the organization says by now.
    again = ana.api("POST", "emails", body, **key)
    assert (again.status_code, again.json()["id"]) == (200, first)

    assert 'name="track" checked' not in ana.get("/emails/new").text
    draft = str(uuid4())
    ana.post(f"/emails/drafts/{draft}/send", {"subject": "x", "action": "save"})
    attached = str(uuid4())
    ana.jar.post(
        f"{stack.url}/emails/drafts/{attached}/attachments",
        data=b"x",
        headers={"X-CSRFToken": ana.jar.cookies["csrftoken"], "X-File-Name": "a.txt"},
        timeout=30,
    )
    for one in (draft, attached):
        assert sql(stack, "SELECT track FROM sending_email WHERE id = %s", one) == [(False,)]
        assert 'name="track" checked' not in ana.get(f"/emails/new?draft={one}").text


@pytest.mark.parametrize(
    ("sent", "tracks"), [({}, True), ({"tracking": "on"}, True), ({"tracking": "off"}, False)]
)
def test_sign_up_asks_whether_to_track(stack: Stack, sent: dict[str, str], tracks: bool) -> None:
    person = stack.person(signed_up=False)
    name = f"Asked {uuid4()}"
    assert "Track nothing" in words(person.get("/signup"))
    fields = {"organization": name, "email": person.email, "password1": PASSWORD, **sent}
    assert form(stack, requests.Session(), "/signup", **fields).url.endswith("/integration")
    assert sql(stack, LEVEL, name) == [("truncated", tracks, 180, None)]


def test_forgetting_somebody_by_the_page(stack: Stack, ana: Person) -> None:
    address = f"ines-{uuid4().hex[:6]}@globex.example"
    alone, shared = opened(stack, ana, address), opened(stack, ana, address, "tom@globex.example")
    (stranger,) = [stack.person("eve")]
    theirs = opened(stack, stranger, address)

    page = ana.post("/account/forget", {"address": f" {address.upper()} "})
    text = words(page)
    assert f"Kept of {address}" in text
    assert "Emails to them 2 Opens and clicks 4 Requests behind them 4" in text
    assert "One of them went to others in the same thread" in text
    assert f"Forget {address}" in text
    assert len(ana.signals(alone, 2)) == 2  # looking erases nothing

    done = words(ana.post("/account/forget", {"address": address, "action": "forget"}))
    assert f"{address} is forgotten." in done
    for email in (alone, shared):
        assert ana.api("GET", f"emails/{email}/signals").json()["items"] == []
        assert sql(stack, REQUESTS, email) == []
    assert len(stranger.signals(theirs, 2)) == 2
    assert "A recipient of it was forgotten on" in words(ana.get(f"/emails/{alone}"))
    # What was written stays, links lead on, and later looks are not counted.
    assert ana.api("GET", f"emails/{alone}").json()["deliveries"][0]["recipients"][0]["address"] == address
    delivery = ana.api("GET", f"emails/{alone}").json()["deliveries"][0]["id"]
    (message,) = stack.sandbox.messages(delivery=delivery)
    stack.sandbox.act(message["id"], "click", as_="browser")
    until(
        lambda: sql(stack, f"SELECT count(*) FROM ({REQUESTS}) AS h", alone)[0][0],
        lambda count: count == 1,
        5,
    )
    until(
        lambda: sql(stack, "SELECT count(*) FROM tracking_hit WHERE classified_at IS NULL"),
        lambda rows: rows == [(0,)],
        5,
    )
    assert ana.api("GET", f"emails/{alone}/signals").json()["items"] == []
    again = words(ana.post("/account/forget", {"address": address}))
    assert "Emails to them 2; 2 of them forgotten already" in again
    logs = "".join(path.read_text() for path in (stack.up.data / "log").glob("*.log"))
    assert "A recipient was forgotten in organization" in logs
    assert address not in logs


def test_an_address_that_is_none_and_one_nobody_wrote_to(stack: Stack, ana: Person) -> None:
    refused = ana.post("/account/forget", {"address": "ines at globex"})
    assert refused.status_code == 400
    assert 'aria-invalid="true"' in refused.text
    assert "Nothing: no email went to this address" in words(
        ana.post("/account/forget", {"address": "nobody@globex.example"})
    )


def test_forgetting_somebody_by_the_command(stack: Stack, ana: Person) -> None:
    email = opened(stack, ana)
    done = stack.up.run("forget", "--email", "ines@globex.example", "--organization", ana.organization)
    assert done.returncode == 0, done.stderr
    assert "2 opens and clicks and 2 requests erased, 1 email no longer counted." in done.stdout
    assert ana.api("GET", f"emails/{email}/signals").json()["items"] == []
    wrong = stack.up.run("forget", "--email", "ines@globex.example", "--organization", "Nobody")
    assert wrong.returncode != 0
    assert "No organization is called Nobody." in wrong.stderr
