"""The door: ``linesman serve | demo | manifest | check | policy | migrate | export``."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import BinaryIO

import structlog

from bot import exports, logs
from bot.changes.audit.export import AuditFormat, read_span
from bot.checks import check
from bot.config import Settings, Storage, load, load_storage, name_cautions
from bot.config.policy import EXAMPLE
from bot.errors import ConfigurationError, InputError, LinesmanError
from bot.slack.manifest import manifest
from bot.store.database import Database
from bot.store.migrations import migrate
from bot.store.sqlite_file import private
from bot.wiring import known_kinds, running, utc_now

log = structlog.get_logger(__name__)

#: Exit statuses.
OK, FAILED, MISCONFIGURED = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status; ``sys.argv`` when ``arguments`` is None."""
    parsed = _parser().parse_args(arguments)
    try:
        status: int = parsed.run(parsed)
    except ConfigurationError as error:
        for problem in error.problems:
            _say(f"✗ {problem}")
        count = len(error.problems)
        _say(f"\n{count} {'problem' if count == 1 else 'problems'} to fix; nothing was started.")
        return MISCONFIGURED
    except InputError as error:
        _say(f"✗ {error.message}")
        return MISCONFIGURED
    except LinesmanError as error:
        _say(f"✗ {error.message}")
        return FAILED
    except KeyboardInterrupt:
        return 130
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="linesman", description="Change phone numbers in bulk from Slack: approved, verified, accounted for."
    )
    parser.add_argument("--version", action="version", version=f"linesman {version('linesman')}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, text: str, run: Callable[[argparse.Namespace], int]) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        sub.set_defaults(run=run)
        return sub

    command("serve", "Run the bot.", _serve)
    command("demo", "Play two changes against stand-ins for Slack, Telnyx and Close; needs no account.", _demo)
    shown = command("manifest", "Print the Slack app manifest, ready to paste.", _manifest)
    how = shown.add_mutually_exclusive_group()
    how.add_argument(
        "--socket-mode", action="store_true", help="for Socket Mode, which needs no public address (default)"
    )
    how.add_argument("--url", help="for HTTP: the https address at which Slack reaches the bot")
    command("check", "Check the configuration, Slack and the providers.", _check)
    policy = command("policy", "Print a policy file to begin with.", _policy)
    policy.add_argument("--example", action="store_true", required=True, help="print one that shows every key")
    command("migrate", "Upgrade the database to this version.", _migrate)
    _export_options(command("export", "Export the audit log, or prove that nobody changed it.", _export))
    return parser


def _export_options(sub: argparse.ArgumentParser) -> None:
    sub.add_argument(
        "--from", dest="since", metavar="DATE", default="", help="first day, in UTC (default: the first event)"
    )
    sub.add_argument(
        "--to",
        dest="until",
        metavar="DATE",
        default="",
        help="end, in UTC: the day or moment itself is left out (default: now)",
    )
    sub.add_argument(
        "--format", dest="form", choices=[form.value for form in AuditFormat], default=AuditFormat.CSV.value
    )
    sub.add_argument("--output", metavar="FILE", type=Path, help="file to write (default: standard output)")
    sub.add_argument("--verify", action="store_true", help="write no file; check the whole chain of events")


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def _settings() -> Settings:
    settings = load(os.environ, known_kinds())
    logs.configure(settings.log_level, settings.log_format, secrets=settings.secrets())
    return settings


def _storage() -> Storage:
    """Return what commands need that work on the database alone: no secret of Slack's or of a provider's."""
    storage = load_storage(os.environ)
    logs.configure(storage.log_level, storage.log_format, secrets=storage.secrets())
    return storage


def _serve(_: argparse.Namespace) -> int:
    settings = _settings()
    log.info("configuration", variables=settings.redacted())
    for warning in (*settings.warnings(), *name_cautions(os.environ)):
        log.warning(warning)
    return asyncio.run(_until_signal(settings))


async def _until_signal(settings: Settings) -> int:
    """Run until SIGTERM or SIGINT; 1 when the worker broke."""
    stop = asyncio.Event()
    started = asyncio.Event()
    loop, me = asyncio.get_running_loop(), asyncio.current_task()

    def asked_to_stop() -> None:
        log.info("stopping")
        stop.set()
        if not started.is_set() and me is not None:
            me.cancel()  # still starting, maybe waiting for Slack: there is no work to wind down

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked_to_stop)
    try:
        async with running(settings) as bot:
            started.set()
            stopping = asyncio.create_task(stop.wait())
            await asyncio.wait({stopping, bot.working}, return_when=asyncio.FIRST_COMPLETED)
            broke = not stop.is_set()
            stopping.cancel()
    except asyncio.CancelledError:
        if not stop.is_set():
            raise
        return OK
    return FAILED if broke else OK


def _demo(_: argparse.Namespace) -> int:
    from bot.sandbox.demo.story import play  # noqa: PLC0415 - the stand-ins are loaded only by those who want them

    return asyncio.run(play())


def _manifest(parsed: argparse.Namespace) -> int:
    shown = manifest(socket_mode=parsed.url is None, url=parsed.url)
    sys.stdout.write(json.dumps(shown, indent=2, ensure_ascii=False) + "\n")
    return OK


def _check(_: argparse.Namespace) -> int:
    return asyncio.run(check(_settings(), sys.stdout.write, cautions=name_cautions(os.environ)))


def _policy(_: argparse.Namespace) -> int:
    sys.stdout.write(EXAMPLE)
    return OK


def _migrate(_: argparse.Namespace) -> int:
    before, after = asyncio.run(_migrated(_storage()))
    sys.stdout.write(f"The database had revision {before} and has {after} now.\n")
    return OK


async def _migrated(storage: Storage) -> tuple[str, str]:
    async with Database(storage.database_url.get_secret_value()) as database:
        return await migrate(database)


def _export(parsed: argparse.Namespace) -> int:
    if parsed.verify:
        if parsed.since or parsed.until or parsed.output:
            raise InputError(
                {"verify": "--verify checks the whole audit log and writes no file: leave out --from, --to, --output."}
            )
        sys.stdout.write(f"✓ {asyncio.run(exports.verify(_storage()))}\n")
        return OK
    now = utc_now()
    span = read_span(parsed.since, parsed.until, now)
    storage = _storage()
    try:
        with _sink(parsed.output) as sink:
            events = asyncio.run(exports.export(storage, span, AuditFormat(parsed.form), sink.write, now))
    except BrokenPipeError:  # whoever read has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except OSError as error:
        raise LinesmanError(f"Cannot write {error.filename or 'the file'}: {error.strerror}.") from error
    _say(f"✓ {events:,} {'event' if events == 1 else 'events'} {span.words}.")
    return OK


@contextmanager
def _sink(path: Path | None) -> Iterator[BinaryIO]:
    """Yield where to write; a file gets its name when all of it is there."""
    if path is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    part = path.with_name(f"{path.name}.part")
    try:
        # For its owner alone, whatever the shell would give: it holds who did what, and to which numbers.
        part.unlink(missing_ok=True)
        with open(part, "xb", opener=private) as file:
            yield file
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
