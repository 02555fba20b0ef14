"""Showing once more who one is, before what would outlive a browser that was left open."""

from __future__ import annotations

from datetime import timedelta

from allauth.account.internal.flows.reauthentication import did_recently_reauthenticate
from allauth.core.exceptions import ReauthenticationRequired
from django.http import HttpRequest

from truesend import clock
from truesend.organizations import session_limits

# Who signed in so lately has just shown it; by real time, as sessions go.
LATELY = timedelta(minutes=15)


def check(request: HttpRequest) -> None:
    """Raise allauth's :class:`ReauthenticationRequired` for whoever signed in, and showed who they are, a while ago.

    Its middleware asks for the password or a second factor, and then does what was asked for.
    """
    since = session_limits.began(request.session)
    if since is not None and clock.real_now() - since < LATELY:
        return
    if not did_recently_reauthenticate(request):
        raise ReauthenticationRequired
