"""The ways in: sign-up, sign-in, a sign-in link from the command line; and the addresses one signs in with."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.email_verification import handle_verification_email_rate_limit
from allauth.account.views import EmailView, LoginView, SignupView
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from truesend.organizations import links
from truesend.organizations.addresses import is_anothers
from truesend.organizations.signup import SignupForm


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
