"""What every call of Stripe's API goes through: the key, the version, idempotency, parameters, the answer's headers."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from truesend_sandbox.door import Call
from truesend_sandbox.stripe import errors, events, forms, objects, timers, versions
from truesend_sandbox.stripe.errors import Refusal
from truesend_sandbox.stripe.forms import Params
from truesend_sandbox.stripe.objects import Thing
from truesend_sandbox.world import World

_RANGES: dict[str, Callable[[float, float], bool]] = {
    "gt": lambda value, edge: value > edge,
    "gte": lambda value, edge: value >= edge,
    "lt": lambda value, edge: value < edge,
    "lte": lambda value, edge: value <= edge,
}
_OWNERS = (re.compile(r"cus_\w+"), re.compile(r"(?:sub|cs|in)_\w+"))


@dataclass(frozen=True)
class Asked:
    """A call that may go on."""

    call: Call
    params: Params
    request_id: str
    key: str | None

    @property
    def world(self) -> World:
        return self.call.world

    @property
    def id(self) -> str:
        """The object named in the address."""
        return self.call.request.match_info["id"]

    @property
    def base(self) -> str:
        """The sandbox's own address, as the caller knows it."""
        return f"{self.call.request.scheme}://{self.call.request.host}"

    def created(self, thing: Thing) -> bool:
        """Whether it meets the filter `created`. Raises `Refusal` for what is no filter."""
        wanted = self.params.get("created")
        if wanted is None:
            return True
        ranges = wanted if isinstance(wanted, dict) else {"gte": wanted, "lte": wanted}
        for name, edge in ranges.items():
            if name not in _RANGES or not str(edge).isdecimal():
                raise errors.invalid("created", f"Invalid created: {name}")
            if not _RANGES[name](thing["created"], float(edge)):
                return False
        return True


Handler = Callable[[Asked], Thing]


def credential(call: Call) -> str | None:
    """The key, as a bearer token or as the name of Basic; None without one."""
    kind, _, value = call.request.headers.get("Authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return value.strip() or None
    if kind.lower() == "basic":
        try:
            return b64decode(value).decode().partition(":")[0] or None
        except ValueError:
            return None
    return None


def identify(call: Call) -> str | None:
    """The address of the customer that a call is about, by an id in its path or its parameters."""
    text = f"{call.request.path_qs} {call.body[:20_000].decode('ascii', 'replace')}"
    for pattern in _OWNERS:
        for match in pattern.finditer(text):
            owner = call.world.store.value("SELECT customer FROM stripe_objects WHERE id = ?", match[0])
            found = None if owner is None else objects.find(call.world, "customer", owner)
            if found is not None:
                return str(found.get("email") or found["id"]).lower()
    return None


def _authenticate(call: Call) -> None:
    key = credential(call)
    if key is None:
        raise errors.no_key()
    if key != call.switch("secret_key"):
        raise errors.wrong_key(key)


def _version(call: Call) -> str:
    version = str(call.request.headers.get("Stripe-Version") or call.switch("api_version"))
    if not versions.known(version):
        raise Refusal(f"Invalid Stripe API version: {version}")
    return version


def _params(call: Call, known: frozenset[str]) -> Params:
    try:
        params = forms.decode(
            call.body.decode() if call.request.method == "POST" else call.request.query_string
        )
        if call.request.method == "DELETE" and call.body:
            params |= forms.decode(call.body.decode())
    except UnicodeDecodeError:
        raise Refusal("Invalid request: the body is not UTF-8.") from None
    for name in params:
        if name not in known:
            raise errors.unknown(name)
    return params


def answer_json(body: object, status: int, headers: dict[str, str]) -> web.Response:
    """JSON as Stripe sends it."""
    return web.Response(
        status=status,
        body=(json.dumps(body, indent=2) + "\n").encode(),
        headers={"Content-Type": "application/json", "Cache-Control": "no-cache, no-store", **headers},
    )


def guarded(handler: Handler, takes: tuple[str, ...] = ()) -> Callable[[Call], web.StreamResponse]:
    """The handler behind the checks every call meets; `takes` are the parameters there are besides `expand`."""
    known = frozenset({*takes, "expand"})

    def handle(call: Call) -> web.StreamResponse:
        headers = {"Request-Id": objects.new_id("req", 14)}
        try:
            _authenticate(call)
            version = headers["Stripe-Version"] = _version(call)
            key = call.request.headers.get("Idempotency-Key") if call.request.method == "POST" else None
            if key is not None:
                if len(key) > 255 or not key:
                    raise Refusal("Idempotency keys are of 1 to 255 characters.")
                headers["Idempotency-Key"] = key
                kept = _kept(call, key)
                if kept is not None:
                    headers["Idempotent-Replayed"] = "true"
                    return answer_json(kept[1], kept[0], headers)
            body, status = _work(call, handler, known, headers["Request-Id"], key, version)
        except Refusal as refusal:
            return answer_json(refusal.body, refusal.status, headers)
        return answer_json(body, status, headers)

    return handle


def _work(
    call: Call, handler: Handler, known: frozenset[str], request_id: str, key: str | None, version: str
) -> tuple[object, int]:
    asked = Asked(call, _params(call, known), request_id, key)
    timers.catch_up(call.world)
    token = events.CAUSE.set((request_id, key))
    body: Any
    status = 200
    try:
        body = objects.expand(call.world, objects.public(handler(asked)), asked.params)
    except Refusal as refusal:
        # A charge was tried: that is remembered. What was refused before anything was done is not.
        if refusal.status != 402:
            raise
        body, status = refusal.body, refusal.status
    finally:
        events.CAUSE.reset(token)
    body = versions.render(body, version)
    if key is not None:
        call.world.store.run(
            "INSERT OR REPLACE INTO stripe_replays (key, asked, status, body, at) VALUES (?, ?, ?, ?, ?)",
            key,
            _fingerprint(call),
            status,
            json.dumps(body),
            call.now,
        )
    return body, status


def _fingerprint(call: Call) -> str:
    try:
        return json.dumps([call.request.path, forms.decode(call.body.decode())], sort_keys=True)
    except UnicodeDecodeError:
        return call.request.path


def _kept(call: Call, key: str) -> tuple[int, object] | None:
    """The answer a key has had; None for a new one. Raises `Refusal` where it was another request."""
    row = call.world.store.one(
        "SELECT * FROM stripe_replays WHERE key = ? AND at > ?", key, call.now - call.switch("replay_seconds")
    )
    if row is None:
        return None
    if row["asked"] != _fingerprint(call):
        raise errors.other_request(key)
    return row["status"], json.loads(row["body"])


def nothing_there(call: Call) -> web.StreamResponse:
    """404 for an address there is not, once the key is right."""
    headers = {"Request-Id": objects.new_id("req", 14)}
    try:
        _authenticate(call)
    except Refusal as refusal:
        return answer_json(refusal.body, refusal.status, headers)
    sentence = f"Unrecognized request URL ({call.request.method}: {call.request.path})."
    return answer_json(Refusal(sentence).body, 404, headers)
