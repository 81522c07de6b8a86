"""Whether temporary changes are in effect for as long as was approved, and go back once, and only as they were set."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from bot.sandbox.slack import SlackUser
from tests.simulation.wishes import Wish

if TYPE_CHECKING:
    from tests.simulation.world import World

#: How long before it is seen a plan may have been asked for; an end is on a whole minute.
SEEN: Final = timedelta(minutes=3)
MINUTE: Final = timedelta(minutes=1)
#: Settings whose values nobody can read.
SECRET: Final = ("external_pin",)
#: Each change in effect that has numbers which it does not hold, though no operator has released them.
NOT_HELD: Final = (
    "SELECT c.id, o.e164 FROM changes c JOIN operations o ON o.change_id = c.id "
    "WHERE c.state = 'in_effect' AND o.batch NOT NULL "
    "AND NOT EXISTS (SELECT 1 FROM locks l WHERE l.change_id = c.id AND l.number_id = o.number_id) "
    "AND NOT EXISTS (SELECT 1 FROM events e WHERE e.change_id = c.id AND e.what = 'unlocked')"
)
#: Numbers of changes in effect.
IN_EFFECT: Final = (
    "SELECT o.number_id, c.id FROM changes c JOIN operations o ON o.change_id = c.id "
    "WHERE c.state = 'in_effect' AND o.batch NOT NULL"
)
#: When each change in effect is to end.
GOES_ON: Final = "SELECT id, requester, ends_at FROM changes WHERE state = 'in_effect'"
#: Restores of a change that have left numbers to another one: they could not be changed then, or what was to be sent
#: with them, or they themselves, had changed.
POSTPONING: Final = (
    "SELECT id FROM changes WHERE part_of = ? AND state = 'finished' AND (json_array_length(draft, '$.postponed') > 0 "
    "OR EXISTS (SELECT 1 FROM operations o WHERE o.change_id = changes.id AND o.code = 'linesman.stale'))"
)
#: A number that one restore could not give back, which the next one tries again.
REFUSED: Final = "SELECT 1 FROM operations WHERE change_id = ? AND number_id = ? AND state = 'failed'"
#: What a temporary change has done to its numbers.
DONE: Final = "SELECT number_id, e164, state, before, after, found FROM operations WHERE change_id = ?"
#: States of numbers that were changed, or may have been.
CHANGED: Final = ("verified", "differs", "unverified")


class Restores:
    """Judges the temporary changes of one world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._rows = world.judge.rows
        self._wrong = world.judge.wrong
        #: Change -> when it was to end when it was asked for.
        self._meant: dict[int, datetime] = {}
        #: Who has pressed End, or typed it, for which change; and who may.
        self._ended: set[tuple[str, int]] = set()
        #: Change -> for how many minutes more somebody asked, and when.
        self._longer: dict[int, list[tuple[int, datetime]]] = {}
        #: Temporary change and number -> the changes that have given it back.
        self._given_back: dict[tuple[int, str], set[int]] = {}

    # What people do

    def shown(self, change: int, wish: Wish) -> None:
        """Note the end of a plan that somebody was shown; want it to be the one that was typed."""
        [(ends,)] = self._rows("SELECT ends_at FROM changes WHERE id = ?", change)
        if ends is not None:
            self._meant[change] = _aware(ends)
        if (ends is None) != (wish.minutes == 0):
            self._wrong(f"CHG-{change} ends at {ends}, and {wish} was meant")
        elif ends is not None and not self._world.judge.clock_set:
            self._check_end(f"CHG-{change}", _aware(ends), wish.minutes, self._world.nature.now() - SEEN)

    def ending(self, by: SlackUser, change: int) -> None:
        """Note that somebody is about to end a change."""
        self._ended.add((by.id, change))

    def extending(self, change: int, minutes: int) -> None:
        """Note that somebody is about to ask that it lasts so many minutes from now."""
        self._longer.setdefault(change, []).append((minutes, self._world.nature.now()))

    def redelivered(self) -> None:
        """Note that Slack is about to deliver a click again; one that was refused before may count now, from now on."""
        now = self._world.nature.now()
        for asked in self._longer.values():
            asked += [(minutes, now) for minutes in {minutes for minutes, _ in asked}]

    def end_of(self, change: int) -> datetime:
        """Return when a temporary change ends."""
        [(ends,)] = self._rows("SELECT ends_at FROM changes WHERE id = ?", change)
        return _aware(ends)

    def _check_end(self, what: str, ends: datetime, minutes: int, since: datetime) -> None:
        meant = since + timedelta(minutes=minutes)
        if not meant <= ends <= meant + SEEN + MINUTE:
            self._wrong(f"{what} ends at {ends}, and {minutes} minutes from about {since} were meant")

    # What goes out

    def look(self) -> None:
        """Want every change that is in effect to hold its numbers, and to end when it was approved to end."""
        for change, e164 in self._rows(NOT_HELD):
            self._wrong(f"CHG-{change} is in effect and does not hold {e164}")
        for change, requester, ends in self._rows(GOES_ON):
            self._judge_end(change, requester, _aware(ends))

    def sent(self, job: str, change: int, whole: int | None, numbers: Mapping[str, str]) -> None:
        """Want numbers that are sent, id -> E.164, to be of no change in effect but the one they are a part of."""
        self.look()
        for number, other in self._rows(IN_EFFECT):
            if number in numbers and other != whole and not self._world.judge.has_released(other):
                self._wrong(f"{job} of CHG-{change} is over {numbers[number]}, and CHG-{other} is in effect")
        if whole is not None:
            self._check_over(job, change, whole)
            for number, e164 in numbers.items():
                others = self._given_back.setdefault((whole, number), set())
                others.difference_update([each for each in others if self._rows(REFUSED, each, number)])
                others.add(change)
                if len(others) > 1:
                    self._wrong(f"{e164} is given back by several changes at the end of CHG-{whole}: {sorted(others)}")

    def _check_over(self, job: str, change: int, whole: int) -> None:
        """Want the end of a temporary change to have come when its numbers go back."""
        [(started,)] = self._rows("SELECT started_at FROM changes WHERE id = ?", change)
        early = self._rows("SELECT actor FROM events WHERE change_id = ? AND what = 'ended_early'", whole)
        if self._world.judge.clock_set or early or started is None:
            return
        meant = self._meant.get(self._world.revisions.planned_as(whole), self.end_of(whole))
        ends = max([meant, *self._later_ends(whole)])
        if _aware(started) < ends:
            self._wrong(f"{job} gives back at {started} what CHG-{whole} has changed, which ends at {ends}")

    def _later_ends(self, whole: int) -> list[datetime]:
        """Return the later ends that were asked for and came into force."""
        query = (
            "SELECT p.ends_at FROM changes p JOIN events e ON e.change_id = p.part_of AND e.what = 'extended' "
            "AND json_extract(e.details, '$.by') = 'CHG-' || p.id WHERE p.part_of = ?"
        )
        return [_aware(ends) for (ends,) in self._rows(query, whole)]

    def given_back(
        self, job: str, whole: int, number: str, settings: Mapping[str, Any], now: Mapping[str, Any] | None
    ) -> None:
        """Want a number to get what it had before a temporary change, if it is ``now`` as that has left it.

        ``now`` is None when that cannot be told: somebody has changed it a moment ago, or it is being sent again.
        """
        for id_, e164, _, before, after, found in self._rows(DONE, whole):
            if id_ != number:
                continue
            had, left = json.loads(before), json.loads(after)
            seen = {**left, **(json.loads(found) if found else {})}
            for name in sorted(set(left) - set(SECRET)):
                if name in settings and not _same(settings[name], had.get(name)):
                    old = had.get(name)
                    self._wrong(f"{job} sets {name} of {e164} to {settings[name]!r}; before CHG-{whole} it was {old!r}")
                if now is not None and name in now and not any(_same(now[name], each[name]) for each in (left, seen)):
                    self._wrong(
                        f"{job} gives {e164} back {name}, which CHG-{whole} has left as {seen[name]!r} and is now "
                        f"{now[name]!r}"
                    )

    # At the end

    def end(self) -> None:
        """Judge what became of every temporary change."""
        self.look()
        steps = Counter(self._rows("SELECT change_id, what FROM events WHERE change_id NOT NULL"))
        query = "SELECT id, state, requester, ends_at FROM changes WHERE ends_at NOT NULL AND part_of IS NULL"
        for change, state, requester, ends in self._rows(query):
            for step in ("in_effect", "ended", "ended_early"):
                if steps[change, step] > 1:
                    self._wrong(f"CHG-{change} was {step} {steps[change, step]} times")
            self._judge_parts(change, steps)
            self._judge_end(change, requester, _aware(ends))
            if state == "finished" and steps[change, "in_effect"]:
                self._judge_results(change)

    def _judge_parts(self, change: int, steps: Counter[Any]) -> None:
        parts = self._rows("SELECT id, state, ends_at NOT NULL FROM changes WHERE part_of = ?", change)
        restores = [state for _, state, extends in parts if not extends]
        postponing = self._rows(POSTPONING, change)
        if (
            len([state for state in restores if state != "stale"]) > 1 + len(postponing)
            or len(restores) != steps[change, "ending"]
        ):
            self._wrong(f"CHG-{change} ended {steps[change, 'ending']} times, and has restores that are {restores}")
        if restores and not steps[change, "in_effect"]:
            self._wrong(f"CHG-{change} was not in effect, and has restores that are {restores}")
        extensions = [part for part, state, extends in parts if extends and state == "finished"]
        if len(extensions) != steps[change, "extended"]:
            self._wrong(f"CHG-{change} was extended {steps[change, 'extended']} times by {extensions}")
        for extension in extensions:
            self._world.approvals.check(extension, f"an extension of CHG-{change}")

    def _judge_end(self, change: int, requester: str, ends: datetime) -> None:
        """Want its end to be what was asked for, approved or pressed by somebody who may."""
        early = self._rows("SELECT actor FROM events WHERE change_id = ? AND what = 'ended_early'", change)
        for (by,) in early:
            if (by, change) not in self._ended or by not in (requester, self._world.otto.id):
                self._wrong(f"CHG-{change} was ended early by {by}; who pressed End: {sorted(self._ended)}")
        later = self._later_ends(change)
        meant = self._meant.get(self._world.revisions.planned_as(change))
        if not early and meant is not None and ends != max([meant, *later]):
            self._wrong(f"CHG-{change} ends at {ends}; {meant} and {later} were approved")
        for each in later if not self._world.judge.clock_set else ():
            asked = self._longer.get(change, [])
            if not any(since <= each - timedelta(minutes=minutes) <= since + SEEN + MINUTE for minutes, since in asked):
                self._wrong(f"CHG-{change} was extended until {each}, and {asked} was asked for")

    def _judge_results(self, change: int) -> None:
        """Want every number that it has changed to be told as given back, or there to be a reason why not."""
        world, name = self._world, f"CHG-{change}-results.csv"
        sheets = [file.content for file in world.slack.files if file.name == name and file.channel is not None]
        told = {
            row["number"]: row.get("restored", "")
            for sheet in sheets
            for row in csv.DictReader(io.StringIO(sheet.decode("utf-8-sig"), newline=""))
        }
        excused = world.judge.has_released(change) or self._rows(
            "SELECT 1 FROM changes WHERE part_of = ? AND state IN ('cancelled', 'discarded') "
            "AND (problem <> '' OR stopped_at NOT NULL)",
            change,
        )
        for _, e164, state, *_ in self._rows(DONE, change):
            word = told.get(e164, "")
            if (state in CHANGED) != bool(word):
                self._wrong(f"{e164} was {state} by CHG-{change}, and at its end it is told as {word!r}")
            if state == "verified" and word in ("left", "not_restored") and not excused and e164 not in world.touched:
                self._wrong(f"{e164} of CHG-{change} is {word} at the end, and nobody else has changed it")


def _aware(at: str) -> datetime:
    return datetime.fromisoformat(at).replace(tzinfo=UTC)


def _same(one: Any, other: Any) -> bool:
    """Tell whether two values are the same where not set and empty are."""
    return bool(_set(one) == _set(other))


def _set(value: Any) -> Any:
    return None if value in ("", []) else value
