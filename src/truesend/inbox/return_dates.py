"""When an automatic reply says that its writer is back: English, German, French, Spanish, Italian, and some more."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta

from truesend.inbox.months import DAYS, MONTHS
from truesend.inbox.parts import Mail
from truesend.inbox.phrases import plain

_MONTH = "|".join(sorted((re.escape(one) for one in MONTHS), key=len, reverse=True))
_ORD = r"(?:st|nd|rd|th|er|ère|º|ª|\.)?"
_DATE = re.compile(
    r"(?P<iso>(?P<iy>20\d\d)[-/.年](?P<im>\d{1,2})[-/.月](?P<id>\d{1,2})日?)"
    r"|(?P<num>(?<![\d.])(?P<n1>\d{1,2})(?P<sep>[./-])(?P<n2>\d{1,2})(?:(?P=sep)(?P<ny>20\d\d|\d\d)?)?(?![\d]))"
    rf"|(?P<dm>(?<!\d)(?P<d1>\d{{1,2}}){_ORD}(?:\s?[-–]\s?(?P<d1b>\d{{1,2}}){_ORD})? ?(?:of |de |d'|di )?(?P<m1>{_MONTH})(?![^\W\d_])\.?(?:,? ?(?:de |del |of )?(?P<y1>20\d\d))?)"
    rf"|(?P<md>(?<![^\W\d_])(?P<m2>{_MONTH})\.? ?(?:the )?(?P<d2>\d{{1,2}}){_ORD}(?:\s?[-–]\s?(?P<d2b>\d{{1,2}}){_ORD})?(?![\d:])(?:,? ?(?P<y2>20\d\d))?)"
    r"|(?P<cjk>(?P<cm>\d{1,2}) ?[月월] ?(?P<cd>\d{1,2}) ?[日일号號])"
    rf"|(?P<day>(?<![^\W\d_])(?:{'|'.join(DAYS)})(?![^\W\d_]))"
    r"|(?P<rel>(?<![^\W\d_])(?:tomorrow|morgen(?! ?früh um)|demain|mañana|domani|amanhã)(?![^\W\d_]))",
)
# How surely the date that follows is the one of the return.
_BACK = re.compile(
    r"(?:return(?:ing|s)?|be back|am back|i'm back|back (?:in|at|on|to|from)|back\b|resume|available again|reachable again|in (?:the )?office again|reopen"
    r"|zurück|wieder (?:da|erreichbar|im|für|zu|ab|am|in)|wieder|ab dem|ab (?:montag|dienstag|mittwoch|donnerstag|freitag)|rückkehr"
    r"|de retour|retour (?:le|au|prévu|à)|retour|reviendrai|rentrer|serai (?:de nouveau|à nouveau|joignable)|reprendrai"
    r"|vuelv|volver|regres|reincorpor|estaré (?:de vuelta|disponible)|de vuelta|a partir del?"
    r"|rientr|torn(?:o|erò|are|erà)|ritorn|di nuovo|a partire dal|sarò (?:di nuovo )?(?:disponibile|in ufficio)|dal giorno"
    r"|retorn|voltar|volto|estarei de volta|a partir de|terug|weer (?:aanwezig|bereikbaar|op)|vanaf|tillbaka|åter|tilbage|tilbake|palaan|takaisin|wracam|powrót|powróc|vrát|zpět|vissza|revin|вернусь|возвращ|буду|повернус|dönece|dönüş|戻り|復帰|出社|返回|回来|回來|복귀|돌아)",
)
_UNTIL = re.compile(
    r"(?:until|till|til\b|through|thru|to\b|up to|- ?$|–|bis(?: zum| einschließlich| inkl\.?)?|jusqu'(?:au|à|en)|au\b|hasta(?: el)?|al\b|fino (?:al|a)|sino al|até|tot(?: en met)?|t/m|till och med|t\.?o\.?m|til og med|til\b|saakka|asti|do\b|-ig\b|până|до|по|kadar|まで|至|到|까지)",
)
# Where the verb comes last: "am 9.11. wieder", "op 9 november ben ik terug".
_AFTER = re.compile(
    r",?\s?(?:(?:bin|sind|ben|är|er) (?:ich|wir|ik|jag|jeg) )?(?:wieder|zurück|terug|weer|tillbaka|tilbage|tilbake|back)"
)
_DAY_OF = re.compile(r",?\s?(?:(?:the|dem|den|der|le|el|il|de|d\.|am|,) ?)?\d")
_REACH = 60
_MOST = 6_000


def return_date(mail: Mail, sent: datetime | None) -> date | None:
    """The day named, or ``None``. Without a year it is the next such day after the mail was written."""
    told = re.search(r"enddate=(20\d\d)-(\d\d)-(\d\d)", mail.headers.get("x-apple-criteria").lower())
    if told:
        return _day(int(told[1]), int(told[2]), int(told[3]))
    written = sent.date() if sent else None
    text = plain(f"{mail.headers.text('subject')}\n{mail.text[:_MOST]}").replace("\n", " ")
    best: tuple[int, int, date] | None = None
    for match in _DATE.finditer(text):
        day = _read(match, written, text)
        if day is None or (
            written and not written - timedelta(days=31) <= day <= written + timedelta(days=550)
        ):
            continue
        if match["day"] and _DAY_OF.match(text[match.end() : match.end() + 16]):
            continue  # "Monday, 9 November": the date that follows tells it
        before = re.split(r"[.!?;。](?:\s|$)", text[max(0, match.start() - _REACH) : match.start()])[-1]
        after = text[match.end() : match.end() + 16]
        rank = _rank(before, after, match)
        if rank and (
            best is None
            or (rank, day if rank < 3 else date.min) > (best[0], best[2] if rank < 3 else date.min)
        ):
            best = (rank, match.start(), day)
    return best[2] if best else None


def _rank(before: str, after: str, match: re.Match[str]) -> int:
    back = [one.end() for one in _BACK.finditer(before)]
    until = [one.end() for one in _UNTIL.finditer(before)]
    near_until = bool(until) and len(before) - until[-1] <= 25
    if re.match(r"\s?(?:まで|까지|-ig|saakka|asti|kadar)", after):
        near_until = True
    if _AFTER.match(after) and not (match["day"] and _DAY_OF.match(after)):
        return 3
    if back and not match["rel"]:
        # "back … from the 3rd to the 5th" tells of the absence.
        return 3
    if re.match(r"\s?(?:に?(?:戻|復帰|出社)|返回|回|에? ?(?:복귀|돌아))", after):
        return 3
    if back:
        return 2
    if near_until and (not match["day"] or len(before) - until[-1] <= 6):
        return 2
    if (match["d1b"] or match["d2b"]) is not None:
        return 1
    return 0


def _read(match: re.Match[str], written: date | None, text: str) -> date | None:
    if match["iso"]:
        return _day(int(match["iy"]), int(match["im"]), int(match["id"]))
    if match["num"]:
        return _numbers(match, written, text)
    if match["dm"]:
        return _next(match["y1"], MONTHS[match["m1"]], int(match["d1b"] or match["d1"]), written)
    if match["md"]:
        return _next(match["y2"], MONTHS[match["m2"]], int(match["d2b"] or match["d2"]), written)
    if match["cjk"]:
        return _next(None, int(match["cm"]), int(match["cd"]), written)
    if written is None:
        return None
    if match["rel"]:
        return written + timedelta(days=1)
    ahead = (DAYS[match["day"]] - written.weekday() - 1) % 7 + 1
    return written + timedelta(days=ahead)


def _numbers(match: re.Match[str], written: date | None, text: str) -> date | None:
    """``5.12.`` is a day and a month; ``5/12`` may be either, so the one that lies nearer ahead is meant."""
    one, two = int(match["n1"]), int(match["n2"])
    if (match["sep"] == "-" and match["ny"] is None) or (
        match["sep"] == "." and match["ny"] is None and not match["num"].endswith(".")
    ):
        return None
    year = match["ny"]
    year = f"20{year}" if year and len(year) == 2 else year
    day_first = _next(year, two, one, written) if two <= 12 else None
    month_first = _next(year, one, two, written) if one <= 12 else None
    if match["sep"] == "." or month_first is None:
        return day_first
    if day_first is None or written is None:
        return (
            month_first
            if re.search(r"\b(?:the|will|office|and)\b", text) and day_first is None
            else day_first or month_first
        )
    ahead = [one for one in (month_first, day_first) if one >= written]
    return min(ahead, default=day_first)


def _next(year: str | None, month: int, day: int, written: date | None) -> date | None:
    if year:
        return _day(int(year), month, day)
    if written is None:
        return None
    this = _day(written.year, month, day)
    if this is None or this < written - timedelta(days=31):
        return _day(written.year + 1, month, day)
    return this


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
