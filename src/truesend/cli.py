"""The command line. Every command imports what it needs when it runs, so that the light ones stay light."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path

from truesend.env import PREFIX, SettingError
from truesend.runtime.errors import CONFIGURATION_EXIT, Refused

Command = Callable[[argparse.Namespace], int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code. What a person can put right is one sentence, never a traceback."""
    parser = _parser()
    options, unknown = parser.parse_known_args(arguments)
    options.unknown = unknown
    command: Command = options.run
    if unknown and command is not _sandbox:
        parser.error(f"unrecognized arguments: {' '.join(unknown)}")
    try:
        return command(options)
    except SettingError as error:
        print(error, file=sys.stderr)
        return CONFIGURATION_EXIT
    except Refused as error:
        print(error, file=sys.stderr)
        return error.code
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="truesend", description="Send tracked email from the accounts your team already owns."
    )
    parser.add_argument("--version", action="version", version=f"truesend {version('truesend')}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    up = _command(commands, "up", _up, "run everything in this terminal until Ctrl-C")
    up.add_argument("--host", default="localhost", help="address to listen on (default: localhost only)")
    up.add_argument(
        "--port", type=int, default=8000, help="port of the web app; the tracker gets the next one"
    )
    up.add_argument("--data", type=Path, help="data folder (default: TRUESEND_DATA_DIR or ./data)")
    up.add_argument("--sandbox", action="store_true", help="with pretended providers, to try and to test")
    up.add_argument("--sandbox-port", type=int, default=9000)

    for name, port, what in (("web", 8000, "web app"), ("tracker", 8001, "tracker")):
        part = _command(commands, name, _web if name == "web" else _tracker, f"run only the {what}")
        part.add_argument("--host", default="localhost")
        part.add_argument("--port", type=int, default=port)
        part.add_argument("--fd", type=int, action="append", default=[], help="an inherited listening socket")
        if name == "tracker":
            part.add_argument(
                "--helping", action="store_true", help="answer only: another process loads hits"
            )

    _command(commands, "worker", _worker, "run only the worker, which sends and refreshes")
    _command(commands, "migrate", _migrate, "bring the database to this version")
    _command(commands, "sandbox", _sandbox, "run only the sandbox; its options are those of truesend_sandbox")

    _accounts(commands)

    doctor = _command(
        commands, "doctor", _doctor, "look for everything that is wrong here, and say what helps"
    )
    doctor.add_argument("--json", action="store_true", help="the same as one JSON object")

    adopt = _command(commands, "adopt", _adopt, "say that this installation is the one that sends and renews")
    adopt.add_argument("--yes", action="store_true", help="do not ask")
    adopt.add_argument(
        "--restored", action="store_true", help="a machine or disk was put back as a whole: nothing shows it"
    )

    _command(commands, "rekey", _rekey, "seal every stored secret anew with the newest encryption key")

    explain = commands.add_parser("explain", help="say what Truesend makes of something, and why")
    explained = explain.add_subparsers(title="what to explain", metavar="WHAT", required=True)
    hits = _command(explained, "hits", _explain_hits, "who opened and clicked: a class and a reason per hit")
    hits.add_argument(
        "file", metavar="FILE", help='a delivery in JSON on each line; "-" reads standard input'
    )
    rewritten = _command(
        explained, "rewrite", _explain_rewrite, "a mail's HTML as its recipient gets it, and every link in it"
    )
    rewritten.add_argument(
        "--json", action="store_true", help="the HTML and its web links as one JSON object"
    )
    rewritten.add_argument("file", metavar="FILE", help='HTML in any encoding; "-" reads standard input')
    bounce = _command(explained, "bounce", _explain_bounce, "what a mail that came back means, and for whom")
    bounce.add_argument(
        "files",
        metavar="FILE",
        nargs="+",
        help='mails, folders of them, mbox files; "-" reads standard input',
    )

    _past(commands)

    _benches(commands)
    return parser


def _accounts(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The commands about people, without a browser or mail."""
    user = commands.add_parser("user", help="accounts without a browser").add_subparsers(required=True)
    create = _command(user, "create", _user_create, "make an account whose address counts as verified")
    create.add_argument("--email", required=True)
    create.add_argument("--password", required=True)
    create.add_argument("--organization", required=True)
    create.add_argument("--role", default="owner", choices=("owner", "manager", "user"))
    create.add_argument("--operator", action="store_true", help="may see to the whole installation")
    owner = _command(user, "owner", _user_owner, "make a member an owner of their organization")
    owner.add_argument("--email", required=True)
    owner.add_argument("--organization", required=True)
    link = _command(user, "link", _user_link, "print a sign-in link")
    link.add_argument("--email", required=True)
    lost = _command(user, "forget-factors", _user_forget_factors, "take somebody's second factors away")
    lost.add_argument("--email", required=True)

    token = commands.add_parser("token", help="API tokens").add_subparsers(required=True)
    create = _command(token, "create", _token_create, "print a new API token, once")
    create.add_argument("--email", required=True)
    create.add_argument("--name", default="API")


def _benches(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    bench = commands.add_parser("bench", help="measure this machine, each figure beside its limit")
    benches = bench.add_subparsers(title="benches", metavar="BENCH", required=True)
    for name, what in (
        ("pages", "pages alone, with many tabs and event streams open, and with years of emails"),
        ("refresh", "thousands of keys due at once, against bare calls to the same server"),
        ("send", "many mailboxes sending at once, against bare calls to the same server"),
        ("tracking", "opens and clicks against a bare application on the same server"),
        ("all", "all of them, one after another"),
    ):
        one = _command(benches, name, _bench, what)
        one.set_defaults(bench=name)
        one.add_argument("--json", action="store_true", help="a JSON line for each row")
        one.add_argument("--seconds", type=_positive(float), default=10.0, help="of one run (default: 10)")
        one.add_argument("--runs", type=_positive(int), default=3, help="of each system (default: 3)")
        if name in {"pages", "all"}:
            one.add_argument(
                "--emails",
                type=_positive(int, 100_000_000),
                default=1_000_000,
                help="of one member (default: 1000000)",
            )
            one.add_argument(
                "--connections",
                type=_positive(int, 1_000),
                default=200,
                help="of one organization (default: 200)",
            )


def _past(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The commands about opens and clicks that were."""
    _command(commands, "reclassify", _reclassify, "judge past opens and clicks again by the rules of now")
    forget = _command(commands, "forget", _forget, "erase what tracking knows of a recipient; links go on")
    forget.add_argument("--email", required=True, help="the recipient's address")
    forget.add_argument(
        "--organization", required=True, help="the organization that wrote to them, by its name"
    )


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, run: Command, what: str
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=what, description=f"{what[0].upper()}{what[1:]}.")
    parser.set_defaults(run=run)
    return parser


def _positive(kind: Callable[[str], float], most: float = 3600) -> Callable[[str], float]:
    def read(text: str) -> float:
        value = kind(text)
        if not 0 < value <= most:
            raise ValueError
        return value

    read.__name__ = "number"
    return read


def _explain_hits(options: argparse.Namespace) -> int:
    from truesend.tracking.explain import run

    return run(options.file)


def _explain_bounce(options: argparse.Namespace) -> int:
    from truesend.inbox.explain import run

    return run(options.files)


def _explain_rewrite(options: argparse.Namespace) -> int:
    from truesend.runtime.folder import join_running
    from truesend.tracking.explain_rewrite import run

    with contextlib.suppress(Refused):  # where nothing runs, it does without
        join_running()
    return run(options.file, json_wanted=options.json)


def _reclassify(options: argparse.Namespace) -> int:
    _django()
    from truesend.tracking.reclassify import run

    return run()


def _forget(options: argparse.Namespace) -> int:
    _django()
    from truesend.privacy.forget_command import run

    try:
        print(run(options.email, options.organization))
    except (LookupError, ValueError) as error:
        raise Refused(str(error)) from None
    return 0


def _bench(options: argparse.Namespace) -> int:
    from truesend.bench.run import run

    sizes = {name: getattr(options, name) for name in ("emails", "connections") if hasattr(options, name)}
    return run(options.bench, as_json=options.json, seconds=options.seconds, runs=options.runs, **sizes)


def _up(options: argparse.Namespace) -> int:
    from truesend.runtime.up import Options, up

    data = options.data or Path(os.environ.get(f"{PREFIX}DATA_DIR") or "data")
    sandbox_port = options.sandbox_port if options.sandbox else None
    try:
        return up(Options(data=data, host=options.host, port=options.port, sandbox_port=sandbox_port))
    except OSError as error:  # a full disk, a folder that somebody closed
        raise Refused(f"Truesend cannot run on {data}: {error}.") from error


def _web(options: argparse.Namespace) -> int:
    from django.urls import get_resolver

    from truesend.asgi import application
    from truesend.organizations import known_keys
    from truesend.runtime import collector
    from truesend.runtime.server import serve
    from truesend.web.live import close_streams

    known_keys.check()
    # Every page is loaded now instead of by the first who asks. A page of two hundred connections makes so many objects
    # that each eighth one waited 0.16 s for the collector.
    assert get_resolver().url_patterns
    collector.leave_loaded(old=100)
    serve(
        application, fds=options.fd, host=options.host, port=options.port, what="web", on_stop=close_streams
    )
    return 0


def _tracker(options: argparse.Namespace) -> int:
    from truesend.runtime.tracker import run

    run(fds=options.fd, host=options.host, port=options.port, helping=options.helping)
    return 0


def _worker(options: argparse.Namespace) -> int:
    from truesend import env
    from truesend.runtime import worker

    env.database_url()  # without one it would look for it for ever
    worker.main()
    return 0


def _migrate(options: argparse.Namespace) -> int:
    _django()
    from truesend import env
    from truesend.runtime.schema import migrate

    migrate(env.database_url())
    return 0


def _sandbox(options: argparse.Namespace) -> int:
    os.execv(sys.executable, [sys.executable, "-P", "-m", "truesend_sandbox", *options.unknown])  # noqa: S606 - ourselves


def _user_create(options: argparse.Namespace) -> int:
    return _account_command(
        "create_user",
        options.email,
        options.password,
        options.organization,
        options.role,
        operator=options.operator,
    )


def _user_owner(options: argparse.Namespace) -> int:
    return _account_command("name_owner", options.email, options.organization)


def _user_link(options: argparse.Namespace) -> int:
    return _account_command("user_link", options.email)


def _user_forget_factors(options: argparse.Namespace) -> int:
    return _account_command("forget_factors", options.email)


def _token_create(options: argparse.Namespace) -> int:
    return _account_command("create_token", options.email, options.name)


def _doctor(options: argparse.Namespace) -> int:
    from truesend.diagnostics.doctor import run

    return run(as_json=options.json)


def _adopt(options: argparse.Namespace) -> int:
    _django()
    from truesend.sending.adopt_command import run

    return run(yes=options.yes, answers=sys.stdin.isatty(), restored=options.restored)


def _rekey(options: argparse.Namespace) -> int:
    _django()
    from truesend.diagnostics.rekey_command import run

    return run()


def _account_command(name: str, *arguments: str, **options: bool) -> int:
    _django()
    from truesend.organizations import commands

    try:
        print(getattr(commands, name)(*arguments, **options))
    except commands.CommandError as error:
        raise Refused(str(error)) from None
    return 0


def _django() -> None:
    """Set Django up against the database of the settings, or of the ``truesend up`` that runs here."""
    from truesend.runtime.folder import join_running

    join_running()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "truesend.settings")
    import django

    django.setup()


if __name__ == "__main__":
    sys.exit(main())
