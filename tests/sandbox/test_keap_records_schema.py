"""What Truesend records is what Keap's own document says a record is."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime

import pytest
from tests.sandbox.keap_schema import AVAILABLE, _hold, _validator

from truesend.providers.keap import records
from truesend.providers.recording import SentElsewhere


def note(**more: str) -> SentElsewhere:
    fields = {"origin": "google", "html": "<p>Grüße</p>", "text": "Grüße", **more}
    return SentElsewhere(
        mark="truesend-1",
        contact="7",
        to="ines@globex.example",
        cc=("tom@initech.example",),
        sender="ana@northwind.example",
        account="ana@northwind.example",
        sent_at=datetime(2026, 5, 3, 10, 20, 30, 400, UTC),
        subject="Hello",
        **fields,
    )


@pytest.mark.parametrize(
    ("origin", "named"), [("google", "GOOGLE"), ("microsoft", "MICROSOFT"), ("other", "UNKNOWN")]
)
def test_a_record_holds_to_the_document(monkeypatch: pytest.MonkeyPatch, origin: str, named: str) -> None:
    monkeypatch.setenv("TRUESEND_KEAP_API_URL", "http://localhost/crm/rest")
    body = json.loads(records.request(note(origin=origin), "token").body or b"")
    assert (body["original_provider"], body["sent_time"]) == (named, "2026-05-03T10:20:30Z")
    assert base64.b64decode(body["html_content"]).decode() == "<p>Grüße</p>"
    assert "sent_to_bcc_address_list" not in body
    if AVAILABLE:
        wanted = _validator("v2", "POST", "/rest/v2/emails", "request")
        assert wanted is not None
        _hold(wanted, body, "a record")


def test_what_is_empty_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRUESEND_KEAP_API_URL", "http://localhost/crm/rest")
    body = json.loads(records.request(note(html=""), "token").body or b"")
    assert "html_content" not in body
    assert "plain_content" in body
