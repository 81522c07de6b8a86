"""Logs: one line per event, as JSON or for the console, with every secret removed.

Linesman's own events (structlog) and those of the libraries (logging) end in one handler on standard error, so that
nothing bypasses the redaction.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Final, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from bot.changes.model.public_ids import public_id
from bot.changes.model.values import MASK
from bot.telemetry import tracing

#: The shapes of secrets. Slack: api.slack.com tokens; Telnyx keys start with KEY; Close keys with api_; the others are
#: ways to carry a secret.
_SHAPES: Final = (
    r"\bxox[a-z](?:\.xox[a-z])?-[\w-]+",
    r"\bxapp-[\w-]+",
    r"\bKEY(?=[\w-]*\d)[\w-]{6,}",
    r"\bapi_\w{8,}\.\w{8,}",
    r"(?i:(?<=bearer ))\s*[\w.~+/=-]{6,}",
    r"(?i:(?<=basic ))\s*(?=[\w.~+/=-]*[\d+/=])[\w.~+/=-]{6,}",
    r"(?<=://)[^/\s:@]*:[^/\s@]+(?=@)",
    r"(?<=hooks\.slack\.com/)\S+",
)
_NAMES: Final = r"(?:token|authorization|external[_-]pin|api[_-]?key|secret|password|ticket)"
#: A key whose value is a secret: one of the names above alone or at the end of a longer name (bot_token,
#: signing_secret).
_SECRET_KEY: Final = re.compile(rf"(?:.*_)?(?:{_NAMES}s?|secret_keys?)")
#: ``"external_pin": "1234"``, ``external_pin='1234'``, ``token=…&``: a secret inside a text.
_ASSIGNED: Final = re.compile(
    rf"""(?ix) (?P<name> {_NAMES} (?:\\*["'])? \s* [:=] \s* )
         (?: (?P<quote>["']) (?: \\. | (?!(?P=quote)). )* (?P=quote)   # quoted
           | \\+["'] [^"'\\]*                                         # quoted inside a quoted text
           | [^\s"',;&)}}\]]+ )"""
)
#: Masking a shorter known secret would damage ordinary words.
_SHORTEST: Final = 6


class Redaction:
    """Removes secrets from texts and events: known ones by value, others by shape or by the key's name."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = sorted({secret for secret in secrets if len(secret) >= _SHORTEST}, key=len, reverse=True)
        self._values = re.compile("|".join([*map(re.escape, known), *_SHAPES]))

    def text(self, text: str) -> str:
        """Return ``text`` with every secret masked."""
        return _ASSIGNED.sub(rf"\g<name>{MASK}", self._values.sub(MASK, text))

    def value(self, value: object) -> object:
        """Return ``value`` in printable form: containers are searched, unknown objects become text."""
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.text(str(key)): self._entry(str(key), item) for key, item in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self.value(item) for item in value]
        return self.text(str(value) if isinstance(value, date | timedelta) else repr(value))

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        """Redact a whole event; a structlog processor."""
        return {key: self._entry(key, item) for key, item in event.items()}

    def _entry(self, key: str, item: object) -> object:
        secret = item is not None and _SECRET_KEY.fullmatch(key.lower().replace("-", "_"))
        return MASK if secret else self.value(item)


class _LogHandler(logging.StreamHandler[TextIO]):
    """The handler that :func:`configure` installs, and replaces when called again."""


def configure(
    level: str,
    style: str,
    *,
    libraries: Iterable[str] = (),
    secrets: Iterable[str] = (),
    replica: str = "",
    stream: TextIO | None = None,
) -> None:
    """Send all logs to ``stream`` (standard error) from ``level`` (``info``, …) on, as ``json`` or ``console`` lines.

    Debug output of libraries, above all the drivers, doubles the work of a run and is left out, except for the named
    ``libraries``. Every line carries the name of this process, ``replica``, if there is one. ``secrets`` are texts that
    must never be printed, as listed by :meth:`bot.config.Settings.secrets`. May be called again; the last call counts.
    """
    common: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        _named(replica),
        _about,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
    ]
    handler = _LogHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=common,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                Redaction(secrets),
                _renderer(style, colours=handler.stream.isatty()),
            ],
        )
    )
    root = logging.getLogger()
    for old in [old for old in root.handlers if isinstance(old, _LogHandler)]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(max(logging.INFO, logging.getLevelNamesMapping()[level.upper()]))
    logging.getLogger("bot").setLevel(level.upper())
    for name in libraries:
        logging.getLogger(name).setLevel(level.upper())
    # The HTTP client logs every request at level info, thousands of lines for one change, with the reason phrase; at
    # level debug also the headers of answers, in which a provider may quote a PIN unknown to the redaction. The
    # migration tool logs each step; one line of ours has the result.
    for chatty in ("httpx", "httpcore", "alembic"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *common,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
    )


def _renderer(style: str, *, colours: bool) -> Processor:
    if style == "json":
        return structlog.processors.JSONRenderer(ensure_ascii=False)
    # The console's default traceback shows local variables, which redaction could see only as text.
    return structlog.dev.ConsoleRenderer(colors=colours, exception_formatter=structlog.dev.plain_traceback)


def _named(replica: str) -> Processor:
    """Return a processor that adds the name of this process to every line."""

    def name(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        return {**event, "replica": replica} if replica else event

    return name


def _about(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Give a line the public id of its change: the one that it names, or the one of the current work."""
    change = event.get("change", tracing.current())
    return {**event, "change": public_id(change)} if isinstance(change, int) else event
