"""``truesend explain hits``: what outsiders write is read, what cannot be is told with its line."""

from __future__ import annotations

import json
import os
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truesend.tracking.explain import BadSequence, explain_line, explain_lines

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:132.0) Gecko/20100101 Firefox/132.0"
SENT = "2026-11-03T10:00:00Z"
LINKS = ["https://a.example/", "https://b.example/", "https://c.example/"]


def hit(seconds: int, kind: str = "click", **more: Any) -> dict[str, Any]:
    return {
        "at": f"2026-11-03T10:{seconds // 60:02}:{seconds % 60:02}Z",
        "kind": kind,
        "method": "GET",
        "ip": "203.0.113.7",
        "user_agent": FIREFOX,
        "headers": {"Accept-Language": "en"},
        **more,
    }


def classes(**sequence: Any) -> list[str]:
    told = {"sequence": "s", "sent_at": SENT, "links": LINKS, "sender": {"ips": [], "user_agents": []}}
    answer = explain_line(json.dumps(told | sequence))
    assert answer["sequence"] == "s"
    return [one["rule"] for one in answer["hits"]]


@pytest.mark.parametrize(
    "links",
    [
        3,
        LINKS,
        [{"url": link} for link in LINKS],
        [{"target": link, "text": "here"} for link in LINKS],
        [{"href": link, "index": at} for at, link in enumerate(LINKS)],
    ],
)
@pytest.mark.parametrize("named", [[0, 1], LINKS[:2], ["0", "1"], [{"url": LINKS[0]}, {"index": 1}]])
def test_links_are_a_number_addresses_or_objects_and_a_hit_names_one_either_way(
    links: Any, named: Any
) -> None:
    two = [hit(60, link=named[0]), hit(63, link=named[1])]
    assert classes(links=links, hits=two) == ["burst", "burst"]
    same = [hit(60, link=named[0]), hit(63, link=named[0])]
    assert classes(links=links, hits=same) == ["browser", "browser"]


@pytest.mark.parametrize(
    "more",
    [
        {"headers": [["accept-language", "en"]]},
        {"headers": {"ACCEPT-LANGUAGE": ["en", "de"]}},
        {"headers": {"accept-language": "en", "user-agent": FIREFOX}, "user_agent": None},
        {"at": 1793700120},
        {"at": 1793700120000},
        {"at": "2026-11-03T11:02:00.000+01:00"},
        {"at": "2026-11-03 10:02:00"},
        {"kind": "CLICK", "method": "get"},
        {"method": None, "ip": None},
        {"link": None},
    ],
)
def test_what_a_reasonable_outsider_writes_is_read(more: dict[str, Any]) -> None:
    assert classes(hits=[hit(120, link=0) | more]) == ["browser"]


def test_what_may_be_left_out() -> None:
    one = {"at": SENT, "kind": "open"}
    assert explain_line(json.dumps({"sent_at": SENT, "hits": [one]})) == {
        "sequence": None,
        "hits": [
            {
                "class": "prefetch",
                "confidence": 0.85,
                "reason": "Prefetch: 0.0 s after sending, within the first seconds, when machines look first. "
                "Not counted.",
                "rule": "first_seconds",
            }
        ],
    }


def test_the_sender_and_what_goes_beyond_the_contract() -> None:
    sender = {"ips": ["203.0.113.7"], "user_agents": [FIREFOX]}
    assert classes(hits=[hit(60, link=0)], sender=sender) == ["self"]
    assert classes(hits=[hit(60, network_recipients=5)]) == ["network"]
    gmail = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
    told = {"sent_at": SENT, "links": 1, "hits": [hit(60, "open", user_agent=gmail)], "recipients": 3}
    one = explain_line(json.dumps(told | {"sender": {"provider": "google"}}))["hits"][0]
    assert one["confidence"] == 0.7
    assert one["reason"].endswith("Could also be you at the Sent copy. One of 3 recipients.")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("nope", "this is no JSON"),
        ("[" * 100_000, "this is no JSON"),
        ("[]", "a sequence is an object"),
        ('{"hits": []}', "sent_at is missing"),
        ('{"sent_at": "yesterday", "hits": []}', "sent_at must be a time, such as 2026-11-03T10:00:00Z"),
        ('{"sent_at": 1e999, "hits": []}', "sent_at must be a time"),
        ('{"sent_at": "0001-01-01T00:00:00+14:00", "hits": []}', "sent_at must be a time"),
        ('{"sent_at": "2026-11-03", "hits": {}}', "hits must be a list"),
        ('{"sent_at": "2026-11-03", "hits": [], "links": -1}', "links must be a whole number, or a list"),
        ('{"sent_at": "2026-11-03", "hits": [], "sender": []}', "sender must be an object"),
        ('{"sent_at": "2026-11-03", "hits": [3]}', "hits[0] must be an object"),
        ('{"sent_at": "2026-11-03", "hits": [{"kind": "open"}]}', "hits[0].at is missing"),
        ('{"sent_at": "2026-11-03", "hits": [{"at": 5}]}', 'hits[0].kind must be "open" or "click"'),
        ('{"sent_at": 1, "hits": [{"at": 5, "kind": "click", "link": -1}]}', "hits[0].link must be a position"),
        ('{"sent_at": 1, "hits": [{"at": 5, "kind": "open", "headers": [1]}]}', "hits[0].headers must be"),
    ],
)  # fmt: skip
def test_a_line_that_cannot_be_read_says_why(line: str, words: str) -> None:
    with pytest.raises(BadSequence, match="^" + words.replace("[", r"\[").replace("(", r"\(")):
        explain_line(line)


_json = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)
_keys = st.sampled_from(["sent_at", "delivered_at", "links", "hits", "sender", "recipients", "replied_at"])
_hits = st.dictionaries(
    st.sampled_from(["at", "kind", "link", "method", "ip", "user_agent", "headers", "count"]),
    _json | st.sampled_from([SENT, "open", "click", 5, "203.0.113.7", FIREFOX]),
)


@given(st.dictionaries(_keys, _json | st.lists(_hits, max_size=3) | st.just(SENT)))
def test_whatever_the_line_says_it_is_answered_or_refused(told: dict[str, Any]) -> None:
    try:
        answer = explain_line(json.dumps(told))
    except BadSequence:
        return
    assert len(answer["hits"]) == len(told["hits"])


def test_each_line_is_answered_and_each_bad_one_named() -> None:
    good = json.dumps({"sequence": 7, "sent_at": SENT, "hits": []})
    answers: list[str] = []
    complaints: list[str] = []
    fine = explain_lines(
        ["\ufeff" + good, "", "nope", good, "{}\n", " \r\n"], answers.append, complaints.append
    )
    assert not fine
    assert [json.loads(one) for one in answers] == [{"sequence": 7, "hits": []}] * 2
    assert [one.split(":")[0] for one in complaints] == ["line 3", "line 5"]


def _run(*arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    truesend = Path(sysconfig.get_path("scripts")) / "truesend"
    bare = {"PATH": os.environ["PATH"]}  # no setting, no database
    command = [str(truesend), "explain", "hits", *arguments]
    return subprocess.run(command, input=given, env=bare, capture_output=True, timeout=60, check=False)


def test_the_command_needs_neither_settings_nor_a_database(tmp_path: Path) -> None:
    good = json.dumps({"sequence": "a", "sent_at": SENT, "links": 1, "hits": [hit(60, link=0)]}).encode()
    done = _run("-", given=good + b'\n{"sequence": "\xff"}\n' + good)
    assert done.returncode == 1
    assert done.stderr.decode() == "line 2: sent_at is missing.\n"
    assert len(done.stdout.splitlines()) == 2
    file = tmp_path / "hits.jsonl"
    file.write_bytes(good)
    done = _run(str(file))
    assert (done.returncode, done.stderr) == (0, b"")
    assert json.loads(done.stdout)["hits"][0]["class"] == "person"
    done = _run(str(tmp_path / "none"))
    assert done.returncode == 1
    assert done.stderr.decode() == f"{tmp_path / 'none'} cannot be read: No such file or directory.\n"
