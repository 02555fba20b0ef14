"""Whose id and secret a call is made with: the environment's, else the stored ones, never half of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from truesend.providers import clients
from truesend.providers.clients import Client, Stored
from truesend.providers.errors import ProviderError


class Shelf:
    """A source whose content the test changes; ``away``: it raises instead of answering."""

    def __init__(self) -> None:
        self.kept: dict[str, Stored] = {}
        self.away = False
        self.asked = 0

    def read(self) -> Mapping[str, Stored]:
        self.asked += 1
        if self.away:
            raise OSError("no database")
        return dict(self.kept)


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    source = Shelf()
    before = clients._kept
    clients._kept = clients._Kept()
    clients._kept.use(source.read)
    yield source
    clients._kept = before


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("ID", "SECRET", "SECRET_FILE"):
        monkeypatch.delenv(f"TRUESEND_GOOGLE_CLIENT_{name}", raising=False)
    return monkeypatch


def test_nothing_anywhere(shelf: Shelf, environment: pytest.MonkeyPatch) -> None:
    assert clients.client("google") is None
    with pytest.raises(ProviderError) as caught:
        clients.require("google")
    assert caught.value.cause == "client_missing"


def test_what_was_stored(shelf: Shelf, environment: pytest.MonkeyPatch) -> None:
    shelf.kept["google"] = Stored("id", "s3cret")
    found = clients.require("google")
    assert (found.id, found.secret, found.source) == ("id", "s3cret", "stored")
    assert "s3cret" not in repr(found)
    assert "s3cret" not in repr(shelf.kept["google"])


def test_the_environment_wins_and_asks_nobody(shelf: Shelf, environment: pytest.MonkeyPatch) -> None:
    shelf.kept["google"] = Stored("id", "s3cret")
    environment.setenv("TRUESEND_GOOGLE_CLIENT_ID", "theirs")
    environment.setenv("TRUESEND_GOOGLE_CLIENT_SECRET", "other")
    found = clients.require("google")
    assert (found.id, found.secret, found.source) == ("theirs", "other", "environment")
    assert shelf.asked == 0


@pytest.mark.parametrize("name", ["ID", "SECRET"])
def test_half_in_the_environment_is_no_client(
    shelf: Shelf, environment: pytest.MonkeyPatch, name: str
) -> None:
    shelf.kept["google"] = Stored("id", "s3cret")
    environment.setenv(f"TRUESEND_GOOGLE_CLIENT_{name}", "half")
    assert clients.client("google") is None
    with pytest.raises(ProviderError) as caught:
        clients.require("google")
    assert caught.value.cause == "client_missing"


def test_one_that_cannot_be_opened_says_so(shelf: Shelf, environment: pytest.MonkeyPatch) -> None:
    shelf.kept["google"] = Stored("id", None)
    assert clients.client("google") is None
    with pytest.raises(ProviderError) as caught:
        clients.require("google")
    assert caught.value.cause == "client_unreadable"


def test_a_source_is_believed_for_a_second(shelf: Shelf, environment: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        clients.client("google")
    assert shelf.asked == 1
    clients._kept.forget()
    shelf.kept["google"] = Stored("id", "s3cret")
    assert clients.require("google").id == "id"
    assert shelf.asked == 2


def test_a_database_that_is_away_takes_nothing_back(shelf: Shelf, environment: pytest.MonkeyPatch) -> None:
    shelf.away = True
    with pytest.raises(OSError, match="no database"):
        clients.client("google")
    shelf.away = False
    shelf.kept["google"] = Stored("id", "s3cret")
    assert clients.require("google").id == "id"
    shelf.away = True
    clients._kept.forget()
    assert clients.require("google").id == "id"


def test_credentials_may_be_tried(shelf: Shelf, environment: pytest.MonkeyPatch) -> None:
    environment.setenv("TRUESEND_GOOGLE_CLIENT_ID", "theirs")
    environment.setenv("TRUESEND_GOOGLE_CLIENT_SECRET", "other")
    with clients.trying("google", Client("new", "s3cret", "tried")):
        assert clients.require("google").id == "new"
    assert clients.require("google").id == "theirs"


def test_whether_a_provider_is_the_provider_itself(environment: pytest.MonkeyPatch) -> None:
    for name, _ in clients.endpoints("google"):
        environment.delenv(f"TRUESEND_{name}", raising=False)
    assert not clients.is_emulated("google")
    environment.setenv("TRUESEND_GOOGLE_TOKEN_URL", "https://oauth2.googleapis.com/token")
    assert not clients.is_emulated("google")
    environment.setenv("TRUESEND_GOOGLE_TOKEN_URL", "http://localhost:9000/token")
    assert clients.is_emulated("google")
