"""Microsoft, as the contract wants it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
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
    Provider,
    Request,
    SentCopy,
    Strays,
    Traces,
)
from truesend.providers.errors import Outcome, ProviderError, Refusal, SendResult
from truesend.providers.microsoft import (
    calls,
    domains,
    drafts,
    errors,
    graph,
    inbox,
    oauth,
    pages,
    push,
    sent,
)
from truesend.providers.microsoft.setup import SETUP
from truesend.providers.shapes import PushCall, PushHold, PushNews

# Refusals of a draft's send that are also what a second send of the same draft is answered with.
_SAID_OF_A_SENT_ONE = frozenset({"not_found", "message_refused", "provider_refused"})


class Microsoft(Provider):
    """Mailboxes of Microsoft 365 and of outlook.com."""

    key = "microsoft"
    name = "Microsoft"
    capabilities = (Capability.SEND, Capability.READ)
    # A writing request carries 4 MB, and a MIME message travels in base64, a third larger, with its files in base64
    # inside: 3 MB of message and 2 MB of files. 500 recipients (Exchange Online).
    # 130,000 requests in 10 seconds for an app (Graph, "Throttling limits"); a send with its reads makes four.
    limits = Limits(
        recipients=500,
        message_bytes=3 * 1024 * 1024,
        attachment_bytes=2 * 1024 * 1024,
        custom_headers=True,
        cc_and_bcc=True,
        client_calls_per_second=3000.0,
        client_burst=3000,
    )
    # With drafts, files come by calls of their own: a mailbox sends 35 MB unless its administrator says otherwise.
    _drafting = replace(
        limits,
        message_bytes=35 * 1024 * 1024,
        attachment_bytes=25 * 1024 * 1024,
        in_one_piece=limits.message_bytes,
    )
    # A draft that is still one was not sent.
    proves_absence = True
    has_inbox = True
    pushes = True
    # The changes of two folders.
    inbox_calls = 2
    leaves_behind = True
    # "90 days max inactivity" (configurable token lifetimes).
    idle_days = 90
    probes_by_renewal = True
    # A list of messages, and the two calls of a send.
    probe_calls = 3
    ends_by_hand = (
        "Remove Truesend at myapps.microsoft.com, for a personal account at account.live.com/consent/Manage."
    )
    mailbox_name = "Outlook"
    own_domains = domains.PERSONAL
    # Personal accounts sign in elsewhere.
    leads_on_to = ("https://login.live.com", "https://login.microsoft.com")
    dead_ends = pages.PAGES
    setup = SETUP

    def limits_for(self, capabilities: Collection[Capability]) -> Limits:
        return self._drafting if self.prepares(capabilities) else self.limits

    def day_limit(self, address: str) -> DayLimit:
        """Exchange Online limits: 10,000 recipients in 24 hours, 30 messages a minute.

        Of a personal account Microsoft names no figure; new ones were seen to end at 300.
        """
        if address.rpartition("@")[2].lower() in self.own_domains:
            told = "Outlook.com tells no figure; 300 in 24 hours is what new accounts were seen to send."
            return DayLimit(300, 300, 30, told)
        told = "Exchange Online sends to 10,000 recipients in 24 hours (5,000 while it is on trial)."
        return DayLimit(0, 10_000, 30, told)

    def consent_page(self) -> str:
        return oauth.address("MICROSOFT_AUTHORIZE_URL", directory="common")

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

    def admin_consent_url(self, capabilities: Iterable[Capability], redirect_uri: str) -> str:
        return oauth.admin_consent_url(capabilities, redirect_uri)

    def read_admin_answer(self, query: Mapping[str, str]) -> bool | None:
        return oauth.read_admin_answer(query)

    def exchange(self, *, code: str, redirect_uri: str, verifier: str, nonce: str) -> Grant:
        return oauth.exchange(code=code, redirect_uri=redirect_uri, verifier=verifier, nonce=nonce)

    def consent_cause(self, error: str, description: str) -> str:
        return errors.oauth_cause(error, description)[0]

    def refresh(self, refresh_token: str) -> Grant:
        return oauth.refresh(refresh_token)

    def probe(
        self, access_token: str, capabilities: Iterable[Capability], *, thorough: bool = False
    ) -> list[Evidence]:
        """With reading: a list of one message proves grant and reading. With sending only: ``/me`` proves the grant."""
        reads = Capability.READ in set(capabilities)
        build = graph.probe_request if reads else graph.me_request
        request = build(access_token, _api())
        try:
            body = calls.ask(request)
            if not isinstance(body, Mapping) or not isinstance(
                body.get("value" if reads else "id"), list if reads else str
            ):
                raise calls.garbage("a list of messages" if reads else "a profile")
        except ProviderError as error:
            check = "read" if reads else "grant"
            return [Evidence(check, False, request.operation, error.cause, error.words, until=error.retry_at)]
        proved = ("grant", "read") if reads else ("grant",)
        return [Evidence(check, True, request.operation) for check in proved]

    def prepares(self, capabilities: Collection[Capability]) -> bool:
        return Capability.READ in capabilities

    def prepare(self, message: Message, access_token: str, *, earlier: str | None) -> str:
        return drafts.prepare(message, access_token, earlier=earlier, base=_api()).write()

    def clear(self, access_token: str, references: Iterable[str], strays: Strays | None = None) -> None:
        drafts.clear(references, access_token, _api())
        if strays is not None:
            drafts.clear_strays(strays.mark, access_token, _api(), since=strays.since, sent=strays.sent)

    def send_request(self, message: Message, access_token: str, reference: str = "") -> Request:
        draft = drafts.read(reference)
        if draft is not None:
            return graph.send_draft_request(draft.id, access_token, _api())
        return graph.send_mail_request(message.raw, access_token, _api())

    def read_accepted(self, answer: http.Answer, reference: str = "") -> tuple[str, str] | None:
        """202 without a word; the ids are those of the draft, and without one there are none."""
        if not graph.is_accepted(answer):
            return None
        draft = drafts.read(reference)
        return (draft.id, draft.conversation) if draft is not None else ("", "")

    def send(
        self, message: Message, access_token: str, *, reference: str = "", fence: Callable[[], None]
    ) -> SendResult:
        """As everywhere; but a draft that is sent already is not sent again, and what refuses one is looked at.

        The same answers are given for a draft that was sent before and for one that cannot be (a front end may repeat
        a call whose answer it lost): the draft itself knows.
        """
        draft = drafts.read(reference)
        if draft is not None and draft.sent:
            return _accepted(draft)
        result = super().send(message, access_token, reference=reference, fence=fence)
        if draft is None or result.outcome is not Outcome.NOT_SENT or result.cause not in _SAID_OF_A_SENT_ONE:
            return result
        try:
            found = drafts.find(draft, access_token, _api())
        except ProviderError:
            found = None
        if found is None:
            return replace(result, outcome=Outcome.UNKNOWN)
        if not found.is_draft:
            return _accepted(draft)
        # A draft that is there and is not found by its send: Microsoft's own delay.
        return replace(result, cause="provider_error") if result.cause == "not_found" else result

    def send_check_requests(self, access_token: str, capabilities: Collection[Capability]) -> list[Request]:
        if self.prepares(capabilities):
            return graph.draft_check_requests(access_token, _api())
        return [graph.send_check_request(access_token, _api())]

    def read_refusal(self, answer: http.Answer) -> Refusal | None:
        return errors.graph_refusal(answer)

    def sent_copy(self, access_token: str, message_id: str) -> SentCopy:
        return sent.sent_copy(access_token, message_id, _api())

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
        return sent.traces(access_token, marks, since=since, references=references or {}, base=_api())

    def inbox(self, access_token: str, cursor: str, *, since: datetime) -> InboxPage:
        return inbox.page(access_token, cursor, since=since, base=_api())

    def inbox_mail(self, access_token: str, message_id: str) -> bytes:
        return inbox.mail(access_token, message_id, _api())

    def hold_push(self, access_token: str, *, url: str, secret: str, ref: str) -> PushHold:
        return push.hold(access_token, url=url, secret=secret, ref=ref, base=_api())

    def read_push(self, call: PushCall) -> PushNews:
        return push.read(call)

    def sent_folder_url(self, address: str, place: str = "") -> str:
        """Sent Items of Outlook on the web, of the account that is signed in as ``address``, or its sign-in.

        Microsoft documents no part of these addresses; they are those its own pages show.
        """
        personal = address.rpartition("@")[2].lower() in self.own_domains
        base = env.require("MICROSOFT_PERSONAL_MAIL_URL" if personal else "MICROSOFT_MAIL_URL")
        return f"{base.rstrip('/')}/sentitems?{urlencode({'login_hint': address})}"


def _accepted(draft: drafts.Draft) -> SendResult:
    return SendResult(Outcome.ACCEPTED, message_id=draft.id, thread_id=draft.conversation)


def _api() -> str:
    return env.require("MICROSOFT_API_URL").rstrip("/")
