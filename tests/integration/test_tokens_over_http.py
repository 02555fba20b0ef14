"""Tokens at the real tracker: changed ones lead nowhere, and keys are exchanged without a link dying."""

from __future__ import annotations

import base64
import shutil
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from tests import postgres, tracker_process
from tests.storms import mutations

from truesend.tracking import tokens

READ, FOLLOWED = 20_000, 1_000
OLD, NEW = ("2025", b"o" * 32), ("2026", b"n" * 32)
TARGET = "https://shop.example/a/ü?x=1&y=%20#top"


@pytest.fixture
def data() -> Iterator[Path]:
    folder = postgres.data_folder()
    yield folder
    shutil.rmtree(folder)


def ring(*keys: tuple[str, bytes]) -> str:
    return ",".join(f"{name}:{base64.b64encode(secret).decode()}" for name, secret in keys)


@pytest.mark.storm
def test_no_changed_token_is_read() -> None:
    books = mutations.read_all([NEW, OLD], READ, seed=4)
    assert books.wrong == []
    assert set(books.counts) == set(mutations.CHANGES)
    print(f"{books.tried} changed tokens of {len(books.counts)} kinds in {books.seconds:.1f} s, seed 4")


@pytest.mark.storm
def test_no_changed_token_leads_anywhere(data: Path) -> None:
    with tracker_process.running(data, None, TRUESEND_LINK_KEYS=ring(NEW, OLD)) as tracker:
        books = mutations.follow_all(tracker.port, [NEW, OLD], FOLLOWED, seed=4)
        assert books.wrong == []
        assert tracker.health()["lost"] == 0
    assert not any(path.stat().st_size for path in (data / "tracking" / "segments").glob("*.log")), (
        "none is a hit"
    )
    print(f"{books.tried} changed tokens over HTTP in {books.seconds:.1f} s, seed 4")


def test_links_outlive_the_exchange_of_keys_and_end_with_their_key(data: Path) -> None:
    link = f"/t/c/{tokens.sign_click([OLD], uuid4(), 0, TARGET)}"
    pixel = f"/t/o/{tokens.sign_open([OLD], uuid4())}.gif"
    for keys in ([OLD], [NEW, OLD], [("2027", b"x" * 32), NEW, OLD]):
        with tracker_process.running(data, None, TRUESEND_LINK_KEYS=ring(*keys)) as tracker:
            answer = tracker.get(link)
            assert (answer.status, answer.headers["location"].encode("latin-1")) == (302, TARGET.encode())
            assert tracker.get(pixel).status == 200
            newest = tracker.get(f"/t/c/{tokens.sign_click(keys, uuid4(), 0, TARGET)}")
            assert newest.status == 302
    with tracker_process.running(data, None, TRUESEND_LINK_KEYS=ring(NEW)) as tracker:
        for path in (link, pixel):
            answer = tracker.get(path)
            assert (answer.status, "location" in answer.headers) == (404, False)
            assert b"no longer in use" in answer.body
        forged = f"/t/c/{tokens.sign_click([(NEW[0], b'?' * 32)], uuid4(), 0, TARGET)}"
        answer = tracker.get(forged)
        assert (answer.status, b"no longer in use" in answer.body) == (404, False), (
            "another page than a forged one"
        )
