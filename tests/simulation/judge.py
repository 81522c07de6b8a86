"""Whether all is right at every step; it knows the stand-ins, and shares no code with the bot."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from bot.sandbox.slack import Delivery, Message, SlackUser
from tests.simulation.modals import ANSWERED
from tests.simulation.people import OPS

if TYPE_CHECKING:
    from bot.sandbox.close import Number
    from bot.sandbox.telnyx import Job
    from tests.simulation.world import World

#: For how long what was begun may be on its way.
UNDER_WAY: Final = timedelta(seconds=90)
#: Settings whose values nobody can read.
SECRET: Final = ("external_pin",)
_LATEST_STOP: Final = "SELECT max(at) FROM events WHERE change_id = ? AND what IN ('stopped', 'cancelled', 'unlocked')"


class Judge:
    """Watches one world."""

    def __init__(self, world: World) -> None:
        self._world = world
        #: Change and number -> the jobs that it was in.
        self._sent: defaultdict[tuple[int, str], list[str]] = defaultdict(list)
        #: Changes whose numbers an operator has released: nobody knows when what is at the provider is done there.
        self._released: set[int] = set()
        #: Whether the clock of the bot's machine was ever set: its times tell nothing from then on.
        self.clock_set = False

    def wrong(self, what: str) -> None:
        """Note what is wrong, once."""
        if what not in self._world.faults:
            self._world.trace.add(f"WRONG {what}")
            self._world.faults.append(what)

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Return the rows of a query on what is committed."""
        return self._world.disk.rows(query, *values)

    # What people do

    async def click(self, by: SlackUser, action: str, message: Message) -> None:
        """Have somebody press a button; they have to be answered when nothing is in the way."""
        if action == "approve":
            self._world.approvals.pressing(by, message)
        await self.act(by, action, by.click(action, message=message))

    async def act(self, by: SlackUser, what: str, act: Awaitable[Delivery]) -> None:
        """Have somebody press or choose something else; the same holds for it."""
        self._world.census.pressed(by, what)
        if await self._answered(by, f"pressed {what}", act):
            self._world.census.answered(what)

    async def command(self, by: SlackUser, text: str) -> None:
        """Have somebody type a command; the same holds for it."""
        self._world.census.typed(by, text)
        if await self._answered(by, f"typed {text}", by.command("/numbers", text, channel=OPS)):
            self._world.census.answered(text)

    async def _answered(self, by: SlackUser, did: str, act: Awaitable[Delivery]) -> bool:
        """Tell whether anything was shown for it."""
        world = self._world
        life, calls, full = world.process.life, len(world.slack.calls), world.disk.full
        before, left = self._shown(by), self._loading(by)
        delivery = await act
        world.trace.add(f"{by.profile.name} {did}: {delivery.error}")
        if delivery.error is None:
            patience = ANSWERED.total_seconds()
            await world.people.seen(lambda: self._shown(by) != before and not self._loads_for(by, left), patience)
            full = full or world.disk.full
            smooth = not world.modals.spoilt(calls) and not full
            if smooth and world.process.life is life and not life.over:
                if self._shown(by) == before:
                    self.wrong(f"{by.profile.name} {did} at {world.nature.now()} and was not answered")
                elif self._loads_for(by, left):
                    self.wrong(f"{by.profile.name} {did} at {world.nature.now()} and sits before a modal that loads")
        return self._shown(by) != before

    def _shown(self, by: SlackUser) -> object:
        view, told = by.view, self._world.slack.ephemerals(by.id)
        replaced = sum(each.edited_count for each in told)
        return len(told), replaced, view and (view.id, view.callback_id, str(view.content))

    def _loading(self, by: SlackUser) -> str:
        """Return the id of the modal on top that still loads; empty when none does."""
        return by.view.id if by.view is not None and by.view.callback_id == "loading" else ""

    def _loads_for(self, by: SlackUser, left: str) -> bool:
        """Tell whether a modal loads that is not the one that was ``left`` before: its bot may have died over that."""
        return self._loading(by) not in ("", left)

    def released(self, change: int) -> None:
        """Note that an operator is about to release the numbers of a change."""
        self._released.add(change)
        for (e164,) in self.rows("SELECT e164 FROM operations WHERE change_id = ?", change):
            self._world.touch(e164)

    def has_released(self, change: int) -> bool:
        """Return whether an operator has released the numbers of a change, or is about to."""
        return change in self._released

    def frozen(self) -> bool:
        """Return whether everything is frozen."""
        return bool(self.rows("SELECT 1 FROM freezes WHERE lifted_at IS NULL"))

    def somewhere(self, change: int) -> bool:
        """Return whether any job at Telnyx might be one of a change that the bot does not know yet."""
        numbers = {number for (number,) in self.rows("SELECT number_id FROM operations WHERE change_id = ?", change)}
        known = {job for (job,) in self.rows("SELECT job FROM batches WHERE change_id = ?", change)}
        return any(
            job.id not in known and numbers & {operation.id for operation in job.operations}
            for job in self._world.telnyx.jobs
        )

    # What goes out

    def job_made(self, job: Job) -> None:
        """Check a job that Telnyx has just taken."""
        self._world.adoptions.made(job)
        ids = [operation.id for operation in job.operations]
        settings = _flat(job.settings)
        for number, e164, whole, planned, wanted in self._sent_out("telnyx", ids, settings, job.id):
            now = {name: self._world.value("telnyx", e164, name) for name in wanted}
            self._check_fresh(job.id, e164, planned, now)
            if whole is not None:
                told = now if self._is_settled(e164) else None
                self._world.restores.given_back(job.id, whole, number, settings, told)

    def updated(self, before: Number, settings: dict[str, Any], call: str) -> None:
        """Check an update that Close has just carried out, on a number that was as ``before``."""
        had = {name: getattr(before, name) for name in settings}
        # What may have been sent may be sent again there.
        others = {name: value for name, value in had.items() if value != settings[name]}
        for number, e164, whole, planned, _ in self._sent_out("close", [before.id], settings, call):
            self._check_fresh(call, e164, planned, others)
            if whole is not None:
                told = others if self._is_settled(e164) else None
                self._world.restores.given_back(call, whole, number, settings, told)

    def _sent_out(
        self, provider: str, ids: list[str], settings: dict[str, Any], job: str
    ) -> list[tuple[str, str, int | None, dict[str, Any], dict[str, Any]]]:
        """Check what was sent, and return each number: id, E.164, what the plan found and what it is to have.

        In the midst of these is the temporary change whose numbers go back; None when it is no such thing.
        """
        marks = ",".join("?" * len(ids))
        asked = "o.number_id, o.e164, c.id, o.after, o.before, c.part_of"
        # What a plan leaves as it is belongs to no batch, and another change may have it meanwhile.
        found = self.rows(
            f"SELECT {asked} FROM operations o JOIN changes c ON c.id = o.change_id "  # noqa: S608 - no words of anybody
            f"WHERE c.state IN ('running', 'verifying', 'paused') "
            f"AND c.kind LIKE ? AND o.number_id IN ({marks}) AND o.batch IS NOT NULL",
            f"{provider}.%",
            *ids,
        )
        if len({change for _, _, change, *_ in found}) > 1:
            found = [row for row in found if row[2] not in self._released]
        changes = {change for _, _, change, *_ in found}
        if len(changes) != 1 or {number for number, *_ in found} != set(ids):
            self.wrong(f"{job} over {ids} belongs to the running changes {sorted(changes)}")
            return []
        [change] = changes
        self._check_freeze(job)
        self._check_stop(job, change)
        self._check_window(job, change)
        if all(sent != change for sent, _ in self._sent):
            self._check_time(job, change)
        whole = found[0][-1]
        self._world.restores.sent(job, change, whole, {number: e164 for number, e164, *_ in found})
        self._world.revisions.check(job, change)
        self._world.approvals.check(whole or change, job)  # the approval of a temporary change is for its end, too
        for number, _, _, after, *_ in found:
            wanted = json.loads(after)
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
        return [
            (number, e164, whole, json.loads(before), json.loads(after)) for number, e164, _, after, before, _ in found
        ]

    def _check_freeze(self, job: str) -> None:
        """Nothing goes out in a freeze but what was under way when it began."""
        for (at,) in self.rows("SELECT at FROM freezes WHERE lifted_at IS NULL"):
            self._check_long_ago(at, f"{job} was made, and everything is frozen")

    def _check_stop(self, job: str, change: int) -> None:
        """Nothing goes out of what was stopped, cancelled or unlocked but what was under way then."""
        for (at,) in self.rows(_LATEST_STOP, change):
            if at is not None:
                self._check_long_ago(at, f"{job} was made for CHG-{change}, which was stopped")

    def _check_long_ago(self, at: str, what: str) -> None:
        now, world = self._world.nature.now(), self._world
        began = _aware(at) - timedelta(seconds=world.nature.ahead)
        if now - began > UNDER_WAY and not self.clock_set:
            self.wrong(f"{what} since {began}; it is {now}")

    def _check_window(self, job: str, change: int) -> None:
        """Nothing goes out while the window of its change is shut but what was under way when it closed."""
        [(kind,)] = self.rows("SELECT kind FROM changes WHERE id = ?", change)
        now = self._world.nature.now() + timedelta(seconds=self._world.nature.ahead)
        if self._world.policy.shut(kind, now - UNDER_WAY, now) and not self.clock_set:
            self.wrong(f"{job} was made for CHG-{change} outside its window; it is {now}")

    def _check_time(self, job: str, change: int) -> None:
        """Nothing is begun before its time, or while its window is shut."""
        [(kind, starts, started)] = self.rows("SELECT kind, starts_at, started_at FROM changes WHERE id = ?", change)
        if started is None or self.clock_set:
            return
        began = _aware(started)
        if starts is not None and began < _aware(starts):
            self.wrong(f"{job} was made for CHG-{change}, which began at {began} and was to begin at {starts}")
        if self._world.policy.shut(kind, began - UNDER_WAY, began):
            self.wrong(f"{job} was made for CHG-{change}, which began at {began}, outside its window")

    def _check_fresh(self, job: str, e164: str, planned: dict[str, Any], now: dict[str, Any]) -> None:
        """Nothing is sent over a value that was another one when the plan was made, and has been so for a while."""
        for name, value in now.items() if self._is_settled(e164) else ():
            if name in planned and name not in SECRET and value != planned[name]:
                self.wrong(f"{job} changes {name} of {e164}, which was {planned[name]!r} in the plan and is {value!r}")

    def _is_settled(self, e164: str) -> bool:
        """Tell whether nobody can have changed a number a moment ago."""
        now = self._world.nature.loop.time()
        changed = e164 in self._world.touched and now - self._world.touched[e164] < UNDER_WAY.total_seconds()
        return not changed and not self._released  # jobs of what was released may change it at any time


def _aware(at: str) -> datetime:
    return datetime.fromisoformat(at).replace(tzinfo=UTC)


def _flat(settings: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested settings by their dotted names."""
    flat: dict[str, Any] = {}
    for name, value in settings.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[prefix + name] = value
    return flat
