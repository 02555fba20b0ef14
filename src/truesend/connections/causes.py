"""Every cause Truesend can name: a sentence for a member, what to do, who can, and when it clears.

``docs/causes.md`` is written from this table and a test holds the two together. ``{provider}`` and ``{words}`` in a
sentence are filled with the provider's name and its own words.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from truesend import clock


class Action(StrEnum):
    """What helps; each is one button."""

    RECONNECT = "Reconnect"
    CONNECT = "Connect"
    TEST = "Send me a test email"
    VERIFY = "Verify now"
    WAIT = ""
    EDIT = "Edit the email"
    ALLOW = "Allow again"
    OPERATOR = "Contact support"
    REACTIVATE = "Reactivate"
    KEEP = "Keep the organization"


class Who(StrEnum):
    """Who can do it."""

    HOLDER = "holder"  # the mailbox's member; for a shared connection owners and managers
    MEMBER = "member"  # whoever is looking
    OWNER = "owner"  # owners and managers of the organization
    OWNERS = "owners"  # owners alone
    PROVIDER_ADMIN = "provider_admin"  # their own administrator at the provider
    OPERATOR = "operator"  # who runs this installation
    NOBODY = "nobody"  # it clears by itself


class Severity(StrEnum):
    """What a cause makes of the capability it hits."""

    BROKEN = "broken"
    ATTENTION = "attention"
    UNPROVEN = "unproven"
    # Says nothing about the connection: it concerns one consent or one email.
    NONE = "none"


@dataclass(frozen=True)
class Cause:
    """One cause. ``clears`` is the rule by which it goes away.

    ``lasts`` is how long it is believed where no answer contradicts it, for what passes by itself: a limit blocks
    sending, so no accepted send can end it. What breaks a capability never passes by itself: it is believed until the
    same check has worked or a new consent came, however long that takes; so is the failure of a grant.
    ``meanwhile`` is said of a connection that stands, not of a consent that failed. ``of_the_client``: it concerns this
    installation's client at the provider, so the keys that are out go on working until they run out. ``by_a_send``: of a
    send that failed so nothing but an accepted one says the contrary, or time.
    """

    code: str
    severity: Severity
    sentence: str
    action: Action
    who: Who
    clears: str
    lasts: timedelta | None = None
    meanwhile: str = ""
    of_the_client: bool = False
    by_a_send: bool = False


def _c(
    code: str,
    severity: Severity,
    sentence: str,
    action: Action,
    who: Who,
    clears: str,
    lasts: timedelta | None = None,
    meanwhile: str = "",
    *,
    of_the_client: bool = False,
    by_a_send: bool = False,
) -> Cause:
    return Cause(code, severity, sentence, action, who, clears, lasts, meanwhile, of_the_client, by_a_send)


_B, _A, _U, _N = Severity.BROKEN, Severity.ATTENTION, Severity.UNPROVEN, Severity.NONE
_CONSENT = "A new consent that succeeds."
_CONSENT_OR_ANSWER = "A new consent, or a good answer of what was refused."
_ANSWER = "The next good answer."
_ANSWER_OR_HOUR = "The next good answer, or an hour for a send."
_LIMIT, _SPELL = timedelta(hours=24), timedelta(hours=1)
_AGAIN = "We ask again by ourselves."
_GOES_ON = "Sending goes on by itself."
_MINUTE = "Nothing is lost; reconnecting takes a minute."
_STAYS = "Your connection stays; once it is corrected, it goes on by itself."

CAUSES: dict[str, Cause] = {
    cause.code: cause
    for cause in (
        # -- a grant that no longer works --
        _c("grant_revoked", _B, "{provider} says that the permission was withdrawn or has expired; a changed password ends it too.", Action.RECONNECT, Who.HOLDER, _CONSENT, meanwhile=_MINUTE),
        _c("grant_rejected", _B, "{provider} no longer accepts our key for this account.", Action.RECONNECT, Who.HOLDER, _CONSENT, meanwhile=_MINUTE),
        _c("grant_idle", _B, "Nobody used this permission for so long that {provider} ended it.", Action.RECONNECT, Who.HOLDER, _CONSENT, meanwhile=_MINUTE),
        _c("testing_expired", _B, "This installation's client is in testing at {provider}, where every permission ends after seven days.", Action.RECONNECT, Who.HOLDER, _CONSENT, meanwhile="Reconnect for seven more days; whoever runs this installation ends it by publishing the client."),
        _c("password_changed", _B, "{provider} ended this permission, as it does after a password was changed or reset, or all sessions were ended.", Action.RECONNECT, Who.HOLDER, _CONSENT, meanwhile=_MINUTE),
        _c("mfa_required", _B, "{provider} asks for a second proof of who you are before it goes on.", Action.RECONNECT, Who.HOLDER, _CONSENT_OR_ANSWER, meanwhile=_MINUTE),
        _c("renewal_lost", _B, "{provider} renewed our key, but its answer was lost on the way, and the old key works only once.", Action.RECONNECT, Who.HOLDER, _CONSENT, meanwhile=_MINUTE),
        _c("key_refused", _B, "{provider} refuses the Service Account Key: it was removed there, or never belonged to this account.", Action.RECONNECT, Who.HOLDER, "A key that works.", meanwhile="Enter a new one."),
        _c("session_policy", _B, "Your organization at {provider} asks people to sign in again from time to time, and that time has come.", Action.RECONNECT, Who.HOLDER, _CONSENT_OR_ANSWER, meanwhile=_MINUTE),
        _c("account_gone", _B, "{provider} says that this account was deleted or disabled.", Action.RECONNECT, Who.PROVIDER_ADMIN, _CONSENT_OR_ANSWER, meanwhile="Once it is restored there, reconnect it."),
        _c("access_refused", _B, "{provider} refused our key for this account.", Action.RECONNECT, Who.HOLDER, _CONSENT_OR_ANSWER, meanwhile=_MINUTE),
        _c("no_refresh_token", _B, "{provider} gave no lasting permission, so it ends within the hour.", Action.RECONNECT, Who.HOLDER, _CONSENT),
        _c("scope_missing", _B, "This permission was not given at {provider}.", Action.RECONNECT, Who.HOLDER, _CONSENT_OR_ANSWER, meanwhile="Reconnect and give it; where there is a box for it, tick it."),
        _c("admin_policy", _B, "An administrator at {provider} does not allow Truesend for this account.", Action.RECONNECT, Who.PROVIDER_ADMIN, "The administrator allows it, then a new consent or a good answer of what was refused.", meanwhile="Once it is allowed there, reconnect it."),
        _c("mailbox_missing", _B, "This {provider} account has no mailbox that can send.", Action.RECONNECT, Who.PROVIDER_ADMIN, _CONSENT_OR_ANSWER, meanwhile="Once it has one, reconnect it."),
        _c("disconnected", _B, "This account was disconnected here.", Action.RECONNECT, Who.HOLDER, _CONSENT),
        _c("secret_unreadable", _B, "The key of this connection was stored with an encryption key that this installation no longer has.", Action.RECONNECT, Who.HOLDER, _CONSENT),
        # -- this installation's own client --
        _c("client_unknown", _B, "{provider} does not know this installation's client id.", Action.OPERATOR, Who.OPERATOR, "The operator corrects the client id.", meanwhile=_STAYS, of_the_client=True),
        _c("client_secret_wrong", _B, "{provider} refuses this installation's client secret.", Action.OPERATOR, Who.OPERATOR, "The operator corrects the client secret.", meanwhile=_STAYS, of_the_client=True),
        _c("client_secret_expired", _B, "This installation's client secret at {provider} has expired.", Action.OPERATOR, Who.OPERATOR, "The operator enters a new client secret.", meanwhile=_STAYS, of_the_client=True),
        _c("tenant_unknown", _B, "{provider} does not know the directory that this installation asks.", Action.OPERATOR, Who.OPERATOR, "The operator corrects the tenant.", meanwhile=_STAYS, of_the_client=True),
        _c("client_mismatch", _B, "The permission was given to another client than the one this installation now uses.", Action.RECONNECT, Who.HOLDER, _CONSENT),
        _c("client_unreadable", _B, "This installation can no longer read the {provider} client secret that was stored.", Action.OPERATOR, Who.OPERATOR, "The operator puts the encryption key back, or enters the secret anew.", meanwhile=_STAYS, of_the_client=True),
        _c("client_missing", _B, "This installation has no {provider} credentials.", Action.OPERATOR, Who.OPERATOR, "The operator sets client id and secret.", of_the_client=True),
        _c("api_disabled", _B, "The mail interface is switched off in this installation's project at {provider}.", Action.OPERATOR, Who.OPERATOR, "The operator switches it on, then a new consent or a good answer of what was refused.", meanwhile="Once it is switched on there, connect this account again."),
        _c("project_limit", _A, "This installation has used up its daily calls at {provider}.", Action.OPERATOR, Who.OPERATOR, "The next accepted call, or a day.", _LIMIT, _GOES_ON),
        # -- for the moment --
        _c("throttled", _A, "{provider} asks us to slow down.", Action.WAIT, Who.NOBODY, "The next accepted call, or an hour.", _SPELL, _GOES_ON),
        _c("client_throttled", _A, "{provider} takes no more calls of this installation for a moment.", Action.WAIT, Who.NOBODY, "The next call, by itself.", _SPELL, _GOES_ON),
        _c("daily_limit", _A, "This mailbox has reached {provider}'s daily limit.", Action.WAIT, Who.NOBODY, "The time the provider names, or a day.", _LIMIT, _GOES_ON, by_a_send=True),
        _c("sending_blocked", _A, "{provider} does not let this account send: “{words}”.", Action.TEST, Who.HOLDER, "An accepted send, or a day.", _LIMIT, "Sign in there and do what it asks, then send yourself a test mail. What is due waits.", by_a_send=True),
        _c("provider_unreachable", _A, "{provider} could not be reached.", Action.VERIFY, Who.NOBODY, _ANSWER_OR_HOUR, _SPELL, _AGAIN),
        _c("provider_timeout", _A, "{provider} did not answer in time.", Action.VERIFY, Who.NOBODY, _ANSWER_OR_HOUR, _SPELL, _AGAIN),
        _c("provider_cut_off", _A, "The connection to {provider} broke before an answer came.", Action.VERIFY, Who.NOBODY, _ANSWER_OR_HOUR, _SPELL, _AGAIN),
        _c("provider_error", _A, "{provider} has a fault at the moment.", Action.VERIFY, Who.NOBODY, _ANSWER_OR_HOUR, _SPELL, _AGAIN),
        _c("provider_garbage", _A, "{provider}'s answer was not one we can read.", Action.VERIFY, Who.NOBODY, _ANSWER_OR_HOUR, _SPELL, _AGAIN),
        _c("provider_refused", _A, "{provider} refused the request in words we do not know: “{words}”.", Action.VERIFY, Who.HOLDER, "A good answer of what was refused, or a new consent.", by_a_send=True),
        # -- not proved --
        _c("not_tried", _U, "Permission given, not tried yet.", Action.TEST, Who.HOLDER, "An accepted send."),
        _c("read_not_tried", _U, "Reading is permitted, not tried yet.", Action.VERIFY, Who.HOLDER, _ANSWER),
        _c("tried_unproven", _U, "Permission given and tried; no send was accepted yet.", Action.TEST, Who.HOLDER, "An accepted send."),
        _c("read_unproven", _U, "Reading is permitted and was tried; no answer was good yet.", Action.VERIFY, Who.HOLDER, _ANSWER),
        _c("not_asked", _U, "Not asked for.", Action.CONNECT, Who.HOLDER, "A consent that includes it."),
        _c("proof_old", _U, "It worked before; the last proof is too old to vouch for now.", Action.VERIFY, Who.HOLDER, _ANSWER),
        # -- one consent --
        _c("state_invalid", _N, "This return address was not started from your session, was used already, or is too old.", Action.CONNECT, Who.MEMBER, "Starting again."),
        _c("consent_denied", _N, "You pressed Cancel at {provider}.", Action.CONNECT, Who.MEMBER, "Starting again."),
        _c("nothing_granted", _N, "The box that lets Truesend send was not ticked at {provider}.", Action.CONNECT, Who.MEMBER, "Ticking the box."),
        _c("code_missing", _N, "{provider} sent you back without an answer we can read.", Action.CONNECT, Who.MEMBER, "Starting again."),
        _c("code_refused", _N, "{provider} did not take back the code it had just given: used already, or too old.", Action.CONNECT, Who.MEMBER, "Starting again."),
        _c("other_account", _N, "You chose another account than the one to be reconnected.", Action.RECONNECT, Who.MEMBER, "Choosing the right account."),
        _c("key_malformed", _N, "This does not look like a Service Account Key, which {words}. It was not sent anywhere.", Action.RECONNECT, Who.MEMBER, "Pasting the whole key."),
        _c("identity_unverified", _N, "{provider}'s statement of who signed in could not be verified.", Action.CONNECT, Who.MEMBER, "Starting again."),
        _c("identity_without_address", _N, "{provider} did not tell the address of the account.", Action.CONNECT, Who.MEMBER, "Ticking the box for the address."),
        _c("redirect_mismatch", _N, "The return address of this installation is not registered at {provider}.", Action.OPERATOR, Who.OPERATOR, "The operator registers the redirect URI."),
        _c("address_refused", _N, "{provider} sends nobody back to an address like this installation's; most want one that begins with https://.", Action.OPERATOR, Who.OPERATOR, "The operator gives the installation such an address."),
        _c("org_internal", _N, "This installation's client is reserved for another organization at {provider}.", Action.OPERATOR, Who.OPERATOR, "The operator changes the client's audience."),
        _c("not_a_tester", _N, "This installation's client is in testing at {provider}, and this account is no tester.", Action.OPERATOR, Who.OPERATOR, "The operator adds the tester or publishes the client."),
        _c("browser_refused", _N, "{provider} refuses to sign people in inside another app's window.", Action.CONNECT, Who.MEMBER, "Opening Truesend in an ordinary browser."),
        _c("scope_refused", _N, "{provider} does not know a permission we asked for.", Action.OPERATOR, Who.OPERATOR, "The operator adds the scope."),
        _c("storage_failed", _N, "The answer could not be stored.", Action.CONNECT, Who.MEMBER, "Starting again."),
        _c("consent_unfinished", _N, "You went to {provider} and did not come back with an answer.", Action.CONNECT, Who.MEMBER, "Starting again."),
        _c("admin_consent_needed", _N, "At {provider} only an administrator can give this permission for your organization.", Action.CONNECT, Who.PROVIDER_ADMIN, "The administrator gives it, then starting again."),
        _c("revoked_by_hand", _N, "{provider} lets no application give its own permission back.", Action.WAIT, Who.MEMBER, "Removing Truesend among the applications of that account."),
        _c("not_allowed", _N, "Only an owner or manager can connect a shared account.", Action.WAIT, Who.OWNER, "An owner or manager connects it."),
        _c("personal_not_allowed", _N, "Your organization sends from shared accounts only.", Action.WAIT, Who.OWNER, "An owner allows personal accounts, or another account is chosen."),
        # -- one email --
        _c("connection_not_yours", _N, "This account belongs to its owner alone again.", Action.WAIT, Who.HOLDER, "Its owner shares it again."),
        _c("member_inactive", _N, "The account of whoever wrote it was switched off.", Action.WAIT, Who.OWNER, "An owner or manager switches it on again."),
        _c("member_removed", _N, "{words}, who wrote it, is no longer in the team.", Action.WAIT, Who.MEMBER, "“Send now”, another account, or “Cancel”, by the owner who has it now."),
        _c("daily_budget", _N, "This mailbox has sent what it may in 24 hours, as far as Truesend knows.", Action.WAIT, Who.NOBODY, "Its own hour: what was sent a day before is free again.", _LIMIT, _GOES_ON),
        _c("account_inactive", _N, "Your organization's account is inactive.", Action.REACTIVATE, Who.OWNERS, "An owner reactivates it."),
        _c("organization_ends", _N, "Your organization is to be deleted.", Action.KEEP, Who.OWNERS, "An owner takes that back."),
        _c("tier_lacks", _N, "Your organization's plan does not include this.", Action.REACTIVATE, Who.OWNERS, "An owner chooses another plan."),
        _c("paused", _N, "It was paused.", Action.WAIT, Who.MEMBER, "“Resume”, or “Stop”."),
        _c("recipient_refused", _N, "{provider} refused a recipient: “{words}”.", Action.EDIT, Who.MEMBER, "Correcting the address."),
        _c("recipient_opted_out", _N, "At {provider} this address has asked not to be written to (“{words}”).", Action.EDIT, Who.MEMBER, "The person opts in again, or another account sends it."),
        _c("recipient_blocked", _N, "{provider} knows this address as one that must not be written to, or cannot be reached (“{words}”).", Action.EDIT, Who.MEMBER, "Correcting the address there, or another account sends it."),
        _c("recipient_suppressed", _N, "A recipient is on your organization's suppression list.", Action.ALLOW, Who.OWNER, "Allowing the address again."),
        _c("message_refused", _N, "{provider} refused the message: “{words}”.", Action.EDIT, Who.MEMBER, "Changing the message."),
        _c("message_too_large", _N, "The email is larger than {provider} takes. Attach less, or smaller files.", Action.EDIT, Who.MEMBER, "Sending it with less."),
        _c("files_need_reading", _N, "The files are larger than {provider} takes from an account that may only send.", Action.EDIT, Who.MEMBER, "Allowing reading, or smaller files."),
        _c("sender_gone", _N, "{provider} does not let this account send from the chosen address any more.", Action.EDIT, Who.MEMBER, "Choosing another sender, or having the address verified there."),
        _c("sender_needs_reading", _N, "Whether this account may send from the chosen address cannot be read at {provider}.", Action.EDIT, Who.MEMBER, "Allowing reading, or choosing its own address."),
        _c("message_unbuildable", _N, "This email could not be put together.", Action.EDIT, Who.MEMBER, "Changing the message."),
        _c("not_found", _N, "{provider} does not find what this belongs to, such as its conversation.", Action.EDIT, Who.MEMBER, _ANSWER),
        _c("fence_passed", _N, "The worker was paused too long to send safely.", Action.WAIT, Who.NOBODY, "The next try.", meanwhile="Nothing left; it is tried again."),
        _c("worker_lost", _N, "The worker ended while {provider} had not answered, so we do not know whether it was sent.", Action.WAIT, Who.MEMBER, "Looking into the Sent folder."),
        _c("not_adopted", _N, "This is a copy of another installation, or was restored: nothing is sent or renewed here.", Action.OPERATOR, Who.OPERATOR, "The operator runs truesend adopt."),
        _c("overdue", _N, "Its hour passed while it could not leave.", Action.WAIT, Who.MEMBER, "Letting it go, or another hour.", meanwhile="Nothing leaves late unasked."),
        _c("restored", _N, "The database was restored from a backup, which cannot know whether this was sent meanwhile.", Action.WAIT, Who.MEMBER, "Looking into the Sent folder."),
        _c("bounced", _N, "It came back: “{words}”.", Action.WAIT, Who.MEMBER, "Striking the bounce, where it was wrong."),
        _c("delayed", _N, "It has not arrived yet, and is still being tried: “{words}”.", Action.WAIT, Who.NOBODY, "Its arrival, its bounce, or four days."),
    )
}  # fmt: skip


def cause(code: str) -> Cause:
    """The cause called ``code``; an unknown code reads as ``provider_refused`` so that nobody sees a blank."""
    return CAUSES.get(code) or CAUSES["provider_refused"]


def core(code: str, provider: str, words: str = "") -> str:
    """The cause's sentence alone: what is wrong, and nothing of what comes next."""
    return _filled(cause(code).sentence, provider, words)


def sentence(code: str, provider: str, words: str = "", *, ends: str = "") -> str:
    """The cause's sentence for a member, about a connection that stands.

    ``ends`` is when the provider says that it is over (“at 14:05 UTC”), where that is still to come.
    """
    tail = cause(code).meanwhile
    if ends and tail == _GOES_ON:
        tail = f"{tail[:-1]} {ends}."
    return f"{core(code, provider, words)} {tail}".strip()


def at_time(moment: datetime, now: datetime) -> str:
    """“at 14:05 UTC”, with the day where it is another one than ``now``; rounded up to the minute."""
    shown = clock.minute_after(moment.astimezone(UTC))
    day = "" if shown.date() == now.astimezone(UTC).date() else f"on {shown.day} {shown:%b} "
    return f"{day}at {shown:%H:%M} UTC"


def consent_sentence(code: str, provider: str, words: str = "", *, reconnecting: bool = False) -> str:
    """The cause's sentence about a consent that came to nothing."""
    left = "Nothing was changed." if reconnecting else "Nothing was connected."
    return f"{core(code, provider, words)} {left}"


def _filled(text: str, provider: str, words: str) -> str:
    return text.replace("{provider}", provider).replace("{words}", words or "no words")
