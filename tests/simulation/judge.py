"""Whether all is right, at every step and at the end; it knows the stand-ins, and shares no code with the bot."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import sqlite3
from collections import Counter, defaultdict
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from bot.sandbox.slack import Message, SlackUser
from tests.simulation.people import APPROVERS, buttons, key_of

if TYPE_CHECKING:
    from bot.sandbox.telnyx import Job
    from tests.simulation.world import World

#: Seconds within which whoever clicks is answered.
ANSWERED: Final = 60.0
#: For how long what was begun may be on its way.
UNDER_WAY: Final = timedelta(seconds=90)
#: States in which a change is over.
OVER: Final = ("finished", "discarded", "rejected", "expired", "cancelled", "stale")
#: State -> the steps that lead there, each of which is in the audit log.
STEPS: Final = {
    "finished": ("planned", "approval_requested", "approved", "started", "finished"),
    "rejected": ("planned", "approval_requested", "rejected"),
    "expired": ("planned", "approval_requested", "expired"),
}
#: Settings whose values nobody can read.
SECRET: Final = ("external_pin",)


class Judge:
    """Watches one world."""

    def __init__(self, world: World) -> None:
        self._world = world
        #: Who pressed Approve with which ticket.
        self._pressed: set[tuple[str, str]] = set()
        #: Change and number -> the jobs that it was in.
        self._sent: defaultdict[tuple[int, str], list[str]] = defaultdict(list)

    def wrong(self, what: str) -> None:
        """Note what is wrong, once."""
        if what not in self._world.faults:
            self._world.trace.add(f"WRONG {what}")
            self._world.faults.append(what)

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Return the rows of a query on what is committed."""
        with closing(sqlite3.connect(f"file:{self._world.disk.path}?mode=ro", uri=True)) as connection:
            return connection.execute(query, values).fetchall()

    # At every step

    async def click(self, by: SlackUser, action: str, message: Message) -> None:
        """Have somebody press a button; they have to be answered when nothing is in the way."""
        world = self._world
        life, calls = world.process.life, len(world.slack.calls)
        before = self._shown(by)
        for row in (block for block in message.blocks if block["type"] == "actions"):
            for element in row["elements"]:
                if action == "approve" == element["action_id"]:
                    self._pressed.add((by.id, str(element["value"])))
        delivery = await by.click(action, message=message)
        world.trace.add(f"{by.profile.name} pressed {action}: {delivery.error}")
        if delivery.error is None:
            await world.people.seen(lambda: self._shown(by) != before, ANSWERED)
            smooth = all(call.error is None for call in world.slack.calls[calls:]) and not world.disk.full
            if self._shown(by) == before and smooth and world.process.life is life and not life.over:
                self.wrong(f"{by.profile.name} pressed {action} at {world.nature.now()} and was not answered")

    def _shown(self, by: SlackUser) -> object:
        view = by.view
        return len(self._world.slack.ephemerals(by.id)), view and (view.callback_id, str(view.content))

    def job_made(self, job: Job) -> None:
        """Check a job that Telnyx has just taken."""
        ids = [operation.id for operation in job.operations]
        self._sent_out("telnyx", ids, _flat(job.settings), job.id)

    def updated(self, number_id: str, settings: dict[str, Any], call: str) -> None:
        """Check an update that Close has just carried out."""
        self._sent_out("close", [number_id], settings, call)

    def _sent_out(self, provider: str, ids: list[str], settings: dict[str, Any], job: str) -> None:
        marks = ",".join("?" * len(ids))
        asked = "o.number_id, c.id, c.digest, c.requester, c.approvals_required, o.after, o.before"
        found = self.rows(
            f"SELECT {asked} FROM operations o JOIN changes c ON c.id = o.change_id "  # noqa: S608 - no words of anybody
            f"WHERE c.state IN ('running', 'verifying', 'paused') "
            f"AND c.kind LIKE ? AND o.number_id IN ({marks})",
            f"{provider}.%",
            *ids,
        )
        changes = {change for _, change, *_ in found}
        if len(changes) != 1 or {number for number, *_ in found} != set(ids):
            self.wrong(f"{job} over {ids} belongs to the running changes {sorted(changes)}")
            return
        [change] = changes
        self._check_freeze(job)
        for number, _, digest, requester, required, after, planned in found:
            self._check_approved(change, digest, requester, required)
            wanted = json.loads(after)
            if provider == "telnyx":
                self._check_fresh(job, number, json.loads(planned), wanted)
            strange = {
                name: value
                for name, value in settings.items()
                if name in wanted and name not in SECRET and wanted[name] != value
            }
            if strange:
                self.wrong(f"{job} sets {strange} on {number}, and CHG-{change} was approved for {wanted}")
            self._sent[change, number].append(job)
            if len(set(self._sent[change, number])) > 1 and provider == "telnyx":
                self.wrong(f"{number} of CHG-{change} is in the jobs {self._sent[change, number]}")

    def _check_freeze(self, job: str) -> None:
        """Nothing goes out in a freeze but what was under way when it began."""
        now = self._world.nature.now()
        for (at,) in self.rows("SELECT at FROM freezes WHERE lifted_at IS NULL"):
            began = datetime.fromisoformat(at).replace(tzinfo=UTC) - timedelta(seconds=self._world.nature.ahead)
            if now - began > UNDER_WAY:
                self.wrong(f"{job} was made at {now}, and everything is frozen since {began}")

    def _check_fresh(self, job: str, number: str, before: dict[str, Any], wanted: dict[str, Any]) -> None:
        """Nothing is sent over a value that was another one when the plan was made, and has been so for a while."""
        world = self._world
        e164 = world.telnyx.number(number).phone_number
        if world.nature.loop.time() - world.touched.get(e164, world.nature.loop.time()) < UNDER_WAY.total_seconds():
            return
        for name in wanted:
            if name in before and name not in SECRET and (now := world.value("telnyx", e164, name)) != before[name]:
                self.wrong(f"{job} changes {name} of {e164}, which was {before[name]!r} in the plan and is {now!r}")

    def _check_approved(self, change: int, digest: str, requester: str, required: int) -> None:
        people = [
            person
            for (person,) in self.rows(
                "SELECT person FROM decisions WHERE change_id = ? AND verb = 'approve' AND digest = ? AND lapse = ''",
                change,
                digest,
            )
        ]
        pressed = [user for user, ticket in self._pressed if ticket.startswith(f"{change}:{digest}")]
        if len(people) < required or not set(people) <= set(pressed) & APPROVERS - {requester}:
            self.wrong(f"CHG-{change} runs, approved by {people}; Approve was pressed with its digest by {pressed}")

    # At the end

    def unfinished(self) -> list[str]:
        """Return what still goes on, or waits for somebody."""
        left = [
            f"CHG-{id_} is {state}"
            for id_, state in self.rows("SELECT id, state FROM changes")
            if state not in (*OVER, "planned")
        ]
        left += [
            f"message {key} is {state}: {error}"
            for key, state, error in self.rows("SELECT key, state, error FROM outbox WHERE state = 'pending'")
        ]
        left += [
            f"task {task} of {subject}"
            for task, subject in self.rows(
                "SELECT task, subject FROM tasks WHERE task NOT IN ('discard', 'wipe', 'prune')"
            )
        ]
        return left

    def became(self) -> Counter[str]:
        """Count the changes by state and outcome, and the lives of the process."""
        states = self.rows("SELECT coalesce(outcome, state), count(*) FROM changes GROUP BY 1")
        return Counter(dict(states)) + Counter({"lives": self._world.process.life.number + 1})

    def end(self) -> None:
        """Judge what became of everything."""
        for what in self.unfinished():
            self.wrong(f"at the end {what}")
        self._every_number_is_accounted_for()
        self._the_values_are_as_told()
        self._everything_was_said_once()
        self._every_step_was_written_down()
        self._the_chain_is_whole()
        self._nothing_is_held()
        self._no_modal_is_stuck()

    def _every_number_is_accounted_for(self) -> None:
        half = self.rows(
            "SELECT o.change_id, o.e164, o.state FROM operations o JOIN changes c ON c.id = o.change_id "
            "WHERE c.state = 'finished' AND o.state IN ('waiting', 'submitted', 'succeeded', 'unknown')"
        )
        for change, e164, state in half:
            self.wrong(f"{e164} of CHG-{change} is {state} at the end")
        for (change,) in self.rows("SELECT id FROM changes WHERE state = 'finished'"):
            name = f"CHG-{change}-results.csv"
            sheets = [
                file.content for file in self._world.slack.files if file.name == name and file.channel is not None
            ]
            if len(sheets) != 1:
                self.wrong(f"{name} was shared {len(sheets)} times")
                continue
            told = Counter(
                row["number"] for row in csv.DictReader(io.StringIO(sheets[0].decode("utf-8-sig"), newline=""))
            )
            asked = Counter(e164 for (e164,) in self.rows("SELECT e164 FROM operations WHERE change_id = ?", change))
            if any(times != 1 for times in told.values()) or not set(asked) <= set(told):
                self.wrong(f"{name} tells {told}, and {asked} were asked for")

    def _the_values_are_as_told(self) -> None:
        """Compare what was verified last with what is so, unless somebody else has been there."""
        world = self._world
        expected: dict[tuple[str, str, str], Any] = {}
        query = (
            "SELECT c.kind, o.e164, o.state, o.after FROM operations o JOIN changes c ON c.id = o.change_id "
            "WHERE c.started_at IS NOT NULL ORDER BY c.started_at, c.id"
        )
        for kind, e164, state, after in self.rows(query):
            provider = kind.partition(".")[0]
            wanted = {"": None} if kind == "telnyx.delete" else json.loads(after)
            for name, value in wanted.items():
                if state == "verified":
                    expected[provider, e164, name] = value
                elif state != "not_attempted":
                    expected.pop((provider, e164, name), None)
        for (provider, e164, name), value in expected.items():
            if e164 in world.touched or name in SECRET:
                continue
            if (now := world.value(provider, e164, name)) != value:
                self.wrong(f"{name} of {e164} was verified as {value!r}, and is {now!r}")

    def _everything_was_said_once(self) -> None:
        said = Counter(key for each in self._world.people.messages() if (key := key_of(each)))
        for key, times in said.items():
            if times > 1:
                self.wrong(f"{key} was posted {times} times")
        for complaint in self._world.slack.complaints:
            self.wrong(f"Slack has to bear: {complaint}")
        over = dict(self.rows("SELECT id, state FROM changes"))
        for each in self._world.people.messages():
            name = re.fullmatch(r"CHG-(\d+):(?:approval_)?card", key_of(each))
            if name and over[int(name[1])] in OVER and {"approve", "go_on"} & set(buttons(each)):
                self.wrong(f"{key_of(each)} has buttons, and the change is {over[int(name[1])]}")

    def _every_step_was_written_down(self) -> None:
        """Want each step of each change in the audit log, once."""
        told = Counter(self.rows("SELECT change_id, what FROM events WHERE change_id IS NOT NULL"))
        for change, state, approvals in self.rows("SELECT id, state, approvals_required FROM changes"):
            for step in ("proposed", *STEPS.get(state, ())):
                if told[change, step] != (approvals if step == "approved" else 1):
                    self.wrong(f"CHG-{change} is {state}, and {step} was written down {told[change, step]} times")

    def _the_chain_is_whole(self) -> None:
        before, last = "0" * 64, 0
        query = "SELECT id, change_id, at, actor, what, digest, details, hash FROM events ORDER BY id"
        for id_, change, at, actor, what, digest, details, told in self.rows(query):
            moment = datetime.fromisoformat(at).replace(tzinfo=UTC).isoformat(timespec="microseconds")
            said = [1, before, id_, change, moment, actor, what, digest, json.loads(details)]
            text = json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
            before, last = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest(), id_
            if before != told:
                self.wrong(f"the audit log breaks at event {id_}")
                return
        if self.rows("SELECT last, hash FROM audit_head") != [(last, before)]:
            self.wrong("the audit log does not end with its head")

    def _nothing_is_held(self) -> None:
        query = "SELECT l.number_id, c.id, c.state FROM locks l JOIN changes c ON c.id = l.change_id"
        for number, change, state in self.rows(query):
            if state in OVER:
                self.wrong(f"CHG-{change} is {state} and holds {number}")

    def _no_modal_is_stuck(self) -> None:
        for person, stack in self._world.slack.workspace.views.stacks.items():
            for view in stack:
                if (
                    view.callback_id == "preview"
                    and not view.content.get("submit")
                    and not any(block["type"] == "actions" for block in view.blocks)
                ):
                    self.wrong(f"{person} sits before {view.title!r}: {view.blocks}")


def _flat(settings: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested settings by their dotted names."""
    flat: dict[str, Any] = {}
    for name, value in settings.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[prefix + name] = value
    return flat
