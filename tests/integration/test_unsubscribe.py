"""Unsubscribing at a real tracker: effect by POST alone, safe before it is said, counted once, database or not."""

from __future__ import annotations

import os
import re
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.types.json import Jsonb
from tests import postgres, tracker_process
from tests.integration.test_tracker import read_keys
from tests.tracker_process import HUMAN, Answer, Tracker

from truesend.runtime.postgres import Postgres
from truesend.suppression.loading import keep
from truesend.tracking import tokens, unsubscribe_records, unsubscribe_tokens
from truesend.tracking.records import FRAME
from truesend.tracking.unsubscribe_records import Kind, Said, Way
from truesend.tracking.unsubscribe_tokens import UnsubscribeToken

INES = "ines@globex.example"
FORM = {**HUMAN, "Content-Type": "application/x-www-form-urlencoded"}
ONE_CLICK = b"List-Unsubscribe=One-Click"


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    """As in real life: it is going to be killed."""
    with postgres.running({}) as running:
        folder = postgres.data_folder()
        tracker_process.migrate(folder, running.url)
        shutil.rmtree(folder)
        yield running


@pytest.fixture(scope="module")
def tracker(server: Postgres) -> Iterator[Tracker]:
    folder = postgres.data_folder()
    with tracker_process.running(folder, server.url) as running:
        yield running
    shutil.rmtree(folder)


class Mail:
    """An organization, and a copy of an email that somebody got."""

    def __init__(self, server: Postgres, tracker: Tracker) -> None:
        self.server, self.tracker = server, tracker
        self.organization, self.delivery, self.email = uuid4(), uuid4(), uuid4()
        self.keys = read_keys(tracker.folder.parent)
        member, connection = uuid4(), uuid4()
        with psycopg.connect(server.url, autocommit=True) as database:
            (user,) = _row(
                database,
                "organizations_user",
                {"email": f"{uuid4()}@x.example", "password": "", "name": "", "is_superuser": False,
                 "is_active": True, "is_staff": False, "is_operator": False, "created_at": _now()},
            )  # fmt: skip
            _row(database, "organizations_organization", {"id": self.organization, "name": "Northwind",
                 "created_at": _now()})  # fmt: skip
            _row(database, "organizations_member", {"id": member, "organization_id": self.organization,
                 "user_id": user, "role": "owner", "created_at": _now()})  # fmt: skip
            _row(database, "connections_connection", {"id": connection, "organization_id": self.organization,
                 "member_id": member, "provider": "google", "kind": "personal"})  # fmt: skip
            _row(database, "sending_email", {"id": self.email, "organization_id": self.organization,
                 "member_id": member, "connection_id": connection, "status": "sent",
                 "separate_copies": True})  # fmt: skip
            _row(database, "sending_delivery", {"id": self.delivery, "email_id": self.email,
                 "connection_id": connection, "status": "accepted", "position": 0})  # fmt: skip

    @property
    def token(self) -> str:
        return unsubscribe_tokens.sign(
            self.keys, UnsubscribeToken(self.delivery, self.organization, INES, "Northwind & <Co>")
        )

    def get(self, method: str = "GET") -> Answer:
        return self.tracker.get(f"/t/u/{self.token}", method=method)

    def post(self, body: bytes = ONE_CLICK, headers: dict[str, str] = FORM) -> Answer:
        return self.tracker.get(f"/t/u/{self.token}", headers, "POST", body)

    def listed(self) -> list[tuple[Any, ...]]:
        """(address, reason, source, whether it is over) of the organization, the oldest first."""
        with psycopg.connect(self.server.url) as database:
            return database.execute(
                "SELECT address, reason, source, allowed_at IS NOT NULL FROM suppression_suppression"
                " WHERE organization_id = %s ORDER BY at, id",
                [self.organization],
            ).fetchall()

    def signals(self) -> list[tuple[Any, ...]]:
        """(kind, class, confidence, reason, recipient), the oldest first."""
        with psycopg.connect(self.server.url) as database:
            return database.execute(
                "SELECT kind, class, confidence, reason, recipient FROM tracking_signal WHERE email = %s"
                " ORDER BY at, id",
                [self.email],
            ).fetchall()

    def said(self, kind: Kind, seconds: float, way: Way = Way.PAGE) -> bytes:
        """The payload of a record, so many seconds from now."""
        at = datetime.now(UTC) + timedelta(seconds=seconds)
        return unsubscribe_records.pack(Said(kind, way, at, self.delivery, self.organization, INES))[
            FRAME.size :
        ]

    def load(self, *payloads: bytes) -> None:
        """As the loader does."""
        with psycopg.connect(self.server.url) as database:
            keep(database, list(payloads))


def _now() -> datetime:
    return datetime.now(UTC)


def _row(database: psycopg.Connection[Any], table: str, given: dict[str, Any]) -> tuple[Any, ...]:
    """Insert it; what must not be null and was not given is empty."""
    columns = database.execute(
        "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = %s"
        " AND is_nullable = 'NO' AND column_default IS NULL AND is_identity = 'NO'",
        [table],
    ).fetchall()
    empty = {
        "boolean": False, "integer": 0, "smallint": 0, "bigint": 0, "jsonb": Jsonb([]), "ARRAY": [],
        "timestamp with time zone": _now(), "bytea": b"",
    }  # fmt: skip
    values = {**{name: empty.get(kind, "") for name, kind in columns}, **given}
    names = ", ".join(f'"{one}"' for one in values)
    marks = ", ".join(["%s"] * len(values))
    found = database.execute(
        f"INSERT INTO {table} ({names}) VALUES ({marks}) RETURNING id",
        list(values.values()),
    ).fetchone()
    assert found is not None
    return tuple(found)


@pytest.fixture
def mail(server: Postgres, tracker: Tracker) -> Mail:
    return Mail(server, tracker)


def until(read: Callable[[], Any], good: Callable[[Any], bool], seconds: float = 15) -> Any:
    end = time.monotonic() + seconds
    while not good(value := read()):
        assert time.monotonic() < end, value
        time.sleep(0.05)
    return value


LISTED = (INES, "asked", "By the link in the mail", False)
BY_PROGRAM = (INES, "asked", "By the mail program’s own button", False)


def test_a_page_says_whose_mail_it_is_about_and_does_nothing(mail: Mail) -> None:
    for _ in range(3):
        answer = mail.get()
        assert answer.status == 200
        page = answer.body.decode()
        assert INES in page
        assert "Northwind &amp; &lt;Co&gt;" in page
        assert '<form method="post">' in page
        assert "<script" not in page
        assert "http" not in re.sub(r"<!doctype.*?<title>", "", page, flags=re.DOTALL)
        assert "set-cookie" not in answer.headers
        assert "form-action 'self'" in answer.headers["content-security-policy"]
        assert answer.headers["referrer-policy"] == "no-referrer"
    head = mail.get("HEAD")
    assert (head.status, head.body) == (200, b"")
    assert mail.tracker.get(f"/t/u/{mail.token}", method="PUT").status == 405
    time.sleep(0.5)
    assert mail.listed() == []
    assert mail.signals() == []


def test_the_button_of_the_page(mail: Mail) -> None:
    answer = mail.post(b"action=unsubscribe")
    assert answer.status == 200
    assert "You are unsubscribed" in answer.body.decode()
    assert until(mail.listed, bool) == [LISTED]
    assert mail.signals() == [("unsubscribe", "person", 1.0, "By the link in the mail.", INES)]


@pytest.mark.parametrize("form", ["urlencoded", "multipart"])
def test_one_click_as_a_mail_program_sends_it(mail: Mail, form: str) -> None:
    body, headers = ONE_CLICK, {"Content-Type": "application/x-www-form-urlencoded"}
    if form == "multipart":
        part = b'--x\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--x--\r\n'
        body, headers = part, {"Content-Type": 'multipart/form-data; boundary="x"'}
    answer = mail.post(body, headers)
    assert answer.status == 200
    assert "location" not in answer.headers
    assert until(mail.listed, bool) == [BY_PROGRAM]


def test_pressed_often_it_counts_once(mail: Mail) -> None:
    for body in (ONE_CLICK, b"action=unsubscribe", ONE_CLICK):
        assert mail.post(body).status == 200
    until(mail.listed, bool)
    time.sleep(0.5)
    assert len(mail.listed()) == len(mail.signals()) == 1


def test_a_mistake_is_taken_back_and_can_be_meant_again(mail: Mail) -> None:
    mail.post(b"action=unsubscribe")
    until(mail.listed, bool)
    answer = mail.post(b"action=undo")
    assert "You are not unsubscribed" in answer.body.decode()
    assert until(mail.listed, lambda rows: rows[0][3]) == [(*LISTED[:3], True)]
    ((_, _, _, reason, _),) = mail.signals()
    assert reason == "By the link in the mail. Taken back a moment later."
    mail.post(b"action=undo")
    mail.post(b"action=unsubscribe")
    assert until(mail.listed, lambda rows: len(rows) == 2)[1] == LISTED
    assert len(mail.signals()) == 2


@pytest.mark.parametrize(
    "body", [b"", b"action=", b"x=y", b"List-Unsubscribe=No", b"\xff\x00", b"action=delete"]
)
def test_another_body_does_nothing(mail: Mail, body: bytes) -> None:
    answer = mail.post(body)
    assert answer.status == 400
    assert '<form method="post">' in answer.body.decode()
    time.sleep(0.3)
    assert mail.listed() == []


def test_a_body_without_end_is_refused(mail: Mail) -> None:
    assert mail.post(b"action=unsubscribe&x=" + b"y" * 20_000).status == 413


def test_no_mutated_or_forged_token_ever_does_anything(mail: Mail) -> None:
    token = mail.token
    wrong = [
        token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :] for at in range(0, len(token), 5)
    ]
    wrong += [token[:-1], token + "A", token + "=", "", "x", "A" * 3000, token.swapcase()]
    wrong.append(tokens.sign_click(mail.keys, mail.delivery, 0, "https://x.example/"))
    wrong.append(tokens.sign_open(mail.keys, mail.delivery))
    strange = [(mail.keys[0][0], os.urandom(32))]
    other = UnsubscribeToken(mail.delivery, mail.organization, INES, "x")
    wrong.append(unsubscribe_tokens.sign(strange, other))
    for one in wrong:
        assert mail.tracker.get(f"/t/u/{one}", FORM, "POST", ONE_CLICK).status == 404, one
        assert mail.tracker.get(f"/t/u/{one}").status == 404
    unknown = unsubscribe_tokens.sign([("gone", os.urandom(32))], other)
    assert "no longer in use" in mail.tracker.get(f"/t/u/{unknown}").body.decode()
    # And ours opens nothing else.
    assert mail.tracker.get(f"/t/c/{token}").status == 404
    assert mail.tracker.get(f"/t/o/{token}.gif").status == 404
    time.sleep(0.5)
    assert mail.listed() == []


def test_with_the_database_down_it_is_kept_and_counts_once(server: Postgres, mail: Mail) -> None:
    pid = server.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    while server.pid is not None:
        time.sleep(0.01)
    try:
        assert mail.get().status == 200
        answer = mail.post()
        assert (answer.status, "You are unsubscribed" in answer.body.decode()) == (200, True)
        assert mail.post(b"action=unsubscribe").status == 200
        # Whoever answered dies as well: what was answered is on the disk.
        mail.tracker.kill()
    finally:
        server.start()
        server.wait_ready()
        mail.tracker.start()
    assert until(mail.listed, bool, 30) == [BY_PROGRAM]
    time.sleep(0.5)
    assert mail.listed() == [BY_PROGRAM]
    assert len(mail.signals()) == 1


def test_a_full_disk_is_not_called_done(mail: Mail) -> None:
    with mail.tracker.largest_file(0):
        answer = mail.post()
    assert answer.status == 503
    assert answer.headers["retry-after"] == "60"
    assert "could not be noted" in answer.body.decode()
    assert mail.post().status == 200
    assert until(mail.listed, bool) == [BY_PROGRAM]


def test_the_later_word_holds_in_whatever_order_it_comes(mail: Mail) -> None:
    mail.load(mail.said(Kind.UNDO, -10))
    mail.load(mail.said(Kind.UNSUBSCRIBE, -20))
    assert [row[3] for row in mail.listed()] == [True]
    assert [row[3] for row in mail.signals()] == ["By the link in the mail. It was taken back later."]
    mail.load(mail.said(Kind.UNSUBSCRIBE, -5))
    assert [row[3] for row in mail.listed()] == [True, False]
    mail.load(mail.said(Kind.UNDO, -2), mail.said(Kind.UNSUBSCRIBE, -3))
    assert [row[3] for row in mail.listed()] == [True, True]


def test_what_a_member_noted_is_not_undone_by_a_link(mail: Mail) -> None:
    with psycopg.connect(mail.server.url, autocommit=True) as database:
        _row(
            database,
            "suppression_suppression",
            {"id": uuid4(), "organization_id": mail.organization, "key": INES, "address": INES,
             "reason": "asked", "source": "She said so on the phone"},
        )  # fmt: skip
    mail.load(mail.said(Kind.UNDO, 1))
    assert ("She said so on the phone", False) in [(row[2], row[3]) for row in mail.listed()]


def test_of_an_organization_or_email_that_is_gone(mail: Mail) -> None:
    with psycopg.connect(mail.server.url, autocommit=True) as database:
        database.execute("DELETE FROM sending_delivery WHERE id = %s", [mail.delivery])
    mail.load(mail.said(Kind.UNSUBSCRIBE, 0))
    assert [row[:2] for row in mail.listed()] == [(INES, "asked")]
    assert mail.signals() == []
    mail.organization = UUID(int=7)
    mail.load(mail.said(Kind.UNSUBSCRIBE, 0), b"\x10" * 20, mail.said(Kind.UNDO, 1))
    assert mail.listed() == []
