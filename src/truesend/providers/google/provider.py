"""Google, as the contract wants it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from urllib.parse import urlencode

from truesend import env
from truesend.providers import http
from truesend.providers.contract import (
    Capability,
    DayLimit,
    Evidence,
    Grant,
    InboxPage,
    Limits,
    Message,
    Party,
    Provider,
    Request,
    SentCopy,
    Traces,
)
from truesend.providers.errors import Refusal
from truesend.providers.google import errors, gmail, inbox, oauth, pages, push, sent
from truesend.providers.google.setup import SETUP
from truesend.providers.shapes import PushCall, PushHold, PushNews


class Google(Provider):
    """Gmail and Google Workspace mailboxes."""

    key = "google"
    name = "Google"
    capabilities = (Capability.SEND, Capability.READ)
    # 500 recipients by API (quota page); 36,700,160 bytes (discovery document); attachments 25 MB (support page).
    # 1,200,000 quota units a minute for a project (quota page, 2026-05-01); a send with its reads costs 121 (profile 1,
    # send 100, messages.get 20), which makes 165 a second, less the look-ups.
    limits = Limits(
        recipients=500,
        message_bytes=36_700_160,
        attachment_bytes=25 * 1024 * 1024,
        custom_headers=True,
        cc_and_bcc=True,
        client_calls_per_second=160.0,
        client_burst=160,
    )
    sent_copy_behind_proxy = True
    # "The token has not been used for six months" (OAuth 2.0 guide, "Refresh token expiration").
    idle_days = 182
    mailbox_name = "Gmail"
    own_domains = frozenset({"gmail.com", "googlemail.com"})
    # A From that is none of them is silently replaced by the mailbox's own (seen by several parties).
    names_senders = True
    # SENT is told in full by the history and by the label's listing.
    proves_absence = True
    has_inbox = True
    pushes = True
    pushes_signed = True

    dead_ends = pages.PAGES
    setup = SETUP

    def day_limit(self, address: str) -> DayLimit:
        """Of a Gmail of one's own and of Workspace ("Gmail sending limits", "Limits for sending & getting mail").

        A send costs 100 of the 6,000 units that a user has in a minute ("Usage limits", since May 2026).
        """
        if address.rpartition("@")[2].lower() in self.own_domains:
            return DayLimit(500, 500, 60, "A Gmail of one's own sends 500 emails in 24 hours.")
        return DayLimit(
            2_000, 3_000, 60, "Google Workspace sends 2,000 emails in 24 hours (500 while it is on trial)."
        )

    def client_rate(self) -> float:
        own = env.get("GOOGLE_SENDS_PER_SECOND")
        return float(env.number("GOOGLE_SENDS_PER_SECOND")) if own else super().client_rate()

    def consent_page(self) -> str:
        return env.require("GOOGLE_AUTHORIZE_URL")

    def scopes(self, capabilities: Iterable[Capability]) -> list[str]:
        return oauth.scopes(capabilities)

    def granted(self, scopes: Iterable[str]) -> set[Capability]:
        return oauth.granted(scopes)

    def authorize_url(
        self,
        *,
        capabilities: Iterable[Capability],
        redirect_uri: str,
        state: str,
        nonce: str,
        verifier: str,
        account: str | None,
    ) -> str:
        return oauth.authorize_url(
            capabilities=capabilities,
            redirect_uri=redirect_uri,
            state=state,
            nonce=nonce,
            verifier=verifier,
            account=account,
        )

    def exchange(self, *, code: str, redirect_uri: str, verifier: str, nonce: str) -> Grant:
        return oauth.exchange(code=code, redirect_uri=redirect_uri, verifier=verifier, nonce=nonce)

    def consent_cause(self, error: str, description: str) -> str:
        return errors.oauth_cause(error, description)[0]

    def refresh(self, refresh_token: str) -> Grant:
        return oauth.refresh(refresh_token)

    def revoke(self, token: str) -> None:
        oauth.revoke(token)

    def probe(
        self, access_token: str, capabilities: Iterable[Capability], *, thorough: bool = False
    ) -> list[Evidence]:
        """With reading: the profile proves grant and reading. With sending only: userinfo proves the grant."""
        if Capability.READ in set(capabilities):
            request, check = gmail.profile_request(access_token, _api()), "read"
        else:
            request, check = self._userinfo(access_token), "grant"
        try:
            answer = http.request(
                request.method, request.url, operation=request.operation, headers=request.headers
            )
        except http.TransportError as error:
            return [Evidence(check, False, request.operation, error.cause, error.words)]
        body = answer.json()
        if (
            answer.status == 200
            and isinstance(body, Mapping)
            and (body.get("sub") or body.get("emailAddress"))
        ):
            found = [Evidence("grant", True, request.operation)]
            return [*found, Evidence("read", True, request.operation)] if check == "read" else found
        refusal = errors.api_refusal(answer)
        if refusal is None:
            cause = "provider_error" if answer.status >= 500 else "provider_garbage"
            refusal = Refusal(cause, f"{answer.status} {answer.words()}".strip(), True)
        return [Evidence(check, False, request.operation, refusal.cause, refusal.words)]

    @staticmethod
    def _userinfo(access_token: str) -> Request:
        headers = {"Authorization": f"Bearer {access_token}"}
        return Request("GET", env.require("GOOGLE_USERINFO_URL"), "userinfo", headers)

    def send_request(self, message: Message, access_token: str, reference: str = "") -> Request:
        return gmail.send_request(message.raw, access_token, message.thread_id, _api())

    def read_accepted(self, answer: http.Answer, reference: str = "") -> tuple[str, str] | None:
        return gmail.read_accepted(answer)

    def send_check_requests(self, access_token: str, capabilities: Collection[Capability]) -> list[Request]:
        return [gmail.send_check_request(access_token, _api())]

    def read_refusal(self, answer: http.Answer) -> Refusal | None:
        return errors.api_refusal(answer)

    def sent_copy(self, access_token: str, message_id: str) -> SentCopy:
        return sent.sent_copy(access_token, message_id, _api())

    def senders(self, access_token: str) -> list[Party]:
        return sent.senders(access_token, _api())

    def position(self, access_token: str) -> str:
        return sent.position(access_token, _api())

    def traces(
        self,
        access_token: str,
        marks: Collection[str],
        *,
        since: datetime,
        position: str,
        references: Mapping[str, str] | None = None,
        known: Collection[str] = (),
    ) -> Traces:
        return sent.traces(
            access_token, marks, since=since, start=position, known=frozenset(known), base=_api()
        )

    def inbox(self, access_token: str, cursor: str, *, since: datetime) -> InboxPage:
        return inbox.page(access_token, cursor, since=since, base=_api())

    def inbox_mail(self, access_token: str, message_id: str) -> bytes:
        return inbox.mail(access_token, message_id, _api())

    def push_unset(self) -> str:
        return push.unset()

    def hold_push(self, access_token: str, *, url: str, secret: str, ref: str) -> PushHold:
        return push.hold(access_token, _api())

    def read_push(self, call: PushCall) -> PushNews:
        return push.read(call)

    def sent_folder_url(self, address: str, place: str = "") -> str:
        """Sent, newest first, of the account that is signed in as ``address`` in this browser, or its sign-in.

        Google documents neither part; ``authuser`` takes an address in every address of its own pages, and ``#sent``
        is what Gmail shows for the folder. A search (``#search/``) is not asked for: its index is minutes behind what
        was just sent, so that it would show nothing of a mail that is there.
        """
        return f"{env.require('GOOGLE_MAIL_URL').rstrip('/')}/?{urlencode({'authuser': address})}#sent"


def _api() -> str:
    return env.require("GOOGLE_API_URL").rstrip("/")
