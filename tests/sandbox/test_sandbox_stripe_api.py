"""Stripe's API in the sandbox, asked by Stripe's own library and judged by its types and fixtures."""

from __future__ import annotations

import random
from typing import Any

import pytest
import requests
import stripe as library
from tests.sandbox.stripe_client import BACK, DAY, KEY, MONTHLY, PREMIUM, Stripe
from tests.sandbox.stripe_judge import AVAILABLE, judge
from tests.sandbox_process import Sandbox

from truesend_sandbox.stripe import catalog, checkout, customers, portal, provider, records, subscriptions


def _raw(sandbox: Sandbox, method: str, path: str, key: str | None = KEY, **more: Any) -> requests.Response:
    headers = {**({"Authorization": f"Bearer {key}"} if key else {}), **more.pop("headers", {})}
    return requests.request(method, f"{sandbox.url}/v1/{path}", headers=headers, timeout=30, **more)


def test_customers_are_made_changed_found_and_deleted(stripe: Stripe) -> None:
    made = stripe.api.customers.create(
        {"email": "owner@example.com", "name": "Ada", "metadata": {"organization": "7", "plan": "x"}}
    )
    judge(made)
    changed = stripe.api.customers.update(made.id, {"metadata": {"plan": "", "extra": "1"}, "name": "Ada K"})
    assert changed.metadata is not None
    assert changed.metadata.to_dict() == {"organization": "7", "extra": "1"}
    stripe.customer("other@example.com")
    assert [one.id for one in stripe.api.customers.list({"email": "owner@example.com"}).data] == [made.id]
    told = stripe.events("customer.updated")[0]
    assert told.data.previous_attributes is not None
    assert told.data.previous_attributes.to_dict() == {
        "name": "Ada",
        "metadata": {"plan": "x", "extra": None},
    }
    assert stripe.api.customers.delete(made.id).deleted
    assert stripe.api.customers.retrieve(made.id).deleted
    with pytest.raises(library.InvalidRequestError, match="No such customer"):
        stripe.checkout(made.id)


def test_every_answer_is_what_the_library_declares(stripe: Stripe) -> None:
    customer = stripe.customer()
    session = stripe.checkout(customer, metadata={"a": "b"})
    judge(stripe.api.checkout.sessions.retrieve(session.id))
    bought = stripe.subscribe(customer)
    judge(stripe.subscription(bought))
    for listed in (
        stripe.api.subscriptions.list({"customer": customer, "status": "all"}),
        stripe.api.invoices.list({"customer": customer}),
        stripe.api.prices.list({"limit": 100}),
        stripe.api.products.list(),
        stripe.api.checkout.sessions.list({"customer": customer}),
        stripe.api.billing_portal.configurations.list(),
        stripe.api.customers.payment_methods.list(customer),
        stripe.api.customers.list(),
    ):
        assert listed.data
        judge(listed)
    stripe.portal(customer)
    kinds = {event.type for event in stripe.events()}
    assert {"checkout.session.completed", "customer.subscription.created", "invoice.paid"} <= kinds
    event = stripe.events()[0]
    judge(stripe.api.events.retrieve(event.id))


@pytest.mark.skipif(not AVAILABLE, reason="Stripe's fixtures are not here")
def test_a_field_too_many_or_too_few_is_seen(stripe: Stripe) -> None:
    customer = stripe.api.customers.retrieve(stripe.customer()).to_dict()
    judge(customer)
    for spoiled in (
        {**customer, "favourite": 1},
        {name: value for name, value in customer.items() if name != "balance"},
        {**customer, "created": "yesterday"},
        {**customer, "tax_exempt": "perhaps"},
    ):
        with pytest.raises(AssertionError):
            judge(spoiled)


def test_parameters_are_those_of_the_library(stripe: Stripe) -> None:
    from stripe import params
    from stripe.params import billing_portal
    from stripe.params import checkout as sessions

    own = {
        "api_key",
        "stripe_version",
        "stripe_account",
        "stripe_context",
        "max_network_retries",
        "idempotency_key",
        "content_type",
        "headers",
        "expand",
    }
    for ours, theirs in (
        (customers.CREATE, params.CustomerCreateParams),
        (customers.UPDATE, params.CustomerUpdateParams),
        (customers.LIST, params.CustomerListParams),
        (checkout.CREATE, sessions.SessionCreateParams),
        (checkout.LIST, sessions.SessionListParams),
        (portal.CREATE, billing_portal.SessionCreateParams),
        (portal.CONFIGURATIONS, billing_portal.ConfigurationListParams),
        (subscriptions.CREATE, params.SubscriptionCreateParams),
        (subscriptions.UPDATE, params.SubscriptionUpdateParams),
        (subscriptions.LIST, params.SubscriptionListParams),
        (subscriptions.CANCEL, params.SubscriptionCancelParams),
        (subscriptions.RESUME, params.SubscriptionResumeParams),
        (catalog.PRODUCT_CREATE, params.ProductCreateParams),
        (catalog.PRODUCT_UPDATE, params.ProductUpdateParams),
        (catalog.PRODUCT_LIST, params.ProductListParams),
        (catalog.PRICE_CREATE, params.PriceCreateParams),
        (catalog.PRICE_UPDATE, params.PriceUpdateParams),
        (catalog.PRICE_LIST, params.PriceListParams),
        (records.INVOICES, params.InvoiceListParams),
        (records.EVENTS, params.EventListParams),
    ):
        declared = {name for kind in theirs.__mro__ for name in getattr(kind, "__annotations__", {})} - own
        assert set(ours) == declared, theirs.__name__


def test_wrong_keys_are_refused_and_hidden(sandbox: Sandbox) -> None:
    answer = _raw(sandbox, "GET", "customers", None)
    assert answer.status_code == 401
    assert answer.json()["error"]["type"] == "invalid_request_error"
    key = "sk_test_of_somebody_else"
    answer = _raw(sandbox, "GET", "customers", key)
    assert answer.status_code == 401
    assert answer.json()["error"]["message"].startswith("Invalid API Key provided: sk_test_**")
    assert key not in answer.text
    wrong = library.StripeClient(key, base_addresses={"api": sandbox.url}, max_network_retries=0)
    with pytest.raises(library.AuthenticationError):
        wrong.v1.customers.list()
    assert requests.get(f"{sandbox.url}/v1/customers", auth=(KEY, ""), timeout=30).status_code == 200


def test_what_is_not_there_is_said_so(stripe: Stripe, sandbox: Sandbox) -> None:
    with pytest.raises(library.InvalidRequestError) as told:
        stripe.api.subscriptions.retrieve("sub_x")
    assert (told.value.http_status, told.value.code, told.value.param) == (404, "resource_missing", "id")
    assert "No such subscription: 'sub_x'" in str(told.value)
    with pytest.raises(library.InvalidRequestError) as told:
        stripe.checkout("cus_x")
    assert (told.value.http_status, told.value.code, told.value.param) == (
        400,
        "resource_missing",
        "customer",
    )
    with pytest.raises(library.InvalidRequestError) as told:
        stripe.checkout(line_items=[{"price": "price_x"}])
    assert told.value.param == "line_items[0][price]"
    answer = _raw(sandbox, "GET", "charges")
    assert answer.status_code == 404
    assert "Unrecognized request URL" in answer.json()["error"]["message"]


def test_bad_parameters_change_nothing(stripe: Stripe, sandbox: Sandbox) -> None:
    customer = stripe.customer()
    for path, form, param in (
        ("customers", {"favourite": "1"}, "favourite"),
        ("customers", {"email": "no address"}, "email"),
        ("checkout/sessions", {"mode": "subscription"}, "line_items"),
        ("checkout/sessions", {"mode": "payment"}, "mode"),
        ("billing_portal/sessions", {}, "customer"),
        ("billing_portal/sessions", {"customer": customer, "return_url": "javascript:1"}, "return_url"),
        ("subscriptions", {"customer": customer}, "items"),
        ("customers", {"metadata[a": "1"}, "metadata[a"),
        ("customers", {"metadata": "x"}, "metadata"),
        ("customers", {"name": "a", "name[x]": "b"}, "name[x]"),
    ):
        answer = _raw(sandbox, "POST", path, data=form)
        assert answer.status_code == 400, (form, answer.text)
        assert answer.json()["error"]["param"] == param, answer.text
    assert _raw(sandbox, "POST", "customers", data=b"email=\xff").status_code == 400
    assert _raw(sandbox, "GET", "customers", params={"limit": "101"}).status_code == 400
    assert _raw(sandbox, "GET", "customers", params={"starting_after": "cus_x"}).status_code == 400
    assert [one.id for one in stripe.api.customers.list().data] == [customer]


def test_an_idempotency_key_answers_again_and_only_the_same(stripe: Stripe, sandbox: Sandbox) -> None:
    headers = {"Idempotency-Key": "k1"}
    first = _raw(sandbox, "POST", "customers", data={"email": "a@example.com"}, headers=headers)
    again = _raw(sandbox, "POST", "customers", data={"email": "a@example.com"}, headers=headers)
    assert first.json() == again.json()
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert len(stripe.api.customers.list().data) == 1
    with pytest.raises(library.IdempotencyError):
        stripe.api.customers.create({"email": "b@example.com"}, {"idempotency_key": "k1"})
    refused = _raw(sandbox, "POST", "customers", data={"email": "x"}, headers={"Idempotency-Key": "k2"})
    assert refused.status_code == 400
    assert _raw(
        sandbox, "POST", "customers", data={"email": "c@example.com"}, headers={"Idempotency-Key": "k2"}
    ).ok, "what was refused is not remembered"
    told = stripe.events("customer.created")[0]
    assert told.request is not None
    assert told.request.idempotency_key == "k1"
    assert told.request.id == first.headers["Request-Id"]
    sandbox.advance(DAY + 1)
    assert _raw(sandbox, "POST", "customers", data={"email": "d@example.com"}, headers=headers).ok


def test_a_lost_answer_is_made_good_by_the_librarys_retry(stripe: Stripe, sandbox: Sandbox) -> None:
    sandbox.fault("checkout.create", "lost_answer", "stripe", times=1)
    patient = library.StripeClient(KEY, base_addresses={"api": sandbox.url}, max_network_retries=2)
    patient.v1.checkout.sessions.create(
        {"mode": "subscription", "line_items": [{"price": MONTHLY, "quantity": 1}], "success_url": BACK}
    )
    assert len(stripe.api.checkout.sessions.list().data) == 1
    assert [call["ended"] for call in sandbox.calls(operation="checkout.create")] == ["lost", "answered"]


def test_faults_speak_stripes_words(stripe: Stripe, sandbox: Sandbox) -> None:
    customer = stripe.customer("ada@example.com")
    stripe.customer("bob@example.com")
    for kind, wanted in (
        ("throttle", library.RateLimitError),
        ("outage", library.APIError),
        ("client_secret_expired", library.AuthenticationError),
    ):
        sandbox.fault("customers.get", kind, "stripe", account="ada@example.com", times=1)
        with pytest.raises(wanted):
            stripe.api.customers.retrieve(customer)
        assert stripe.api.customers.retrieve(customer).id == customer
    seen = sandbox.calls(provider="stripe", account="ada@example.com", operation="customers.get")
    assert [call["status"] for call in seen] == [429, 200, 503, 200, 401, 200]


def test_versions_are_echoed_and_rendered(stripe: Stripe, sandbox: Sandbox) -> None:
    bought = stripe.subscribe(stripe.customer())
    new = _raw(sandbox, "GET", f"subscriptions/{bought}", headers={"Stripe-Version": "2025-03-31.basil"})
    assert new.headers["Stripe-Version"] == "2025-03-31.basil"
    assert "current_period_end" not in new.json()
    old = _raw(sandbox, "GET", f"subscriptions/{bought}", headers={"Stripe-Version": "2024-06-20"})
    assert old.headers["Stripe-Version"] == "2024-06-20"
    assert old.json()["current_period_end"] == new.json()["items"]["data"][0]["current_period_end"]
    assert _raw(sandbox, "GET", "prices", headers={"Stripe-Version": "latest"}).status_code == 400
    assert new.headers["Request-Id"].startswith("req_")


def test_lists_have_pages_and_ids_are_expanded(stripe: Stripe) -> None:
    ids = [stripe.customer(f"c{number}@example.com") for number in range(5)]
    first = stripe.api.customers.list({"limit": 2})
    assert (first.has_more, [one.id for one in first.data]) == (True, ids[:2:-1])
    found = [one.id for one in first.auto_paging_iter()]
    assert found == ids[::-1]
    back = stripe.api.customers.list({"limit": 2, "ending_before": ids[0]})
    assert [one.id for one in back.data] == [ids[2], ids[1]]
    bought = stripe.subscribe(ids[0])
    full = stripe.api.subscriptions.retrieve(
        bought, {"expand": ["customer", "latest_invoice", "items.data.price.product"]}
    )
    assert isinstance(full.customer, library.Customer)
    assert isinstance(full.latest_invoice, library.Invoice)
    judge(full)
    listed = stripe.api.subscriptions.list({"expand": ["data.customer"]})
    assert isinstance(listed.data[0].customer, library.Customer)
    session = stripe.api.checkout.sessions.list({"limit": 1}).data[0]
    with_lines = stripe.api.checkout.sessions.retrieve(session.id, {"expand": ["line_items"]})
    assert with_lines.line_items is not None
    judge(with_lines)
    assert [line.id for line in with_lines.line_items.data] == [
        line.id for line in stripe.api.checkout.sessions.line_items.list(session.id).data
    ]
    with pytest.raises(library.InvalidRequestError, match="cannot be expanded"):
        stripe.api.subscriptions.retrieve(bought, {"expand": ["status"]})


def test_the_catalog_grows(stripe: Stripe) -> None:
    product = stripe.api.products.create({"name": "Team", "metadata": {"tier": "team"}})
    price = stripe.api.prices.create(
        {
            "product": product.id,
            "currency": "eur",
            "unit_amount": 4900,
            "recurring": {"interval": "month", "interval_count": 3},
            "lookup_key": "team",
        }
    )
    judge(price)
    judge(product)
    assert [one.id for one in stripe.api.prices.list({"lookup_keys": ["team"]}).data] == [price.id]
    assert stripe.api.prices.update(price.id, {"active": False}).active is False
    with pytest.raises(library.InvalidRequestError, match="not active"):
        stripe.checkout(line_items=[{"price": price.id, "quantity": 1}])
    assert {one.id for one in stripe.api.prices.list({"active": True}).data} >= {MONTHLY, PREMIUM}


def test_subscriptions_are_changed_and_ended(stripe: Stripe) -> None:
    customer = stripe.customer()
    bought = stripe.subscribe(customer, subscription_data={"metadata": {"organization": "7"}})
    sub = stripe.subscription(bought)
    assert sub.metadata.to_dict() == {"organization": "7"}
    item = sub["items"].data[0].id
    changed = stripe.api.subscriptions.update(
        bought, {"items": [{"id": item, "price": PREMIUM}], "proration_behavior": "none"}
    )
    judge(changed)
    assert changed["items"].data[0].price.id == PREMIUM
    told = stripe.events("customer.subscription.updated")[-1]
    assert told.data.previous_attributes is not None
    assert told.data.previous_attributes["items"]["data"][0]["price"]["id"] == MONTHLY
    later = stripe.api.subscriptions.update(bought, {"cancel_at_period_end": True})
    assert later.cancel_at == later["items"].data[0].current_period_end
    assert stripe.api.subscriptions.update(bought, {"cancel_at_period_end": False}).cancel_at is None
    with pytest.raises(library.InvalidRequestError) as refused:
        stripe.api.subscriptions.update(bought, {"items": [{"id": "si_x", "price": PREMIUM}]})
    assert refused.value.code == "resource_missing"
    assert stripe.api.subscriptions.cancel(bought).status == "canceled"
    with pytest.raises(library.InvalidRequestError) as gone:
        stripe.api.subscriptions.cancel(bought)
    assert gone.value.http_status == 404
    with pytest.raises(library.InvalidRequestError, match="canceled subscription"):
        stripe.api.subscriptions.update(bought, {"cancel_at_period_end": True})
    assert stripe.api.subscriptions.list({"customer": customer}).data == []
    every = stripe.api.subscriptions.list({"customer": customer, "status": "all"})
    assert [one.id for one in every.data] == [bought]


def test_a_session_is_expired_once(stripe: Stripe, sandbox: Sandbox) -> None:
    session = stripe.checkout()
    assert stripe.api.checkout.sessions.expire(session.id).status == "expired"
    with pytest.raises(library.InvalidRequestError):
        stripe.api.checkout.sessions.expire(session.id)
    other = stripe.checkout()
    sandbox.advance(DAY + 1)
    assert stripe.api.checkout.sessions.retrieve(other.id).status == "expired"
    assert len(stripe.events("checkout.session.expired")) == 2


def test_there_is_no_account_and_no_consent(sandbox: Sandbox) -> None:
    for path, body in (
        ("accounts", {"provider": "stripe", "email": "a@example.com"}),
        ("consent", {"provider": "stripe", "account": "a@example.com", "decision": "approve"}),
    ):
        assert "stripe" in sandbox.control("POST", path, body, expect=400)["error"]


def test_everything_is_gone_after_a_reset(stripe: Stripe, sandbox: Sandbox) -> None:
    stripe.subscribe(stripe.customer())
    sandbox.control("POST", "reset")
    assert stripe.api.customers.list().data == []
    assert stripe.api.events.list().data == []
    assert len(stripe.api.prices.list().data) == 6


def test_no_form_is_too_odd(stripe: Stripe) -> None:
    customer = stripe.customer()
    bought = stripe.subscribe(customer)
    item = stripe.subscription(bought)["items"].data[0].id
    values = ["", "x", "-1", "0", "now", "true", "99999999999", "\0", "²", customer, bought, item, PREMIUM]
    ends = ["", "[]", "[0]", "[a]", "[0][price]", "[0][id]", "[type]", "[gte]", "[interval]", "[a][b]"]
    chance = random.Random(11)
    for name, method, path, _, takes in provider.CALLS:
        if name in ("customers.delete", "subscriptions.cancel"):
            continue
        for _ in range(12):
            names = [chance.choice([*takes, "expand"]) + chance.choice(ends) for _ in range(4)]
            form = {one: chance.choice(values) for one in names}
            url = f"{stripe.sandbox.url}/v1/{path.replace('{id}', chance.choice([customer, bought, item]))}"
            answer = stripe.session.request(
                method,
                url,
                headers={"Authorization": f"Bearer {KEY}"},
                timeout=30,
                data=form if method == "POST" else None,
                params=None if method == "POST" else form,
            )
            assert answer.status_code < 500, (name, form)
