"""The banner of a consent tells of one that happened, to whoever it happened to, a short while ago."""

from __future__ import annotations

from uuid import uuid4

from tests.consents import READ, notice
from tests.stack import Stack


def test_an_address_alone_says_nothing(stack: Stack) -> None:
    ana = stack.person()
    for cause in ("grant_revoked", "consent_denied", "state_invalid", "client_missing", "address_refused"):
        page = ana.get(f"/integration?cause={cause}&provider=google").text
        assert "Not connected." not in page, cause
        assert f'data-cause="{cause}"' not in page


def test_a_consent_that_failed_is_told_to_whoever_gave_it(stack: Stack) -> None:
    ana, eve = stack.person(), stack.person("eve", "Elsewhere")
    stack.sandbox.account(ana.email)
    stack.sandbox.consent(ana.email, decision="deny")
    page = ana.get("/oauth/google/start?capabilities=send&kind=personal&next=/integration")
    path = page.url.removeprefix(stack.url)
    assert notice(page).startswith("Not connected. You pressed Cancel at Google.")
    assert notice(ana.get(path)).startswith("Not connected.")
    # Neither another cause nor another person.
    assert "Not connected." not in ana.get("/integration?cause=grant_revoked&provider=google").text
    assert "Not connected." not in eve.get(path).text
    stack.sandbox.advance(16 * 60)
    assert "Not connected." not in ana.get(path).text


def test_is_connected_is_told_to_whoever_connected_it(stack: Stack) -> None:
    ana = stack.person(organization=f"Told {uuid4()}")
    ben = stack.member_of(ana)
    shared = ana.connect(f"team-{ana.email}", "capabilities=send&kind=organization")
    own = ana.connect()
    told = "{} is connected."
    for one in (shared, own):
        page = ana.get(f"/integration?connected={one['id']}").text
        assert told.format(one["address"]) in page
        assert "is reset." not in ana.get(f"/integration?connected={one['id']}&reset=1").text
    assert told.format(shared["address"]) not in ben.get(f"/integration?connected={shared['id']}").text
    stack.sandbox.advance(11 * 60)
    assert told.format(own["address"]) not in ana.get(f"/integration?connected={own['id']}").text


def test_what_is_disconnected_has_no_pages_of_its_own(stack: Stack) -> None:
    ana, eve = stack.person(), stack.person("eve", "Elsewhere")
    one = ana.connect()
    path = f"/connections/{one['id']}"
    first = ana.post(f"{path}/disconnect")
    assert (first.url, f"{ana.email} is disconnected." in first.text) == (f"{stack.url}/integration", True)
    told = f"{ana.email} is disconnected already."
    # A second click comes to the same page, with a sentence of its own.
    for answer in (
        ana.post(f"{path}/disconnect"),
        *(ana.get(f"{path}/{of}") for of in ("disconnect", "reset", "read")),
    ):
        assert answer.url == f"{stack.url}/integration"
        assert told in answer.text
    assert eve.get(f"{path}/disconnect").status_code == 404


def test_reading_that_was_not_given_can_be_done_without(stack: Stack) -> None:
    ana, eve = stack.person(), stack.person("eve", "Elsewhere")
    one = ana.connect(query="capabilities=send,read&kind=personal", untick=[READ])
    path = f"/connections/{one['id']}/forgo-reading"
    page = ana.get("/integration").text
    assert "Send me a test email</button>" in page
    assert f'action="{path}"' in page
    assert eve.post(path).status_code == 404
    ana.post(path)
    assert (ana.connection(one["id"])["verdict"], ana.connection(one["id"])["cause"]) == (
        "unproven",
        "not_tried",
    )
    page = ana.get("/integration").text
    assert f'action="{path}"' not in page
    assert "See replies and bounces</button>" in page
    # A second time changes nothing, nor does it where reading was given.
    ana.post(path)
    assert ana.get(f"/connections/{one['id']}/ledger").text.count("Goes on without reading") == 1
    other = ana.connect(f"reads-{ana.email}", "capabilities=send,read&kind=personal")
    ana.post(f"/connections/{other['id']}/forgo-reading")
    assert ana.connection(other["id"])["capabilities"][1]["cause"] != "not_asked"
