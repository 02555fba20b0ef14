"""The words of the mails. The sentences about a connection are those of its card and of the API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from truesend import env, zones
from truesend.connections.causes import Action, Who, cause, core
from truesend.connections.describe import Description, again_url
from truesend.connections.verdict import Verdict
from truesend.organizations.models import Organization

_CLOSING = "Truesend\n"
BILLING = "/account/billing"
# What stands behind a button that is no address of its own.
_ON_THE_CARD = {
    Action.TEST: "Send yourself a test email there",
    Action.VERIFY: "Have it verified there",
}


@dataclass(frozen=True)
class Text:
    """Subject and body of a mail."""

    subject: str
    body: str


def _mail(subject: str, *parts: str) -> Text:
    line = " ".join(subject.split())
    if env.environment() != "prod":
        line = f"[{env.environment()}] {line}"
    return Text(line[:300], "\n\n".join([*(one for one in parts if one), _CLOSING]))


def link(path: str) -> str:
    """An address of this installation, for a mail."""
    return f"{env.public_url()}{path}"


def card(described: Description) -> str:
    """Where a connection stands on the page."""
    return f"/integration#connection-{described.connection.pk}"


def _point(at: datetime, zone: str = "") -> str:
    """“14:05 CET on 3 March”: by the clock of a zone, UTC without one."""
    when = at.astimezone(zones.zone(zone))
    return f"{when:%H:%M %Z} on {when.day} {when:%B}"


def _zone(described: Description) -> str:
    """The organization's, in which it is told of its connections."""
    return described.connection.organization.zone


def _what_failed(described: Description) -> str:
    """“ana@x.example can no longer send”: what a reader has to know first."""
    address, send = described.connection.address, described.verdict.capability("send")
    if send is not None and send.cause == "sending_blocked":
        return f"{described.provider_name} does not let {address} send"
    if send is not None and send.verdict is not Verdict.BROKEN:
        return f"Truesend can no longer read replies at {address}"
    return f"{address} can no longer send"


def broken(described: Description, since: datetime, *, waiting: int, admin_url: str = "") -> Text:
    """A connection is in trouble. ``waiting``: emails that wait for it; ``admin_url``: for an administrator to open."""
    name = described.provider_name
    proof = described.verdict.proof
    # Of a scope the words are ours.
    words = proof.words if proof is not None and proof.check != "scope" else ""
    said = f"{name} said: “{words}”" if words and words not in described.sentence else ""
    waits = (
        "Nothing is lost." if "is due waits" in described.sentence else "What is due waits and is not lost."
    )
    count = f"{waiting} email{'s wait' if waiting != 1 else ' waits'} for it." if waiting else ""
    return _mail(
        f"{_what_failed(described)}",
        f"{described.connection.address} ({name}), since {_point(since, _zone(described))}:\n{described.sentence}",
        said,
        _help(described, admin_url),
        f"{count} {waits} You are told when it works again.".strip(),
    )


def _help(described: Description, admin_url: str) -> str:
    fix, known = described.fix, cause(described.verdict.cause)
    lines = []
    if known.who is Who.PROVIDER_ADMIN and (
        offices := [one["name"] for one in described.who if not one["email"]]
    ):
        lines.append(f"Who can help: {', '.join(offices)}.")
        if admin_url:
            lines.append(f"They can allow it here; forward this to them:\n{admin_url}")
            fix = {"label": known.action.value, "url": again_url(known.code, described.connection)}
    if fix is None or known.action is Action.OPERATOR:
        lines.append(f"More about it:\n{link(card(described))}")
    elif known.action in _ON_THE_CARD or fix["url"] == card(described):
        lines.append(f"{_ON_THE_CARD.get(known.action, fix['label'])}:\n{link(card(described))}")
    else:
        lines.append(f"{fix['label']}:\n{link(fix['url'])}")
    return "\n\n".join(lines)


def due(described: Description, first: datetime, *, count: int) -> Text:
    """Mail is due soon and could not leave."""
    emails = f"{count} email{'s' if count != 1 else ''}"
    address = described.connection.address
    return _mail(
        f"{emails} will not go from {address} at {_clock(first, _zone(described))}",
        f"{emails} {'are' if count != 1 else 'is'} due from {address} ({described.provider_name}), the first at "
        f"{_point(first, _zone(described))}, and cannot leave as things stand:\n{described.sentence}",
        _help(described, ""),
        "Repaired before then, they leave at their hour. Later nothing leaves by itself: it is held for you.",
    )


def _clock(at: datetime, zone: str) -> str:
    return f"{at.astimezone(zones.zone(zone)):%H:%M %Z}"


def recovered(described: Description, since: datetime, *, held: int) -> Text:
    """It is over. ``held``: emails that wait until somebody lets them go."""
    address, send = described.connection.address, described.verdict.capability("send")
    proved = send is not None and send.verdict is Verdict.WORKING
    head = f"{address} works again" if proved else f"{address} is connected again"
    rest = (
        f"{held} email{'s were' if held != 1 else ' was'} held meanwhile. Nothing goes without you; let "
        f"{'them' if held != 1 else 'it'} go here:\n{link('/emails?filter=needs')}"
        if held
        else "There is nothing for you to do."
    )
    if not proved and send is not None and send.verdict is Verdict.UNPROVEN and not held:
        rest = f"Have it proved by a test email:\n{link(card(described))}"
    return _mail(
        head,
        f"{address} ({described.provider_name}) had not worked since {_point(since, _zone(described))}. "
        f"Now: {described.sentence}",
        rest,
    )


def client(code: str, provider: str, key: str, since: datetime, *, connections: int) -> Text:
    """Something of this installation is wrong at a provider: for its operators."""
    concerned = (
        f"{connections} connection{'s depend' if connections != 1 else ' depends'} on it. "
        "Keys that are out go on working until they run out, within the hour; what is due then waits."
    )
    return _mail(
        f"Connections to {provider} need who runs them",
        f"Since {_point(since)}, at {env.public_url()}: {core(code, provider)}",
        concerned,
        f"What helps: {cause(code).clears}\n{link(f'/settings/providers#{key}')}",
        "The members are not mailed; their pages say that it is not theirs to repair.",
    )


def client_works(provider: str, since: datetime) -> Text:
    """It is repaired."""
    over = f"What was wrong at {provider} since {_point(since)}, at {env.public_url()}, is repaired."
    return _mail(
        f"Connections to {provider} go on",
        f"{over} Connections go on by themselves.",
        "There is nothing for you to do.",
    )


def account_ends(sentence: str) -> Text:
    """An account becomes inactive soon, unless an owner does something."""
    return _mail(
        sentence.partition(". ")[0].rstrip("."),
        sentence,
        "Then nothing is sent, scheduled or newly connected until an owner reactivates it. What is scheduled is held, "
        "nothing is lost, and reading, tracking and links go on.",
        f"Look after it here:\n{link(BILLING)}",
    )


def account_stopped(sentence: str) -> Text:
    """It has become inactive."""
    return _mail(
        sentence.rstrip("."),
        sentence,
        "Nothing is sent, scheduled or newly connected. What was scheduled is held, nothing is lost, and reading, "
        "tracking and links go on.",
        f"Reactivate it here; it takes effect at once:\n{link(BILLING)}",
    )


def host_failed(organization: Organization, why: str, usual: str) -> Text:
    """Links of new emails lead elsewhere, and those that are out lead nowhere."""
    url = organization.tracking_url
    return _mail(
        f"{url} does not lead to Truesend any more",
        f"The tracking host of {organization.name}, {url}, does not lead to Truesend. {why}",
        f"New links lead to {usual} meanwhile. Links that were sent with {url} do not work until it leads here again.",
        "Repair its DNS name or its certificate, or choose another host here:\n"
        f"{link('/settings/organization#tracking-host')}",
        "It is looked at every quarter of an hour. When it leads here again you get one more mail.",
    )


def host_leads_again(organization: Organization, since: datetime) -> Text:
    """It is over."""
    url = organization.tracking_url
    return _mail(
        f"{url} leads to Truesend again",
        f"The tracking host of {organization.name}, {url}, did not lead to Truesend from "
        f"{_point(since, organization.zone)} on. It does again: new links have it, and those that are out work.",
        "There is nothing for you to do.",
    )


def organization_ends(name: str, by: str, day: str) -> Text:
    """Somebody deletes an organization; for everybody in it."""
    return _mail(
        f"{name} is to be deleted on {day}",
        f"{by} has decided to delete {name} on {day}: its emails, opens and clicks, templates, connections, "
        "suppression list, and the accounts of its members.",
        "From now on nothing is sent; what was scheduled is held. Until then every owner can take it back, and "
        "everybody can export what is theirs.",
        f"Export it here:\n{link('/account/export')}",
    )


def organization_kept(name: str) -> Text:
    """It is not deleted after all."""
    return _mail(
        f"{name} stays",
        f"An owner has taken it back: {name} is not deleted.",
        "It can send again. What was scheduled for an hour that is still to come leaves at that hour.",
        f"See what was held:\n{link('/emails')}",
    )


def organization_erased(name: str) -> Text:
    """The days to take it back are over."""
    return _mail(
        f"{name} is deleted",
        f"{name} and everything of it is being erased from Truesend, and your account with it.",
        "Links in mail that was sent still lead where they did. What lies in your mailbox's Sent is untouched.",
    )


def account_deleted(organization: str) -> Text:
    """For whoever deleted their account."""
    stays = f"The emails you sent stay with {organization}." if organization else ""
    return _mail("Your account is deleted", "Your account is deleted. Nobody signs in by it any more.", stays)


def billing_odd(sentence: str) -> Text:
    """For who runs the installation."""
    return _mail("Billing needs who runs it", sentence, f"This is {env.public_url()}.")


@dataclass(frozen=True)
class Wish:
    """What somebody asks for: in the middle of a sentence, why, and the address that does it."""

    what: str
    why: str
    path: str


def ask(asker: Mapping[str, str], wish: Wish) -> Text:
    """For whoever can do it."""
    name, address = asker["name"], asker["email"]
    who = name if name == address else f"{name} ({address})"
    return _mail(
        f"{name} asks you to {wish.what}",
        f"{who} cannot do it and asks you to {wish.what}.",
        wish.why,
        f"Do it here; it takes a minute:\n{link(wish.path)}",
        f"{name} is told when it is done.",
    )


def done(what: str, state: str, next_path: str) -> Text:
    """For whoever asked. ``what`` is done, as a sentence without its stop; ``state`` is how it stands now."""
    label = "Go on with your email" if next_path.startswith("/emails/") else "See it"
    return _mail(what, f"{what}. {state}".strip(), f"{label}:\n{link(next_path or '/integration')}")
