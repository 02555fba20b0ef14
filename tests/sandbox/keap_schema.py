"""Keap's own OpenAPI documents as a judge of what the sandbox answers, and of what a test asks.

Objects are closed: a field Keap does not declare is an invention. jsonschema-rs does the judging; it reads the 3.1
document of v2 as it is, and of v1's 3.0.1 everything that occurs in the parts used here.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from jsonschema_rs import Validator, validator_for

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
FILES = {"v1": DATA / "keap-v1-subset.json", "v2": DATA / "keap-v2-subset.json"}
AVAILABLE = all(path.exists() for path in FILES.values())

NOT_DECLARED = (401, 429, 503)
"""What the gateway answers before the API is reached; no document declares these bodies as they were seen."""


@cache
def _document(version: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(FILES[version].read_text())
    _close(document)
    return document


def _close(node: Any) -> None:
    if isinstance(node, dict):
        if "properties" in node and "additionalProperties" not in node:
            node["additionalProperties"] = False
        for value in node.values():
            _close(value)
    elif isinstance(node, list):
        for value in node:
            _close(value)


@cache
def _operation(version: str, method: str, path: str) -> tuple[str, dict[str, Any]] | None:
    """The template that fits a path, and its operation; a template without variables first."""
    paths = _document(version)["paths"]
    for template in sorted(paths, key=lambda text: (text.count("{"), text)):
        if re.fullmatch(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template)), path):
            found = paths[template].get(method.lower())
            if found is not None:
                return template, found
    return None


@cache
def _validator(version: str, method: str, path: str, status: str) -> Validator | None:
    """For an answer of that status, or for the request (`status` = `request`); None where no body is declared."""
    found = _operation(version, method, path)
    assert found is not None, f"{method} {path} is no operation of {version}"
    operation = found[1]
    if status == "request":
        holder = operation.get("requestBody") or {}
    else:
        assert status in operation["responses"], f"{method} {path} declares no {status}"
        holder = operation["responses"][status]
    content = holder.get("content") or {}
    if not content:
        return None
    schema = next(iter(content.values()))["schema"]
    components = _document(version)["components"]
    return validator_for({"allOf": [schema], "components": components}, validate_formats=True)


def judge(answer: requests.Response) -> None:
    """Fail where the answer, or a request that was taken, is not what Keap's document says. Nothing without it."""
    if not AVAILABLE:
        return
    path = urlsplit(answer.request.url or "").path
    match = re.fullmatch(r"(?:/crm)?(/rest)/(v[12])(/.*)", path)
    assert match, path
    version = match[2]
    # v1's paths begin at the version, v2's at /rest.
    named = f"{match[1] if version == 'v2' else ''}/{version}{match[3]}"
    method, status = answer.request.method or "", answer.status_code
    if status in NOT_DECLARED:
        return
    body = answer.request.body
    if status < 300 and body:
        asked = _validator(version, method, named, "request")
        if asked is not None:
            _hold(asked, json.loads(body), f"the request {method} {named}")
    if status == 400 and version == "v1":
        assert set(answer.json()) == {"message"}, "v1 of this document declares no 400; later ones do"
        return
    wanted = _validator(version, method, named, str(status))
    if wanted is None:
        assert answer.content == b"", f"{method} {named} answers {status} with no body"
    else:
        _hold(wanted, answer.json(), f"{method} {named} {status}")


def _hold(validator: Validator, value: Any, what: str) -> None:
    wrong = [f"{error.instance_path}: {error.message}" for error in validator.iter_errors(value)]
    assert wrong == [], f"{what}: {wrong}"
