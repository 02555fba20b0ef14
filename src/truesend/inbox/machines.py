"""Whether a machine wrote a mail, and whether a mail system did."""

from __future__ import annotations

import re

from truesend.inbox.parts import Mail
from truesend.inbox.people import address_of

_DAEMON = re.compile(
    r"(?:mailer|mail|email|smtp|delivery|bounce|mta)[-_.]?(?:er)?[-_.]?(?:daemon|demon|system|subsystem|administrator|admin|agent|robot|notification|delivery|failure)s?\d*"
    r"|mailer|po{1,2}st[-_.]?master\d*|mdaemon|imss|imsva|mailmarshal|mail-?(?:scanner|guard)|smtpd?|mta|daemon|delivery-?(?:status|notification|failure|report)s?|bounces?|undeliverable|ndr|microsoftexchange[0-9a-f]{8,}|mail_?deliver(?:y|er)?|autonotify|non-?delivery",
)
_NAME = re.compile(
    r"mail(?:er)?[- ]?(?:deliver\w{0,2}|daemon|router|gateway|system|administrator|delivery)|delivery (?:sub)?system|delivery (?:status|notification|report)|postmaster|mailer|system administrator|systemadministrator|microsoft outlook|microsoft exchange|content-?filter|email security|internet mail|mail transfer agent|mta\b|administrateur système|administrador del sistema|amministratore (?:di )?sistema|systeembeheerder|administrador do sistema|systemadministratör|администратор|システム管理者|系统管理员|系統管理員|시스템 관리자|почтов|bounce",
)
_WEAK = re.compile(
    r"no-?_?reply|do-?not-?reply|noreply|auto(?:mail|matic|responder)?|system|admin(?:istrator)?|root|notifications?|alerts?|info-?mail|mail"
)


def is_mail_system(mail: Mail) -> bool:
    """From a mailer's own address or name, with a list of those that failed, or a report in its form."""
    name = address_of(mail.headers.get("from"))[1]
    if from_daemon(mail):
        return True
    if name and _NAME.search(name.lower()) and not is_reply(mail):
        return True
    if "x-failed-recipients" in mail.headers:
        return True
    if mail.report_type == "delivery-status":
        return True
    return bool(re.match(r"<?(?:mailer-daemon|postmaster)\b", mail.headers.get("return-path").lower()))


def from_daemon(mail: Mail) -> bool:
    """From an address such as mailer-daemon or postmaster."""
    address, name = address_of(mail.headers.get("from"))
    local = (address or name).partition("@")[0].strip("<> ").lower()
    return bool(local and _DAEMON.fullmatch(local))


def is_machine(mail: Mail) -> bool:
    """Sent with nobody to answer to, or told to be automatic, or from an address such as no-reply."""
    headers = mail.headers
    if headers.get("return-path").strip() in {"<>", '""', "< >"} or (
        "from" in headers and headers.get("from").strip() in {"<>", ""}
    ):
        return True
    told = headers.get("auto-submitted").strip().lower()
    if told and not told.startswith("no"):
        return True
    local = address_of(headers.get("from"))[0].partition("@")[0].lower()
    return bool(local and _WEAK.fullmatch(local))


def is_list(mail: Mail) -> bool:
    """Sent to many, by a list or a newsletter's program."""
    return any(name in mail.headers for name in ("list-id", "list-unsubscribe", "list-post"))


def is_reply(mail: Mail) -> bool:
    """A person answered or passed it on: the subject says so."""
    return bool(_PASSED_ON.match(mail.headers.text("subject")))


_PASSED_ON = re.compile(
    r"\s*(?:re|aw|antw|sv|vs|odp|ynt|rif|res|ref|回复|回覆|答复|返信|отв|fw|fwd|wg|tr|rv|enc|i|doorst|转发|轉寄|転送|пересл)\s{0,2}(?:\[\d{1,3}\])?\s{0,2}[:：]",
    re.IGNORECASE,
)
