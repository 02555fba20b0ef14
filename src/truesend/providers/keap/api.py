"""One call to Keap's API: how it is authorised, and what an answer that is none becomes."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from truesend import env
from truesend.providers import http
from truesend.providers.contract import Request
from truesend.providers.errors import ProviderError
from truesend.providers.http import Answer
from truesend.providers.keap import errors

# What Service Account Keys and Personal Access Tokens begin with (infusionsoft-php, `Infusionsoft.php`).
KEY_PREFIX = "KeapAK"
_ID = re.compile(r"[!-~]{1,100}")


def base() -> str:
    """The address below which ``/v2/…`` stands."""
    return env.require("KEAP_API_URL").rstrip("/")


def is_key(secret: str) -> bool:
    """Whether it is a key made in Keap's settings, and not an access token."""
    return secret.startswith(KEY_PREFIX)


def authorization(secret: str) -> dict[str, str]:
    """The header of a key, or of an access token."""
    return {"X-Keap-API-Key": secret} if is_key(secret) else {"Authorization": f"Bearer {secret}"}


def get(path: str, operation: str, secret: str) -> Request:
    """A question."""
    return Request("GET", base() + path, operation, authorization(secret))


def with_body(method: str, path: str, operation: str, secret: str, body: object) -> Request:
    """A call with a JSON body."""
    headers = {**authorization(secret), "Content-Type": "application/json"}
    return Request(method, base() + path, operation, headers, json.dumps(body).encode())


def answer_to(request: Request) -> Answer:
    """The answer, whatever it is. Raises :class:`ProviderError` where none came."""
    try:
        return http.request(
            request.method,
            request.url,
            operation=request.operation,
            headers=request.headers,
            body=request.body,
        )
    except http.TransportError as error:
        raise ProviderError(error.cause, error.words) from None


def ask(request: Request, secret: str, *good: int) -> Mapping[str, Any]:
    """The JSON object of an answer with a ``good`` status (200, unless told); all else is a :class:`ProviderError`."""
    answer = answer_to(request)
    body = answer.json()
    if answer.status in (good or (200,)) and isinstance(body, Mapping):
        return body
    raise failure(answer, secret)


def failure(answer: Answer, secret: str) -> ProviderError:
    """Why a call with this token or key came to nothing."""
    error = errors.api_error(answer)
    return errors.keyed(error) if is_key(secret) else error


def listed(body: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """The objects of a list in an answer; ``provider_garbage`` where there is no such list."""
    found = body.get(name)
    if not isinstance(found, list) or not all(isinstance(one, Mapping) for one in found):
        raise ProviderError("provider_garbage", f"A list of {name} that cannot be read.")
    return found


def next_page(body: Mapping[str, Any]) -> str:
    """The token of a list's next page; empty at its end (Keap leaves it out, or sends it empty)."""
    token = body.get("next_page_token")
    return token if isinstance(token, str) else ""


def text(value: object) -> str:
    """A text as it can be stored and shown; empty for anything else."""
    return http.redact(value).strip() if isinstance(value, str) else ""


def identifier(value: object) -> str:
    """An id (v2 says ids in text, v1 in numbers) as text; empty for what cannot be one."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value) if abs(value) < 10**19 else ""
    return value if isinstance(value, str) and _ID.fullmatch(value) else ""
