"""A provider that never answers: a cause within the time limit, and nobody else waits for it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from tests import figures, up
from tests import stack as stacks
from tests.consents import approved, come_back, is_untouched, next_consent_works, notice
from tests.stack import Stack

TIMEOUT = 2


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack that waits two seconds for a provider."""
    data = tmp_path_factory.mktemp("impatient") / "data"
    with stacks.running(data, settings={"TRUESEND_HTTP_TIMEOUT": str(TIMEOUT)}) as running:
        yield running
    up.remove(data)


@pytest.mark.alone
@pytest.mark.parametrize("operation", ["token.code", "jwks"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_consent_whose_provider_never_answers(impatient: Stack, operation: str, when: str) -> None:
    ana = impatient.person()
    genuine = approved(ana)
    impatient.sandbox.fault(operation, "never", times=1, when=when)
    began = time.monotonic()
    page = come_back(ana, **genuine)
    assert TIMEOUT <= time.monotonic() - began < TIMEOUT + figures.limit(2.0)
    assert "cause=provider_timeout" in page.url
    assert notice(page).startswith("Not connected. Google did not answer in time. Nothing was connected.")
    is_untouched(ana)
    next_consent_works(ana)


@pytest.mark.parametrize("operation", ["token.refresh", "userinfo"])
def test_verifying_while_the_provider_never_answers(impatient: Stack, operation: str) -> None:
    ana = impatient.person()
    connection = ana.connect()
    if operation == "token.refresh":
        impatient.sandbox.fault("userinfo", "expire_access", account=ana.email, times=1)
    impatient.sandbox.fault(operation, "never", account=ana.email, times=1)
    odd = ana.api("POST", f"connections/{connection['id']}/verify").json()
    assert (odd["verdict"], odd["cause"]) == ("attention", "provider_timeout")
    well = ana.api("POST", f"connections/{connection['id']}/verify").json()
    assert (well["verdict"], well["cause"]) == ("unproven", "not_tried")


@pytest.mark.alone
def test_other_pages_stay_fast_meanwhile(impatient: Stack) -> None:
    ana, ben = impatient.person(), impatient.person("ben")
    connection = ana.connect()
    ben.get("/integration")
    number = impatient.sandbox.fault("userinfo", "never", account=ana.email)
    path = f"connections/{connection['id']}/verify"
    with ThreadPoolExecutor(40) as pool:
        # More than there are threads in web, again and again.
        waiting = [pool.submit(ana.api, "POST", path) for _ in range(80)]
        time.sleep(0.5)
        times = []
        until = time.monotonic() + 3
        while time.monotonic() < until:
            began = time.monotonic()
            assert ben.get("/integration").status_code == 200
            times.append(time.monotonic() - began)
        answers = [one.result() for one in waiting]
    impatient.sandbox.control("DELETE", f"faults/{number}")
    print(
        f"{len(times)} pages beside 40 hanging callers: median {sorted(times)[len(times) // 2] * 1000:.0f} ms"
    )
    assert sorted(times)[len(times) // 2] < figures.limit(0.5)
    assert max(times) < figures.limit(2.0)
    statuses = {answer.status_code for answer in answers}
    assert statuses == {200, 503}
    busy = next(answer for answer in answers if answer.status_code == 503)
    assert busy.headers["Retry-After"] == "5"
    assert busy.headers["Content-Type"] == "application/problem+json"
    assert {"code", "cause", "sentence", "fix", "who"} <= busy.json().keys()


@pytest.mark.alone
def test_a_callback_that_finds_no_place_can_be_tried_again(impatient: Stack) -> None:
    ana, ben = impatient.person(), impatient.person("ben")
    connection = ana.connect()
    genuine = approved(ben)
    number = impatient.sandbox.fault("userinfo", "never", account=ana.email)
    path = f"connections/{connection['id']}/verify"
    with ThreadPoolExecutor(24) as pool:
        waiting = [pool.submit(ana.api, "POST", path) for _ in range(24)]
        time.sleep(0.7)
        page: requests.Response = come_back(ben, **genuine)
        for one in waiting:
            one.result()
    impatient.sandbox.control("DELETE", f"faults/{number}")
    assert page.status_code == 503
    assert "The provider is slow to answer" in page.text
    assert "Try again" in page.text
    assert "connected=" in ben.get(page.url.removeprefix(impatient.url)).url
