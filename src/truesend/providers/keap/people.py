"""Who sends and who receives, as Keap knows them: the user in this app, a recipient's contact, the address's state.

Users, Contacts and Email Addresses of REST v2 (specification).
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, urlencode

from truesend import clock
from truesend.providers.contract import OF_THE_CONTENT, Party, Request
from truesend.providers.errors import ProviderError
from truesend.providers.keap import api
from truesend.providers.recording import CrmContact

# Users come 100 to a page at most.
_USERS_PAGE, _USER_PAGES = 100, 20
# An address as the first one of a contact (specification of `EmailAddressRequest`).
LONGEST_ADDRESS = 75
_LONGEST_NAME = 40
# An address that nobody has (RFC 2606), for questions that are asked for the sake of the answer's form.
NOBODY = "nobody@truesend.invalid"
# Which of a contact's addresses a mail goes to, as `emails:send` spells it.
_FIELDS = {"EMAIL1": "Email", "EMAIL2": "EmailAddress2", "EMAIL3": "EmailAddress3"}

# Mail to these harms the sender, or cannot arrive.
_BLOCKED: Mapping[str, str] = {
    "HARD_BOUNCE": "a hard bounce",
    "SPAM": "reported as spam",
    "FEEDBACK": "a complaint was received",
    "INVALID": "invalid",
    "LOCKDOWN": "locked by Keap",
    "DEACTIVATED": "a mailbox that is switched off",
    "SYSTEM": "opted out by the system",
}
# They said no, or somebody did in their name.
_OPTED_OUT: Mapping[str, str] = {
    "LIST_UNSUBSCRIBE": "unsubscribed",
    "MANUAL": "opted out",
    "ADMIN": "opted out by an administrator",
}
STATE_WORDS = {**_BLOCKED, **_OPTED_OUT}
"""Of each state that speaks against writing, half a sentence."""
# They never said no. A mail that a person writes to one person may go to them (Keap's help on email status: single
# emails may, broadcasts may not); Truesend knows of no permission for more, and so opts nobody in (ADR 0021).
_OPEN = frozenset(
    {
        "UNENGAGED_MARKETABLE",
        "SINGLE_OPT_IN",
        "DOUBLE_OPT_IN",
        "CONFIRMED",
        "BOUNCE",
        "NON_MARKETABLE",
        "UNENGAGED_NON_MARKETABLE",
    }
)


@dataclass(frozen=True)
class Contact:
    """A contact's id, and under which of its addresses it is reached."""

    id: str
    field: str


# -- who sends ---------------------------------------------------------------------------------------------------

# The answer of two calls that is the same for each send with one token. An id of a user is no secret, and neither is
# a token's digest; a user who was switched off meanwhile is refused by the send itself.
_known: dict[bytes, tuple[float, str]] = {}
_known_lock = threading.Lock()
_KNOWN_SECONDS, _KNOWN_MOST = 3600.0, 2000


def sender(secret: str) -> str:
    """The id that the signed-in user has in this app, which is what a send is made in the name of.

    Users have one id in all apps (`global_user_id`, userinfo's `id`) and another one in each.
    """
    digest = hashlib.sha256(secret.encode()).digest()
    with _known_lock:
        until, number = _known.get(digest, (0.0, ""))
    if number and clock.steady() < until:
        return number
    number = _local_id(secret)
    with _known_lock:
        if len(_known) >= _KNOWN_MOST:
            _known.clear()
        _known[digest] = (clock.steady() + _KNOWN_SECONDS, number)
    return number


def _local_id(secret: str) -> str:
    who = api.ask(api.get("/v2/oauth/connect/userinfo", "userinfo", secret), secret)
    person = api.identifier(who.get("id"))
    if not person:
        raise ProviderError("provider_garbage", "Keap did not say who is signed in.")
    token = ""
    for _ in range(_USER_PAGES):
        body = api.ask(_users_request(token, secret), secret)
        for user in api.listed(body, "users"):
            if api.identifier(user.get("global_user_id")) == person and (
                number := api.identifier(user.get("id"))
            ):
                if user.get("status") in {"INACTIVE", "NOT_A_USER"}:
                    raise ProviderError("account_gone", "The user is inactive in this Keap app.")
                return number
        token = api.next_page(body)
        if not token:
            break
    raise ProviderError("mailbox_missing", "The user who signed in is none of this Keap app’s users.")


def _users_request(token: str, secret: str, size: int = _USERS_PAGE) -> Request:
    asked = {"page_size": str(size), **({"page_token": token} if token else {})}
    return api.get(f"/v2/users?{urlencode(asked)}", "users.list", secret)


# -- who receives ------------------------------------------------------------------------------------------------


def check_requests(secret: str) -> list[Request]:
    """Every call that comes before a send, so that it only reads or has to be refused.

    A contact without any way to reach it is refused with a 400 (specification of `POST /v2/contacts`).
    """
    return [
        # Nobody has this address, and so it has no state.
        replace(_status_request(NOBODY, secret), good_refusals=OF_THE_CONTENT | {"not_found"}),
        _users_request("", secret, size=1),
        _find_request(NOBODY, secret),
        _make_request({}, secret),
    ]


def _status_request(address: str, secret: str) -> Request:
    return api.get(f"/v2/emailAddresses/{quote(address, safe='')}/status", "addresses.get", secret)


def refuse_blocked(address: str, secret: str) -> None:
    """Raise where Keap says that this address wants no mail, or can get none; one it does not know is fine.

    Opted out: `recipient_opted_out`; bounced, complained, invalid and the like: `recipient_blocked`.
    """
    try:
        body = api.ask(_status_request(address, secret), secret)
    except ProviderError as error:
        if error.cause == "not_found":
            return
        raise
    status = api.text(body.get("status")).upper()
    if status in _BLOCKED:
        raise ProviderError("recipient_blocked", f"{address}: {_BLOCKED[status]} ({status})")
    if status in _OPTED_OUT:
        raise ProviderError("recipient_opted_out", f"{address}: {_OPTED_OUT[status]} ({status})")
    if status not in _OPEN and body.get("opted_in") is not True:
        # A state that the specification does not have: what it says of consent is all there is.
        raise ProviderError("recipient_opted_out", f"{address}: not opted in ({status[:40] or 'no state'})")


def contact(person: Party, secret: str) -> Contact:
    """The contact of a recipient, made where Keap has none. What Keap knows of one stays as it is."""
    if len(person.address) > LONGEST_ADDRESS:
        raise ProviderError(
            "recipient_refused",
            f"{person.address}: Keap takes addresses of at most {LONGEST_ADDRESS} characters.",
        )
    return _find(person.address, secret) or _make(person, secret)


def named(address: str, secret: str) -> CrmContact | None:
    """The contact that :func:`contact` would find, with its name; None where there is none, and none is made."""
    body = api.ask(_find_request(address, secret, fields=_NAMED), secret)
    found = _best(body, address)
    if found is None:
        return None
    person = next(one for one in api.listed(body, "contacts") if api.identifier(one.get("id")) == found.id)
    name = f"{api.text(person.get('given_name'))} {api.text(person.get('family_name'))}".strip()
    return CrmContact(found.id, name[:200])


_NAMED = "id,email_addresses,given_name,family_name"


def _find_request(address: str, secret: str, fields: str = "id,email_addresses") -> Request:
    asked = {
        # Another parameter than `filter` is not refused but ignored, and everybody would come back.
        "filter": f"email=={address}",
        "fields": fields,
        "order_by": "id asc",
        "page_size": "20",
    }
    return api.get(f"/v2/contacts?{urlencode(asked)}", "contacts.list", secret)


def _find(address: str, secret: str) -> Contact | None:
    return _best(api.ask(_find_request(address, secret), secret), address)


def _best(body: Mapping[str, Any], address: str) -> Contact | None:
    found = [match for one in api.listed(body, "contacts") if (match := _reached(one, address))]
    # The oldest that has it as its first address, else the oldest that has it at all.
    return min(found, key=lambda one: one.field != "Email", default=None)


def _reached(contact: Mapping[str, Any], address: str) -> Contact | None:
    """The contact where the address is one of its own: the filter is not trusted to mean what it says."""
    number, addresses = api.identifier(contact.get("id")), contact.get("email_addresses")
    for one in addresses if isinstance(addresses, list) else []:
        if isinstance(one, Mapping) and api.text(one.get("email")).lower() == address.lower():
            field = _FIELDS.get(api.text(one.get("field")))
            if number and field:
                return Contact(number, field)
    return None


def _make_request(body: object, secret: str) -> Request:
    asked = urlencode({"duplicate_option": "Email", "fields": "id,email_addresses"})
    return api.with_body("POST", f"/v2/contacts?{asked}", "contacts.upsert", secret, body)


def _make(person: Party, secret: str) -> Contact:
    """Made without a name, which comes after: another one may have been made meanwhile, and keeps the name it has."""
    body = {"email_addresses": [{"email": person.address, "field": "EMAIL1"}]}
    answer = api.answer_to(_make_request(body, secret))
    made = answer.json()
    if (
        answer.status not in {200, 201}
        or not isinstance(made, Mapping)
        or not (number := api.identifier(made.get("id")))
    ):
        raise api.failure(answer, secret)
    if answer.status == 201 and person.name:
        _name(number, person.name, secret)
    return Contact(number, "Email")


def _name(number: str, name: str, secret: str) -> None:
    """“Ines Moreau” → given and family name. The mail does not wait for it."""
    given, _, family = name.strip().rpartition(" ")
    fields = {"given_name": given, "family_name": family} if given else {"given_name": family}
    fields = {part: value.strip()[:_LONGEST_NAME] for part, value in fields.items()}
    # The mask names what is written; everything else of the contact stays.
    mask = urlencode([("update_mask", part) for part in fields])
    path = f"/v2/contacts/{quote(number, safe='')}?{mask}"
    with suppress(ProviderError):
        api.ask(api.with_body("PATCH", path, "contacts.update", secret, fields), secret)
