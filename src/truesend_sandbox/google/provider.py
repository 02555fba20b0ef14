"""Google as one of the sandbox's providers: its addresses, operations, accounts and clients."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from aiohttp import web

from truesend_sandbox.accounts import normal_address
from truesend_sandbox.door import Call, Endpoint
from truesend_sandbox.google import (
    api,
    authorize,
    consent_forms,
    error_pages,
    faults,
    gmail_bin,
    gmail_drafts,
    gmail_history,
    gmail_pages,
    gmail_read,
    gmail_send,
    gmail_store,
    gmail_upload,
    gmail_watch,
    grants,
    identity,
    token,
)
from truesend_sandbox.google import scopes as google_scopes
from truesend_sandbox.google.switches import SWITCHES
from truesend_sandbox.signing import signing_key
from truesend_sandbox.world import Provider, World

CLIENT_ID = "sandbox-google-client"
CLIENT_SECRET = "sandbox-google-secret"  # noqa: S105  # of the sandbox, as documented

OPERATIONS: dict[str, tuple[str, ...]] = {
    "authorize": (),
    "token.code": ("token",),
    "token.refresh": ("token",),
    "token.other": ("token",),
    "revoke": (),
    "userinfo": ("identity",),
    "jwks": ("identity",),
    "discovery": ("identity",),
    "send": (),
    "send.check": ("send",),
    "drafts.send": ("send", "draft"),
    "drafts.create": ("draft",),
    "drafts.update": ("draft",),
    "drafts.delete": ("draft",),
    "drafts.get": ("draft",),
    "drafts.list": ("draft",),
    "messages.get": ("read",),
    "messages.list": ("read",),
    "messages.trash": (),
    "messages.untrash": (),
    "messages.delete": (),
    "attachments.get": ("read",),
    "threads.get": ("read",),
    "labels.list": ("read",),
    "history.list": ("read",),
    "profile": ("read",),
    "watch": ("read",),
    "stop": ("read",),
    "sendAs.list": ("read",),
    "sendAs.get": ("read",),
    "upload.start": (),
    "upload.part": (),
}

Serve = Callable[[web.Request], Awaitable[web.StreamResponse]]

_ACCOUNT_FIELDS = ("test_user", "gmail", "disabled", "deleted", "admin_block")


def _gmail(operation: str, handler: api.Handler) -> Serve:
    return Endpoint("google", operation, identity.identify, api.guarded(handler, operation)).serve


def _open(
    operation: str | Callable[[Call], str],
    handle: Callable[[Call], web.StreamResponse],
    identify: Callable[[Call], str | None] = lambda _: None,
) -> Serve:
    return Endpoint("google", operation, identify, handle).serve


def routes(_: World) -> list[web.RouteDef]:
    """Google's addresses, all at the root."""
    user = "/gmail/v1/users/{user}"
    userinfo = _open("userinfo", identity.userinfo, identity.identify)
    consent = _open("authorize", authorize.handle, authorize.identify)
    listed = [
        web.get("/o/oauth2/v2/auth", consent),
        web.get("/o/oauth2/auth", consent),
        web.post("/o/oauth2/account", consent_forms.account),
        web.get("/o/oauth2/another", consent_forms.another),
        web.post("/o/oauth2/decide", consent_forms.decide),
        web.post("/token", _open(token.operation, token.handle, token.identify)),
        web.post("/revoke", _open("revoke", identity.revoke, identity.identify_revoked)),
        web.get("/oauth2/v3/certs", _open("jwks", identity.certs)),
        web.get("/mail/", gmail_pages.sent),
        web.get("/.well-known/openid-configuration", _open("discovery", identity.discovery)),
        *(
            web.route(method, path, userinfo)
            for path in ("/v1/userinfo", "/oauth2/v2/userinfo", "/oauth2/v3/userinfo")
            for method in ("GET", "POST")
        ),
        web.post(
            f"{user}/messages/send",
            Endpoint(
                "google",
                gmail_send.operation,
                identity.identify,
                api.guarded(gmail_send.send_json, "send"),
            ).serve,
        ),
        web.get(f"{user}/messages", _gmail("messages.list", gmail_read.list_messages)),
        web.get(f"{user}/messages/{{id}}", _gmail("messages.get", gmail_read.get)),
        web.delete(f"{user}/messages/{{id}}", _gmail("messages.delete", gmail_bin.delete)),
        web.post(f"{user}/messages/{{id}}/trash", _gmail("messages.trash", gmail_bin.trash)),
        web.post(f"{user}/messages/{{id}}/untrash", _gmail("messages.untrash", gmail_bin.untrash)),
        web.get(
            f"{user}/messages/{{id}}/attachments/{{attachment}}",
            _gmail("attachments.get", gmail_read.attachment),
        ),
        web.get(f"{user}/threads/{{id}}", _gmail("threads.get", gmail_read.thread)),
        web.get(f"{user}/labels", _gmail("labels.list", gmail_read.labels)),
        web.get(f"{user}/history", _gmail("history.list", gmail_history.list_history)),
        web.get(f"{user}/profile", _gmail("profile", gmail_read.profile)),
        web.post(f"{user}/watch", _gmail("watch", gmail_watch.watch)),
        web.post(f"{user}/stop", _gmail("stop", gmail_watch.stop)),
        web.get(f"{user}/settings/sendAs", _gmail("sendAs.list", gmail_read.send_as_list)),
        web.get(f"{user}/settings/sendAs/{{alias}}", _gmail("sendAs.get", gmail_read.send_as_get)),
        web.post(f"{user}/drafts", _gmail("drafts.create", gmail_drafts.create)),
        web.get(f"{user}/drafts", _gmail("drafts.list", gmail_drafts.list_drafts)),
        web.post(f"{user}/drafts/send", _gmail("drafts.send", gmail_drafts.send)),
        web.get(f"{user}/drafts/{{id}}", _gmail("drafts.get", gmail_drafts.get)),
        web.put(f"{user}/drafts/{{id}}", _gmail("drafts.update", gmail_drafts.update)),
        web.delete(f"{user}/drafts/{{id}}", _gmail("drafts.delete", gmail_drafts.delete)),
    ]
    for prefix in ("/upload", "/resumable/upload"):
        for method, path, operation in (
            ("POST", f"{user}/messages/send", "send"),
            ("POST", f"{user}/drafts", "drafts.create"),
            ("POST", f"{user}/drafts/send", "drafts.send"),
            ("PUT", f"{user}/drafts/{{id}}", "drafts.update"),
        ):
            endpoint = Endpoint(
                "google",
                partial(gmail_upload.operation, operation),
                identity.identify,
                api.guarded(partial(gmail_upload.upload, operation), operation),
            )
            # The bytes of a resumable upload come as PUT to the same address, whatever method began it.
            listed += [web.route(verb, prefix + path, endpoint.serve) for verb in {method, "PUT"}]
    return listed


def prepare(world: World) -> None:
    """The registered client, and history numbers that start where nobody takes them for row numbers."""
    world.store.run(
        "INSERT OR IGNORE INTO clients (provider, client_id, secret, project, name, redirect_uris)"
        " VALUES ('google', ?, ?, 'sandbox', 'Truesend', ?)",
        CLIENT_ID,
        CLIENT_SECRET,
        json.dumps(["http://localhost:*/oauth/google/callback"]),
    )
    signing_key(world.store, grants.PROVIDER)
    if world.store.value("SELECT 1 FROM sqlite_sequence WHERE name = 'gmail_history'") is None:
        world.store.run(
            "INSERT INTO sqlite_sequence (name, seq) VALUES ('gmail_history', ?)",
            gmail_store.FIRST_HISTORY_ID,
        )


def check_account(fields: Mapping[str, Any]) -> dict[str, Any]:
    """`test_user, gmail, disabled, deleted, admin_block` (true or false) and `send_as` (aliases)."""
    checked: dict[str, Any] = {}
    for name, value in fields.items():
        if name in _ACCOUNT_FIELDS:
            if not isinstance(value, bool):
                raise ValueError(f"{name} must be true or false")
            checked[name] = value
        elif name == "send_as":
            if not isinstance(value, list) or not all(isinstance(alias, dict) for alias in value):
                raise ValueError("send_as must be a list of {email, name?, verified?}")
            checked[name] = [{**alias, "email": normal_address(alias.get("email"))} for alias in value]
        else:
            raise ValueError(
                f"a google account has no {name}; known: name, domain, {', '.join(_ACCOUNT_FIELDS)}, send_as"
            )
    return checked


def check_untick(wanted: list[str]) -> list[str]:
    """Scopes in their long form."""
    long_form = [google_scopes.canonical(scope) for scope in wanted]
    strange = google_scopes.unknown(long_form)
    if strange:
        raise ValueError(f"google has no scope {', '.join(strange)}")
    return long_form


GOOGLE = Provider(
    name="google",
    title="Google",
    switches=SWITCHES,
    operations=OPERATIONS,
    error_pages=tuple(error_pages.PAGES),
    routes=routes,
    prepare=prepare,
    fault_answer=faults.answer,
    fault_concerns=faults.concerns,
    apply_damage=faults.apply,
    check_account=check_account,
    check_untick=check_untick,
    receive=gmail_store.receive,
    grant_causes=faults.GRANT_CAUSES,
    asks=frozenset({"send.check"}),
)
