"""Sign-up, sign-in and one's own account."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.email_verification import handle_verification_email_rate_limit
from allauth.account.views import EmailView, LoginView, SignupView
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.db import IntegrityError, transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST

from truesend import env
from truesend.billing import account as billing
from truesend.connections.models import Connection, Kind
from truesend.organizations import access, audit, links, roles, second_factor, system_mail
from truesend.organizations.addresses import is_anothers
from truesend.organizations.models import ApiToken, Member, Organization, User
from truesend.organizations.roles import Action
from truesend.organizations.signup import SignupForm
from truesend.sending import leaving, schedule
from truesend.sending.compose import one_line
from truesend.web import once_more
from truesend.web.gate import member_page, names
from truesend.web.views import privacy


class Signup(SignupView):  # type: ignore[misc]
    """Organization, address, password; signed in at once."""

    template_name = "account/signup.html"
    form_class = SignupForm

    def form_valid(self, form: SignupForm) -> HttpResponse:
        """A sign-up that lost against one with the same address reads as one that came later."""
        try:
            answer: HttpResponse = super().form_valid(form)
        except IntegrityError:
            answer = self.form_invalid(self._again())
        return answer

    def form_invalid(self, form: SignupForm) -> HttpResponse:
        """Whoever has the address hears of it, as often as they could be asked to confirm it."""
        if form.taken and handle_verification_email_rate_limit(self.request, form.taken):
            get_adapter(self.request).send_account_already_exists_mail(form.taken)
        answer: HttpResponse = super().form_invalid(form)
        return answer

    def _again(self) -> SignupForm:
        form: SignupForm = self.get_form()
        form.is_valid()
        return form


class Login(LoginView):  # type: ignore[misc]
    """Address and password."""

    template_name = "account/login.html"


class Addresses(EmailView):  # type: ignore[misc]
    """One's addresses; what is added counts once it is verified."""

    def _action_primary(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse | None:
        """Never one that is only claimed, also where none is verified yet; nor one that another account has.

        Which addresses have an account is told to nobody who has not verified the one they ask about.
        """
        own = self._get_email_address(request)
        if own is not None and not own.verified:
            messages.error(
                request, f"{own.email} is not verified yet. Open the link that was mailed to it first."
            )
            return None
        if own is not None and is_anothers(own):
            messages.error(request, f"{own.email} belongs to another account here.")
            return None
        answer: HttpResponse | None = super()._action_primary(request, *args, **kwargs)
        return answer


@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest, token: str) -> HttpResponse:
    """A link made by `truesend user link`; a mail program that looks at it must not use it up, so a button does."""
    if request.method == "POST":
        with transaction.atomic():
            user = links.user_by_link(token, lock=True)
            if user is not None:
                login(request, user, backend=settings.AUTHENTICATION_BACKENDS[0])
                return HttpResponseRedirect("/emails")
    user = links.user_by_link(token)
    if user is None:
        return render(
            request,
            "problem.html",
            {
                "title": "This link has been used or is too old",
                "sentence": "Ask whoever runs Truesend for a new one.",
                "fix": {"label": "Sign in", "url": "/login"},
            },
            status=400,
        )
    return render(request, "account/sign_in_link.html", {"email": user.email})


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
    from allauth.account.models import EmailAddress

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
def links_of_organization(request: HttpRequest, member: Member) -> HttpResponse:
    """What becomes of links whose text is an address, for everybody in the organization."""
    privacy.check_governs(member)
    wanted = "track_addresses" in request.POST
    with transaction.atomic():
        changed = Organization.objects.filter(
            pk=member.organization_id, track_shown_addresses=not wanted
        ).update(track_shown_addresses=wanted)
        if changed:
            words = "tracked" if wanted else "left alone"
            audit.record(member.organization_id, member, "organization.links", words=words)
    messages.success(request, "Saved. It holds for every email that leaves from now on.")
    return HttpResponseRedirect("/settings/organization")


@require_POST
@member_page
def mailboxes_of_organization(request: HttpRequest, member: Member) -> HttpResponse:
    """Whether members may send from mailboxes of their own, beside the shared ones."""
    access.check(member, Action.CHOOSE_MAILBOXES)
    wanted = "personal" in request.POST
    with transaction.atomic():
        changed = Organization.objects.filter(
            pk=member.organization_id, personal_connections_allowed=not wanted
        ).update(personal_connections_allowed=wanted)
        if changed:
            words = "also mailboxes of members" if wanted else "shared accounts only"
            audit.record(member.organization_id, member, "organization.mailboxes", words=words)
            leaving.personal_ones(member.organization_id, allowed=wanted)
    messages.success(request, "Saved.")
    return HttpResponseRedirect("/settings/organization#mailboxes")


def mailboxes(member: Member) -> dict[str, Any]:
    """What the organization's page says of mailboxes; see organization.html."""
    personal = Connection.objects.filter(
        organization=member.organization_id, kind=Kind.PERSONAL, disconnected_at=None
    )
    return {
        "allowed": member.organization.personal_connections_allowed,
        "may_change": roles.allows(member.role, Action.CHOOSE_MAILBOXES),
        "people": personal.values("member_id").distinct().count(),
        "who": names(access.people_with(member, roles.TABLE[Action.CHOOSE_MAILBOXES].roles)),
    }


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
