"""Links whose text is itself a web address. Pure.

Mail programs and spam filters compare the host such a text names with the host the link leads to, and warn of fraud
where they differ: Thunderbird ("this message may be a scam", phishing detection on texts that begin with http),
SpamAssassin (rules on links that spell another address), gateways likewise on bare hosts. A tracked link leads to the
tracker first, so it always differs, unless the tracker lives under the host that is shown.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_WITH_SCHEME = re.compile(r"https?:\s?/\s?/\s?(?:[^\s/?#\\@]*@)?([^\s/?#\\:]+)", re.IGNORECASE)
_BARE = re.compile(r"((?:[\w-]+\.)+([^\W\d_]{2,}|xn--[a-z0-9-]+))(?::\d{1,5})?([/?#]\S*)?\Z", re.IGNORECASE)
_UNSEEN = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")
_AROUND = " \t<>()[]«»‹›→\"'“”„.,;:!…"
_LONGEST = 300
# Without "www." and path a word with a dot is an address where it ends as one: in a country's two letters, but not
# those which files are known by, or in one of these.
_ENDING_NAMES = """
    com net org edu gov mil int info biz name pro mobi aero coop museum jobs app dev shop store online site
    website blog cloud email tech agency studio design group team work world life live news media digital bank
    example test invalid localhost eco club space xyz top page link software systems services solutions company
"""
_ENDINGS = frozenset(_ENDING_NAMES.split())
_FILE_NAMES = "cc cs js md mo pl pm ps py rb rs sh so ts vb"
_FILES = frozenset(_FILE_NAMES.split())


def host_shown(text: str) -> str:
    """The host that a link's text names as its address, in lower case; empty where the text is none."""
    clean = _UNSEEN.sub("", text[:_LONGEST]).strip(_AROUND)
    if found := _WITH_SCHEME.match(clean):
        return _plain(found[1])
    found = _BARE.match(clean)
    if found is None:
        return ""
    host, ending, path = found[1], found[2].lower(), found[3]
    certain = path or host.lower().startswith("www.") or ending in _ENDINGS or ending.startswith("xn--")
    return _plain(host) if certain or (len(ending) == 2 and ending not in _FILES) else ""


def host_of(address: str) -> str:
    """The host of an address, in lower case and without ``www.``; empty where it has none."""
    try:
        return _plain(urlsplit(address).hostname or "")
    except ValueError:
        return ""


def agree(shown: str, real: str) -> bool:
    """Whether a link that shows one host may lead to the other: the same one, or one below the other."""
    return bool(shown and real) and (
        shown == real or shown.endswith(f".{real}") or real.endswith(f".{shown}")
    )


def _plain(host: str) -> str:
    host = host.lower().rstrip(".").removeprefix("www.")
    if host.isascii():
        return host
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError:
        return host
