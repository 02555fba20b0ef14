"""Stripe's own library on the one outbound door: no connection of its own, no retry, no redirect."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import stripe

from truesend.providers import http

TIMEOUT_SECONDS = 20.0
# How the machine is called and what it runs on is nobody's business there.
_UNSENT = frozenset({"x-stripe-client-user-agent", "x-stripe-client-telemetry"})

stripe.enable_telemetry = False


class Door(stripe.HTTPClient):
    """What the library asks for; a network failure becomes the library's own :class:`stripe.APIConnectionError`."""

    name = "truesend"

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any = None,
        *,
        _usage: list[str] | None = None,
    ) -> tuple[str, int, Mapping[str, str]]:
        """One call. ``post_data`` is a form that is encoded already."""
        body = post_data.encode() if isinstance(post_data, str) else post_data
        sent = {name: value for name, value in (headers or {}).items() if name.lower() not in _UNSENT}
        try:
            answer = http.request(
                method.upper(), url, operation="billing", headers=sent, body=body, timeout=TIMEOUT_SECONDS
            )
        except http.TransportError as error:
            raise stripe.APIConnectionError(error.words) from None  # type: ignore[no-untyped-call]
        return answer.body.decode("utf-8", "replace"), answer.status, answer.headers

    def close(self) -> None:
        """Connections belong to the door."""
