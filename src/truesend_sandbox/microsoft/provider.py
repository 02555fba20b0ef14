"""Microsoft as one of the sandbox's providers: its addresses, operations, accounts and clients."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web

from truesend_sandbox.accounts import normal_address
from truesend_sandbox.door import Call, Endpoint
from truesend_sandbox.microsoft import (
    admin_consent,
    api,
    attachments,
    authorize,
    consent_forms,
    control,
    delta,
    drafts,
    error_pages,
    faults,
    identity,
    listing,
    mail_read,
    mail_send,
    mail_store,
    replies,
    reports,
    sent_page,
    subscriptions,
    tenants,
    token,
    uploads,
)
from truesend_sandbox.microsoft.switches import SWITCHES
from truesend_sandbox.microsoft.tenants import PROVIDER
from truesend_sandbox.signing import signing_key
from truesend_sandbox.world import Provider, World

CLIENT_ID = "sandbox-microsoft-client"
CLIENT_SECRET = "sandbox-microsoft-secret"  # noqa: S105  # of the sandbox, as documented

OPERATIONS: dict[str, tuple[str, ...]] = {
    "authorize": (),
    "admin_consent": ("authorize",),
    "token.code": ("token",),
    "token.refresh": ("token",),
    "token.other": ("token",),
    "discovery": ("identity",),
    "jwks": ("identity",),
    "userinfo": ("identity",),
    "me": ("identity",),
    "send": (),
    "send.check": ("send",),
    "drafts.send": ("send", "draft"),
    # Asking only; they meet the faults of the calls they ask for.
    "drafts.check": ("drafts.create", "draft"),
    "drafts.send.check": ("drafts.send", "send", "draft"),
    "drafts.create": ("draft",),
    "drafts.update": ("draft",),
    "drafts.delete": ("draft",),
    "drafts.get": ("draft",),
    "drafts.reply": ("draft",),
    "messages.reply": ("send",),
    "attachments.create": ("draft",),
    "uploads.start": ("draft",),
    "uploads.part": ("draft",),
    "uploads.get": ("draft",),
    "uploads.cancel": ("draft",),
    "attachments.list": ("read",),
    "attachments.get": ("read",),
    "messages.list": ("read",),
    "messages.delta": ("read",),
    "subscriptions.create": (),
    "subscriptions.renew": (),
    "subscriptions.delete": (),
    "messages.get": ("read",),
    "messages.value": ("read",),
    "folders.list": ("read",),
    "folders.get": ("read",),
    "messages.update": (),
    "messages.delete": (),
}

Serve = Callable[[web.Request], Awaitable[web.StreamResponse]]

_FLAGS = (
    *("personal", "admin", "mailbox_enabled", "disabled", "deleted", "admin_block", "app_disabled"),
    *("send_block", "email_claim"),
)
_LISTS = ("send_as", "send_on_behalf")


def _graph(operation: str | Callable[[Call], str], handler: api.Handler, as_: str | None = None) -> Serve:
    named = as_ or (operation if isinstance(operation, str) else None)
    return Endpoint(PROVIDER, operation, identity.identify, api.guarded(handler, named)).serve


def _open(
    operation: str | Callable[[Call], str],
    handle: Callable[[Call], web.StreamResponse],
    identify: Callable[[Call], str | None] = lambda _: None,
) -> Serve:
    return Endpoint(PROVIDER, operation, identify, handle).serve


def routes(_: World) -> list[web.RouteDef]:
    """Microsoft's addresses, all at the root."""
    tenant = "/{tenant:[A-Za-z0-9.-]+}"
    one = "/v1.0/me/messages/{id}"
    userinfo = _open("userinfo", identity.userinfo, identity.identify)
    return [
        web.get(f"{tenant}/oauth2/v2.0/authorize", _open("authorize", authorize.handle, authorize.identify)),
        web.post(f"{tenant}/oauth2/v2.0/token", _open(token.operation, token.handle, token.identify)),
        web.get(
            f"{tenant}/v2.0/adminconsent",
            _open("admin_consent", admin_consent.handle, admin_consent.identify),
        ),
        web.get(f"{tenant}/v2.0/.well-known/openid-configuration", _open("discovery", identity.discovery)),
        web.get(f"{tenant}/discovery/v2.0/keys", _open("jwks", identity.keys)),
        web.post("/common/login", consent_forms.account),
        web.get("/common/login/another", consent_forms.another),
        web.post("/common/Consent/Set", consent_forms.decide),
        web.post("/common/Consent/Request", consent_forms.ask_approval),
        web.get("/common/Consent/Return", consent_forms.without_approval),
        web.post("/common/adminconsent/login", admin_consent.sign_in),
        web.post("/common/adminconsent/decide", admin_consent.decide),
        web.get("/outlook/sentitems", sent_page.sent),
        web.get("/oidc/userinfo", userinfo),
        web.post("/oidc/userinfo", userinfo),
        web.get("/v1.0/me", _graph("me", api.me)),
        web.post("/v1.0/subscriptions", subscriptions.create),
        web.patch("/v1.0/subscriptions/{id}", _graph("subscriptions.renew", subscriptions.renew)),
        web.delete("/v1.0/subscriptions/{id}", _graph("subscriptions.delete", subscriptions.delete)),
        web.post("/v1.0/me/sendMail", _graph(mail_send.operation, mail_send.send_mail, "send")),
        web.get("/v1.0/me/mailFolders", _graph("folders.list", listing.folders)),
        web.get("/v1.0/me/mailFolders/{folder}", _graph("folders.get", listing.folder)),
        web.get("/v1.0/me/mailFolders/{folder}/messages/delta", _graph("messages.delta", delta.messages)),
        # As Microsoft's own client writes the function.
        web.get("/v1.0/me/mailFolders/{folder}/messages/delta()", _graph("messages.delta", delta.messages)),
        web.get("/v1.0/me/mailFolders/{folder}/messages", _graph("messages.list", listing.messages)),
        web.get("/v1.0/me/messages", _graph("messages.list", listing.messages)),
        web.post("/v1.0/me/messages", _graph(drafts.create_operation, drafts.create, "drafts.create")),
        web.get(one, _graph(mail_read.kind("drafts.get", "messages.get"), mail_read.get)),
        web.get(f"{one}/$value", _graph("messages.value", mail_read.value)),
        web.patch(one, _graph(mail_read.kind("drafts.update", "messages.update"), drafts.change)),
        web.delete(one, _graph(mail_read.kind("drafts.delete", "messages.delete"), drafts.delete)),
        web.post(f"{one}/send", _graph(drafts.send_operation, drafts.send, "drafts.send")),
        web.post(f"{one}/createReply", _graph("drafts.reply", replies.make_draft(everybody=False))),
        web.post(f"{one}/createReplyAll", _graph("drafts.reply", replies.make_draft(everybody=True))),
        web.post(f"{one}/reply", _graph("messages.reply", replies.send(everybody=False))),
        web.post(f"{one}/replyAll", _graph("messages.reply", replies.send(everybody=True))),
        web.get(f"{one}/attachments", _graph("attachments.list", attachments.list_files)),
        web.post(f"{one}/attachments", _graph("attachments.create", attachments.create)),
        web.post(f"{one}/attachments/createUploadSession", _graph("uploads.start", uploads.start)),
        # The address of an upload is its own permission: no token comes along.
        web.put(uploads.PATH, _open("uploads.part", uploads.part, uploads.identify)),
        web.get(uploads.PATH, _open("uploads.get", uploads.status, uploads.identify)),
        web.delete(uploads.PATH, _open("uploads.cancel", uploads.cancel, uploads.identify)),
        web.get(f"{one}/attachments/{{attachment}}", _graph("attachments.get", attachments.get)),
    ]


def prepare(world: World) -> None:
    """The registered client and the signing key."""
    world.store.run(
        "INSERT OR IGNORE INTO clients (provider, client_id, secret, project, name, redirect_uris)"
        " VALUES (?, ?, ?, 'sandbox', 'Truesend', ?)",
        PROVIDER,
        CLIENT_ID,
        CLIENT_SECRET,
        json.dumps(["http://localhost:*/oauth/microsoft/callback"]),
    )
    signing_key(world.store, PROVIDER)


def check_account(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The flags, `tenant` (a GUID), `upn`, `mail` (null: none), `send_as` and `send_on_behalf` (addresses)."""
    checked: dict[str, Any] = {}
    for name, value in fields.items():
        if name in _FLAGS:
            if not isinstance(value, bool):
                raise ValueError(f"{name} must be true or false")
            checked[name] = value
        elif name == "tenant":
            if not isinstance(value, str) or not tenants.GUID.fullmatch(value):
                raise ValueError("tenant must be a GUID")
            checked[name] = value.lower()
        elif name in ("upn", "mail"):
            if not isinstance(value, str) and not (name == "mail" and value is None):
                raise ValueError(f"{name} must be text")
            checked[name] = value
        elif name in _LISTS:
            if not isinstance(value, list):
                raise ValueError(f"{name} must be a list of addresses")
            checked[name] = [normal_address(one) for one in value]
        else:
            known = ("name", "domain", "tenant", "upn", "mail", *_FLAGS, *_LISTS)
            raise ValueError(f"a microsoft account has no {name}; known: {', '.join(known)}")
    return checked


def check_untick(wanted: list[str]) -> list[str]:
    """Nothing: Microsoft's consent has no boxes."""
    if wanted:
        raise ValueError("microsoft's consent is all or nothing; it has no boxes to untick")
    return []


MICROSOFT = Provider(
    name=PROVIDER,
    title="Microsoft",
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
    receive=mail_store.receive,
    grant_causes=token.GRANT_CAUSES,
    asks=frozenset({"send.check", "drafts.check", "drafts.send.check"}),
    report=reports.acted,
    controls=control.routes,
    settle=tenants.settle,
)
