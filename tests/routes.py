"""Every route there is, by who may open it: a new one without a place here fails in ``test_tenants.py``."""

from __future__ import annotations

# Pages that anybody may open: accounts, and what carries its own proof in the address.
OPEN = {
    "",
    "signup",
    "login",
    "inactive",
    "confirm-email",
    r"^confirm-email/(?P<key>[-:\w]+)$",
    "password/reset",
    "password/reset/done",
    r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)$",
    "password/reset/key/done",
    "sign-in/<str:token>",
    "oauth/<str:provider>/callback",  # 400 to all but the session that started; see test_consent.py
}
# Pages of a signed-in member that name nobody's row.
OWN = {
    "logout": ("POST",),
    "reauthenticate": ("GET", "POST"),
    "email": ("GET", "POST"),
    "password/change": ("GET", "POST"),
    "password/set": ("GET", "POST"),
    "account": ("GET", "POST"),
    "account/links": ("POST",),
    "account/mailboxes": ("POST",),
    "account/privacy": ("POST",),
    "account/privacy/progress": ("GET",),
    "account/forget": ("GET", "POST"),
    "settings/suppression": ("GET", "POST"),
    "settings/suppression/import": ("POST",),
    "settings/suppression/export": ("GET",),
    "settings/suppression/footer": ("POST",),
    "settings/blocklist": ("GET", "POST"),  # the operator's alone; see test_blocklist_pages.py
    # The operator's alone too; see test_provider_pages.py.
    "settings/providers": ("GET",),
    "settings/providers/<str:provider>": ("POST",),
    "settings/providers/<str:provider>/check": ("POST",),
    "settings/providers/<str:provider>/remove": ("GET", "POST"),
    "diagnostics": ("GET",),
    "diagnostics/findings": ("GET",),
    "account/tokens": ("POST",),
    "integration": ("GET",),
    "integration/cards": ("GET",),
    "integration/key/<str:provider>": ("GET", "POST"),  # owners and managers; see test_keap_key.py
    "partials/health": ("GET",),
    "oauth/<str:provider>/start": ("GET",),
    "oauth/<str:provider>/ask": ("GET", "POST"),
    "oauth/<str:provider>/pages": ("GET",),
    "emails": ("GET",),
    "emails/rows": ("GET",),
    "emails/new": ("GET",),
    "emails/recipients": ("POST",),
    "notices": ("GET",),
}
# Pages that name a row: method, and what a stranger gets.
NAMED = {
    "account/tokens/<uuid:token_id>/revoke": [("POST", 404)],
    "settings/blocklist/<uuid:block_id>/remove": [("POST", 404)],
    "settings/suppression/<uuid:row_id>/allow": [("GET", 404), ("POST", 404)],
    "connections/<uuid:connection_id>/part": [("GET", 404)],
    "connections/<uuid:connection_id>/ledger": [("GET", 404)],
    "connections/<uuid:connection_id>/ask": [("GET", 404), ("POST", 404)],
    "connections/<uuid:connection_id>/read": [("GET", 404)],
    "connections/<uuid:connection_id>/forgo-reading": [("POST", 404)],
    "connections/<uuid:connection_id>/reset": [("GET", 404)],
    "connections/<uuid:connection_id>/share": [("GET", 404), ("POST", 404)],
    "connections/<uuid:connection_id>/take-back": [("GET", 404), ("POST", 404)],
    "connections/<uuid:connection_id>/verify": [("POST", 404)],
    "connections/<uuid:connection_id>/test-email": [("POST", 404)],
    "connections/<uuid:connection_id>/disconnect": [("GET", 404), ("POST", 404)],
    "emails/<uuid:email_id>": [("GET", 404)],
    "emails/<uuid:email_id>/body": [("GET", 404)],
    "emails/<uuid:email_id>/cancel": [("POST", 404)],
    "emails/<uuid:email_id>/release": [("POST", 404)],
    "emails/<uuid:email_id>/undo": [("POST", 404)],
    "emails/held/<uuid:connection_id>": [("GET", 404), ("POST", 404)],
    "deliveries/<uuid:delivery_id>/resolve": [("POST", 404)],
    "emails/<uuid:email_id>/again": [("POST", 404)],
    "emails/<uuid:email_id>/reply": [("POST", 404)],
    "emails/<uuid:email_id>/timeline": [("GET", 404)],
    "emails/<uuid:email_id>/copies": [("GET", 404)],
    "signals/<int:signal_id>/strike": [("POST", 404)],
    "signals/<int:signal_id>/unstrike": [("POST", 404)],
}
# A draft's id is made by the browser, so an unknown one is a new draft: a stranger sees and changes nothing.
DRAFTS = {
    "emails/drafts/<uuid:email_id>": "POST",
    "emails/drafts/<uuid:email_id>/send": "POST",
    "emails/drafts/<uuid:email_id>/gates": "GET",
    "emails/drafts/<uuid:email_id>/discard": "POST",
    "emails/drafts/<uuid:email_id>/preview": "GET",
    "emails/drafts/<uuid:email_id>/body": "GET",
    "emails/drafts/<uuid:email_id>/attachments": "POST",
    "emails/drafts/<uuid:email_id>/attachments/<uuid:attachment_id>/remove": "POST",
    "emails/<uuid:email_id>/attachments/<uuid:attachment_id>": "GET",
}
API = {
    "GET me",
    "GET connections",
    "GET connections/{connection_id}",
    "POST connections/{connection_id}/verify",
    "POST connections/{connection_id}/test-email",
    "POST connections/{connection_id}/disconnect",
    "GET connections/{connection_id}/ledger",
    "POST readiness",
    "POST emails",
    "GET emails",
    "GET emails/{email_id}",
    "POST emails/{email_id}/cancel",
    "POST emails/{email_id}/release",
    "POST emails/{email_id}/pause",
    "POST emails/{email_id}/resume",
    "POST emails/{email_id}/undo",
    "POST deliveries/{delivery_id}/resolve",
    "GET emails/{email_id}/signals",
    "POST signals/{signal_id}/strike",
    "POST signals/{signal_id}/unstrike",
    "GET suppressions",
    "POST suppressions",
    "DELETE suppressions/{address}",
}
# What everybody may do who may use a connection: see what becomes of it, and ask for help.
SEEN = {
    "connections/<uuid:connection_id>/part",
    "connections/<uuid:connection_id>/ledger",
    "connections/<uuid:connection_id>/ask",
}
# What its member alone does, as an owner or manager.
HOLDERS = {"connections/<uuid:connection_id>/share", "connections/<uuid:connection_id>/take-back"}
