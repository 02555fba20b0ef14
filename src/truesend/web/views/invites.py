"""`/invite/{token}`: joining by an invitation. Looking at it uses nothing up: mail programs look too."""

from __future__ import annotations

from typing import Any

from allauth.account.models import EmailAddress
from allauth.core.internal import ratelimit
from django import forms
from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth.password_validation import validate_password
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.cache import cache_control
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from truesend import clock
from truesend.connections.models import Connection, Kind
from truesend.organizations import access, invitations
from truesend.organizations.addresses import owner_of
from truesend.organizations.forms import clean_name
from truesend.organizations.invitation_models import Invitation
from truesend.organizations.invitations import LONGEST_ADDRESS, State
from truesend.organizations.members import NotDone
from truesend.organizations.models import Member, User
from truesend.organizations.roles import Role
from truesend.sending.compose import one_line
from truesend.web.views import errors

_HAS_ACCOUNT = "This address has an account already. Sign in with it below, then open the link again."


# What somebody is invited to do, after “… invites you”.
_AS: dict[str, str] = {
    Role.USER: "as a user: you write and send",
    Role.MANAGER: "as a manager: you write and send, and see to shared accounts and users",
}


class JoinForm(forms.Form):
    """A new account: address (given where the invitation was mailed), name and password."""

    email = forms.EmailField(
        max_length=LONGEST_ADDRESS, label="Address", widget=forms.EmailInput(attrs={"autocomplete": "email"})
    )
    name = forms.CharField(
        max_length=120, required=False, label="Name", widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    password1 = forms.CharField(
        label="Password",
        max_length=4096,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, invitation: Invitation, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.bound_to = invitation.address
        if self.bound_to:
            del self.fields["email"]

    def clean_email(self) -> str:
        """In lower case, as sign-in looks for it."""
        return str(self.cleaned_data["email"]).strip().lower()

    def clean_name(self) -> str:
        """On one line."""
        return one_line(clean_name(self.cleaned_data["name"]))[:120]

    def clean_password1(self) -> str:
        """As good as at sign-up."""
        password = str(self.cleaned_data["password1"])
        validate_password(password)
        return password

    @property
    def address(self) -> str:
        """Whose account it becomes."""
        return self.bound_to or str(self.cleaned_data["email"])


@sensitive_post_parameters("password1")
@require_http_methods(["GET", "POST"])
@cache_control(private=True, no_store=True)
def accept(request: HttpRequest, token: str) -> HttpResponse:
    """Who is asked to join what, and the form or button that does it."""
    invitation = invitations.find(token)
    if (invitation is None or request.method == "POST") and not _may_try(request):
        return errors.too_many(request)
    if invitation is None:
        return _nothing(request, "Ask whoever invited you for a new one.")
    user = request.user
    own = access.membership_of(user) if isinstance(user, User) or user.is_authenticated else None
    if own is not None:
        return _is_somewhere(request, invitation, own)
    if (problem := _worthless(invitation)) is not None:
        return _nothing(request, problem)
    if user.is_authenticated:
        return _as_they_are(request, invitation)
    return _as_somebody_new(request, invitation)


def _may_try(request: HttpRequest) -> bool:
    """Whether so many links that nobody made, or accounts, come from there as a person could try."""
    # A link is guessed by looking at it, too.
    used = ratelimit.consume(request, app="allauth.account", action="invite", limit_get=True)
    return used is not None


def _worthless(invitation: Invitation) -> str | None:
    """Why its link opens nothing, and what helps; ``None`` where it is good."""
    state = invitations.state_of(invitation, clock.now())
    name = invitation.invited_by.user.get_full_name()
    return {
        State.OPEN: None,
        State.USED: "It has been used: it works once. If it was you, sign in.",
        State.REVOKED: f"It was revoked. Ask somebody at {invitation.organization.name} for a new one.",
        State.EXPIRED: f"It was good for {invitations.LIFETIME.days} days. Ask {name} to send it again.",
    }[state]


def _nothing(request: HttpRequest, sentence: str) -> HttpResponse:
    context = {
        "title": "This invitation opens nothing any more",
        "sentence": sentence,
        "fix": {"label": "Sign in", "url": "/login"},
    }
    return render(request, "problem.html", context, status=404)


def _is_somewhere(request: HttpRequest, invitation: Invitation, own: Member) -> HttpResponse:
    """Somebody signed in who belongs somewhere: a user is in one organization, and nothing is used up."""
    here, there = own.organization.name, invitation.organization.name
    if own.organization_id == invitation.organization_id:
        if own.is_active:
            return HttpResponseRedirect("/emails")
        sentence = f"Your account in {here} is deactivated. An owner or manager can reactivate it."
        return _answer(request, "You are in this team already", sentence, "Sign out", "/logout")
    return _answer(
        request,
        f"You are in {here} already",
        f"You are signed in as {own.user.email}, and an account is in one organization. To join {there}, sign out and "
        f"open this link again with another address; or leave {here} first, under Team.",
        "Sign out",
        "/logout",
        back=f"Stay in {here}" if own.is_active else "",
    )


def _answer(
    request: HttpRequest, title: str, sentence: str, label: str, url: str, back: str = ""
) -> HttpResponse:
    context = {"title": title, "sentence": sentence, "fix": {"label": label, "url": url}}
    if back:
        context |= {"back": "/emails", "back_label": back}
    return render(request, "problem.html", context, status=409)


def _as_they_are(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    """Somebody signed in who belongs nowhere joins by a button."""
    user = request.user
    assert isinstance(user, User) or user.is_authenticated
    if invitation.address and invitation.address != user.email:
        return _answer(
            request,
            "This invitation is for somebody else",
            f"It was sent to {invitation.address}, and you are signed in as {user.email}. Sign out, then open it "
            "again.",
            "Sign out",
            "/logout",
        )
    if request.method == "POST":
        try:
            member = invitations.accept(invitation, User.objects.get(pk=user.pk))
        except NotDone as problem:
            return _nothing(request, str(problem))
        return _arrived(member)
    return _page(request, invitation, None)


def _as_somebody_new(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    if request.method == "GET":
        return _page(request, invitation, JoinForm(invitation))
    form = JoinForm(invitation, request.POST)
    if not form.is_valid():
        return _page(request, invitation, form, 400)
    try:
        with transaction.atomic():
            if owner_of(form.address) is not None:
                raise IntegrityError  # also where it is a further address of theirs
            user = _new_user(invitation, form)
            member = invitations.accept(invitation, user)
    except IntegrityError:
        form.add_error("email" if "email" in form.fields else None, _HAS_ACCOUNT)
        return _page(request, invitation, form, 400)
    except NotDone as problem:
        return _nothing(request, str(problem))
    login(request, user, backend=settings.AUTHENTICATION_BACKENDS[0])
    if not invitation.address:
        _ask_to_confirm(request, user)
    return _arrived(member)


def _new_user(invitation: Invitation, form: JoinForm) -> User:
    user = User.objects.create_user(
        form.address, form.cleaned_data["password1"], name=form.cleaned_data["name"]
    )
    EmailAddress.objects.create(user=user, email=user.email, verified=bool(invitation.address), primary=True)
    return user


def _ask_to_confirm(request: HttpRequest, user: User) -> None:
    """Whoever came by a link typed an address that nobody has seen yet, as at sign-up."""
    address = EmailAddress.objects.get_for_user(user, user.email)
    address.send_confirmation(request, signup=True)


def _page(
    request: HttpRequest, invitation: Invitation, form: JoinForm | None, status: int = 200
) -> HttpResponse:
    by = invitation.invited_by.user
    context = {
        "organization": invitation.organization.name,
        "by": by.get_full_name(),
        "by_email": by.email if by.name else "",
        "role": _AS[invitation.role],
        "address": invitation.address or (request.user.email if request.user.is_authenticated else ""),
        "form": form,
        "path": request.path,
    }
    return render(request, "invite.html", context, status=status)


def _arrived(member: Member) -> HttpResponse:
    """To what they came for: writing, where there is an account to send from; else to connecting one."""
    shared = Connection.objects.filter(
        organization=member.organization_id, kind=Kind.ORGANIZATION, disconnected_at=None
    )
    return HttpResponseRedirect("/emails/new" if shared.exists() else "/integration")
