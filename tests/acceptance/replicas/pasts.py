"""What a trial leaves behind in which all went right, made by hand, so that any one thing about it can be wrong."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import random
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from bot.sandbox.close.records import Update
from bot.sandbox.provider.calls import Call
from bot.sandbox.slack.records import File, Json, Message
from bot.sandbox.slack.workspace import BOT_USER
from bot.sandbox.telnyx import Job, JobOperation
from tests.acceptance.replicas.chronicle import Event, chronicle
from tests.acceptance.replicas.cluster import Cluster
from tests.acceptance.replicas.wishes import HAD, JOBS, REFUSED, WAVES, Course, Wanted, wanted
from tests.acceptance.replicas.workload import REQUESTERS, Fate
from tests.acceptance.workspace import APPROVALS, OPS

#: The changes, from CHG-1 on. The provider refuses a number of the first, fourth and seventh; the sixth is cancelled,
#: and of the last an approval is taken back.
COURSES: Final = (
    Course.CLOSE,
    Course.REVISED,
    Course.PLAIN,
    Course.WAVES,
    Course.STAGED,
    Course.PLAIN,
    Course.TEMPORARY,
    Course.STAGED,
)
CLOSE, REVISED, PLAIN, IN_WAVES, STAGED, CANCELLED, TEMPORARY, TAKEN_BACK = range(1, len(COURSES) + 1)
#: The request for a later end of the temporary change, and what gives its numbers back.
EXTENSION, RESTORE = len(COURSES) + 1, len(COURSES) + 2
#: When the changes were asked for, and when the third of them is to begin.
ASKED: Final = datetime(2026, 11, 30, 8, tzinfo=UTC)
STARTS: Final = ASKED + timedelta(minutes=1)

_TABLES: Final = """
PRAGMA synchronous = OFF;
CREATE TABLE changes (id, state, part_of, starts_at, ends_at);
CREATE TABLE events (id, change_id, at, actor, what, digest, details, hash);
CREATE TABLE audit_head (last, hash);
CREATE TABLE batches (change_id, state);
CREATE TABLE operations (e164, state, change_id, reference);
CREATE TABLE locks (number_id);
CREATE TABLE tasks (task, subject, owner);
CREATE TABLE outbox (key, state, error, topic, owner);
"""


@dataclass
class Past:
    """The past of one trial; ``write`` puts into the database what stands in the lists."""

    cluster: Cluster
    events: list[Event] = field(default_factory=chronicle)
    #: Statements that come last, with their values.
    besides: list[tuple[str, tuple[object, ...]]] = field(default_factory=list)
    #: By number of the change: the rows of its sheet of results.
    sheets: dict[int, list[dict[str, str]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._clock = iter(STARTS + timedelta(seconds=second) for second in range(1, 1000))
        drawn = wanted(self.cluster, random.Random(1), list(COURSES))  # noqa: S311 - no secret
        for number, each in enumerate(drawn, start=1):
            self._ask(number, _as_told(number, each))
        self.cluster.locks = "No numbers are locked."
        self.cluster.process.log.write_text("")

    # What people wanted, and what the providers did

    def _ask(self, number: int, each: Wanted) -> None:
        load, name = self.cluster.workload, f"CHG-{number}"
        load.wanted[name] = each
        load.requesters[name] = list(REQUESTERS)[number % len(REQUESTERS)]
        load.asked[name] = ASKED, ASKED + timedelta(seconds=5)
        load.fates[name] = Fate.CANCELLED if number == CANCELLED else Fate.APPROVED
        self.say(APPROVALS, f"{name}:approval_card", "Decided")
        if number in (CANCELLED, TAKEN_BACK):
            self.say(OPS, f"{name}:card", "⚪ Cancelled")
            return
        told = "Partly failed" if each.fails else "Succeeded"
        card = self.say(OPS, f"{name}:card", f"{told}\n@Max approved")
        self.sheets[number] = [*(self._at_close(each) if number == CLOSE else self._in_jobs(each))]
        if number == TEMPORARY:
            self.say(OPS, f"{name}:in_effect:thread", "In effect until Mon Nov 30, 2026, 12:00 (UTC)", below=card)
            self.say(APPROVALS, f"CHG-{EXTENSION}:approval_card", f"Extension of {name}")
            self._give_back(each, self.sheets[number])

    def _in_jobs(self, each: Wanted) -> Iterator[dict[str, str]]:
        lines = each.wish.numbers
        for job in range(JOBS):
            ids = [line.id for line in lines[job * len(lines) // JOBS : (job + 1) * len(lines) // JOBS]]
            # The second and the third wave part the numbers of a job.
            for some in [ids[:1], ids[1:]] if each.course is Course.WAVES and job == JOBS - 1 else [ids]:
                made = self.work(some, each.mark, failing=lines[REFUSED].id if each.fails else "")
                for operation in made.operations:
                    outcome = "verified" if operation.state == "successful" else "failed"
                    yield {"number": operation.phone_number, "outcome": outcome, "job": made.id, "restored": ""}

    def work(self, ids: Sequence[str], reference: str, *, failing: str = "") -> Job:
        """Have a job give numbers a reference, but for one that fails."""
        numbers = [self.cluster.telnyx.number(id_) for id_ in ids]
        job = Job(
            type="update_phone_numbers",
            body={},
            filtered=False,
            keys=list(ids),
            settings={"customer_reference": reference},
            operations=[JobOperation(number=each, id=each.id, phone_number=each.phone_number) for each in numbers],
            created_at=next(self._clock),
            seconds=0.5,
        )
        job.status, job.updated_at = "completed", next(self._clock)
        for operation in job.operations:
            operation.state = "failed" if operation.id == failing else "successful"
            if operation.state == "successful":
                operation.number.customer_reference = reference
        self.cluster.telnyx._book.all[job.id] = job
        return job

    def _give_back(self, each: Wanted, rows: list[dict[str, str]]) -> None:
        changed = [row for row in rows if row["outcome"] == "verified"]
        ids = {line.phone_number: line.id for line in each.wish.numbers}
        self.work([ids[row["number"]] for row in changed], HAD)
        for row in changed:
            row["restored"] = "verified"

    def _at_close(self, each: Wanted) -> Iterator[dict[str, str]]:
        close = self.cluster.close
        assert close is not None
        for position, line in enumerate(each.wish.numbers):
            path, at = f"/phone_number/{line.id}/", next(self._clock)
            close.calls.append(Call(method="PUT", path=path, query={}, body=None, at=at))
            refused = position == REFUSED and each.fails
            if not refused:
                close.number(line.phone_number).label = each.mark
                close._behaviour.updates.append(Update(number=line.phone_number, settings={"label": each.mark}, at=at))
            yield {
                "number": line.phone_number,
                "outcome": "failed" if refused else "verified",
                "job": "",
                "restored": "",
            }

    def asks(self, change: int) -> None:
        """Have it been wanted that somebody is asked between two waves of a change."""
        name = f"CHG-{change}"
        each = self.cluster.workload.wanted[name]
        self.cluster.workload.wanted[name] = replace(
            each, wish=replace(each.wish, besides={**each.wish.besides, "pause": "ask"})
        )

    # What the bot said, and wrote down

    def say(self, channel: str, key: str, text: str, *, below: Message | None = None, button: str = "") -> Message:
        """Have the bot say something under a key, perhaps in a thread, perhaps with a button."""
        elements = [{"type": "button", "action_id": button, "text": {"type": "plain_text", "text": button}}]
        buttons: list[Json] = [{"type": "actions", "elements": elements}] if button else []
        said = Message(
            channel=channel,
            ts=self.cluster.slack.workspace.next_ts(),
            user=BOT_USER,
            text=text,
            blocks=buttons,
            thread_ts=below.ts if below else None,
            metadata={"event_payload": {"key": key}},
        )
        return self.cluster.slack.workspace.add_message(said)

    def share(self, name: str, content: bytes) -> None:
        """Have a file shared in the channel where changes are asked for."""
        files = self.cluster.slack.workspace.files
        id_ = f"F{len(files)}"
        files[id_] = File(id=id_, name=name, title=name, user=BOT_USER, content=content, channel=OPS)

    def write(self) -> None:
        """Share the sheets, and write the database, with an audit log whose chain is whole."""
        for number, rows in self.sheets.items():
            text = io.StringIO(newline="")
            sheet = csv.DictWriter(text, ["number", "outcome", "job", "restored"])
            sheet.writeheader()
            sheet.writerows(rows)
            self.share(f"CHG-{number}-results.csv", text.getvalue().encode("utf-8-sig"))
        with closing(sqlite3.connect(self.cluster.database)) as database, database:
            database.executescript(_TABLES)
            ended = [(number, "finished", None, None, None) for number in self.sheets]
            parts = [(EXTENSION, "finished", TEMPORARY, None, "later"), (RESTORE, "finished", TEMPORARY, None, None)]
            database.executemany("INSERT INTO changes VALUES (?, ?, ?, ?, ?)", [*ended, *parts])
            database.execute("UPDATE changes SET starts_at = ? WHERE id = ?", (f"{STARTS:%Y-%m-%d %H:%M:%S}", PLAIN))
            database.executemany("INSERT INTO batches VALUES (?, 'settled')", [(number,) for number in self.sheets])
            database.execute("INSERT INTO operations VALUES ('', 'succeeded', 0, ?)", (self.cluster.story.plain,))
            database.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?)", _chained(self.events))
            database.execute("INSERT INTO audit_head SELECT id, hash FROM events ORDER BY id DESC LIMIT 1")
            for statement, values in self.besides:
                database.execute(statement, values)


def _as_told(number: int, each: Wanted) -> Wanted:
    """Return what is wanted with what is typed besides: chance decides that in a trial, and not here."""
    match number:
        case 3:
            besides = {"start": "in 1 minute"}
        case 4:
            besides = {"canary": WAVES}
        case 7:
            besides = {"until": "in 4 hours"}
        case _:
            besides = {}
    return replace(each, wish=replace(each.wish, besides=besides))


def _chained(events: Sequence[Event]) -> Iterator[tuple[object, ...]]:
    """Return the rows of the audit log, each with a hash over itself and the one before it."""
    before = "0" * 64
    for id_, event in enumerate(events, start=1):
        at = STARTS + timedelta(seconds=id_)
        said = [1, before, id_, event.change, at.isoformat(timespec="microseconds"), event.actor, event.what]
        text = json.dumps(
            [*said, event.digest, event.details], ensure_ascii=False, sort_keys=True, separators=(",", ":")
        )
        before = hashlib.sha256(text.encode()).hexdigest()
        yield (
            id_,
            event.change,
            f"{at:%Y-%m-%d %H:%M:%S}",
            event.actor,
            event.what,
            event.digest,
            json.dumps(event.details),
            before,
        )
