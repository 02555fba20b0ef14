"""The page of an email with 1,000 copies and 10,000 signals: in pages, in few queries, and machines in a line."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from tests.copies import Copy, email_of, mailbox, member_of

from truesend import clock
from truesend.organizations.models import Member, Organization, Role
from truesend.providers.contract import Capability
from truesend.sending.models import Delivery, Email
from truesend.tracking.history import history_of, place_of
from truesend.tracking.models import Signal

pytestmark = pytest.mark.django_db(transaction=True)

LINKS = [
    {"index": number, "target": f"https://example.com/{number}", "text": f"link {number}"}
    for number in range(3)
]
SEED = 11


@pytest.fixture
def ana() -> Member:
    return member_of(Organization.objects.create(name="Northwind"), "ana", Role.OWNER)


@pytest.fixture
def browser(ana: Member) -> Client:
    client = Client(headers={"host": "localhost:8000"})
    client.force_login(ana.user)
    return client


def made(ana: Member, copies: int, links: bool = True) -> Email:
    email = email_of(ana, mailbox(ana, [Capability.SEND]), *[Copy("accepted")] * copies)
    if links:
        Delivery.objects.filter(email=email).update(links=LINKS)
    return email


def signal(email: Email, delivery: Any, **fields: Any) -> Signal:
    click = fields.get("kind", "open") == "click"
    given = {
        "kind": "open",
        "klass": "person",
        "confidence": 0.9,
        "reason": "Person: Firefox on Windows.",
        "rule": "browser",
        "rules_version": "1",
        "at": clock.now(),
        "link": 0 if click else None,
        "link_label": "link 0" if click else "",
        "changed_at": clock.now(),
        **fields,
    }
    return Signal(organization=email.organization_id, email=email.pk, delivery=delivery, **given)


def many(email: Email, number: int) -> list[Signal]:
    """As they come: bursts of gateways, privacy proxies, people; several of the same instant among them."""
    dice = random.Random(SEED)
    copies = list(Delivery.objects.filter(email=email).order_by("position").values_list("pk", flat=True))
    start = clock.now() - timedelta(days=3)
    rows = []
    for step in range(number):
        klass = dice.choice(
            ["person", "person", "scanner", "scanner", "prefetch", "proxy", "self", "unknown"]
        )
        kind = dice.choice(["open", "click"]) if klass != "proxy" else "open"
        link = dice.randrange(3) if kind == "click" else None
        rows.append(
            signal(
                email,
                dice.choice(copies),
                klass=klass,
                kind=kind,
                link=link,
                struck=dice.random() < 0.02,
                at=start + timedelta(seconds=step // 3),
                link_label=f"link {link}" if link is not None else "",
            )
        )
    return Signal.objects.bulk_create(rows)


def text(page: bytes) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page.decode())).split())


def entries(page: str) -> Iterator[str]:
    """The ids of the signals on a page, in order."""
    yield from re.findall(r'<li id="signal-(\d+)"', page)


# Whose installation this is, and its clients at providers, are believed for a second each and asked in between.
_ASIDE = re.compile("^BEGIN|^COMMIT|organizations_installation|connections_providerclient")


def test_a_large_email_comes_in_few_queries_and_quickly(ana: Member, browser: Client) -> None:
    email = made(ana, 1_000)
    many(email, 10_000)
    with database.cursor() as cursor:
        cursor.execute("ANALYZE")
    for path in (
        f"/emails/{email.pk}",
        f"/emails/{email.pk}/timeline",
        f"/emails/{email.pk}/copies",
        f"/emails/{email.pk}/body",
    ):
        browser.get(path)
        took = []
        for _ in range(5):
            began = time.perf_counter()
            with CaptureQueriesContext(database) as asked:
                page = browser.get(path)
            took.append(time.perf_counter() - began)
        assert page.status_code == 200
        queries = [one["sql"] for one in asked.captured_queries if not _ASIDE.search(one["sql"])]
        name = path.removeprefix(f"/emails/{email.pk}") or "/"
        print(
            f"{name:<10} {len(queries):>2} queries, {len(page.content) // 1024} KB, {sorted(took)[2] * 1000:.0f} ms"
        )
        if len(queries) > 12:
            print("\n".join(one[:160] for one in queries))
        assert len(queries) <= 12
        assert len(page.content) < 210_000


def test_the_pages_of_a_timeline_tell_every_signal_once(ana: Member) -> None:
    email = made(ana, 5)
    rows = many(email, 2_000)
    alone = [one for one in rows if one.struck or one.klass not in {"scanner", "prefetch", "self"}]
    seen: list[int] = []
    folded, place, pages = 0, None, 0
    while True:
        page = history_of(email.pk, 70, place)
        seen += [one.pk for one in page.signals]
        folded += sum(one.times for one in page.folds)
        pages += 1
        if page.older is None:
            break
        place = place_of(str(page.older))
        assert place == page.older
    assert seen == [one.pk for one in sorted(alone, key=lambda one: (one.at, one.pk), reverse=True)]
    assert folded == len(rows) - len(alone)
    assert pages == -(-len(alone) // 70)


@pytest.mark.parametrize("text", ["", "x", "12", "12-", "-3", "1" * 30 + "-1", "999999999999999999-5"])
def test_what_names_no_place_is_none(text: str) -> None:
    assert place_of(text) is None


def test_older_entries_come_below_and_then_on_pages_of_their_own(ana: Member, browser: Client) -> None:
    email = made(ana, 1)
    (copy,) = Delivery.objects.filter(email=email).values_list("pk", flat=True)
    start = clock.now() - timedelta(days=1)
    rows = Signal.objects.bulk_create(
        [signal(email, copy, at=start + timedelta(seconds=number)) for number in range(1_050)]
    )
    newest = [str(one.pk) for one in reversed(rows)]
    path, shown = f"/emails/{email.pk}", 0
    seen: list[str] = []
    for step in range(40):
        page = browser.get(path).content.decode()
        found = list(entries(page))
        seen += [one for one in found if one not in seen]
        older = re.search(r'id="older" href="([^"]+)"', page)
        if older is None:
            break
        path = unescape(older[1])
        # Until five hundred stand there; then a page begins anew.
        assert (len(found) > shown) or "before" in path or step > 4
        shown = len(found)
    assert seen == newest
    assert "Show the newest" in page
    assert "Nothing is older" not in page
    # What the live part fetches is the same part.
    assert f'hx-get="{path.replace("?", "/timeline?")}"' in page.replace("&amp;", "&")


def test_what_machines_did_between_two_signals_of_people_is_one_line(ana: Member, browser: Client) -> None:
    email = made(ana, 1)
    (copy,) = Delivery.objects.filter(email=email).values_list("pk", flat=True)
    start = clock.now() - timedelta(hours=5)
    machine = {
        "klass": "scanner",
        "confidence": 0.99,
        "reason": "Scanner: all 3 links within 0.8 s. Not counted.",
    }

    def at(minutes: float) -> Any:
        return start + timedelta(minutes=minutes)

    rows = [
        signal(email, copy, kind="click", link=number % 3, at=at(number / 100), **machine)
        for number in range(12)
    ]
    rows += [signal(email, copy, at=at(0.2), **machine), signal(email, copy, at=at(10))]
    rows += [signal(email, copy, kind="click", link=1, link_label="link 1", at=at(20), **machine)]
    rows += [signal(email, copy, kind="click", link=1, struck=True, at=at(21), **machine)]
    Signal.objects.bulk_create(rows)
    told = text(browser.get(f"/emails/{email.pk}/timeline").content)
    assert (
        told.count(
            "Fetched all links certain Scanner: all 3 links within 0.8 s. 13 fetches in all. Not counted."
        )
        == 1
    )
    assert told.count("Fetched “link 1” certain Scanner: all 3 links within 0.8 s. Not counted.") == 1
    assert told.count("You struck it: not counted.") == 1
    assert told.count("Opened") == 2  # the entry, and the word at the head


def test_copies_say_who_opened_and_come_in_pages(ana: Member, browser: Client) -> None:
    email = made(ana, 230)
    copies = list(Delivery.objects.filter(email=email).order_by("position").values_list("pk", flat=True))
    Signal.objects.bulk_create(
        [
            signal(email, copies[0], klass="proxy"),
            signal(email, copies[1]),
            signal(email, copies[2], kind="click"),
            signal(email, copies[3], klass="scanner"),
        ]
    )
    page = browser.get(f"/emails/{email.pk}/timeline").content
    assert page.count(b'<li id="copy-') == 20
    assert "All 230 copies" in text(page)
    assert "person2@globex.example clicked “link 0”" in text(page)
    numbers = [
        browser.get(f"/emails/{email.pk}/copies?page={page}").content for page in ("1", "2", "3", "x", "99")
    ]
    assert [one.count(b'<li id="copy-') for one in numbers] == [100, 100, 30, 100, 30]
    first = text(numbers[0])
    for number, word in enumerate(("Cannot know", "Opened", "Clicked", "Only machines", "Accepted")):
        assert re.search(rf"person{number}@globex.example \S.*? {word} person{number + 1}@", first), word
    assert browser.get(f"/emails/{made(ana, 1).pk}/copies").status_code == 404
