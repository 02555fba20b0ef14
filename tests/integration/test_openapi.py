"""Schemathesis, which nobody here wrote, holds the API against its own OpenAPI document."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
import requests
from tests.stack import Stack

CONTRACT = {
    ("get", "/api/v1/me"),
    ("get", "/api/v1/members"),
    ("get", "/api/v1/connections"),
    ("get", "/api/v1/connections/{connection_id}"),
    ("post", "/api/v1/connections/{connection_id}/verify"),
    ("post", "/api/v1/connections/{connection_id}/test-email"),
    ("post", "/api/v1/connections/{connection_id}/disconnect"),
    ("get", "/api/v1/connections/{connection_id}/ledger"),
    ("post", "/api/v1/readiness"),
    ("post", "/api/v1/emails"),
    ("get", "/api/v1/emails"),
    ("get", "/api/v1/emails/{email_id}"),
    ("post", "/api/v1/emails/{email_id}/cancel"),
    ("post", "/api/v1/emails/{email_id}/release"),
    ("post", "/api/v1/emails/{email_id}/pause"),
    ("post", "/api/v1/emails/{email_id}/resume"),
    ("post", "/api/v1/emails/{email_id}/undo"),
    ("post", "/api/v1/emails/{email_id}/reschedule"),
    ("post", "/api/v1/emails/{email_id}/edit"),
    ("post", "/api/v1/deliveries/{delivery_id}/resolve"),
    ("get", "/api/v1/emails/{email_id}/signals"),
    ("get", "/api/v1/suppressions"),
    ("post", "/api/v1/suppressions"),
    ("delete", "/api/v1/suppressions/{address}"),
    ("get", "/api/v1/templates"),
    ("post", "/api/v1/signals/{signal_id}/strike"),
    ("post", "/api/v1/signals/{signal_id}/unstrike"),
}


def test_the_document_is_public_and_names_what_the_contract_does(stack: Stack) -> None:
    answer = requests.get(f"{stack.url}/api/v1/openapi.json", timeout=20)
    assert answer.status_code == 200
    named = {(method, path) for path, methods in answer.json()["paths"].items() for method in methods}
    assert named == CONTRACT


@pytest.mark.timeout(300)
def test_schemathesis_finds_nothing_undocumented(stack: Stack, tmp_path: Path) -> None:
    ana = stack.person()
    ana.connect()
    done = subprocess.run(
        [
            sys.executable,
            str(Path(sysconfig.get_path("scripts")) / "schemathesis"),
            "run",
            f"{stack.url}/api/v1/openapi.json",
            "--header",
            f"Authorization: Bearer {ana.bearer}",
            "--max-examples",
            "15",
            "--phases",
            "coverage,fuzzing",
            "--seed",
            "20261122",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert ana.api("GET", "me").status_code == 200


def test_every_error_is_a_problem_document(stack: Stack) -> None:
    ana = stack.person()
    headers = {"Authorization": f"Bearer {ana.bearer}"}
    api = f"{stack.url}/api/v1"
    asked: list[tuple[str, str, int, dict[str, object]]] = [
        ("DELETE", "emails", 405, {}),
        ("PUT", "me", 405, {}),
        ("GET", "nothing-here", 404, {}),
        ("GET", "emails?cursor=garbage", 404, {}),
        ("GET", "emails/not-an-id", 404, {}),
        ("POST", "emails", 422, {"json": {"trak": False}}),
        ("POST", "emails", 422, {"json": {"reply_to_email": "x"}}),
        ("POST", "emails", 413, {"data": b" " * (41 * 1024 * 1024)}),
        ("POST", "events", 405, {}),
    ]
    for method, path, status, options in asked:
        answer = requests.request(method, f"{api}/{path}", headers=headers, timeout=30, **options)  # type: ignore[arg-type]
        assert answer.status_code == status, (method, path, answer.text)
        assert answer.headers["content-type"] == "application/problem+json", (method, path)
        assert {"type", "title", "status", "code", "cause", "sentence", "fix", "who"} <= set(answer.json())
    for path in ("me", "events"):
        answer = requests.get(f"{api}/{path}", timeout=30)
        assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in")
        assert answer.headers["www-authenticate"] == "Bearer"
