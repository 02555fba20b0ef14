"""Microsoft's Graph SDK, pointed at the sandbox, and how its answers are held against its model."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
from kiota_abstractions.authentication import (
    AccessTokenProvider,
    AllowedHostsValidator,
    BaseBearerTokenAuthenticationProvider,
)
from kiota_abstractions.serialization import AdditionalDataHolder
from msgraph import GraphRequestAdapter, GraphServiceClient
from msgraph.graph_request_adapter import options
from msgraph_core import GraphClientFactory
from tests.sandbox.microsoft_client import MicrosoftClient, Tokens


class _Given(AccessTokenProvider):  # type: ignore[misc]  # its types are not followed
    def __init__(self, token: str) -> None:
        self.token = token

    async def get_authorization_token(self, uri: str, _: dict[str, Any] | None = None) -> str:
        return self.token

    def get_allowed_hosts_validator(self) -> AllowedHostsValidator:
        return AllowedHostsValidator([])


def by_sdk(microsoft: MicrosoftClient, tokens: Tokens, walk: Callable[[Any], Awaitable[None]]) -> None:
    """Run a walk with Microsoft's client, pointed at the sandbox."""

    async def run() -> None:
        # A transport of our own, since the library's wrapping of it does not close it.
        async with httpx.AsyncHTTPTransport() as transport, httpx.AsyncClient(transport=transport) as http:
            adapter = GraphRequestAdapter(
                BaseBearerTokenAuthenticationProvider(_Given(tokens.access)),
                client=GraphClientFactory.create_with_default_middleware(client=http, options=options),
            )
            adapter.base_url = f"{microsoft.url}/v1.0"
            await walk(GraphServiceClient(request_adapter=adapter))

    asyncio.run(run())


def known(value: Any, path: str = "") -> None:
    """Nothing in the SDK's model that its metadata does not know, at any depth."""
    if isinstance(value, list):
        for index, inner in enumerate(value):
            known(inner, f"{path}[{index}]")
    elif isinstance(value, AdditionalDataHolder):
        strange = [name for name in value.additional_data if not name.startswith("@odata.")]
        assert strange == [], f"{path}: {strange}"
        backing = getattr(value, "backing_store", None)
        items = dict(backing.enumerate_()).items() if backing else vars(value).items()
        for name, inner in items:
            if name != "additional_data":
                known(inner, f"{path}.{name}")
