"""Accounts as tests go through them: forms, mail, links, and what the database says."""

from __future__ import annotations

import email
import email.policy
import html
import re
from typing import Any

import psycopg
import requests
from tests.stack import Stack, until

NEW_PASSWORD = "another-horse-10"


def mails(stack: Stack, address: str) -> list[str]:
    """The texts of the system's mail to an address, oldest first."""
    texts = []
    for item in stack.sandbox.messages(to=address):
        if item["provider"] == "google":
            continue
        raw = item["raw"].encode("utf-8", "surrogateescape")
        message = email.message_from_bytes(raw, policy=email.policy.default)
        body = message.get_body(("plain",))
        assert body is not None
        texts.append(f"Subject: {message['Subject']}\n{body.get_content()}")
    return texts


def link_in(text: str) -> str:
    found = re.search(r"https?://\S+", text)
    assert found, text
    return found[0]


def sql(stack: Stack, statement: str, *values: Any) -> list[tuple[Any, ...]]:
    """What the database of a stack says."""
    with psycopg.connect((stack.up.data / "run" / "database_url").read_text().strip()) as connection:
        cursor = connection.execute(statement, values)
        return cursor.fetchall() if cursor.description else []


def form(stack: Stack, jar: requests.Session, path: str, **fields: str) -> requests.Response:
    """A form posted by somebody without an account."""
    jar.get(f"{stack.url}/login", timeout=30)
    fields["csrfmiddlewaretoken"] = jar.cookies["csrftoken"]
    return jar.post(stack.url + path, data=fields, timeout=30)


def words(page: requests.Response) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page.text)).split())


def ask_for_reset(stack: Stack, address: str) -> str:
    before = len(mails(stack, address))
    page = form(stack, requests.Session(), "/password/reset", email=address)
    assert "Look in your mailbox" in words(page)
    assert not re.search(r"/password/reset/key/\w+-", page.text)  # no secret on the requester's screen
    found = until(lambda: mails(stack, address), lambda texts: len(texts) > before, 5)
    return str(found[-1])


def set_password(stack: Stack, link: str, password: str = NEW_PASSWORD) -> requests.Response:
    jar = requests.Session()
    page = jar.get(link, timeout=30)
    if 'name="password1"' not in page.text:
        return page
    fields = {"csrfmiddlewaretoken": jar.cookies["csrftoken"], "password1": password, "password2": password}
    return jar.post(page.url, data=fields, timeout=30)
