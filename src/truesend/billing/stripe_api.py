"""The calls to Stripe that Truesend makes, and what of their answers it goes by.

Facts about Stripe's objects are those of the library 16.1.0, which pins the version of the API.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, TypeVar
from urllib.parse import urlsplit
from uuid import UUID

from truesend import env
from truesend.providers import http

T = TypeVar("T")
STRIPE = "https://api.stripe.com"
# Where Checkout and the portal live when the API is Stripe's own.
_PAGES = "https://checkout.stripe.com https://billing.stripe.com"
_KEYS = re.compile(r"\b(?:sk|rk|pk|whsec)_[\w*]+")


class StripeUnable(Exception):
    """Stripe refused, or did not answer. ``words`` are its own, without secrets; ``missing``: no such thing there."""

    def __init__(self, words: str, *, missing: bool = False) -> None:
        super().__init__(words)
        self.words = words
        self.missing = missing


@dataclass(frozen=True)
class Seen:
    """A subscription as Stripe shows it."""

    id: str
    status: str
    price: str
    trial_ends_at: datetime | None
    period_ends_at: datetime | None
    ends_at: datetime | None
    # The prices of further items, such as an add-on that was put beside the plan at Stripe.
    others: tuple[str, ...] = ()


@dataclass(frozen=True)
class Session:
    """A Checkout session: where its page is, whose it is, and what it came to."""

    id: str
    url: str
    status: str
    customer: str
    reference: str


def pages_origins() -> str:
    """The origins of Stripe's pages, as a source list of the content security policy."""
    url = urlsplit(api_url())
    return _PAGES if api_url() == STRIPE else f"{url.scheme}://{url.netloc}"


def api_url() -> str:
    """Where the API is, without a trailing slash."""
    return env.require("STRIPE_API_URL").rstrip("/")


def is_live() -> bool:
    """Whether the key moves money: those of the test mode say so."""
    return "_test_" not in env.require("STRIPE_SECRET_KEY")


def redacted(words: str) -> str:
    """Stripe's words without keys, fit to be stored and shown."""
    return _KEYS.sub("[removed]", http.redact(words))[:300]


def make_customer(organization_id: UUID, name: str, email: str, *, after: int) -> str:
    """A customer for an organization; the same one again where the last answer was lost. Its id.

    ``after`` is how often Stripe was asked about the one before: another one is wanted once that is gone.
    """
    params: Any = {"name": name, "email": email, "metadata": {"organization": str(organization_id)}}
    key = _key("customer", organization_id, name, email, after)
    return str(
        _asked(lambda: _client().v1.customers.create(params=params, options={"idempotency_key": key})).id
    )


def is_gone(customer: str) -> bool:
    """Whether a customer was deleted: Stripe shows such a one with ``deleted`` and takes it for nothing any more."""
    try:
        return bool(getattr(_asked(lambda: _client().v1.customers.retrieve(customer)), "deleted", False))
    except StripeUnable as error:
        if error.missing:
            return True
        raise


def _key(*about: object) -> str:
    """An `Idempotency-Key`: the same for the same wish. Stripe refuses one that comes back with other parameters."""
    digest = hashlib.sha256("\0".join(map(str, about)).encode()).hexdigest()
    return f"truesend-{about[0]}-{digest[:40]}"


def begin_checkout(
    organization_id: UUID,
    *,
    customer: str,
    price: str,
    trial_ends_at: datetime | None,
    success_url: str,
    cancel_url: str,
    wish: str,
) -> Session:
    """A page on which the owner subscribes; for the same ``wish`` the same page again.

    ``trial_ends_at`` is at least 48 hours ahead, as Stripe wants it: until then nothing is charged.
    """
    about: dict[str, Any] = {"metadata": {"organization": str(organization_id)}}
    if trial_ends_at is not None:
        about["trial_end"] = int(trial_ends_at.timestamp())
    params: Any = {
        "mode": "subscription",
        "customer": customer,
        "client_reference_id": str(organization_id),
        "line_items": [{"price": price, "quantity": 1}],
        "success_url": success_url,
        "cancel_url": cancel_url,
        "subscription_data": about,
    }
    key = _key("checkout", params, wish)
    return _session(
        _asked(lambda: _client().v1.checkout.sessions.create(params=params, options={"idempotency_key": key}))
    )


def checkout(session_id: str) -> Session:
    """A Checkout session."""
    return _session(_asked(lambda: _client().v1.checkout.sessions.retrieve(session_id)))


def portal(customer: str, return_url: str) -> str:
    """The address of a page on which the customer changes, pays or cancels; it lives shortly."""
    params: Any = {"customer": customer, "return_url": return_url}
    return str(_asked(lambda: _client().v1.billing_portal.sessions.create(params=params)).url)


def subscriptions(customer: str) -> list[Seen]:
    """All of a customer's, the ended ones too."""

    def ask() -> list[Seen]:
        params: Any = {"customer": customer, "status": "all", "limit": 100}
        found = _client().v1.subscriptions.list(params=params)
        return [read(one.to_dict()) for one in found.auto_paging_iter()]

    return _asked(ask)


def subscription(external_id: str) -> Seen:
    """One of them."""
    return _asked(lambda: read(_client().v1.subscriptions.retrieve(external_id).to_dict()))


def cancel(external_id: str) -> None:
    """End a subscription at once; one that has ended, or is not there, is fine."""

    def ask() -> None:
        _client().v1.subscriptions.cancel(external_id)

    try:
        _asked(ask)
    except StripeUnable as error:
        if not error.missing:
            raise


def delete_customer(customer: str) -> None:
    """Have a customer deleted, with whatever they are subscribed to; one who is gone is fine."""

    def ask() -> None:
        _client().v1.customers.delete(customer)

    try:
        _asked(ask)
    except StripeUnable as error:
        if not error.missing:
            raise


def read(found: Mapping[str, Any]) -> Seen:
    """A subscription object. The period stands at its items since API 2025-03-31, before that at the top."""
    items = (found.get("items") or {}).get("data") or [{}]
    period = items[0].get("current_period_end") or found.get("current_period_end")
    trial = found.get("trial_end")
    ends = found.get("cancel_at")
    if ends is None and found.get("cancel_at_period_end"):
        ends = trial if found.get("status") == "trialing" and trial else period
    return Seen(
        id=str(found["id"]),
        status=str(found["status"]),
        price=_price(items[0]),
        others=tuple(_price(one) for one in items[1:]),
        trial_ends_at=_moment(trial),
        period_ends_at=_moment(period),
        ends_at=_moment(ends),
    )


def _price(item: Mapping[str, Any]) -> str:
    return str((item.get("price") or {}).get("id") or "")


def _session(found: Any) -> Session:
    return Session(
        id=str(found.id),
        url=str(found.url or ""),
        status=str(found.status or ""),
        customer=_id(found.customer),
        reference=str(found.client_reference_id or ""),
    )


def _id(found: Any) -> str:
    """The id of what is named by it, or was handed over whole."""
    return str(found if isinstance(found, str) else getattr(found, "id", "") or "")


def _moment(seconds: Any) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if isinstance(seconds, int) else None


def _asked(ask: Callable[[], T]) -> T:
    """What ``ask`` gives. Raises :class:`StripeUnable` for whatever the library raises, without its secrets."""
    import stripe

    try:
        return ask()
    except stripe.StripeError as error:
        missing = error.code == "resource_missing" or error.http_status == 404
        raise StripeUnable(_words(error), missing=missing) from None
    except (LookupError, TypeError, AttributeError, ValueError, OverflowError, OSError) as error:
        raise StripeUnable(f"Stripe's answer was not one we can read ({type(error).__name__}).") from None


def _words(error: Any) -> str:
    """What Stripe says. What the library says of an answer that is none of Stripe's is for programmers."""
    said = error.json_body.get("error") if isinstance(error.json_body, dict) else None
    if error.http_status is not None and not (isinstance(said, dict) and said.get("message")):
        return f"Its answer was none that we can use (status {error.http_status})."
    return redacted(str(error.user_message or "It said nothing."))


def _client() -> Any:
    return _client_of(env.require("STRIPE_SECRET_KEY"), api_url())


@cache
def _client_of(key: str, url: str) -> Any:
    # The library is large, and an installation that bills nobody never loads it.
    import stripe

    from truesend.billing.door import Door

    return stripe.StripeClient(key, http_client=Door(), base_addresses={"api": url}, max_network_retries=0)
