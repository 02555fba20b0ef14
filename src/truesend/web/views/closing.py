"""Deleting one's account (`/account/delete`) and the organization (`/settings/organization/delete`)."""

from __future__ import annotations

from typing import Any

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_http_methods, require_POST

from truesend.billing import account as billing
from truesend.billing import checkout
from truesend.closing import account, deciding
from truesend.connections.models import Connection
from truesend.exports.models import Scope
from truesend.organizations import access, ending, members, roles
from truesend.organizations.access import member_of
from truesend.organizations.members import NotDone
from truesend.organizations.models import Member, Organization, User
from truesend.organizations.roles import Action
from truesend.sending import handover
from truesend.sending.models import Email, EmailStatus
from truesend.web.gate import member_page
from truesend.web.views import exports

ACCOUNT, ORGANIZATION = "/account/delete", ending.PAGE


# -- one's account ------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
@cache_control(private=True, no_store=True)
@login_required
@reauthentication_required(allow_get=True)  # type: ignore[untyped-decorator]
def delete_account(request: HttpRequest) -> HttpResponse:
    """What becomes of what; POST does it, asked once more who they are. Also for who belongs to no organization."""
    user = request.user
    assert isinstance(user, User)
    member = member_of(user)
    if request.method == "POST":
        try:
            account.delete(user, member)
        except NotDone as problem:
            messages.error(request, f"Nothing was deleted. {problem}")
            return HttpResponseRedirect(ACCOUNT)
        logout(request)
        return render(request, "account_deleted.html", {})
    refusal = account.refusal(user, member)
    context = {
        "nav": "account",
        "refusal": refusal,
        "may_end": member is not None
        and members.is_last_owner(member)
        and not account.is_only_operator(user),
        "told": _of_account(member) if not refusal else [],
        "export": exports.offer(member, Scope.MEMBER) if member is not None else None,
    }
    return render(request, "account_delete.html", context)


def _of_account(member: Member | None) -> list[str]:
    """What happens, in sentences."""
    if member is None:
        return ["Nobody signs in by it any more. This cannot be undone."]
    where = member.organization.name
    told = [
        f"Your emails stay with {where}, with their opens and clicks. Links in them still lead where they did."
    ]
    if waits := handover.unfinished(member).count():
        one = waits == 1
        told.append(
            f"{waits} email{'' if one else 's'} of yours {'has' if one else 'have'} not ended yet: an owner gets "
            f"{'it' if one else 'them'}, and what was scheduled is held until they decide."
        )
    drafts = Email.objects.filter(member=member, status=EmailStatus.DRAFT).count()
    told.append(
        f"Your {f'{drafts} drafts' if drafts > 1 else 'draft' if drafts else 'drafts'}, templates that you did not "
        "share, signatures and API tokens are erased."
    )
    mailboxes = members.own_mailboxes(member)
    if mailboxes:
        addresses = ", ".join(one.address for one in mailboxes)
        told.append(f"Disconnected, with the permission withdrawn at the provider: {addresses}.")
    told.append(
        "Your address, password and second factors are erased; what you did stays in the audit log under your name."
    )
    return [*told, "This cannot be undone."]


# -- the organization ---------------------------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
@cache_control(private=True, no_store=True)
@member_page
def delete_organization(request: HttpRequest, member: Member) -> HttpResponse:
    """What becomes of what, or until when it can be taken back; POST `{name}` begins it."""
    access.check(member, Action.END)
    if request.method == "POST":
        answer: HttpResponse = _delete(request, member)
        return answer
    return _page(request, member)


@reauthentication_required  # type: ignore[untyped-decorator]
def _delete(request: HttpRequest, member: Member) -> HttpResponse:
    typed = request.POST.get("name", "")[:300]
    try:
        deciding.begin(member, typed)
    except deciding.WrongName as problem:
        return _page(request, member, 400, typed=typed, problem=str(problem))
    except NotDone as problem:
        messages.error(request, f"Nothing was changed. {problem}")
    return HttpResponseRedirect(ORGANIZATION)


def _page(request: HttpRequest, member: Member, status: int = 200, **more: Any) -> HttpResponse:
    organization = Organization.objects.get(pk=member.organization_id)
    context = {
        "nav": "account",
        # The page itself says it, and has the button.
        "account_note": None,
        "name": organization.name,
        "ends": ending.day(organization),
        "days": deciding.GRACE.days,
        "told": _of_organization(organization),
        "export": exports.offer(member, Scope.ORGANIZATION),
        "typed": "",
        "problem": "",
        **more,
    }
    return render(request, "organization_delete.html", context, status=status)


def _of_organization(organization: Organization) -> list[str]:
    """What happens at the end of the days, in sentences."""
    emails = Email.objects.filter(organization=organization, is_test=False).exclude(status=EmailStatus.DRAFT)
    mailboxes = Connection.objects.filter(organization=organization, disconnected_at=None)
    current = Member.objects.current().filter(organization=organization)
    people = current.filter(user__is_operator=False).count()
    count = emails.count()
    what = "1 email with its" if count == 1 else f"{count:,} emails with their"
    told = [
        f"Erased: {what} opens and clicks, drafts, templates, the suppression list, settings and the audit log."
    ]
    addresses = [one.address for one in mailboxes.order_by("address")]
    if addresses:
        more = f" and {len(addresses) - 10} more" if len(addresses) > 10 else ""
        told.append(
            f"Disconnected, with the permission withdrawn at the provider: {', '.join(addresses[:10])}{more}."
        )
    told.append(
        f"The account{'' if people == 1 else 's'} of {people} member{'' if people == 1 else 's'} "
        f"{'is' if people == 1 else 'are'} deleted, and every token ends."
        if people
        else "Every token ends."
    )
    for one in current.filter(user__is_operator=True).select_related("user"):
        told.append(
            f"{one.user.get_full_name()} runs this installation and keeps their account; to see its pages they need "
            "an invitation to another organization."
        )
    if billing.is_on() and checkout.has_subscription(billing.row_of(organization.pk)):
        told.append(
            "Its subscription ends at Stripe then, and not before: what falls due in these days is charged."
        )
    links = "Links in mail that was sent still lead where they did"
    if organization.tracking_url:
        links += f", as long as you let {organization.tracking_url} lead here"
    return [*told, f"{links}. What lies in the Sent folders of your mailboxes is untouched."]


@require_POST
@member_page
def keep_organization(request: HttpRequest, member: Member) -> HttpResponse:
    """“Keep the organization”: any owner's, until the first row is erased."""
    access.check(member, Action.END)
    try:
        count = deciding.keep(member)
    except NotDone as problem:
        messages.error(request, f"Nothing was changed. {problem}")
        return HttpResponseRedirect(ORGANIZATION)
    goes = f" {count} email{' waits' if count == 1 else 's wait'} for {'its' if count == 1 else 'their'} hour again."
    messages.success(request, f"{member.organization.name} stays.{goes if count else ''}")
    return HttpResponseRedirect("/settings/organization")


def may_end(member: Member) -> bool:
    """Whether the organization's page has the way here."""
    return roles.allows(member.role, Action.END)
