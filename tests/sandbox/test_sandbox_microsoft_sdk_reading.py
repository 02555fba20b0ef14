"""Microsoft's Graph SDK reads an inbox by delta, and keeps a subscription to it."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from kiota_abstractions.api_error import APIError
from kiota_abstractions.base_request_configuration import RequestConfiguration
from msgraph.generated.models.subscription import Subscription
from tests.sandbox.graph_sdk import by_sdk, known
from tests.sandbox.listener import Hit, Listener, listening
from tests.sandbox.microsoft_client import ALL, MicrosoftClient, Tokens
from tests.sandbox_process import Sandbox
from tests.stack import until

with warnings.catch_warnings():
    # The library warns of itself while it is imported.
    warnings.simplefilter("ignore")
    from msgraph.generated.users.item.mail_folders.item.messages.delta.delta_request_builder import (
        DeltaRequestBuilder,
    )

pytestmark = pytest.mark.filterwarnings("ignore:This class is deprecated:DeprecationWarning")


def answered(microsoft: MicrosoftClient, sandbox: Sandbox, tokens: Tokens) -> None:
    """One more mail in the inbox: an answer to one that was sent."""
    microsoft.send(tokens)
    (sent, *_) = sandbox.messages(to="bob@example.com")
    sandbox.act(sent["id"], "reply")


def test_delta_gives_everything_once_then_what_is_new(sandbox: Sandbox, microsoft: MicrosoftClient) -> None:
    tokens = microsoft.connect(scope=ALL)
    for _ in range(3):
        answered(microsoft, sandbox, tokens)
    links: list[str] = []

    async def rounds(graph: Any, first: Any) -> list[str]:
        delta = graph.me.mail_folders.by_mail_folder_id("inbox").messages.delta
        page, seen = first, []
        while True:
            known(page.value)
            seen += [one.id for one in page.value]
            if not page.odata_next_link:
                links.append(page.odata_delta_link)
                return seen
            page = await delta.with_url(page.odata_next_link).get()

    async def walk(graph: Any) -> None:
        delta = graph.me.mail_folders.by_mail_folder_id("inbox").messages.delta
        query = DeltaRequestBuilder.DeltaRequestBuilderGetQueryParameters(select=["subject", "from"])
        asked = RequestConfiguration(query_parameters=query)
        asked.headers.add("Prefer", "odata.maxpagesize=2")
        all_of_it = await rounds(graph, await delta.get(asked))
        assert len(set(all_of_it)) == len(all_of_it) == 3
        assert await rounds(graph, await delta.with_url(links[-1]).get()) == []
        answered(microsoft, sandbox, tokens)
        (new,) = await rounds(graph, await delta.with_url(links[-1]).get())
        assert new not in all_of_it
        sandbox.switch("microsoft", delta_token_lifetime=1)
        sandbox.advance(2)
        with pytest.raises(APIError) as gone:
            await delta.with_url(links[-1]).get()
        assert gone.value.response_status_code == 410

    by_sdk(microsoft, tokens, walk)


@pytest.fixture
def listener() -> Iterator[Listener]:
    with listening() as found:
        yield found


def test_a_subscription_is_made_renewed_and_ended(
    sandbox: Sandbox, microsoft: MicrosoftClient, listener: Listener
) -> None:
    tokens = microsoft.connect(scope=ALL)
    ends = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=24)

    async def walk(graph: Any) -> None:
        made = await graph.subscriptions.post(
            Subscription(
                change_type="created",
                resource="/me/mailFolders('inbox')/messages",
                notification_url=f"{listener.url}/notes",
                lifecycle_notification_url=f"{listener.url}/life",
                client_state="ours",
                expiration_date_time=ends,
            )
        )
        known(made)
        assert [one.path.partition("?")[0] for one in listener.hits] == ["/notes", "/life"]
        answered(microsoft, sandbox, tokens)
        (note,) = json.loads(until(lambda: _pushed(listener), bool, 30))["value"]
        assert (note["subscriptionId"], note["clientState"]) == (made.id, "ours")
        later = Subscription(expiration_date_time=ends + timedelta(hours=24))
        renewed = await graph.subscriptions.by_subscription_id(made.id).patch(later)
        known(renewed)
        assert renewed.expiration_date_time == ends + timedelta(hours=24)
        await graph.subscriptions.by_subscription_id(made.id).delete()
        with pytest.raises(APIError) as gone:
            await graph.subscriptions.by_subscription_id(made.id).patch(later)
        assert (gone.value.response_status_code, gone.value.error.code) == (404, "ResourceNotFound")
        await _refused(graph, listener, ends)

    by_sdk(microsoft, tokens, walk)


async def _refused(graph: Any, listener: Listener, ends: Any) -> None:
    """An address that does not echo, and a life that is too long."""
    for address, longer in (
        ("http://localhost:9/nobody", timedelta()),
        (f"{listener.url}/notes", timedelta(days=9)),
    ):
        with pytest.raises(APIError) as refused:
            await graph.subscriptions.post(
                Subscription(
                    change_type="created",
                    resource="/me/mailFolders('inbox')/messages",
                    notification_url=address,
                    expiration_date_time=ends + longer,
                )
            )
        assert (refused.value.response_status_code, refused.value.error.code) == (400, "ValidationError")


def _pushed(listener: Listener) -> bytes:
    """What came after the handshake."""
    found: list[Hit] = [one for one in listener.hits if "validationToken" not in one.path and one.body]
    return found[0].body if found else b""
