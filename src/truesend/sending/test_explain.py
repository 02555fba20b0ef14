"""What is in an email's way, in whole sentences: pure."""

# ruff: noqa: E501
from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from truesend.connections.causes import CAUSES, Who
from truesend.sending.explain import Facts, Help, explain
from truesend.sending.models import DeliveryStatus

NOW = datetime(2026, 11, 23, 13, 30, 20, tzinfo=UTC)
LATER = NOW + timedelta(minutes=30)


def told(status: str, cause: str, **more: Any) -> tuple[str, Help, Who] | None:
    found = explain(Facts(status, cause, "Google", "ana@northwind.example", **more), NOW)
    return (found.sentence, found.help, found.who) if found is not None else None


@pytest.mark.parametrize(
    ("status", "cause", "more", "said"),
    [
        ("accepted", "", {}, None),
        ("sending", "throttled", {}, None),
        ("cancelled", "daily_limit", {}, None),
        ("queued", "", {"due_at": LATER}, None),
        (
            "queued",
            "throttled",
            {"due_at": LATER},
            ("Nothing was sent yet. Google asks us to slow down. It goes by itself at 14:01 UTC.", Help.NONE, Who.NOBODY),
        ),
        (
            "queued",
            "access_refused",
            {"due_at": NOW},
            (
                "Nothing was sent yet. Google refused our key for this account. It goes by itself in a moment.",
                Help.NONE,
                Who.NOBODY,
            ),
        ),
        (
            "queued",
            "daily_limit",
            {"due_at": NOW + timedelta(days=1)},
            (
                "Nothing was sent yet. This mailbox has reached Google's daily limit. It goes by itself on 24 Nov at "
                "13:31 UTC; nothing to do.",
                Help.NONE,
                Who.NOBODY,
            ),
        ),
        (
            "queued",
            "grant_revoked",
            {"can_send": True},
            (
                "Nothing was sent. What stood in its way is gone; it waits here until somebody lets it go.",
                Help.RELEASE,
                Who.MEMBER,
            ),
        ),
        # Held before its hour: it goes back into its schedule by itself.
        (
            "queued",
            "disconnected",
            {"hour": LATER, "can_send": False},
            (
                "Nothing was sent. This account was disconnected here. It waits here; reconnected before, it goes by "
                "itself at 14:01 UTC.",
                Help.CAUSE,
                Who.HOLDER,
            ),
        ),
        (
            "queued",
            "connection_not_yours",
            {"hour": LATER, "can_send": False},
            (
                "Nothing was sent. This account belongs to its owner alone again. It waits here; if that is over before, "
                "it goes by itself at 14:01 UTC.",
                Help.CAUSE,
                Who.HOLDER,
            ),
        ),
        (
            "queued",
            "account_gone",
            {"hour": LATER, "can_send": False},
            (
                "Nothing was sent. Google says that this account was deleted or disabled. Once it is restored there, "
                "reconnect it. In time for it, it goes by itself at 14:01 UTC.",
                Help.CAUSE,
                Who.PROVIDER_ADMIN,
            ),
        ),
        (
            "queued",
            "restored",
            {},
            (
                "Nothing was sent, as Sent shows. It was due before the backup; send it if it still holds.",
                Help.RELEASE,
                Who.MEMBER,
            ),
        ),
        (
            "refused",
            "message_unbuildable",
            {},
            ("Nothing was sent. This email could not be put together.", Help.AGAIN, Who.MEMBER),
        ),
        (
            "unknown",
            "provider_cut_off",
            {"look_at": NOW, "ask_from": LATER, "can_look": True},
            (
                "We do not know whether it was sent: the connection to Google broke before an answer came. We look for "
                "it in the Sent folder by ourselves; if it is not there at 14:01 UTC, it is sent again.",
                Help.NONE,
                Who.NOBODY,
            ),
        ),
        (
            "unknown",
            "restored",
            {"look_at": NOW, "can_look": True},
            (
                "We do not know whether it was sent: an older backup was restored, which cannot tell what was sent "
                "since. We look for it in the Sent folder by ourselves; if it is proved that it is not there, it is held "
                "for you.",
                Help.NONE,
                Who.NOBODY,
            ),
        ),
        (
            "unknown",
            "worker_lost",
            {},
            (
                "We do not know whether it was sent: our worker ended before Google had answered. Look into the Sent "
                "folder of ana@northwind.example and say whether it is there. It is not sent again by guess.",
                Help.ANSWER,
                Who.MEMBER,
            ),
        ),
        (
            "refused",
            "recipient_refused",
            {"words": "400 Invalid To header", "copies": 2, "of": 5},
            (
                "2 of 5 copies: nothing was sent. Google refused a recipient: “400 Invalid To header”.",
                Help.AGAIN,
                Who.MEMBER,
            ),
        ),
    ],
)  # fmt: skip
def test_what_is_in_the_way(status: str, cause: str, more: dict[str, Any], said: object) -> None:
    assert told(status, cause, **more) == said


@pytest.mark.parametrize("cause", CAUSES)
@pytest.mark.parametrize("status", DeliveryStatus.values)
@pytest.mark.parametrize("due_at", [None, LATER])
def test_every_cause_makes_whole_sentences(cause: str, status: str, due_at: datetime | None) -> None:
    found = told(status, cause, due_at=due_at, can_send=False, words="no")
    if found is None:
        assert status in {"accepted", "sending", "cancelled"}
        return
    sentence, helps, who = found
    assert sentence.startswith(("Nothing was sent", "We do not know whether it was sent: "))
    assert sentence.endswith(".")
    assert "{" not in sentence
    assert ".." not in sentence
    assert (helps is Help.NONE) == (who is Who.NOBODY) or helps is Help.CAUSE
