"""One's own account: profile and API tokens."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from allauth.account.models import EmailAddress
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST

from truesend import env
from truesend.billing import account as billing
from truesend.organizations import access, roles, second_factor, system_mail
from truesend.organizations.models import ApiToken, Member, User
from truesend.organizations.roles import Action
from truesend.sending import schedule
from truesend.sending.compose import one_line
from truesend.web import once_more
from truesend.web.gate import member_page


@require_http_methods(["GET", "POST"])
@member_page
def account(request: HttpRequest, member: Member) -> HttpResponse:
    """Profile and API tokens; POST `{name?, zone?}` changes them."""
    if request.method == "POST":
        sent = request.POST
        given = {"name": one_line(sent["name"])[:120]} if "name" in sent else {}
        if "zone" in sent:
            if sent["zone"] and sent["zone"] not in schedule.zones():
                messages.error(request, "Nothing was saved: that is no time zone. Choose one from the list.")
                return HttpResponseRedirect("/account")
            given["zone"] = sent["zone"]
        if given:
            User.objects.filter(pk=member.user.pk).update(**given)
            messages.success(request, "Saved.")
        return HttpResponseRedirect("/account")
    return _account(request, member)


def _account(request: HttpRequest, member: Member, new_token: dict[str, str] | None = None) -> HttpResponse:
    verified = EmailAddress.objects.filter(user=member.user, email=member.user.email, verified=True).exists()
    tokens = ApiToken.objects.filter(member=member, revoked_at=None).order_by("-created_at")
    operators = User.objects.filter(is_operator=True, is_active=True).order_by("created_at")
    context: dict[str, Any] = {
        "nav": "account",
        "zone": member.user.zone,
        "zones": schedule.listed(),
        "operators": [] if env.get("SUPPORT_EMAIL") else [one.email for one in operators],
        "tokens": tokens,
        "may_govern": roles.allows(member.role, Action.GOVERN),
        "is_operator": member.user.is_operator,
        "is_billed": billing.is_on(),
        "new_token": new_token,
        "email_verified": verified,
        "second_factor": {"has_one": second_factor.has_one(member.user)},
        "no_password": not member.user.has_usable_password(),
        "can_mail": system_mail.is_configured(),
        "support_email": env.get("SUPPORT_EMAIL"),
    }
    return render(request, "account.html", context)


@require_POST
@member_page
def create_token(request: HttpRequest, member: Member) -> HttpResponse:
    """A new API token, on the page that shows it once: to whoever has shown lately who they are."""
    once_more.check(request)
    name = one_line(request.POST.get("name", ""))[:80] or "API"
    return _account(request, member, {"name": name, "secret": access.create_token(member, name)})


@require_POST
@member_page
def revoke_token(request: HttpRequest, member: Member, token_id: UUID) -> HttpResponse:
    """End a token of one's own; twice is fine."""
    if not access.revoke_token(member, token_id):
        raise Http404
    messages.success(request, "Revoked. Whatever used that token is refused from now on.")
    return HttpResponseRedirect("/account#tokens-title")
