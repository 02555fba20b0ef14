"""Who may see a page: every view of a member passes here."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from truesend.organizations.access import Refused, member_of, membership_of, people_with
from truesend.organizations.models import Member
from truesend.organizations.roles import MANAGERS

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, Member, P], HttpResponse]


# So many are named where everybody of a role could help; the others are counted.
_NAMED = 5


def names(people: list[dict[str, str]]) -> str:
    """`who` of an answer as words: “Ana Ruiz (ana@x.example) or tom@x.example”."""
    shown = few([_name(one["name"], one["email"]) for one in people])
    return " or ".join(filter(None, [", ".join(shown[:-1]), *shown[-1:]]))


def few(said: list[str]) -> list[str]:
    """The first of them, and how many more there are: a large team would fill a page with its managers."""
    return said if len(said) <= _NAMED + 1 else [*said[:_NAMED], f"{len(said) - _NAMED} more"]


def _name(name: str, email: str) -> str:
    if not email:
        return name
    return email if name in {"", email} else f"{name} ({email})"


def _belongs_nowhere(request: HttpRequest) -> HttpResponse:
    own = membership_of(request.user)  # type: ignore[arg-type]
    if own is not None:
        context = {
            "title": "Your account is deactivated",
            "sentence": f"You can do nothing in {own.organization.name} until an owner or manager reactivates you. "
            "Your emails and mailboxes are as you left them.",
            "who": names(people_with(own, MANAGERS)),
            "fix": {"label": "Sign out", "url": "/logout"},
        }
        return render(request, "problem.html", context, status=403)
    context = {
        "title": "You belong to no organization",
        "sentence": "Ask an owner to invite you, or sign out and create an organization of your own. "
        "An account that you have no more use for you can delete.",
        "fix": {"label": "Sign out", "url": "/logout"},
        "back": "/account/delete",
        "back_label": "Delete my account",
    }
    return render(request, "problem.html", context, status=403)


_UUID = "[0-9a-f-]{36}"
# Addresses that only take a button's press, and the pages the buttons stand on.
_PAGES = (
    (re.compile(rf"/emails/drafts/({_UUID})(/.*)?"), r"/emails/new?draft=\1"),
    (re.compile(rf"/emails/({_UUID})(/.*)?"), r"/emails/\1"),
    (re.compile(r"/(connections|oauth|integration)(/.*)?"), "/integration"),
    (re.compile(rf"/templates/({_UUID})/.*"), "/templates"),
    (re.compile(r"/account/forget"), "/account/forget"),
    (re.compile(r"/account/second-factor(/.*)?"), "/account/second-factor"),
    (re.compile(r"/account/billing(/.*)?"), "/account/billing"),
    (re.compile(r"/account/sessions(/.*)?"), "/account/sessions"),
    (re.compile(r"/account/(links|mailboxes|privacy)(/.*)?"), "/settings/organization"),
    (re.compile(r"/account/export(/.*)?"), "/account/export"),
    (re.compile(r"/account/delete"), "/account/delete"),
    (re.compile(r"/account(/.*)?"), "/account"),
    (re.compile(r"/settings/organization/(delete|keep)"), "/settings/organization/delete"),
    (re.compile(r"/settings/organization(/.*)?"), "/settings/organization"),
    (re.compile(r"/settings/audit(/.*)?"), "/settings/audit"),
    (re.compile(rf"/users/({_UUID})(/.*)?"), r"/users/\1"),
    (re.compile(r"/users(/.*)?"), "/users"),
    (re.compile(r"/settings/blocklist(/.*)?"), "/settings/blocklist"),
    (re.compile(r"/settings/providers(/.*)?"), "/settings/providers"),
    (re.compile(r"/settings/suppression(/.*)?"), "/settings/suppression"),
)


def page_of(path: str) -> str:
    """The page from which a button leads to ``path``; My Emails where none is known."""
    for pattern, page in _PAGES:
        if (found := pattern.fullmatch(path)) is not None:
            return found.expand(page)
    return "/emails"


def _back_from(path: str) -> str:
    """Where what was refused is shown to be read; of what only some may read, the page that leads there."""
    if path.startswith("/settings/audit"):
        return "/account"
    page = page_of(path)
    shown = ("/users", "/settings/organization", "/settings/suppression", "/templates", "/account")
    return next((one for one in shown if page.startswith(one)), "/integration")


def member_page(view: View[P]) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """A page for a signed-in member, who is handed to the view; others go to sign-in and come back."""

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        member = member_of(request.user)
        if member is None:
            if "application/json" in request.headers.get("Accept", ""):
                return HttpResponse(status=401)
            if request.user.is_authenticated:
                # To sign-in and back would go round for ever.
                return _belongs_nowhere(request)
            # Coming back by GET to an address that only takes POST would end in a 405.
            here = request.get_full_path() if request.method == "GET" else page_of(request.path)
            return redirect_to_login(here)
        request.member = member  # type: ignore[attr-defined]  # the page around the view wants it too
        try:
            return view(request, member, *args, **kwargs)
        except Refused as refusal:
            return render(
                request,
                "problem.html",
                {
                    "title": "Not yours to change",
                    "sentence": refusal.sentence,
                    "who": names(people_with(member, refusal.roles)),
                    "fix": {"label": "Ask an owner", "url": refusal.ask, "method": "post"}
                    if refusal.ask
                    else {"label": "Back", "url": _back_from(request.path)},
                    "back": _back_from(request.path) if refusal.ask else "",
                },
                status=403,
            )

    return guarded
