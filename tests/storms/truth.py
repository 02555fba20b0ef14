"""The truth test: seeded random walks over everything that can happen to a connection, at every provider.

After some steps the walk settles: nothing is due, every connection is verified, the faults stay on. Then every
capability is used, by a process that asks none of our gates: what is shown `working` has to work, what is shown
`broken` has to fail. Between, without `verify`, lies are watched by the sandbox's clock: none may grow older than the
limit of a probe.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import struct
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
from tests.stack import Person, Stack, until
from tests.storms import blows, truth_rows
from tests.storms.asking import Oracle
from tests.storms.ground import Rows
from tests.storms.truth_books import STEP_SECONDS, Books, Box, Lie
from tests.storms.truth_watch import Lying

SETTINGS = {"TRUESEND_HTTP_TIMEOUT": "2", "TRUESEND_WORKER_CONCURRENCY": "12", "TRUESEND_WEB_THREADS": "12"}
PLANT = Path(__file__).with_name("plant")
# (provider, capabilities, kind) of the connections that walk.
BOXES = (
    ("google", "send", "personal"),
    ("google", "send,read", "personal"),
    ("google", "send", "organization"),
    ("microsoft", "send", "personal"),
    ("microsoft", "send,read", "personal"),
    ("microsoft", "send", "organization"),
    ("keap", "send", "personal"),
    ("keap", "send", "organization"),
)
_OPERATIONS = {
    "google": ("send", "token", "identity", "read", "any"),
    "microsoft": ("send", "token", "identity", "read", "draft", "any"),
    "keap": ("send", "token", "identity", "read", "contacts", "any"),
}
_DAMAGE = {
    "google": (
        "revoked",
        "testing",
        "unused",
        "password",
        "limit",
        "deleted",
        "disabled",
        "admin_policy",
        "rapt",
    ),
    "microsoft": ("revoked", "unused", "deleted", "disabled", "mfa", "sign_in_frequency", "consent_removed"),
    "keap": ("revoked", "unused"),
}


def planted() -> dict[str, str]:
    """Settings under which the verdict follows from the row's existence."""
    path = os.pathsep.join(filter(None, [str(PLANT), os.environ.get("PYTHONPATH", "")]))
    return {"PYTHONPATH": path}


class Walk:
    """One walk in a running installation."""

    def __init__(self, stack: Stack, seed: int, providers: tuple[str, ...]) -> None:
        self._stack, self._dice = stack, random.Random(seed)
        self._rows = Rows(stack)
        self._oracle = Oracle(stack)
        self.books = Books(seed)
        self._owner: Person = stack.person("owner")
        _ = self._owner.bearer
        domains = {
            "google": "northwind.example",
            "microsoft": "northwind.example",
            "keap": "northwind.example",
        }
        self._boxes = [
            Box(provider, capabilities, kind, f"{provider}{number}.{seed}@{domains[provider]}")
            for number, (provider, capabilities, kind) in enumerate(BOXES)
            if provider in providers
        ]
        self._faults: list[str] = []
        self._step = 0

    def run(self, steps: int, *, settle_every: int, watched: int) -> Books:
        """``steps`` of which the last ``watched`` are watched without `verify`."""
        began = time.monotonic()
        try:
            for box in self._boxes:
                self._stack.sandbox.account(box.address, box.provider)
                self._connect(box)
                self._test_mail(box)
            for self._step in range(1, steps - watched + 1):
                self._once()
                if self._step % settle_every == 0:
                    self._settle()
                    self._compare()
            self._settle()
            self._watch(watched)
        finally:
            self._oracle.close()
        self.books.seconds = time.monotonic() - began
        return self.books

    # -- steps --

    def _once(self) -> None:
        choices = (
            (self._send, 26), (self._set_fault, 20), (self._end_fault, 18), (self._end_all, 3), (self._pass, 12),
            (self._renew, 6), (self._reconnect, 9), (self._odd_consent, 5), (self._damage, 7), (self._disconnect, 2),
            (self._kill, 1),
        )  # fmt: skip
        (act,) = self._dice.choices([one for one, _ in choices], [weight for _, weight in choices])
        self.books.steps[act.__name__.strip("_")] += 1
        act()

    def _box(self) -> Box:
        return self._dice.choice(self._boxes)

    def _send(self) -> None:
        """A mail; a gate that is shut refuses it, which is no news."""
        box = self._box()
        if box.connection:
            body = {
                "connection": box.connection,
                "to": ["ines@globex.example"],
                "subject": "x",
                "html": "<p>x</p>",
            }
            self._owner.api("POST", "emails", body)

    def _set_fault(self) -> None:
        box = self._box()
        operation = self._dice.choice(_OPERATIONS[box.provider])
        kinds: list[dict[str, Any]] = [
            {"kind": "status", "status": self._dice.choice((400, 401, 403, 404, 429, 500, 502, 503))},
            {"kind": "outage"},
            {"kind": "outage"},
            {"kind": "garbage", "status": self._dice.choice((200, 502))},
            {"kind": "drop_before"},
            {"kind": "lost_answer"},
            {"kind": "throttle", "retry_after": self._dice.choice((5, 60, 600))},
            {"kind": "slow", "ms": 150},
            {"kind": "never"},
            {"kind": "daily_limit", "retry_after": 7200},
            {"kind": "admin_block"},
            {"kind": "client_secret_expired"},
        ]
        fault = self._dice.choice(kinds)
        body = {"provider": box.provider, "account": box.address, "operation": operation, **fault}
        self._faults.append(str(self._stack.sandbox.control("POST", "faults", body)["id"]))
        self.books.faults[f"{operation} {fault['kind']}"] += 1

    def _end_fault(self) -> None:
        if self._faults:
            number = self._faults.pop(self._dice.randrange(len(self._faults)))
            self._stack.sandbox.control("DELETE", f"faults/{number}")

    def _end_all(self) -> None:
        self._faults.clear()
        self._stack.sandbox.control("DELETE", "faults")

    def _pass(self) -> None:
        """Some minutes, at times hours."""
        minutes = self._dice.choice((1, 3, 8, 16, 16, 40, 90, 600))
        self._stack.sandbox.advance(60.0 * minutes)

    def _renew(self) -> None:
        """The key of a connection ends early."""
        box = self._box()
        body = {"provider": box.provider, "account": box.address, "operation": "any", "kind": "expire_access"}
        self._stack.sandbox.control("POST", "faults", body)

    def _damage(self) -> None:
        box = self._box()
        kind: dict[str, Any] = self._dice.choice(
            [
                {"kind": "revoke_grant"},
                {"kind": "expire_grant", "cause": self._dice.choice(_DAMAGE[box.provider])},
                {"kind": "password_changed"},
            ]
        )
        body = {"provider": box.provider, "account": box.address, "operation": "any", **kind}
        self._stack.sandbox.control("POST", "faults", body)
        self.books.faults[kind["kind"]] += 1

    def _reconnect(self) -> None:
        """As a person does who sees that something is broken, or just likes to."""
        broken = [one for one in self._boxes if not one.lives or self._shown(one)["verdict"] == "broken"]
        box = self._dice.choice(broken or self._boxes)
        if self._connect(box) and self._dice.random() < 0.8:
            self._test_mail(box)

    def _odd_consent(self) -> None:
        """Denied, another account, or, where there are boxes, one of them left empty."""
        box = self._box()
        how: dict[str, Any] = self._dice.choice(
            [{"decision": "deny"}, {"as_account": f"other.{box.address}"}, {"untick": ["gmail.readonly"]}]
        )
        if "untick" in how and box.provider != "google":
            how = {"decision": "deny"}
        if "untick" in how:
            how = {"untick": ["https://www.googleapis.com/auth/gmail.readonly"]}
        if "as_account" in how and not box.connection:
            return  # that would be a new connection of somebody else
        self._connect(box, **how)

    def _disconnect(self) -> None:
        box = self._box()
        if box.lives:
            self._owner.api("POST", f"connections/{box.connection}/disconnect")
            box.lives = False

    def _kill(self) -> None:
        part = self._dice.choice(("worker", "web", "sandbox", "postgres"))
        if part == "postgres":
            blows.kill(blows.postgres(self._stack))
        elif pid := self._stack.up.pid(part):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.books.faults[f"kill {part}"] += 1
        self._heal()

    def _heal(self) -> None:
        def well() -> bool:
            with contextlib.suppress(requests.RequestException, AssertionError):
                ok = (
                    self._owner.api("GET", "me").ok
                    and requests.get(f"{self._stack.up.sandbox_url}/healthz", timeout=5).ok
                )
                return ok and self._rows.beats(self._stack.up.pid("worker"))
            return False

        until(well, bool, 60)

    def _connect(self, box: Box, **how: Any) -> bool:
        """Whether the box is connected afterwards by this consent."""
        with contextlib.suppress(requests.RequestException):
            self._stack.sandbox.consent(box.address, box.provider, **how)
            query = f"capabilities={box.capabilities}&kind={box.kind}"
            if box.connection:
                query += f"&connection={box.connection}"
            answer = self._owner.get(f"/oauth/{box.provider}/start?{query}")
            made = parse_qs(urlsplit(answer.url).query).get("connected")
            if made:
                box.connection, box.lives = made[0], True
                return True
        return False

    def _test_mail(self, box: Box) -> None:
        if box.lives:
            self._owner.api("POST", f"connections/{box.connection}/test-email")

    # -- settling --

    def now(self) -> float:
        """The sandbox's time."""
        moved: float = struct.unpack("<d", (self._stack.up.data / "run" / "clock").read_bytes())[0]
        return time.time() + moved

    def _settle(self) -> None:
        """Until nothing is due and nobody is at anything. A slow machine gets as long as anything moves."""
        rested = truth_rows.settle(self._rows, self.now)
        if rested:
            boxes = {one.connection: str(one) for one in self._boxes}
            left = "; ".join(one.told(boxes, self.now()) for one in rested)
            self.books.trouble.append(f"step {self._step}: {len(rested)} still due: {left}")

    def _shown(self, box: Box) -> dict[str, Any]:
        answer = self._owner.api("GET", f"connections/{box.connection}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def _living(self) -> list[Box]:
        return [one for one in self._boxes if one.lives]

    def _compare(self) -> None:
        """Verify everything, then use everything."""
        boxes = self._living()

        def verified(box: Box) -> dict[str, Any]:
            answer = self._owner.api("POST", f"connections/{box.connection}/verify")
            assert answer.ok, answer.text
            return self._shown(box)

        with ThreadPoolExecutor(4) as pool:
            shown = list(pool.map(verified, boxes))
        for box, told in zip(boxes, shown, strict=True):
            for one in told["capabilities"]:
                self._held_against(box, one)

    def _held_against(self, box: Box, one: dict[str, Any]) -> None:
        verdict, name = one["verdict"], one["name"]
        self.books.used[verdict] += 1
        if verdict not in {"working", "broken"}:
            return
        works, words = self._oracle.works(box.connection, name, renew=verdict == "broken")
        if works != (verdict == "working"):
            lie = Lie(
                self._step, str(box), name, verdict, one["cause"] or "", words, rows=self._standing(box)
            )
            self.books.lies.append(lie)

    def _standing(self, box: Box) -> str:
        """What a lie is explained by: the rows of its connection, and what the sandbox does to its account."""
        faults = [
            f"{one['operation']} {one['kind']}"
            for one in self._stack.sandbox.control("GET", "faults")["items"]
            if one["provider"] == box.provider and one["account"] in (None, box.address)
        ]
        rows = truth_rows.standing(self._rows, box.connection, self.now())
        return f"{rows}; faults: {', '.join(faults) or 'none'}"

    # -- watching --

    def _watch(self, steps: int) -> None:
        """Faults come and go, nobody verifies, and the clock goes in steps of a minute: how old does a lie grow?"""
        lying = Lying(self._oracle, self._rows, self.now)
        ended: dict[str, float] = {}
        for _ in range(steps):
            self._step += 1
            self.books.steps["watched"] += 1
            roll = self._dice.random()
            if roll < 0.06:
                self._set_fault()
            elif roll < 0.12:
                box = self._box()
                if self._faults:
                    self._end_all()
                    ended = {one.connection: self.now() for one in self._living() if self._is_out(one)}
                elif box.lives:
                    self._damage()
            elif roll < 0.2:
                self._send()
            self._stack.sandbox.advance(STEP_SECONDS)
            self._settle()
            for box in self._living():
                told = self._shown(box)
                for one in told["capabilities"]:
                    lying.look(self._step, box, one)
                if box.connection in ended and told["verdict"] != "attention":
                    self.books.cleared.append(self.now() - ended.pop(box.connection))
        self.books.watched += lying.end()

    def _is_out(self, box: Box) -> bool:
        told = self._shown(box)
        return bool(told["verdict"] == "attention" and told["cause"].startswith("provider_"))
