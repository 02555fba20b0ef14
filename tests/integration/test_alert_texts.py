"""The mail about each cause: its subject, the card's sentence, and the one thing that helps; a table."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client
from tests.copies import member_of
from tests.states import WORDS, State, write

from truesend import clock
from truesend.alerts import texts, troubles
from truesend.api import present
from truesend.connections.causes import CAUSES, Severity, Who
from truesend.connections.describe import Description, described_all
from truesend.connections.models import Connection
from truesend.organizations.models import Member, Organization, Role

pytestmark = pytest.mark.django_db(transaction=True)

SEND = "{address} can no longer send"
READ = "Truesend can no longer read replies at {address}"
BLOCK = "Google does not let {address} send"
RECONNECT = "Reconnect:"
ADMIN = "Who can help: the Google administrator of northwind.example."
TEST = "Send yourself a test email there:"


@dataclass(frozen=True)
class Told:
    """How the subject reads, which line says what helps, and how the sentence begins."""

    sentence: str
    subject: str = SEND
    helps: str = RECONNECT


TABLE = {
    "grant_revoked": Told("Google says that the permission was withdrawn or has expired;"),
    "grant_rejected": Told("Google no longer accepts our key for this account."),
    "grant_idle": Told("Nobody used this permission for so long that Google ended it."),
    "testing_expired": Told("This installation's client is in testing at Google, where every permission ends"),
    "password_changed": Told("Google ended this permission, as it does after a password was changed"),
    "mfa_required": Told("Google asks for a second proof of who you are"),
    "renewal_lost": Told("Google renewed our key, but its answer was lost on the way"),
    "key_refused": Told("Google refuses the Service Account Key"),
    "session_policy": Told("Your organization at Google asks people to sign in again from time to time"),
    "account_gone": Told("Google says that this account was deleted or disabled.", helps=ADMIN),
    "access_refused": Told("Google refused our key for this account."),
    "no_refresh_token": Told("Google gave no lasting permission, so it ends within the hour."),
    "scope_missing": Told("This permission was not given at Google.", subject=READ),
    "admin_policy": Told("An administrator at Google does not allow Truesend for this account.", helps=ADMIN),
    "mailbox_missing": Told("This Google account has no mailbox that can send.", helps=ADMIN),
    "secret_unreadable": Told("The key of this connection was stored with an encryption key"),
    "client_mismatch": Told("The permission was given to another client"),
    "sending_blocked": Told("Google does not let this account send: “5.7.708", subject=BLOCK, helps=TEST),
}  # fmt: skip
# Told to the operators, once for the provider; what is disconnected is told to nobody.
OPERATORS = {
    "client_unknown": "Google does not know this installation's client id.",
    "client_secret_wrong": "Google refuses this installation's client secret.",
    "client_secret_expired": "This installation's client secret at Google has expired.",
    "tenant_unknown": "Google does not know the directory that this installation asks.",
    "client_unreadable": "This installation can no longer read the Google client secret that was stored.",
    "client_missing": "This installation has no Google credentials.",
    "api_disabled": "The mail interface is switched off in this installation's project at Google.",
}


@pytest.fixture
def ana() -> Member:
    return member_of(Organization.objects.create(name="Northwind"), "ana", Role.OWNER)


def stands(ana: Member, cause: str) -> Description:
    made = write(ana, State(cause, "team@northwind.example", words=WORDS.get(cause, "")))
    (described,) = described_all(Connection.objects.filter(pk=made.pk))
    assert described.verdict.cause == cause
    return described


def test_every_cause_that_somebody_is_mailed_about_is_in_the_table() -> None:
    broken = {one.code for one in CAUSES.values() if one.severity is Severity.BROKEN}
    assert broken | {"sending_blocked"} == TABLE.keys() | OPERATORS.keys() | {"disconnected"}
    operators = {
        one.code for one in CAUSES.values() if one.severity is Severity.BROKEN and one.who is Who.OPERATOR
    }
    assert operators == OPERATORS.keys()


@pytest.mark.parametrize("cause", TABLE)
def test_what_is_mailed(ana: Member, cause: str) -> None:
    told, described = TABLE[cause], stands(ana, cause)
    assert troubles.is_trouble(described)
    assert troubles.of_the_operator(described) == ""
    text = texts.broken(described, clock.now(), waiting=0)
    assert text.subject == f"[dev] {told.subject.format(address='team@northwind.example')}"
    assert told.sentence in text.body
    assert told.helps in text.body.splitlines()
    # An address that does it, of this installation.
    assert re.search(r"^http://localhost:8000/(oauth/google/start\?|integration)", text.body, re.MULTILINE)
    # Card, API and mail say the same.
    assert described.sentence in text.body
    assert present.connection(ana, described)["sentence"] == described.sentence
    client = Client(headers={"host": "localhost:8000"})
    client.force_login(ana.user)
    page = client.get("/integration").content.decode()
    assert described.sentence in page.replace("&#x27;", "'")
    assert "None" not in text.body
    assert "{" not in text.body


@pytest.mark.parametrize("cause", OPERATORS)
def test_what_operators_are_mailed(ana: Member, cause: str) -> None:
    described = stands(ana, cause)
    assert troubles.of_the_operator(described) == cause
    text = texts.client(cause, "Google", "google", clock.now(), connections=1)
    assert text.subject == "[dev] Connections to Google need who runs them"
    assert OPERATORS[cause] in text.body
    assert "1 connection depends on it." in text.body
    assert f"What helps: {CAUSES[cause].clears}" in text.body
    assert "http://localhost:8000/settings/providers#google" in text.body


def test_nobody_is_mailed_about_limits_and_passing_faults(ana: Member) -> None:
    passing: list[Any] = [one for one in CAUSES.values() if one.severity is Severity.ATTENTION]
    for one in passing:
        if one.code != "sending_blocked":
            assert not troubles.is_trouble(stands(ana, one.code)), one.code
