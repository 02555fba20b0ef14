"""Keap, as the contract wants it."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from urllib.parse import urlencode

from truesend import clock, env
from truesend.providers import http
from truesend.providers.contract import (
    AddressState,
    Capability,
    DayLimit,
    Evidence,
    Grant,
    Limits,
    Message,
    Provider,
    ProviderError,
    Request,
    SentCopy,
    Traces,
)
from truesend.providers.errors import Refusal, SendResult
from truesend.providers.keap import api, errors, history, letter, oauth, pages, people, push, records, states
from truesend.providers.keap import setup as setup_page
from truesend.providers.recording import CrmContact, SentElsewhere
from truesend.providers.shapes import PushCall, PushHold, PushNews

# What a check lists.
_LISTS = {"read": "emails", "contacts": "contacts"}


class Keap(Provider):
    """Apps of Keap (formerly Infusionsoft): mail to one contact at a time, in the name of a user."""

    key = "keap"
    name = "Keap"
    capabilities = (Capability.SEND, Capability.READ, Capability.CONTACTS)
    # One contact to a call keeps a copy its own; ten files of 1 MB (specification of `emails:send`). Of the whole
    # nothing is said: files and as much text as a mail can have.
    # 1,500 calls a minute for a client (quota page); a send costs three to five (address state, contact, perhaps a new
    # one and its name, the send), and proofs and look-ups want their part.
    limits = Limits(
        recipients=1,
        message_bytes=16 * 1024 * 1024,
        attachment_bytes=10 * 1024 * 1024,
        custom_headers=False,
        cc_and_bcc=False,
        client_calls_per_second=5.0,
        client_burst=5,
        carries_mime=False,
        files=10,
        file_bytes=1024 * 1024,
        file_types=letter.FILE_TYPES,
        client_calls_per_day=150_000,
        fills_in=letter.MERGE_FIELD,
        needs_subject=True,
    )
    dead_ends = pages.PAGES
    setup = setup_page.SETUP
    consents_to_all = True
    renews_once = True
    takes_key = True
    key_steps = setup_page.KEY_STEPS
    # 10 calls a second, 240 a minute, 30,000 a day (quota page).
    key_note = (
        "An administrator there can make a key that needs no consent and no renewal. It carries less: about one email "
        "a second, and some 7,000 a day."
    )
    # A refresh token that is not used for 45 days ends (Keap's staff).
    idle_days = 45
    # Userinfo, the history, the contacts; and the five that a send makes.
    probe_calls = 8
    mailbox_name = "Keap"
    sent_name = "email history"
    reads = "what was sent"
    tells_states = True
    pushes = True
    records_mail = True
    # Of the newest addresses and some older ones.
    inbox_calls = 2
    # No call is documented that ends a grant.
    ends_by_hand = "Remove Truesend inside Keap, where the account's applications are listed."

    def day_limit(self, address: str) -> DayLimit:
        """Keap counts calls, not mails: 30,000 a day with a key, and an email to somebody new costs three.

        "Sustained more than one call a second indicates a severe problem" (usage guidelines).
        """
        told = "Keap takes 30,000 calls a day with a key of one's own, which is about 10,000 emails."
        return DayLimit(10_000, 0, 60, told)

    def consent_page(self) -> str:
        return env.require("KEAP_AUTHORIZE_URL")

    def scopes(self, capabilities: Iterable[Capability]) -> list[str]:
        return [oauth.SCOPE]

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
        return oauth.authorize_url(redirect_uri=redirect_uri, state=state)

    def exchange(self, *, code: str, redirect_uri: str, verifier: str, nonce: str) -> Grant:
        return oauth.exchange(code=code, redirect_uri=redirect_uri)

    def consent_cause(self, error: str, description: str) -> str:
        return errors.oauth_cause(error, description)[0]

    def refresh(self, refresh_token: str) -> Grant:
        return oauth.refresh(refresh_token)

    def key_grant(self, key: str) -> Grant:
        return oauth.key_grant(key)

    def probe(
        self, access_token: str, capabilities: Iterable[Capability], *, thorough: bool = False
    ) -> list[Evidence]:
        """Userinfo, which no permission can withhold, then one entry of each list."""
        wanted = set(capabilities)
        questions = [("grant", api.get("/v2/oauth/connect/userinfo", "userinfo", access_token))]
        if Capability.READ in wanted:
            questions.append(("read", history.probe_request(access_token)))
        if Capability.CONTACTS in wanted:
            path = "/v2/contacts?fields=id&page_size=1"
            questions.append(("contacts", api.get(path, "contacts.list", access_token)))
        found: list[Evidence] = []
        for check, request in questions:
            found.append(_proved(check, request, access_token))
            if check == "grant" and not found[0].ok and not thorough:
                break  # the others would say the same
        return found

    def prepares(self, capabilities: Collection[Capability]) -> bool:
        return True

    def prepare(self, message: Message, access_token: str, *, earlier: str | None) -> str:
        """Who sends, whether this address may be written to, and the contact that it belongs to.

        The state of the address first: of one that is refused no contact is made. What an earlier try prepared is
        found again.
        """
        if len(message.recipients) != 1:
            raise ProviderError("message_refused", "Keap sends to each person alone.")
        if re.search(letter.MERGE_FIELD, message.subject):
            raise ProviderError("message_refused", "Keap would fill in a field in the subject.")
        (person,) = message.recipients
        began = clock.now()
        people.refuse_blocked(person.address, access_token)
        user = people.sender(access_token)
        contact = people.contact(person, access_token)
        return str(letter.Reference(user, contact.id, contact.field, began))

    def send_request(self, message: Message, access_token: str, reference: str = "") -> Request:
        prepared = letter.read_reference(reference)
        if prepared is None:
            raise ProviderError("message_unbuildable", "It was not prepared.")
        return letter.send_request(message, access_token, prepared)

    def send(
        self, message: Message, access_token: str, *, reference: str = "", fence: Callable[[], None]
    ) -> SendResult:
        """The one sequence; of a key's refusals the causes are a key's."""
        result = super().send(message, access_token, reference=reference, fence=fence)
        if not api.is_key(access_token):
            return result
        return dataclasses.replace(result, cause=errors.of_a_key(result.cause), client_wide=False)

    def read_accepted(self, answer: http.Answer, reference: str = "") -> tuple[str, str] | None:
        return ("", "") if letter.is_accepted(answer) else None

    def send_check_requests(self, access_token: str, capabilities: Collection[Capability]) -> list[Request]:
        return [*people.check_requests(access_token), letter.send_check_request(access_token)]

    def check_send(self, access_token: str, capabilities: Collection[Capability]) -> Evidence:
        found = super().check_send(access_token, capabilities)
        if api.is_key(access_token):
            return dataclasses.replace(found, cause=errors.of_a_key(found.cause))
        return found

    def read_refusal(self, answer: http.Answer) -> Refusal | None:
        return errors.api_refusal(answer)

    def address_states(self, access_token: str, addresses: Collection[str]) -> list[AddressState]:
        return states.of(addresses, access_token)

    def hold_push(self, access_token: str, *, url: str, secret: str, ref: str) -> PushHold:
        return push.hold(access_token, url=url, ref=ref)

    def read_push(self, call: PushCall) -> PushNews:
        return push.read(call)

    def find_contact(self, access_token: str, address: str) -> CrmContact | None:
        return records.contact(access_token, address)

    def record_mail(self, access_token: str, mail: SentElsewhere, *, fence: Callable[[], None]) -> SendResult:
        return records.record(access_token, mail, fence=fence)

    def find_record(self, access_token: str, mark: str, contact: str, *, since: datetime) -> str:
        return records.find(access_token, mark, contact, since=since)

    def place_of(self, subject: str) -> str:
        """The app: one person may use several."""
        return subject.partition(":")[0]

    def sent_folder_url(self, address: str, place: str = "") -> str:
        """The page that the operator named, if any: Keap's own address differs from app to app."""
        page, asked = env.get("KEAP_MAIL_URL"), {"user": address, "app": place}
        return f"{page}{'&' if '?' in page else '?'}{urlencode(asked)}" if page else ""

    def sent_copy(self, access_token: str, message_id: str) -> SentCopy:
        return history.sent_copy(access_token, message_id)

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
        return history.traces(access_token, marks, since=since, references=references or {})


def _proved(check: str, request: Request, secret: str) -> Evidence:
    """What the answer to one question proves; never raises."""
    try:
        body = api.ask(request, secret)
        if check != "grant":
            api.listed(body, _LISTS[check])
        elif not api.identifier(body.get("id")):
            raise ProviderError("provider_garbage", "An answer that does not say who is signed in.")
    except ProviderError as error:
        return Evidence(check, False, request.operation, error.cause, error.words, until=error.retry_at)
    return Evidence(check, True, request.operation)
