"""The operator's page of providers: entering a client, asking about it, and that nobody else does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from uuid import uuid4

import pytest
from tests import operators, setting_up, up
from tests.accounts import words
from tests.stack import Person, Stack, until

PAGE = "/settings/providers"
GOOGLE = f"{PAGE}/google"
ID, SECRET = "sandbox-google-client", "sandbox-google-secret"


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """An installation without clients."""
    data = tmp_path_factory.mktemp("bare") / "data"
    with setting_up.untouched(data) as running:
        yield running
    up.remove(data)


@pytest.fixture(scope="module")
def oda(bare: Stack) -> Person:
    return operators.operator(bare)


@pytest.fixture(autouse=True)
def _nothing_set_up(request: pytest.FixtureRequest) -> None:
    if "oda" in request.fixturenames:
        request.getfixturevalue("oda").post(f"{GOOGLE}/remove")
        register(request.getfixturevalue("bare"), SECRET)


def register(bare: Stack, secret: str, client_id: str = ID) -> None:
    """What the provider knows."""
    redirects = [f"{bare.url}/oauth/google/callback"]
    bare.sandbox.control(
        "POST",
        "clients",
        {"provider": "google", "client_id": client_id, "secret": secret, "redirect_uris": redirects},
    )


def card(page: str) -> str:
    found = re.search(r'<section class="card provider" id="google".*?</section>', page, re.DOTALL)
    assert found, page
    return found[0]


def version(oda: Person) -> str:
    found = re.search(r'name="version" value="(\d+)"', card(oda.get(PAGE).text))
    assert found
    return found[1]


def save(oda: Person, secret: str = SECRET, client_id: str = ID, **more: str) -> str:
    answer = oda.post(GOOGLE, {"client_id": client_id, "secret": secret, "version": version(oda), **more})
    assert answer.status_code in {200, 400}
    return answer.text


def connected(person: Person) -> bool:
    """Whether a consent goes through just now."""
    person.stack.sandbox.account(person.email)
    person.stack.sandbox.consent(person.email)
    return "connected=" in person.get("/oauth/google/start?capabilities=send").url


@pytest.mark.produces("client_missing", api=False)
def test_what_is_not_set_up_leads_its_operator_there(bare: Stack, oda: Person) -> None:
    ana = bare.person()
    for person in (oda, ana):
        shown = person.get("/oauth/keap/start?capabilities=send")
        assert "cause=client_missing" in shown.url
        assert "This installation has no Keap credentials. Nothing was connected." in words(shown)
        leads = re.search(r'<form method="get" action="([^"]+)">[^/]*Repair it</button>', shown.text)
        if person is oda:
            assert leads
            assert leads[1] == "/settings/providers#keap"
        else:
            assert leads is None
            assert f"Who can help: {oda.email}" in words(shown)
            assert 'action="/account#support"' in shown.text


def test_from_nothing_to_a_connected_account(bare: Stack, oda: Person) -> None:
    ana = bare.person()
    assert "Not set up here: whoever runs this installation" in words(ana.get("/integration"))
    page = oda.get(PAGE)
    assert "are not set up." in words(page)
    assert f"{bare.url}/oauth/google/callback" in page.text
    assert f'href="{PAGE}#google"' in oda.get("/integration").text
    told = save(oda)
    assert "Saved. Google takes this id and secret." in told
    assert "Accepted" in card(told)
    assert SECRET not in told
    # The worker and the web process follow by themselves.
    assert until(lambda: connected(ana), bool, 4)
    connection = ana.api("GET", "connections").json()["items"][0]
    assert ana.api("POST", f"connections/{connection['id']}/test-email").status_code == 201
    until(lambda: ana.connection(connection["id"])["verdict"], lambda one: one == "working", 15)
    assert "An account came back through it" in words(oda.get(PAGE))


def test_a_secret_never_comes_back(bare: Stack, oda: Person) -> None:
    assert SECRET not in save(oda)
    for page in (PAGE, f"{GOOGLE}/remove", "/account"):
        assert SECRET not in oda.get(page).text
    for log in (bare.up.data / "log").glob("*.log"):
        assert SECRET not in log.read_text(errors="replace")


def test_what_is_refused_is_not_saved(bare: Stack, oda: Person) -> None:
    save(oda)
    told = save(oda, "wr0ng-secret")
    assert "Not saved." in told
    assert "refuses this installation&#x27;s client secret" in told
    assert "invalid_client: Unauthorized" in told
    assert "The one from before is still in use." in told
    assert "wr0ng-secret" not in told
    assert "Save it although Google refuses it" in told
    assert "Accepted" in card(oda.get(PAGE).text)
    insisted = save(oda, "wr0ng-secret", although_refused="1")
    assert "Saved." in insisted
    assert "Refused" in card(insisted)
    health = words(oda.get("/partials/health"))
    assert "Google cannot be used." in health
    assert "Google refuses this installation's client secret." in health
    assert "Google cannot be used." not in words(bare.person().get("/partials/health"))
    save(oda)
    assert "Google cannot be used." not in words(oda.get("/partials/health"))


def test_a_secret_that_changed_at_the_provider(bare: Stack, oda: Person) -> None:
    save(oda)
    register(bare, "another-secret")
    told = oda.post(f"{GOOGLE}/check").text
    assert "Checked. Google refuses" in told
    assert "Refused" in card(told)
    assert "In the Google Cloud console: open the client" in told
    assert "Accepted" in card(save(oda, "another-secret"))


def test_an_outage_is_no_refusal(bare: Stack, oda: Person) -> None:
    fault = bare.sandbox.fault("token", "outage")
    told = save(oda)
    assert "Saved." in told
    assert "Could not be asked" in card(told)
    bare.sandbox.control("DELETE", f"faults/{fault}")
    assert "Accepted" in card(oda.post(f"{GOOGLE}/check").text)


def test_another_client_has_consequences_that_are_told_first(bare: Stack, oda: Person) -> None:
    save(oda)
    register(bare, "second-secret", "second-client")
    ana = bare.person()
    assert until(lambda: connected(ana), bool, 4)
    told = save(oda, "second-secret", "second-client")
    assert "Not saved yet." in told
    assert re.search(r"\d+ connected accounts? gave", told)
    assert ID in card(oda.get(PAGE).text)
    assert "Accepted" in card(save(oda, "second-secret", "second-client", although_other="1"))
    assert "second-client" in card(oda.get(PAGE).text)
    gone = oda.get(f"{GOOGLE}/remove")
    assert re.search(r"\d+ connected accounts? can no longer renew", words(gone))


def test_two_operators(bare: Stack, oda: Person) -> None:
    save(oda)
    behind = oda.post(GOOGLE, {"client_id": ID, "secret": SECRET, "version": "0"})
    assert behind.status_code == 400
    assert "Somebody else has changed this meanwhile." in behind.text


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"client_id": "", "secret": SECRET}, "Paste the Client ID as a whole"),
        ({"client_id": "two words", "secret": SECRET}, "Paste the Client ID as a whole"),
        ({"client_id": ID, "secret": ""}, "Paste the Client secret too."),
        ({"client_id": ID, "secret": "a\x00b"}, "Paste the Client secret as a whole"),
        ({"client_id": "x" * 5000, "secret": SECRET}, "Paste the Client ID as a whole"),
        ({"client_id": ID, "secret": "x" * 1500}, "Paste the Client secret as a whole"),
        ({"client_id": "<script>", "secret": SECRET, "version": "x" * 99}, "does not know this installation"),
    ],
)
def test_bad_input_is_told_and_stays_typed(
    bare: Stack, oda: Person, fields: dict[str, str], said: str
) -> None:
    answer = oda.post(GOOGLE, {"version": "0", **fields})
    assert answer.status_code == 400
    assert said in answer.text
    assert SECRET not in answer.text
    assert "<script>" not in card(answer.text)
    assert "Not set up" in card(oda.get(PAGE).text)


def test_strangers_and_lower_roles(bare: Stack, oda: Person) -> None:
    ana = bare.person(organization=f"Strangers {uuid4()}")
    ben = bare.member_of(ana)
    manager = bare.member_of(ana, "manager")
    for person in (ana, ben, manager):
        assert "Providers" not in words(person.get("/account"))
        for answer in (
            person.get(PAGE),
            person.post(GOOGLE, {"client_id": ID, "secret": SECRET, "version": "0"}),
            person.post(f"{GOOGLE}/check"),
            person.get(f"{GOOGLE}/remove"),
            person.post(f"{GOOGLE}/remove"),
            person.post(f"{PAGE}/nowhere"),
        ):
            assert answer.status_code == 403
            assert "Only the operator of this installation can set up providers." in words(answer)
            assert oda.email in words(answer)
    assert "Not set up" in card(oda.get(PAGE).text)
    nobody = bare.person(signed_up=False)
    assert "/login" in nobody.get(PAGE).url
    assert "/login" in nobody.post(GOOGLE, {"client_id": ID}).url


def test_a_tenant_and_a_secret_that_has_expired(bare: Stack, oda: Person) -> None:
    page = f"{PAGE}/microsoft"
    typed = {"client_id": "sandbox-microsoft-client", "secret": "sandbox-microsoft-secret", "version": "0"}
    wrong = oda.post(page, {**typed, "TENANT": "no tenant"})
    assert wrong.status_code == 400
    assert "Tenant must be" in wrong.text
    assert "sandbox-microsoft-secret" not in wrong.text
    expired = bare.sandbox.fault("token", "client_secret_expired", provider="microsoft")
    refused = oda.post(page, {**typed, "TENANT": "common"})
    assert refused.status_code == 400
    assert "client secret at Microsoft has expired" in words(refused)
    assert "press “New client secret”" in words(refused)
    bare.sandbox.control("DELETE", f"faults/{expired}")
    saved = oda.post(page, {**typed, "TENANT": "common"})
    assert "Saved. Microsoft takes this id and secret." in words(saved)
    assert 'name="TENANT" value="common"' in saved.text
    oda.post(f"{page}/remove")


def test_what_the_doctor_says_is_a_page_of_the_operators(bare: Stack, oda: Person) -> None:
    save(oda)
    register(bare, "another-secret")
    shell = oda.get("/diagnostics")
    assert 'hx-get="/diagnostics/findings"' in shell.text
    for path in ("/diagnostics?now=1", "/diagnostics/findings"):
        answer = oda.get(path)
        assert answer.status_code == 200
        assert "1 thing is wrong." in words(answer)
        assert "Google refuses this installation's client secret." in words(answer)
        assert f'href="{bare.url}{PAGE}#google"' in answer.text
        assert SECRET not in answer.text
    save(oda, "another-secret")
    assert "Nothing is wrong." in words(oda.get("/diagnostics/findings"))
    for path in ("/diagnostics", "/diagnostics?now=1", "/diagnostics/findings"):
        refused = bare.person().get(path)
        assert refused.status_code == 403
        assert "Only the operator of this installation sees what is wrong with it." in words(refused)
    assert "/login" in bare.person(signed_up=False).get("/diagnostics").url


def test_addresses_that_lead_nowhere(bare: Stack, oda: Person) -> None:
    for path in (f"{PAGE}/nowhere", f"{PAGE}/nowhere/check", f"{PAGE}/nowhere/remove"):
        assert oda.post(path).status_code == 404
    assert oda.get(GOOGLE).status_code == 405
    assert PAGE in oda.get(GOOGLE).text
    assert oda.get(f"{GOOGLE}/remove").url.endswith(f"{PAGE}#google")
    assert "nothing to ask Google about" in oda.post(f"{GOOGLE}/check").text


def test_the_environment_wins_and_the_page_says_so(stack: Stack) -> None:
    """Of the stack that has the sandbox's clients in its environment."""
    oda = operators.operator(stack)
    page = oda.get(PAGE)
    shown = card(page.text)
    assert "TRUESEND_GOOGLE_CLIENT_ID" in shown
    assert "TRUESEND_GOOGLE_CLIENT_SECRET" in shown
    assert "sandbox-google-client" in shown
    assert 'name="secret"' not in shown
    assert SECRET not in page.text
    refused = oda.post(GOOGLE, {"client_id": ID, "secret": SECRET, "version": "0"})
    assert refused.status_code == 400
    assert "Accepted" in card(oda.post(f"{GOOGLE}/check").text)
