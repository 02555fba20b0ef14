"""Truesend's side of Stripe, for tests: the official library, a card in the hand, and an endpoint that listens."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import requests
import stripe
from tests.sandbox.stripe_judge import judge
from tests.sandbox_process import Sandbox

KEY = "sk_test_sandbox"
SECRET = "whsec_sandbox"
BACK = "http://localhost:8000/account/billing"
MONTHLY = "price_sandbox_business_monthly"
YEARLY = "price_sandbox_business_yearly"
PREMIUM = "price_sandbox_premium_monthly"
DAY = 86_400


class Stripe:
    """The library at the sandbox, and a browser's two forms."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.session = requests.Session()
        self.api = stripe.StripeClient(
            KEY,
            base_addresses={"api": sandbox.url},
            max_network_retries=0,
            http_client=stripe.RequestsClient(session=self.session),
        ).v1

    def customer(self, email: str = "owner@example.com") -> str:
        """The id of a new customer."""
        return self.api.customers.create({"email": email}).id

    def checkout(self, customer: str | None = None, **more: Any) -> stripe.checkout.Session:
        """A session for a month of Business."""
        wanted: Any = {
            "mode": "subscription",
            "line_items": [{"price": MONTHLY, "quantity": 1}],
            "success_url": BACK + "?session={CHECKOUT_SESSION_ID}",
            "cancel_url": BACK + "?cancelled=1",
            "client_reference_id": "organization-1",
            **({"customer": customer} if customer else {}),
            **more,
        }
        made = self.api.checkout.sessions.create(wanted)
        judge(made)
        return made

    def press(self, url: str | None, act: str, **form: str) -> requests.Response:
        """A button of a hosted page; a redirect is not followed."""
        assert url is not None
        return self.session.post(url, data={"act": act, **form}, allow_redirects=False, timeout=30)

    def subscribe(self, customer: str, act: str = "pay", **more: Any) -> str:
        """The id of a subscription bought at Checkout."""
        made = self.checkout(customer, **more)
        answer = self.press(made.url, act)
        assert answer.status_code == 303, answer.text
        bought = self.api.checkout.sessions.retrieve(made.id)
        judge(bought)
        assert bought.status == "complete"
        return str(bought.subscription)

    def subscription(self, identifier: str) -> stripe.Subscription:
        """As it stands now; judged."""
        found = self.api.subscriptions.retrieve(identifier)
        judge(found)
        return found

    def status(self, identifier: str) -> str:
        return str(self.subscription(identifier).status)

    def portal(self, customer: str) -> str:
        """The address of a portal session."""
        made = self.api.billing_portal.sessions.create({"customer": customer, "return_url": BACK})
        judge(made)
        return made.url

    def card(self, customer: str, kind: str) -> None:
        """The customer's card is good, declined or none from now on."""
        self.sandbox.control("POST", "stripe/cards", {"customer": customer, "card": kind})

    def events(self, *kinds: str) -> list[stripe.Event]:
        """All events so far, or those of some types, the oldest first; judged."""
        found = list(self.api.events.list({"limit": 100}).auto_paging_iter())
        for event in found:
            judge(event)
        return [event for event in reversed(found) if not kinds or event.type in kinds]


@dataclass
class Received:
    body: bytes
    signature: str | None

    @property
    def event(self) -> dict[str, Any]:
        made: dict[str, Any] = json.loads(self.body)
        return made


@dataclass
class Endpoint:
    """What came; `status` is what it answers with."""

    url: str
    got: list[Received] = field(default_factory=list)
    status: int = 200

    def wait(self, enough: Callable[[Endpoint], bool], what: str) -> None:
        """Until enough has come."""
        end = time.monotonic() + 60
        while not enough(self):
            assert time.monotonic() < end, f"{what}: only {len(self.got)} webhooks came"
            time.sleep(0.02)

    def types(self) -> list[str]:
        return [one.event["type"] for one in list(self.got)]

    def verified(self, secret: str = SECRET) -> list[stripe.Event]:
        """What came, each as the library accepts it."""
        return [
            stripe.Webhook.construct_event(one.body, one.signature or "", secret) for one in list(self.got)
        ]


@contextmanager
def endpoint() -> Iterator[Endpoint]:
    """A web server in the place of `/webhooks/stripe`."""
    made = Endpoint("")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            made.got.append(Received(body, self.headers["Stripe-Signature"]))
            self.send_response(made.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing: what came is the log."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.url = f"http://localhost:{server.server_address[1]}/webhooks/stripe"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
