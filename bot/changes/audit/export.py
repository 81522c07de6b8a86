"""The audit log as a file, for a span of time: a line for every event."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from enum import Enum
from typing import Final

from bot.changes.audit.events import Event
from bot.changes.model.public_ids import public_id
from bot.changes.model.values import canonical
from bot.changes.text.cells import fitted, guard, guard_json
from bot.errors import InputError

#: The columns of the CSV form and the keys of the JSONL form.
COLUMNS: Final = ("id", "at", "change", "actor", "what", "digest", "details", "hash")

_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")


class AuditFormat(Enum):
    """The format of a file of events."""

    CSV = "csv"  #: for spreadsheets
    JSONL = "jsonl"  #: for programs: one JSON object per line


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """A half-open span of time: from ``since`` on, and before ``until``."""

    #: None for the beginning of the audit log.
    since: datetime | None
    until: datetime

    @property
    def words(self) -> str:
        """The span as people read it, in UTC."""
        since = f"from {_short(self.since)}" if self.since else "from the beginning"
        return f"{since} to before {_short(self.until)} (UTC)"

    def file_name(self, form: AuditFormat) -> str:
        """Return ``linesman-audit-2026-11-01-to-2026-12-01.csv``."""
        since = f"{self.since:%Y-%m-%d}" if self.since else "beginning"
        return f"linesman-audit-{since}-to-{self.until:%Y-%m-%d}.{form.value}"


def read_moment(text: str) -> datetime:
    """Return the moment that ``2026-11-01`` (its first instant in UTC) or ``2026-11-01T22:00+01:00`` means.

    A time without a zone is UTC. Raises :class:`bot.errors.InputError`.
    """
    try:
        if _DAY.fullmatch(text):
            return datetime.combine(date.fromisoformat(text), time.min, UTC)
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise InputError(
            {"dates": f"“{text[:40]}” is not a date: write 2026-11-01, or 2026-11-01T22:00+01:00 for a moment."}
        ) from None


def read_span(since: str, until: str, now: datetime) -> Span:
    """Return the span between two dates; an empty ``since`` is the beginning, an empty ``until`` is ``now``.

    The part after ``now`` is cut off, so that the span is over. Raises :class:`bot.errors.InputError`.
    """
    start = read_moment(since) if since else None
    end = read_moment(until) if until else now
    if start is not None and start >= end:
        raise InputError(
            {
                "dates": f"Nothing lies from {_short(start)} to before {_short(end)}: the second date must be later "
                "than the first. The second date is excluded, so one day is 2026-11-01 to 2026-11-02."
            }
        )
    if start is not None and start >= now:
        raise InputError({"dates": f"{_short(start)} is in the future, so there are no events since then."})
    return Span(since=start, until=min(end, now))


def read_words(words: Sequence[str], *, since: str, now: datetime) -> tuple[Span, AuditFormat]:
    """Return the meaning of ``[FROM] [TO] [csv|jsonl]``; without a date, from ``since`` on. Raises InputError."""
    forms = [word.lower() for word in words if word.lower() in {form.value for form in AuditFormat}]
    dates = [word for word in words if word.lower() not in forms]
    if len(forms) > 1 or len(dates) > 2:
        raise InputError({"dates": "Give at most two dates, and csv or jsonl: 2026-11-01 2026-12-01 csv"})
    span = read_span(dates[0] if dates else since, dates[1] if len(dates) == 2 else "", now)
    return span, AuditFormat(forms[0]) if forms else AuditFormat.CSV


def header(form: AuditFormat) -> bytes:
    """Return the bytes before the first event.

    CSV begins with a byte-order mark, which is how Excel knows the encoding.
    """
    return b"\xef\xbb\xbf" + _row(COLUMNS) if form is AuditFormat.CSV else b""


def line(form: AuditFormat, event: Event) -> bytes:
    """Return the line of one event. Times are ISO 8601 in UTC; no cell of the CSV form can start a formula."""
    at = event.at.astimezone(UTC).isoformat(timespec="microseconds")
    change = public_id(event.change) if event.change is not None else None
    if form is AuditFormat.CSV:
        details = guard_json(canonical(event.details))
        before = (str(event.id), at, change or "", event.actor, event.what, event.digest)
        return _row((*map(guard, before), fitted(details), guard(event.hash)))
    told = (event.id, at, change, event.actor, event.what, event.digest, dict(event.details), event.hash)
    return json.dumps(dict(zip(COLUMNS, told, strict=True))).encode() + b"\n"


def _row(cells: Sequence[str]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerow(cells)
    # Half a surrogate pair, which people can send, has no UTF-8 encoding.
    return text.getvalue().encode(errors="backslashreplace")


def _short(moment: datetime) -> str:
    midnight = moment.time() == time.min
    return f"{moment:%Y-%m-%d}" if midnight else f"{moment:%Y-%m-%d %H:%M}"
