"""What a mail is, whom it is about and why: all layers put together."""

from __future__ import annotations

import re
from collections.abc import Iterable

from truesend.inbox import codes, notes, notices, reports
from truesend.inbox.causes import CAUSES, About
from truesend.inbox.incoming import Kind, Recipient
from truesend.inbox.libraries import known_failures
from truesend.inbox.machines import from_daemon, is_list, is_machine, is_mail_system, is_reply
from truesend.inbox.notes import Found
from truesend.inbox.originals import Original, divide, originals
from truesend.inbox.parts import Mail, parse
from truesend.inbox.people import addresses_of
from truesend.inbox.phrases import FAILED, GIVEN_UP, LATE, plain
from truesend.inbox.reports import Group
from truesend.inbox.wording import AT_RCPT, cause_of

_MOST_RECIPIENTS = 500
_MOST_WORDS = 500
_LONGEST = 320  # of an address; RFC 5321 4.5.3.1

_FOR_NOW = re.compile(r"temporar|try again|try later|right now|at this time")


class Verdict:
    """A kind with what belongs to it."""

    def __init__(
        self, kind: Kind, recipients: Iterable[Recipient] = (), sent_back: Iterable[Original] = ()
    ) -> None:
        self.kind = kind
        self.recipients = tuple(recipients)
        self.sent_back = tuple(sent_back)

    @property
    def about(self) -> About:
        blamed = {one.about for one in self.recipients}
        return About.SENDER if blamed == {About.SENDER} else About.RECIPIENT


def delivery_report(mail: Mail, raw: bytes, depth: int = 0) -> Verdict | None:
    """A bounce or delay, ``OTHER`` for a report of success, ``None`` where it is no report of a mail system at all."""
    system, machine = is_mail_system(mail), is_machine(mail)
    if not (system or machine) or mail.kinds("complaint") or mail.report_type == "feedback-report":
        return None
    if mail.report_type == "disposition-notification" or mail.kinds("receipt"):
        return None
    notice = notices.told(mail.text)
    if notice is not None:
        groups, headers = notice
        sent = [Original(headers)] if headers else []
        return _by_report(groups, "", sent) if groups else Verdict(Kind.OTHER, (), sent)
    text, shown = divide(mail.text)
    sent_back = [*originals(mail), *([shown] if shown else [])]
    groups = reports.groups(mail) or reports.loose_groups(text)
    told = [group for group in groups if group.action and (group.address or len(groups) == 1)]
    if told and all(group.action == "done" for group in told):
        return Verdict(Kind.OTHER, (), sent_back)
    told = [group for group in told if group.action != "done"]
    if (
        is_reply(mail)
        and not told
        and "x-failed-recipients" not in mail.headers
        and not _is_transcript(mail, text)
    ):
        return None
    if told and any("@" in one for group in told for one in (group.address, *group.others)):
        return _by_report(told, text, sent_back)
    if not any(one.weight >= notes.STRONG for one in notes.recipients(text).values()):
        inner = _inside(mail, shown, depth)
        if inner is not None:
            return inner
    return _by_note(mail, raw, text, sent_back, system=system, groups=told)


def _is_transcript(mail: Mail, text: str) -> bool:
    """Some gateways answer with "Re:". They name the command that failed; a person's answer quotes it."""
    return from_daemon(mail) and bool(
        re.search(r"(?m)^\s{0,8}(?:>>> )?RCPT TO:", "\n".join(notes.own_lines(text)))
    )


def _is_sent_back(mail: Mail, chosen: list[Found]) -> bool:
    """No mail system's name stands on it: then it must name a recipient as one would, to nobody or with the mail."""
    to_nobody = mail.headers.get("return-path").strip() == "<>"
    named = any(one.weight >= notes.STRONG for one in chosen)
    return named and (to_nobody or bool(mail.kinds("original"))) and not is_list(mail)


def _inside(mail: Mail, shown: Original | None, depth: int) -> Verdict | None:
    """A gateway's note around the report of another system."""
    if depth >= 2 or not is_mail_system(mail):
        return None
    within = [part.raw for part in mail.kinds("original")]
    if shown is not None and shown.text:
        within.append(shown.text.encode("utf-8", "replace"))
    for raw in within:
        inner = parse(raw)
        if inner.headers and is_mail_system(inner):
            verdict = delivery_report(inner, raw, depth + 1)
            if verdict is not None and verdict.recipients:
                return verdict
    return None


def _by_report(groups: list[Group], text: str, sent_back: list[Original]) -> Verdict:
    found = notes.recipients(text)
    seen: dict[str, Recipient] = {}
    failed = any(group.action == "failed" for group in groups)
    for group in groups[:_MOST_RECIPIENTS]:
        names = [one for one in (group.address, *group.others) if one]
        address = group.address
        if "@" not in address:
            address = next((one for one in names if "@" in one), "") or _only(sent_back) or address
        noted = next((found[one.lower()] for one in names if one.lower() in found), None)
        parts = [group.diagnostic]
        if noted is not None:
            parts.append(noted.text)
        if len(groups) == 1:
            parts.append(text)
        recipient = _recipient(
            address,
            parts,
            group.status,
            late=group.action == "delayed",
            around=text if len(groups) == 1 else "",
        )
        key = address.lower()
        if key not in seen or seen[key].reason in {"unknown", "refused"}:
            seen[key] = recipient
    return Verdict(Kind.BOUNCE if failed else Kind.DELAY, seen.values(), sent_back)


def _by_note(
    mail: Mail, raw: bytes, text: str, sent_back: list[Original], *, system: bool, groups: list[Group]
) -> Verdict | None:
    heading = plain(mail.headers.text("subject"))
    body = plain("\n".join(notes.own_lines(text))[:20_000])
    says = bool(FAILED.search(body))
    late = bool(LATE.search(heading)) or (bool(LATE.search(body)) and not GIVEN_UP.search(body))
    failed_header = addresses_of(mail.headers.all("x-failed-recipients"))
    subject_says = bool(FAILED.search(heading)) or heading.startswith(("failure", "returned", "undeliver"))
    replied = bool(codes.statuses_in(body)) or bool(re.search(r"(?m)^(?:<<<|>>>|\s{0,8}[45]\d\d[ -])", body))
    if not failed_header and not groups:
        if is_list(mail):
            return None
        if system and not (says or subject_says or replied or (late and LATE.search(body))):
            return None
        if not system and not (says or late):
            return None
    chosen = _chosen(mail, raw, text, sent_back, failed_header, system=system)
    if not chosen and groups:
        chosen = [Found(_only(sent_back), notes.STRONG)]
    if not chosen:
        only = _only(sent_back) if system and sent_back else ""
        if not only:
            return None
        chosen = [Found(only, notes.STRONG)]
    if not system and not _is_sent_back(mail, chosen):
        return None
    several = len(chosen) > 1
    made = []
    for one in chosen[:_MOST_RECIPIENTS]:
        parts = (
            [group.diagnostic for group in groups if len(groups) == 1]
            + [one.text]
            + ([] if several and one.words else [text, heading])
        )
        made.append(_recipient(one.address, parts, "", late=False))
    kind = Kind.BOUNCE
    if (
        late
        and not any(group.action == "failed" for group in groups)
        and not (subject_says and not LATE.search(heading))
    ):
        kind = Kind.DELAY
        made = [_softened(one) for one in made]
    return Verdict(kind, made, sent_back)


def _chosen(
    mail: Mail, raw: bytes, text: str, sent_back: list[Original], failed_header: list[str], *, system: bool
) -> list[Found]:
    found = notes.recipients(text)
    if failed_header:
        return [found.get(one.lower()) or Found(one, notes.STRONG) for one in failed_header]
    own = {
        one.lower()
        for one in addresses_of(
            [
                *mail.headers.all("to"),
                *mail.headers.all("delivered-to"),
                *mail.headers.all("x-original-to"),
                *mail.headers.all("from"),
                *mail.headers.all("reply-to"),
            ]
        )
    }
    likely = _meant(sent_back)
    for original in sent_back:
        senders = addresses_of(
            [
                original.headers.get(name)
                for name in ("from", "sender", "return-path", "reply-to")
                if name in original.headers
            ]
        )
        own |= {one.lower() for one in senders}
    own -= (
        set()
        if system and not (own & likely)
        else (likely - {one.lower() for one in addresses_of(mail.headers.all("to"))})
    )
    chosen = notes.choose(found, own, likely)
    if chosen:
        return chosen
    if system:
        known = [one for one in known_failures(raw) if one.lower() not in own or one.lower() in likely]
        if known:
            return [found.get(one.lower()) or Found(one, notes.STRONG) for one in known]
        # To oneself: believed where a server's code or the mail itself stands by it, for such notices are forged.
        told = sent_back or codes.code_in(text) or codes.statuses_in(text)
        alone = [one for one in found.values() if told and one.weight >= notes.NAMED]
        if alone:
            return alone
    return []


def _meant(sent_back: list[Original]) -> set[str]:
    values = [
        value
        for one in sent_back
        for name in ("to", "cc", "bcc", "x-envelope-to", "envelope-to", "delivered-to", "x-original-to")
        for value in one.headers.all(name)
    ]
    return {one.lower() for one in addresses_of(values)}


def _only(sent_back: list[Original]) -> str:
    """The one the mail that came back was for, where there is one."""
    for original in sent_back:
        for name in (
            "x-failed-recipients",
            "x-envelope-to",
            "envelope-to",
            "to",
            "x-original-to",
            "delivered-to",
            "cc",
        ):
            found = addresses_of(original.headers.all(name))
            if found and "@" in found[0]:
                return found[0]
    return ""


def _recipient(address: str, parts: list[str], status: str, *, late: bool, around: str = "") -> Recipient:
    """Cause and codes from the nearest words that tell them, then from the codes themselves."""
    parts = [part for part in parts if part and part.strip()]
    told = [one for part in parts[:2] for one in codes.statuses_in(part)]
    best = codes.best_status([*told, *([status] if status else [])])
    if status and not status.endswith(".0.0") and not told:
        best = status
    code = next((one for part in parts[:2] if (one := codes.code_in(part))), "")
    reason = codes.certain_cause(best)
    for part in parts if not reason else ():
        reason = cause_of(part, around)
        if reason:
            break
        if codes.cause_of_status(best) and part is parts[0]:
            break
    if not best and len(parts) > 2:
        best = codes.best_status(codes.statuses_in(parts[2]))
    if not code and len(parts) > 2:
        code = codes.code_in(parts[2])
    if (
        reason
        and CAUSES[reason].hard
        and "4" in {best[:1], code[:1]}
        and _FOR_NOW.search(plain(" ".join(parts[:2])))
    ):
        reason = "system_error"
    by_status = codes.cause_of_status(best)
    if (
        reason == "no_such_address"
        and best in {"5.2.0", "4.2.0", "5.3.0"}
        and not AT_RCPT.search(plain(" ".join(parts[:2])))
    ):  # not what an unknown address is told
        reason = "filtered"
    if (reason == "mailbox_disabled" and best == "5.1.1" and "temporar" not in plain(parts[0])) or (
        reason == "policy" and best == "5.4.1"
    ):
        # Exchange Online says of unknown addresses: 5.4.1, access denied.
        reason = "no_such_address"
    if not reason or (
        reason in {"policy", "refused", "content", "greylisted", "system_error", "expired"}
        and by_status
        and CAUSES[by_status].about is About.SENDER
    ):
        reason = by_status or reason
    if not reason:
        reason = cause_of(" ".join(parts)) or codes.cause_of_code(code) or ("delayed" if late else "unknown")
    address = "".join(letter for letter in address[:_LONGEST] if letter.isprintable())
    made = Recipient(
        address,
        best,
        code,
        CAUSES[reason].hard,
        reason,
        " ".join((parts[0] if parts else "").split())[:_MOST_WORDS],
    )
    return _softened(made) if late else made


def _softened(one: Recipient) -> Recipient:
    """In a delay: still being tried, so nothing is certain of the address."""
    reason = "delayed" if one.reason in {"unknown", "expired"} else one.reason
    return Recipient(one.address, one.status, one.code, False, reason, one.words)
