"""The pages' addresses (contract: Pages)."""

from allauth.account import views as allauth
from django.urls import path, re_path
from django.views.generic import RedirectView

from truesend.web.views import (
    account,
    attachments,
    compose,
    connections,
    consents,
    emails,
    held,
    people,
    preview,
    signals,
)

urlpatterns = [
    path("", RedirectView.as_view(url="/emails"), name="home"),
    # Accounts: allauth's views under the addresses of the contract.
    path("signup", account.Signup.as_view(), name="account_signup"),
    path("login", account.Login.as_view(), name="account_login"),
    path("logout", allauth.logout, name="account_logout"),
    path("reauthenticate", allauth.reauthenticate, name="account_reauthenticate"),
    path("inactive", allauth.account_inactive, name="account_inactive"),
    path("email", allauth.email, name="account_email"),
    path("confirm-email", allauth.email_verification_sent, name="account_email_verification_sent"),
    re_path(r"^confirm-email/(?P<key>[-:\w]+)$", allauth.confirm_email, name="account_confirm_email"),
    path("password/change", allauth.password_change, name="account_change_password"),
    path("password/set", allauth.password_set, name="account_set_password"),
    path("password/reset", allauth.password_reset, name="account_reset_password"),
    path("password/reset/done", allauth.password_reset_done, name="account_reset_password_done"),
    re_path(
        r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)$",
        allauth.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path(
        "password/reset/key/done",
        allauth.password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
    path("sign-in/<str:token>", account.sign_in, name="sign_in"),
    path("account", account.account, name="account"),
    path("account/links", account.links_of_organization, name="account_links"),
    path("account/tokens", account.create_token, name="token_create"),
    path("account/tokens/<uuid:token_id>/revoke", account.revoke_token, name="token_revoke"),
    # Connections.
    path("integration", connections.integration, name="integration"),
    path("partials/health", connections.health_line, name="health_line"),
    path("integration/cards", connections.cards, name="cards"),
    path("connections/<uuid:connection_id>/verify", connections.verify, name="connection_verify"),
    path("connections/<uuid:connection_id>/test-email", connections.test_email, name="connection_test"),
    path("connections/<uuid:connection_id>/disconnect", connections.disconnect, name="connection_disconnect"),
    path("oauth/<str:provider>/start", consents.start, name="consent_start"),
    path("oauth/<str:provider>/pages", consents.pages, name="provider_pages"),
    path("oauth/<str:provider>/callback", consents.callback, name="consent_callback"),
    # Emails.
    path("emails", emails.listing, name="emails"),
    path("emails/rows", emails.rows, name="email_rows"),
    path("emails/new", compose.new, name="compose"),
    path("emails/drafts/<uuid:email_id>", compose.draft, name="draft"),
    path("emails/drafts/<uuid:email_id>/send", compose.send, name="draft_send"),
    path("emails/drafts/<uuid:email_id>/gates", compose.gates, name="draft_gates"),
    path("emails/drafts/<uuid:email_id>/discard", compose.discard, name="draft_discard"),
    path("emails/drafts/<uuid:email_id>/preview", preview.preview, name="draft_preview"),
    path("emails/drafts/<uuid:email_id>/body", preview.body, name="draft_body"),
    path("emails/drafts/<uuid:email_id>/attachments", attachments.upload, name="draft_attach"),
    path(
        "emails/drafts/<uuid:email_id>/attachments/<uuid:attachment_id>/remove",
        attachments.remove,
        name="draft_detach",
    ),
    path("emails/held/<uuid:connection_id>", held.send_all, name="held_send_all"),
    path("emails/recipients", people.check, name="recipients_check"),
    path("emails/<uuid:email_id>/attachments/<uuid:attachment_id>", attachments.download, name="attachment"),
    path("emails/<uuid:email_id>", emails.detail, name="email"),
    path("emails/<uuid:email_id>/body", emails.body, name="email_body"),
    path("emails/<uuid:email_id>/cancel", emails.cancel, name="email_cancel"),
    path("emails/<uuid:email_id>/undo", emails.undo, name="email_undo"),
    path("deliveries/<uuid:delivery_id>/resolve", emails.resolve, name="delivery_resolve"),
    path("emails/<uuid:email_id>/again", emails.again, name="email_again"),
    path("emails/<uuid:email_id>/release", emails.release, name="email_release"),
    path("emails/<uuid:email_id>/timeline", emails.timeline, name="email_timeline"),
    path("signals/<int:signal_id>/strike", signals.strike, name="signal_strike"),
    path("signals/<int:signal_id>/unstrike", signals.unstrike, name="signal_unstrike"),
]
