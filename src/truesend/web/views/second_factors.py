"""Second factors: the list, adding and taking away, and whether an organization asks for them."""

from __future__ import annotations

import json
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.base.views import AuthenticateView
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.views import ActivateTOTPView
from allauth.mfa.webauthn.views import AddWebAuthnView, ReauthenticateWebAuthnView
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_GET, require_POST

from truesend.organizations import access, roles, second_factor, system_mail
from truesend.organizations.access import member_of
from truesend.organizations.models import Member, User
from truesend.organizations.roles import Action
from truesend.organizations.second_factor_forms import AddApp
from truesend.web.enrolling import PAGE
from truesend.web.gate import few, member_page, names


def section(member: Member) -> dict[str, Any]:
    """What the organization's page says of second factors; see partials/second_factor.html."""
    return {
        "has_one": second_factor.has_one(member.user),
        "required": member.organization.second_factor_required,
        "may_require": roles.allows(member.role, Action.REQUIRE_FACTORS),
        "who": names(access.people_with(member, roles.TABLE[Action.REQUIRE_FACTORS].roles)),
        "without": few([one.user.get_full_name() for one in second_factor.without(member.organization_id)])
        if roles.allows(member.role, Action.REQUIRE_FACTORS)
        else [],
    }


@require_GET
@cache_control(private=True, no_store=True)
@login_required
def index(request: HttpRequest) -> HttpResponse:
    """`/account/second-factor`: what there is, and what can be added."""
    user = request.user
    assert isinstance(user, User)
    found = list(Authenticator.objects.filter(user=user).order_by("created_at"))
    codes = next((one for one in found if one.type == Authenticator.Type.RECOVERY_CODES), None)
    member = member_of(user)
    context: dict[str, Any] = {
        "app": next((one for one in found if one.type == Authenticator.Type.TOTP), None),
        "passkeys": [
            {"id": one.pk, "name": one.wrap().name, "alone": one.wrap().is_passwordless, "row": one}
            for one in found
            if one.type == Authenticator.Type.WEBAUTHN
        ],
        "codes_left": len(codes.wrap().get_unused_codes()) if codes is not None else None,
        "has_one": second_factor.has_one(user),
        "must": member is not None and second_factor.is_missing(member),
        "organization": member.organization.name if member is not None else "",
        "may_add": _may_add(user),
    }
    return render(request, "mfa/index.html", context)


def _may_add(user: User) -> bool:
    """Not before the address is known to be theirs, or its real owner could never come in; where mail can be sent."""
    known = EmailAddress.objects.filter(user=user, email__iexact=user.email, verified=True).exists()
    return known or not system_mail.is_configured()


def _verify_first(request: HttpRequest) -> HttpResponse | None:
    user = request.user
    if not isinstance(user, User) or _may_add(user):
        return None
    messages.error(request, "Verify your address first: the link is in your mailbox.")
    return HttpResponseRedirect(PAGE)


class AddAppView(ActivateTOTPView):  # type: ignore[misc]
    """A picture to scan, or the secret to type, and the first code."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Not for whoever is not known to hold their address."""
        answer: HttpResponse = _verify_first(request) or super().dispatch(request, *args, **kwargs)
        return answer

    def form_valid(self, form: AddApp) -> HttpResponse:
        """The code that set it up does not sign in as well."""
        answer: HttpResponse = super().form_valid(form)
        second_factor.begin_behind(form.user, form.counter)
        return answer


class _WithOptions:
    """What the browser is to be asked for stands as text in an attribute: the pages have no script in them."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """With ``options``: JSON for the front end's `passkeys.ts`."""
        context: dict[str, Any] = super().get_context_data(**kwargs)  # type: ignore[misc]
        if told := context.get("js_data"):
            context["options"] = json.dumps(next(iter(told.values())), cls=DjangoJSONEncoder)
        return context


class AddPasskeyView(_WithOptions, AddWebAuthnView):  # type: ignore[misc]
    """A name, and what the browser makes."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Not for whoever is not known to hold their address."""
        answer: HttpResponse = _verify_first(request) or super().dispatch(request, *args, **kwargs)
        return answer


class SignInView(_WithOptions, AuthenticateView):  # type: ignore[misc]
    """Behind the password: a code or a passkey."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """With which of them somebody has."""
        context = super().get_context_data(**kwargs)
        types = set(Authenticator.objects.filter(user=self.stage.login.user).values_list("type", flat=True))
        context["has_passkey"] = Authenticator.Type.WEBAUTHN in types
        context["has_app"] = Authenticator.Type.TOTP in types
        return context


class ConfirmByPasskeyView(_WithOptions, ReauthenticateWebAuthnView):  # type: ignore[misc]
    """The same before something that changes how somebody signs in."""


@require_POST
@member_page
def require(request: HttpRequest, member: Member) -> HttpResponse:
    """Whether owners and managers need one, by an owner who has one."""
    access.check(member, Action.REQUIRE_FACTORS)
    wanted = "required" in request.POST
    if wanted and not second_factor.has_one(member.user):
        messages.error(request, "Nothing was changed: set up your own second factor first.")
    else:
        second_factor.require(member, required=wanted)
        messages.success(request, "Saved. It holds at once.")
    return HttpResponseRedirect("/settings/organization#second-factor")
