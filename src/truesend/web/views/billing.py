"""`/account/billing`: the plan, for everybody to see and for owners to change; and what Stripe tells."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.cache import cache_control
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from truesend.alerts import asks
from truesend.billing import account, tiers, words
from truesend.billing import checkout as ways
from truesend.billing import webhook as told
from truesend.billing.state import Standing, State, Why
from truesend.billing.stripe_api import StripeUnable
from truesend.connections.causes import Who
from truesend.connections.describe import people_who
from truesend.organizations import installation, roles
from truesend.organizations.access import check_bills
from truesend.organizations.models import Member
from truesend.web import account_state
from truesend.web.gate import member_page, names
from truesend.web.paths import local_path
from truesend.web.views.asks import ask_somebody

P = ParamSpec("P")
Page = Callable[Concatenate[HttpRequest, Member, P], HttpResponse]
BACK = ways.BACK
# What another card ends; whatever else makes an account inactive another subscription does.
_OWED = (Why.PAYMENT_FAILED, Why.UNPAID, Why.PAUSED)


def _where_billed(view: Page[P]) -> Page[P]:
    """There is no such page where nobody is billed."""

    @wraps(view)
    def guarded(request: HttpRequest, member: Member, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not account.is_on():
            raise Http404
        return view(request, member, *args, **kwargs)

    return guarded


@require_GET
@cache_control(private=True, no_store=True)
@member_page
@_where_billed
def page(request: HttpRequest, member: Member) -> HttpResponse:
    """How the account stands, and what each plan contains; `?checkout=` comes back from Stripe's page."""
    session_id = request.GET.get("checkout", "")
    if session_id and roles.allows(member.role, roles.Action.PAY):
        return _came_back(request, member, session_id)
    return render(request, "billing.html", _page(member))


def _came_back(request: HttpRequest, member: Member, session_id: str) -> HttpResponse:
    try:
        done = ways.came_back(member, session_id[:255])
    except StripeUnable as error:
        messages.warning(
            request,
            f"Stripe gave no answer just now: {error.words} What you did there counts as soon as it does.",
        )
        return HttpResponseRedirect(BACK)
    standing = account.standing(member.organization_id)
    if done and standing.sends:
        messages.success(request, f"{member.organization.name} can send. It took effect everywhere at once.")
    elif done:
        messages.warning(request, "Stripe has not finished it yet. This page changes by itself when it has.")
    else:
        messages.info(request, "Nothing was changed.")
    return HttpResponseRedirect(BACK)


def _page(member: Member) -> dict[str, Any]:
    row = account.row_of(member.organization_id)
    standing = account.judged(row)
    name = member.organization.name
    is_owner = roles.allows(member.role, roles.Action.PAY)
    prices = ways.prices()
    subscribed = ways.has_subscription(row)
    return {
        "nav": "account",
        # The page itself says it, and has the buttons; not that the organization is to be deleted.
        **({} if member.organization.ends_at is not None else {"account_note": None}),
        "state": standing.state.value,
        "sentence": _sentence(name, standing),
        "tier": standing.tier.name if standing.tier else "",
        "then": standing.then.name if standing.then and standing.then != standing.tier else "",
        "stops_at": standing.stops_at,
        "renews_at": standing.renews_at,
        "several": standing.live > 1,
        "owed": standing.state is State.PAST_DUE or standing.why in _OWED,
        "is_owner": is_owner,
        "owners": "" if is_owner else names(people_who(Who.OWNERS, member)),
        "subscribed": subscribed,
        # Chosen now, Stripe charges nothing before that.
        "tries_until": row.trial_ends_at
        if standing.state is State.TRIAL and not subscribed and ways.tries_on(row)
        else None,
        "has_customer": bool(row.customer),
        "plans": [
            {
                "key": one.key,
                "name": one.name,
                "features": [tiers.SAID[feature] for feature in tiers.Feature if one.has(feature)],
                "has_it": standing.tier == one and standing.state is not State.TRIAL,
                "chosen": standing.then == one,
                "sold": one.key in prices.sold,
                "label": "Reactivate" if not standing.sends else "Choose",
            }
            for one in tiers.TIERS
        ],
    }


def _sentence(name: str, standing: Standing) -> str:
    if standing.tier is None:
        return f"{words.inactive(name, standing)} {words.STOPPED}"
    if standing.state is State.PAST_DUE:
        return (
            f"The last payment failed. {name} has {standing.tier.name} until the days to settle it are over."
        )
    if standing.state is State.TRIAL:
        return f"{name} tries {standing.tier.name}, with everything in it."
    return f"{name} has {standing.tier.name}."


def _in_a_copy(request: HttpRequest) -> HttpResponse | None:
    """A copy of another installation's database pays and cancels nothing in its name."""
    standing = installation.standing()
    if standing.adopted:
        return None
    messages.error(request, standing.sentence)
    return HttpResponseRedirect(BACK)


@require_POST
@member_page
@_where_billed
def checkout(request: HttpRequest, member: Member) -> HttpResponse:
    """To Stripe's page, for a plan; an owner's."""
    check_bills(member)
    if (copy := _in_a_copy(request)) is not None:
        return copy
    try:
        return HttpResponseRedirect(ways.begin(member, request.POST.get("tier", "")))
    except ways.NotSold:
        messages.error(request, "That plan is not sold here. Choose another one.")
    except StripeUnable as error:
        messages.error(
            request, f"Stripe did not open its page: {error.words} Nothing was changed; try again."
        )
    return HttpResponseRedirect(BACK)


@require_POST
@member_page
@_where_billed
def portal(request: HttpRequest, member: Member) -> HttpResponse:
    """To Stripe's page on which an owner changes, pays or cancels."""
    check_bills(member)
    if (copy := _in_a_copy(request)) is not None:
        return copy
    if not account.row_of(member.organization_id).customer:
        messages.info(request, "There is nothing at Stripe yet. Choose a plan first.")
        return HttpResponseRedirect(BACK)
    try:
        return HttpResponseRedirect(ways.portal(member))
    except StripeUnable as error:
        said = f"Stripe did not open its page: {error.words} Nothing was changed; try again."
        if error.missing:
            said = "Stripe does not know this customer any more, so there is nothing to manage. Choose a plan anew."
        messages.error(request, said)
    return HttpResponseRedirect(BACK)


@require_http_methods(["GET", "POST"])
@member_page
@_where_billed
def ask(request: HttpRequest, member: Member) -> HttpResponse:
    """Have an owner reactivate the account, or look after it."""
    if roles.allows(member.role, roles.Action.PAY):
        return HttpResponseRedirect(BACK)
    people = asks.people(member, roles.TABLE[roles.Action.PAY].roles)
    return ask_somebody(
        request, member, asks.ACCOUNT, None, people, local_path(request.GET.get("next", "/emails"))
    )


@require_GET
@cache_control(private=True, no_store=True)
@member_page
def note(request: HttpRequest, member: Member) -> HttpResponse:
    """The note above every page, for a page that heard of a change; empty where there is nothing to tell."""
    return render(request, "partials/account_note.html", {"account_note": account_state.note(member)})


@csrf_exempt
@require_POST
def webhook(request: HttpRequest) -> HttpResponse:
    """`/webhooks/stripe`: raw bytes, verified; 400 not believed, 500 to be delivered again."""
    if not account.is_on():
        raise Http404
    try:
        size = int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        size = told.LARGEST + 1
    if size > told.LARGEST:
        return HttpResponse(status=413)
    status = told.receive(request.body, request.headers.get("Stripe-Signature", ""))
    return HttpResponse(
        "ok" if status == 200 else "", status=status, content_type="text/plain; charset=utf-8"
    )
