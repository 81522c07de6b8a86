"""Whether all is right at the end of a world, after its faults have stopped."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from bot.sandbox.slack import Message
from tests.simulation.judge import SECRET
from tests.simulation.people import buttons, key_of

if TYPE_CHECKING:
    from tests.simulation.world import World

Rows = Callable[..., list[tuple[Any, ...]]]

#: States in which a change is over.
OVER: Final = ("finished", "discarded", "rejected", "expired", "cancelled", "stale")
#: State -> the steps that lead there, each of which is in the audit log.
STEPS: Final = {
    "finished": ("planned", "approval_requested", "approved", "started", "finished"),
    "rejected": ("planned", "approval_requested", "rejected"),
    "expired": ("planned", "approval_requested", "expired"),
}
#: The same of a temporary change that was in effect, of what restores its numbers, and of a request for a later end.
IN_EFFECT: Final = {"finished": ("planned", "approval_requested", "approved", "started", "in_effect", "ended")}
RESTORE: Final = {"finished": ("planned", "covered", "started", "finished")}
EXTENSION: Final = {
    "finished": ("approval_requested", "approved", "finished"),
    "rejected": ("approval_requested", "rejected"),
    "expired": ("approval_requested", "expired"),
}
#: Steps that are counted.
TOLD: Final = ("in_effect", "extended", "ended_early", "changes_requested", "plan_replaced")
#: Approvals that count no more, for the plan was replaced after them.
FALLEN: Final = (
    "SELECT e.change_id FROM events e WHERE e.what = 'approved' AND EXISTS (SELECT 1 FROM events later "
    "WHERE later.change_id = e.change_id AND later.what = 'plan_replaced' AND later.id > e.id)"
)
#: Approvals that counted no more before anything of the change had begun, because a lent right was taken back; but for
#: those that fell with their plan.
LAPSED: Final = (
    "SELECT e.change_id FROM events e WHERE e.what = 'approval_lapsed' AND NOT EXISTS (SELECT 1 FROM events other "
    "WHERE other.change_id = e.change_id AND ((other.what = 'started' AND other.id < e.id) "
    "OR (other.what = 'plan_replaced' AND other.id > e.id)))"
)
#: After these nothing of a change is sent.
STOPS: Final = ("stopped", "cancelled", "unlocked", "stale")
#: Steps that are never taken where nobody loses a right and nobody writes into the database: what came before them
#: has let something pass.
NEVER: Final = ("not_approved", "not_allowed", "digest_mismatch")


def unfinished(rows: Rows) -> list[str]:
    """Return what still goes on, or waits for somebody."""
    left = [
        f"CHG-{id_} is {state}"
        for id_, state in rows("SELECT id, state FROM changes")
        if state not in (*OVER, "planned")
    ]
    left += [
        f"message {key} is {state}: {error}"
        for key, state, error in rows("SELECT key, state, error FROM outbox WHERE state = 'pending'")
    ]
    left += [
        f"task {task} of {subject}"
        for task, subject in rows("SELECT task, subject FROM tasks WHERE task NOT IN ('discard', 'wipe', 'prune')")
    ]
    return left


class Ending:
    """Judges the end of one world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._rows = world.judge.rows
        self._wrong = world.judge.wrong

    def became(self) -> Counter[str]:
        """Count the changes by state and outcome, a few steps of temporary ones, and the lives of the process."""
        states = self._rows("SELECT coalesce(outcome, state), count(*) FROM changes GROUP BY 1")
        steps = self._rows(f"SELECT what, count(*) FROM events WHERE what IN {TOLD} GROUP BY 1")  # noqa: S608 - our own words
        return Counter(dict(states + steps)) + Counter({"lives": self._world.process.life.number + 1})

    def end(self) -> None:
        """Judge what became of everything."""
        for what in unfinished(self._rows):
            self._wrong(f"at the end {what}")
        self._every_number_is_accounted_for()
        self._the_values_are_as_told()
        self._everything_was_said_once()
        self._every_step_was_written_down()
        self._nothing_goes_out_after_a_stop()
        self._the_rest_was_let_go_by_who_may()
        self._the_chain_is_whole()
        self._nothing_is_held()
        self._world.modals.end()
        self._world.approvals.end()
        self._world.restores.end()
        self._world.revisions.end()
        self._world.delegations.end()
        self._world.adoptions.end()

    def _every_number_is_accounted_for(self) -> None:
        half = self._rows(
            "SELECT o.change_id, o.e164, o.state FROM operations o JOIN changes c ON c.id = o.change_id "
            "WHERE c.state = 'finished' AND o.state IN ('waiting', 'submitted', 'succeeded', 'unknown')"
        )
        for change, e164, state in half:
            self._wrong(f"{e164} of CHG-{change} is {state} at the end")
        for (change,) in self._rows("SELECT id FROM changes WHERE state = 'finished' AND part_of IS NULL"):
            name = f"CHG-{change}-results.csv"
            sheets = [
                file.content for file in self._world.slack.files if file.name == name and file.channel is not None
            ]
            if len(sheets) != 1:
                self._wrong(f"{name} was shared {len(sheets)} times")
                continue
            told = Counter(
                row["number"] for row in csv.DictReader(io.StringIO(sheets[0].decode("utf-8-sig"), newline=""))
            )
            asked = Counter(e164 for (e164,) in self._rows("SELECT e164 FROM operations WHERE change_id = ?", change))
            if any(times != 1 for times in told.values()) or not set(asked) <= set(told):
                self._wrong(f"{name} tells {told}, and {asked} were asked for")

    def _the_values_are_as_told(self) -> None:
        """Compare what was verified last with what is so, unless somebody else has been there.

        What came last is told by the order of the audit log: the clock of the bot's machine may have been set back.
        """
        world = self._world
        expected: dict[tuple[str, str, str], Any] = {}
        query = (
            "SELECT c.kind, o.e164, o.state, o.after FROM operations o JOIN changes c ON c.id = o.change_id "
            "JOIN events e ON e.change_id = c.id AND e.what = 'started' ORDER BY e.id"
        )
        for kind, e164, state, after in self._rows(query):
            provider = kind.partition(".")[0]
            wanted = {"": None} if kind == "telnyx.delete" else json.loads(after)
            if kind == "telnyx.delete" and state != "not_attempted":  # what it had before has gone with it, or may have
                expected = {each: value for each, value in expected.items() if each[:2] != (provider, e164)}
            if wanted.get("emergency_enabled") is False:  # its address goes with it
                expected.pop((provider, e164, "emergency_address_id"), None)
            for name, value in wanted.items():
                if state == "verified":
                    expected[provider, e164, name] = value
                elif state != "not_attempted":
                    expected.pop((provider, e164, name), None)
        for (provider, e164, name), value in expected.items():
            if e164 in world.touched or name in SECRET:
                continue
            if (now := world.value(provider, e164, name)) != value:
                self._wrong(f"{name} of {e164} was verified as {value!r}, and is {now!r}")

    def _everything_was_said_once(self) -> None:
        said = Counter(self._said(each) for each in self._world.people.messages() if key_of(each))
        for key, times in said.items():
            if times > 1:
                self._wrong(f"{key} was posted {times} times")
        for complaint in self._world.slack.complaints:
            self._wrong(f"Slack has to bear: {complaint}")
        over = dict(self._rows("SELECT id, state FROM changes"))
        for each in self._world.people.messages():
            name = re.fullmatch(r"CHG-(\d+):(?:approval_)?card", key_of(each))
            if name and over[int(name[1])] in OVER and {"approve", "go_on"} & set(buttons(each)):
                self._wrong(f"{key_of(each)} has buttons, and the change is {over[int(name[1])]}")

    def _said(self, message: Message) -> str:
        """Return what a message says; of a lent right two people are told, each by one of their own."""
        key = key_of(message)
        return f"{key} in {message.channel}" if key.startswith("delegation:") else key

    def _every_step_was_written_down(self) -> None:
        """Want each step of each change in the audit log, once."""
        told = Counter(self._rows("SELECT change_id, what FROM events WHERE change_id IS NOT NULL"))
        fallen = Counter(change for (change,) in self._rows(f"{FALLEN} UNION ALL {LAPSED}"))
        for (change, step), times in told.items():
            if step in NEVER and not (step == "not_approved" and told[change, "approval_lapsed"]):
                self._wrong(f"CHG-{change} was {step}, {times} times")
        query = "SELECT id, state, approvals_required, part_of, ends_at FROM changes"
        for change, state, approvals, whole, ends in self._rows(query):
            steps = STEPS if whole is None else RESTORE if ends is None else EXTENSION
            for step in ("proposed", *(IN_EFFECT if told[change, "in_effect"] else steps).get(state, ())):
                times = told[change, step] - (fallen[change] if step == "approved" else 0)
                wanted = {"approved": approvals, "approval_requested": 1 + told[change, "plan_replaced"]}
                if times != wanted.get(step, 1):
                    self._wrong(f"CHG-{change} is {state}, and {step} was written down {told[change, step]} times")

    def _nothing_goes_out_after_a_stop(self) -> None:
        """Want no batch to be sent in a freeze, or of a change that was stopped, by the order of the audit log."""
        frozen, stopped = False, set()
        parts = dict(self._rows("SELECT id, part_of FROM changes"))
        for change, what in self._rows("SELECT change_id, what FROM events ORDER BY id"):
            if what in ("frozen", "unfrozen"):
                frozen = what == "frozen"
            elif what in STOPS:
                stopped.add(change)
            if what == "unlocked":
                stopped |= {part for part, whole in parts.items() if whole == change}
            elif what == "batch_submitting" and (frozen or change in stopped):
                self._wrong(f"CHG-{change} sent a batch after {'a freeze' if frozen else 'it was stopped'}")

    def _the_rest_was_let_go_by_who_may(self) -> None:
        """Want a rollout to have been continued by itself, its requester or an operator."""
        query = (
            "SELECT c.id, c.requester, e.actor FROM events e JOIN changes c ON c.id = e.change_id "
            "WHERE e.what = 'continued' AND e.actor <> 'linesman'"
        )
        for change, requester, actor in self._rows(query):
            if actor not in (requester, self._world.otto.id):
                self._wrong(f"CHG-{change} of {requester} was continued by {actor}")

    def _the_chain_is_whole(self) -> None:
        before, last = "0" * 64, 0
        query = "SELECT id, change_id, at, actor, what, digest, details, hash FROM events ORDER BY id"
        for id_, change, at, actor, what, digest, details, told in self._rows(query):
            moment = datetime.fromisoformat(at).replace(tzinfo=UTC).isoformat(timespec="microseconds")
            said = [1, before, id_, change, moment, actor, what, digest, json.loads(details)]
            text = json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
            before, last = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest(), id_
            if before != told:
                self._wrong(f"the audit log breaks at event {id_}")
                return
        if self._rows("SELECT last, hash FROM audit_head") != [(last, before)]:
            self._wrong("the audit log does not end with its head")

    def _nothing_is_held(self) -> None:
        query = "SELECT l.number_id, c.id, c.state FROM locks l JOIN changes c ON c.id = l.change_id"
        for number, change, state in self._rows(query):
            if state in OVER:
                self._wrong(f"CHG-{change} is {state} and holds {number}")
