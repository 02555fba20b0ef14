"""Truesend's own mail on its way to a mail server: what is offered is taken before a password is said."""

from __future__ import annotations

import pytest
from django.core.mail import EmailMessage
from tests.mail_server import mail_server

from truesend.organizations.system_mail import MailNotSent, SystemMail


def send(monkeypatch: pytest.MonkeyPatch, port: int) -> int:
    monkeypatch.setenv("TRUESEND_EMAIL_URL", f"smtp://ana:s3cret-word@localhost:{port}")
    message = EmailMessage("Hello", "You are invited.", "us@northwind.example", ["ben@x.example"])
    return SystemMail().send_messages([message])


def test_a_password_does_not_travel_in_the_clear_where_the_server_encrypts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    heard: list[str] = []
    with mail_server(encrypts=True, heard=heard) as port, pytest.raises(MailNotSent) as refused:
        send(monkeypatch, port)
    assert heard[:2] == ["EHLO", "STARTTLS"]
    assert "AUTH" not in heard
    assert "s3cret-word" not in str(refused.value)


def test_a_server_that_does_not_encrypt_is_used_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[str] = []
    with mail_server(heard=heard) as port:
        assert send(monkeypatch, port) == 1
    assert [one for one in heard if one in {"AUTH", "MAIL", "RCPT"}] == ["AUTH", "MAIL", "RCPT"]
