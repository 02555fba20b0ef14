"""Authlib's OAuth client on the one outbound door."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

from truesend.providers import http
from truesend.providers.errors import ProviderError
from truesend.providers.token_call import TokenAnswerError

with warnings.catch_warnings():
    # Importing Authlib installs an "always" filter that would hide what the tests forbid; leave it in here.
    from authlib.common.errors import AuthlibBaseError
    from authlib.integrations.requests_client import OAuth2Session


# What reading JSON of any shape as a token can end in ("expires_in": Infinity is an OverflowError).
_MISREAD = (ValueError, TypeError, AttributeError, LookupError, ArithmeticError, RecursionError)


class _DoorAdapter(BaseAdapter):
    """Lets `requests` speak through :func:`truesend.providers.http.request`, and keeps the last answer."""

    def __init__(self) -> None:
        super().__init__()
        self.answer: http.Answer | None = None

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        body = request.body
        answer = http.request(
            request.method or "GET",
            request.url or "",
            operation="token",
            headers=dict(request.headers),
            body=body.encode() if isinstance(body, str) else body,
        )
        self.answer = answer
        response = requests.Response()
        response.status_code = answer.status
        response.headers = CaseInsensitiveDict(answer.headers)
        response._content = answer.body
        response.encoding = "utf-8"
        response.url = request.url or ""
        response.request = request
        return response

    def last(self) -> http.Answer | None:
        """The answer to the newest call, if one came."""
        return self.answer

    def close(self) -> None:
        """Connections belong to the door."""


class OAuthSession(OAuth2Session):
    """One consent or refresh. Network failures are :class:`ProviderError`, odd answers :class:`TokenAnswerError`."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(
            token_endpoint_auth_method="client_secret_post",  # noqa: S106  (the name of a method)
            code_challenge_method="S256",
            **arguments,
        )
        self._door = _DoorAdapter()
        self.mount("https://", self._door)
        self.mount("http://", self._door)
        self.trust_env = False

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Nowhere: a redirect would carry client secret and code to an address that nobody configured."""

    def consent_url(self, url: str, *, state: str, verifier: str, **extra: str) -> str:
        """The authorization URL with PKCE (S256)."""
        address, _ = self.create_authorization_url(url, state=state, code_verifier=verifier, **extra)
        return str(address)

    def exchange(self, url: str, *, code: str, verifier: str) -> Mapping[str, Any]:
        """Code → token answer."""
        return self._token(lambda: self.fetch_token(url, code=code, code_verifier=verifier))

    def renew(self, url: str, refresh_token: str) -> Mapping[str, Any]:
        """Refresh token → token answer."""
        return self._token(lambda: self.refresh_token(url, refresh_token=refresh_token))

    def _token(self, call: Callable[[], object]) -> Mapping[str, Any]:
        self._door.answer = None
        token: object = None
        try:
            token = call()
        except http.TransportError as error:
            raise ProviderError(error.cause, error.words) from None
        except (AuthlibBaseError, requests.RequestException, *_MISREAD):
            pass  # what came instead of a token is read below, in the provider's own words
        answer = self._door.last()
        if answer is None:
            raise ProviderError("provider_refused", "The request could not be built.")
        body = answer.json()
        if answer.status != 200 or not isinstance(token, Mapping) or not isinstance(body, Mapping):
            raise TokenAnswerError(answer.status, body, answer.words(), answer.headers.get("Retry-After"))
        return body


__all__ = ["OAuthSession", "TokenAnswerError"]
