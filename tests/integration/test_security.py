"""What holds for every page, whoever asks: headers, redirects, cookies, and a production's settings."""

from __future__ import annotations

import base64
import os
import re
import secrets
import subprocess
import sys
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
import requests
from allauth.account.forms import default_token_generator
from tests import rows
from tests.accounts import NEW_PASSWORD, ask_for_reset, form, link_in, mails, words
from tests.factors import PAGE, add_app, halfway, verify
from tests.stack import PASSWORD, Person, Stack, until

EVIL = ("//evil.example", "https://evil.example/x", "/\\evil.example", "///evil.example", "javascript:alert(1)",
        "http:evil.example", "/\t/evil.example", "\thttps://evil.example")  # fmt: skip


PAGES = (
    "/emails",
    "/emails/new",
    "/integration",
    "/account",
    "/email",
    "/templates",
    "/partials/health",
    "/nowhere",
)


def django(*arguments: str) -> subprocess.CompletedProcess[str]:
    """`python -m django` with a production's settings; no database is asked."""
    key = f"k:{base64.b64encode(secrets.token_bytes(32)).decode()}"
    settings = {
        "DJANGO_SETTINGS_MODULE": "truesend.settings",
        "TRUESEND_ENVIRONMENT": "prod",
        "TRUESEND_PUBLIC_URL": "https://app.example",
        "TRUESEND_TRACKING_URL": "https://t.example",
        "TRUESEND_SECRET_KEY": secrets.token_urlsafe(64),
        "TRUESEND_ENCRYPTION_KEYS": key,
        "TRUESEND_LINK_KEYS": key,
        "TRUESEND_EMAIL_URL": "smtps://user:word@mail.example",
        "TRUESEND_DATABASE_URL": "postgresql://nobody@localhost/nothing",
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TRUESEND_")}
    return subprocess.run(
        [sys.executable, "-m", "django", *arguments],
        env={**kept, **settings},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def test_django_finds_nothing_in_a_productions_settings() -> None:
    done = django("check", "--deploy", "--fail-level", "INFO")
    assert done.returncode == 0, done.stderr
    # Three are silenced, for the reasons that stand beside them in the settings.
    assert "System check identified no issues (3 silenced)." in done.stdout + done.stderr


def test_a_productions_cookies_are_kept_from_neighbours_scripts_and_http() -> None:
    asked = [f"SESSION_COOKIE_{name}" for name in ("NAME", "SECURE", "HTTPONLY", "SAMESITE")]
    asked.append("CSRF_COOKIE_SECURE")
    told = f"from django.conf import settings; print(*(getattr(settings, name) for name in {asked}))"
    done = django("shell", "--no-imports", "-c", told)
    assert done.stdout.split() == ["__Host-truesend_session", "True", "True", "Lax", "True"], done.stderr


def test_headers_of_every_page(stack: Stack) -> None:
    ana = stack.person()
    for page in (
        *(
            ana.get(path)
            for path in ("/emails", "/account", "/settings/audit", "/account/sessions", "/nowhere", PAGE)
        ),
        requests.get(f"{stack.url}/login", timeout=30),
        requests.get(f"{stack.url}/signup", timeout=30),
        requests.get(f"{stack.url}/password/reset/key/1-x", timeout=30),
    ):
        policy = page.headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy, page.url
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert page.headers["X-Frame-Options"] == "DENY"
        assert page.headers["X-Content-Type-Options"] == "nosniff"
        assert page.headers["Referrer-Policy"] == "same-origin"
        assert page.headers["Cross-Origin-Opener-Policy"] == "same-origin"
        # Nothing runs that stands in the page itself.
        assert not re.search(r"<script(?![^>]*\bsrc=)", page.text), page.url
        assert not re.search(r"\son\w+\s*=|<style|\sstyle=|javascript:", page.text), page.url
    # What only its member may see stays in no cache, in the browser neither.
    for path in (*PAGES, "/settings/audit", "/account/sessions", PAGE):
        assert ana.get(path).headers["Cache-Control"] == "private, no-store", path


@pytest.mark.parametrize("evil", EVIL, ids=range(len(EVIL)))
def test_nothing_leads_out_of_here(stack: Stack, evil: str) -> None:
    """Every way of signing in and showing who one is comes back to a page of ours."""
    ana = stack.person()
    fields = {"login": ana.email, "password": PASSWORD, "next": evil}
    assert form(stack, requests.Session(), "/login", **fields).url == f"{stack.url}/emails"
    quoted = quote(evil)
    page = form(stack, requests.Session(), f"/login?next={quoted}", login=ana.email, password=PASSWORD)
    assert page.url == f"{stack.url}/emails"
    here = ana.post("/reauthenticate", {"password": PASSWORD, "next": evil}, allow_redirects=False)
    assert _stays(stack, here), here.headers
    here = ana.get(f"/login?next={quoted}", allow_redirects=False)
    assert _stays(stack, here), here.headers
    here = ana.post("/logout", {"next": evil}, allow_redirects=False)
    assert _stays(stack, here), here.headers
    here = ana.get(f"/signup?next={quoted}", allow_redirects=False)
    assert _stays(stack, here), here.headers


def _stays(stack: Stack, answer: requests.Response) -> bool:
    place = answer.headers.get("Location", "/")
    return (place.startswith("/") and not re.match(r"/[/\\]", place)) or place.startswith(f"{stack.url}/")


def test_behind_a_second_factor_neither(stack: Stack) -> None:
    ana = stack.person()
    verify(stack, ana)
    phone = add_app(ana)
    for number, evil in enumerate(EVIL):
        other = halfway(ana)
        answer = other.post(
            f"/login/second-factor?next={quote(evil)}",
            {"code": phone.codes[number], "next": evil},
        )
        assert answer.url == f"{stack.url}/emails"


def test_a_form_needs_its_token_on_the_way_in_too(stack: Stack) -> None:
    """Signing somebody in to another's account, or out, is a change as well."""
    ana = stack.person()
    verify(stack, ana)
    phone = add_app(ana)
    other = halfway(ana)
    for person, path, data in (
        (other, "/login/second-factor", {"code": phone.codes[0]}),
        (Person(stack, ana.email, ""), "/login", {"login": ana.email, "password": PASSWORD}),
        (Person(stack, ana.email, ""), "/login/passkey", {"credential": "{}"}),
        (ana, "/reauthenticate", {"password": PASSWORD}),
        (ana, "/logout", {}),
        (ana, "/account/sessions/end", {}),
        (ana, f"{PAGE}/required", {}),
    ):
        fields: dict[str, Any] = {**data, "csrfmiddlewaretoken": "x" * 64}
        answer = person.jar.post(stack.url + path, data=fields, allow_redirects=False, timeout=30)
        assert answer.status_code == 403, path
    assert ana.get("/emails").url == f"{stack.url}/emails"
    assert other.get("/emails").url.startswith(f"{stack.url}/login")


def test_what_a_mailed_link_opens_is_a_form_with_its_token(stack: Stack) -> None:
    """The links for a new password, for an address and for signing in do nothing by themselves, nor from elsewhere."""
    ana = stack.person()
    (text,) = until(lambda: mails(stack, ana.email), bool, 5)
    signing = stack.up.run("user", "link", "--email", ana.email).stdout
    for link in (link_in(text), link_in(signing), link_in(ask_for_reset(stack, ana.email))):
        jar = requests.Session()
        page = jar.get(link, timeout=30)
        assert (page.status_code, 'method="post"' in page.text) == (200, True), link
        data = {"csrfmiddlewaretoken": "x" * 64, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
        answer = jar.post(page.url, data=data, allow_redirects=False, timeout=30)
        assert answer.status_code == 403, link
        assert jar.get(link, timeout=30).status_code == 200  # it is worth what it was
    assert "Not verified yet" in words(ana.get("/account"))
    assert form(stack, requests.Session(), "/login", login=ana.email, password=PASSWORD).url.endswith(
        "/emails"
    )


def test_nothing_of_a_session_serves_after_signing_out(stack: Stack) -> None:
    """Cookies, form tokens and half of a sign-in, as somebody kept them who was at the machine before."""
    ana = stack.person()
    verify(stack, ana)
    phone = add_app(ana)
    half = halfway(ana)
    kept = [dict(person.jar.cookies.get_dict()) for person in (ana, half)]
    for person in (ana, half):
        person.post("/logout")
    for cookies in kept:
        fields = {"csrfmiddlewaretoken": cookies["csrftoken"], "name": "Mallory", "code": phone.codes[0]}
        for path in ("/account", "/account/tokens", "/login/second-factor", "/reauthenticate", "/emails/new"):
            for answer in (
                requests.get(stack.url + path, cookies=cookies, timeout=30),
                requests.post(stack.url + path, cookies=cookies, data=fields, timeout=30),
            ):
                assert answer.url.startswith(f"{stack.url}/login") or answer.status_code in {403, 405}, path
                assert ana.email not in answer.text
        stream = requests.get(f"{stack.url}/api/v1/events", cookies=cookies, timeout=30)
        assert stream.status_code == 401
    ana.jar.cookies.clear()
    # The code was not used up by any of that.
    again = halfway(ana)
    assert again.post("/login/second-factor", {"code": phone.codes[0]}).url == f"{stack.url}/emails"
    assert "Mallory" not in again.get("/account").text


@pytest.mark.parametrize(
    "kept", ['"aaaaaaaaaaaa\\000"', '"\\377\\376aaaaaaaa"', "a" * 4000, "é" * 20], ids=range(4)
)
def test_a_cookie_that_nobody_gave_out_is_none(stack: Stack, kept: str) -> None:
    headers = {"Cookie": f"truesend_session={kept}; csrftoken={kept}".encode()}
    page = requests.get(f"{stack.url}/emails", headers=headers, timeout=30)
    assert (page.status_code, page.url) == (200, f"{stack.url}/login?next=/emails")
    assert requests.get(f"{stack.url}/api/v1/events", headers=headers, timeout=30).status_code == 401


@pytest.mark.django_db
def test_a_link_for_a_new_password_is_worth_something_for_four_hours(monkeypatch: pytest.MonkeyPatch) -> None:
    user = rows.member().user
    user.set_password("first-horse-1")
    user.save(update_fields=["password"])
    token = default_token_generator.make_token(user)

    def after(hours: float) -> bool:
        later = datetime.now() + timedelta(hours=hours)  # noqa: DTZ005  (as Django reckons its tokens)
        monkeypatch.setattr(default_token_generator, "_now", lambda: later)
        return bool(default_token_generator.check_token(user, token))

    assert after(3.9)
    assert not after(4.1)
    # Nor once it has been used, or something else has changed the password.
    user.set_password("second-horse-2")
    assert not after(0)
