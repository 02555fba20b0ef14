"""Records of mail that another account sent: `POST /v2/emails`, and finding one again (specification of Email v2).

A record sends nothing. Its `original_provider_id` "must be unique when combined with provider": our mark stands there,
so that a record whose answer was lost is found by the list of emails, and a second one would be refused.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from truesend.providers import handing_over
from truesend.providers.contract import Request
from truesend.providers.errors import Outcome, ProviderError, SendResult
from truesend.providers.http import Answer
from truesend.providers.keap import api, errors, people
from truesend.providers.recording import CrmContact, SentElsewhere

# What `original_provider` may say besides its own name and UNKNOWN.
_ORIGINS = frozenset({"MICROSOFT", "GOOGLE"})
# Our clock and Keap's differ a little.
_MARGIN = timedelta(minutes=5)
_PAGE, _PAGES = 1000, 10


def contact(secret: str, address: str) -> CrmContact | None:
    """The contact that has this address, by the filter that a send uses; none is made."""
    return people.named(address, secret)


def request(mail: SentElsewhere, secret: str) -> Request:
    """``POST /v2/emails``. Never with `sent_to_bcc_address_list`, never with a moment that we do not know. Pure."""
    origin = mail.origin.upper()
    body: dict[str, Any] = {
        "contact_id": mail.contact,
        "sent_to_address": mail.to,
        "sent_from_address": mail.sender,
        "sent_time": mail.sent_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "subject": mail.subject,
        "original_provider": origin if origin in _ORIGINS else "UNKNOWN",
        "original_provider_id": mail.mark,
        "provider_source_id": mail.account,
    }
    if mail.cc:
        body["sent_to_cc_address_list"] = list(mail.cc)
    if mail.html:
        body["html_content"] = _base64(mail.html)
    if mail.text:
        body["plain_content"] = _base64(mail.text)
    return api.with_body("POST", "/v2/emails", "emails.create", secret, body)


def record(secret: str, mail: SentElsewhere, *, fence: Callable[[], None]) -> SendResult:
    """One call, and what its answer says; nothing is repeated."""
    return handing_over.once(
        request(mail, secret),
        mail.size,
        fence=fence,
        judge=lambda answer: judge(answer, is_key=api.is_key(secret)),
    )


def judge(answer: Answer, *, is_key: bool = False) -> SendResult:
    """201 with an id is a record; what else is 2xx, and every failure of Keap's own, leaves it open."""
    body = answer.json()
    refusal = errors.api_refusal(answer)
    number = api.identifier(body.get("id")) if isinstance(body, Mapping) else ""
    if answer.status == 201 and refusal is None and number:
        return SendResult(Outcome.ACCEPTED, message_id=number, milliseconds=answer.milliseconds)
    if refusal is None or answer.status < 400:
        certain = 400 <= answer.status < 500 and answer.status not in {408, 409, 425}
        cause = "provider_refused" if certain else "provider_error"
        if answer.status < 400:
            cause = "provider_garbage"
        outcome = Outcome.NOT_SENT if certain else Outcome.UNKNOWN
        return SendResult(outcome, cause, f"{answer.status} {answer.words()}".strip())
    return SendResult(
        Outcome.NOT_SENT if refusal.proves_not_sent else Outcome.UNKNOWN,
        errors.of_a_key(refusal.cause) if is_key else refusal.cause,
        refusal.words,
        retry_at=refusal.retry_at,
        client_wide=refusal.client_wide and not is_key,
    )


def find(secret: str, mark: str, number: str, *, since: datetime) -> str:
    """The record with our mark among a contact's emails since then; all pages, since absence is concluded from it."""
    start = (since - _MARGIN).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    asked = {
        "filter": f"contact_id=={number};start_created_time=={start}",
        "order_by": "created_time asc",
        "page_size": str(_PAGE),
    }
    token = ""
    for _ in range(_PAGES):
        query = urlencode({**asked, **({"page_token": token} if token else {})})
        body = api.ask(api.get(f"/v2/emails?{query}", "emails.list", secret), secret)
        for one in api.listed(body, "emails"):
            if one.get("original_provider_id") == mark and (found := api.identifier(one.get("id"))):
                return found
        token = api.next_page(body)
        if not token:
            return ""
    raise ProviderError("provider_garbage", "A list of emails without an end.")


def _base64(text: str) -> str:
    return base64.b64encode(text.encode(errors="replace")).decode()
