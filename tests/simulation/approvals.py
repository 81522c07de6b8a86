"""Whether what runs was approved in just that digest, and what approvers say with it is kept and shown."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from bot.sandbox.slack import Message, SlackUser, View
from tests.simulation.people import APPROVERS
from tests.simulation.policy import FALLBACK_MINUTES, Stage

if TYPE_CHECKING:
    from tests.simulation.world import World

#: In which stages a plan was approved, by whom, by whose right, as a fallback or not, and when. What lapsed after
#: something of it began counts for that.
GIVEN: Final = (
    "SELECT stage, person, coalesce(nullif(on_behalf_of, ''), person), fallback, at FROM decisions d "
    "WHERE change_id = ? AND verb = 'approve' AND digest = ? AND (lapse = '' OR (SELECT max(id) FROM events e "
    "WHERE e.change_id = d.change_id AND e.what = 'approval_lapsed' "
    "AND json_extract(e.details, '$.person') = d.person) > (SELECT max(id) FROM events s "
    "WHERE s.change_id = d.change_id AND s.what IN ('started', 'wave_started', 'rest_started'))) ORDER BY at"
)
#: When approval of a change was requested, before a moment.
REQUESTED: Final = "SELECT max(at) FROM events WHERE change_id = ? AND what = 'approval_requested' AND at <= ?"
LAPSED: Final = "SELECT 1 FROM events WHERE change_id = ? AND what = 'approval_lapsed'"


class Approvals:
    """Judges the approvals of one world."""

    def __init__(self, world: World) -> None:
        self._world = world
        #: Who pressed Approve with which ticket, without a word, and when last.
        self._pressed: dict[tuple[str, str], float] = {}
        #: Who has said what with which ticket, and when last.
        self._said: dict[tuple[str, str, str], float] = {}

    def pressing(self, by: SlackUser, message: Message) -> None:
        """Note that somebody is about to press Approve in a message."""
        for row in (block for block in message.blocks if block["type"] == "actions"):
            for element in row["elements"]:
                if element["action_id"] == "approve":
                    self._pressed[by.id, str(element["value"])] = self._world.nature.loop.time()

    def saying(self, by: SlackUser, form: View, said: str) -> None:
        """Note that somebody is about to approve with a comment in this form."""
        self._said[by.id, form.private_metadata, said] = self._world.nature.loop.time()

    def check(self, change: int, job: str) -> None:
        """Want a change to be approved in its digest, by as many as have to, each of whom has pressed just that."""
        [(kind, digest, requester)] = self._world.judge.rows(
            "SELECT kind, digest, requester FROM changes WHERE id = ?", change
        )
        given = self._world.judge.rows(GIVEN, change, digest)
        people = {person for _, person, *_ in given}
        rights = {whose for _, _, whose, *_ in given}
        self._in_stages(change, digest, kind)
        pressed = self._in_favour(change, digest)
        policy = self._world.policy
        may = (APPROVERS | policy.fallback_approvers(kind)) - (set() if policy.self_approval(kind) else {requester})
        if len(rights) < policy.required(kind) or not people <= set(pressed) or not rights <= may:
            self._world.judge.wrong(
                f"{job} is of CHG-{change}, approved by {given}; Approve was pressed with its digest by {pressed}"
            )
        for _, person, whose, _, at in given:
            if person == whose:
                continue
            if person == requester or not self._world.delegations.lends(whose, person, _moment(at)):
                self._world.judge.wrong(f"{job} is of CHG-{change}, which {person} approved for {whose} at {at}")
            self._world.delegations.check(change, person, whose, job)

    def _in_stages(self, change: int, digest: str, kind: str) -> None:
        """Want each stage to have been approved by one of its people, in the order of the stages."""
        stages = self._world.policy.stages(kind)
        if not stages:
            return
        given = self._world.judge.rows(GIVEN, change, digest)
        # Times tell no order once the clock was set, nor when a stage was open again after a later one was complete.
        ordered = not self._world.judge.clock_set and not self._world.judge.rows(LAPSED, change)
        if not ordered:
            given = sorted(given, key=lambda each: list(stages).index(each[0]) if each[0] in stages else -1)
        right = [name for name, *_ in given] == list(stages)
        [(opened,)] = self._world.judge.rows(REQUESTED, change, given[0][4] if given else "")
        for name, _, whose, fallback, at in given if right else ():
            right = right and self._in_stage(stages[name], whose, at, opened if fallback else None, ordered=ordered)
            opened = at
        if not right:
            self._world.judge.wrong(f"CHG-{change} was approved in the stages {given}, which are {dict(stages)}")

    def _in_stage(self, stage: Stage, whose: str, at: str, opened: str | None, *, ordered: bool) -> bool:
        """Tell whether the right of ``whose`` counted in a stage, for a fallback approver one that ``opened`` then."""
        if opened is None:
            return whose in stage.approvers
        waited = _moment(at) - _moment(opened) >= timedelta(minutes=FALLBACK_MINUTES)
        return whose in stage.fallback and (waited or not ordered)

    def _in_favour(self, change: int, digest: str) -> list[str]:
        """Return who has pressed Approve with this digest, since the present plan of the change was asked for."""
        approved = [(user, pressed, at) for (user, pressed), at in self._pressed.items()]
        approved += [(user, pressed, at) for (user, pressed, _), at in self._said.items()]
        ticket, since = f"{change}:{digest}", self._world.revisions.since(change)
        return sorted({user for user, pressed, at in approved if pressed.startswith(ticket) and at >= since})

    def end(self) -> None:
        """Want each comment of a decision to be one that its person gave, and to be shown as it was given."""
        world = self._world
        query = (
            "SELECT d.change_id, d.person, d.digest, d.reason, c.state FROM decisions d "
            "JOIN changes c ON c.id = d.change_id WHERE d.verb = 'approve'"
        )
        for change, person, digest, reason, state in world.judge.rows(query):
            given = {
                text for by, ticket, text in self._said if by == person and ticket.startswith(f"{change}:{digest}")
            }
            silently = any(by == person and ticket.startswith(f"{change}:{digest}") for by, ticket in self._pressed)
            if (reason and reason not in given) or (given and not reason and not silently):
                world.judge.wrong(f"{person} approved CHG-{change} with {reason!r}, and said {given}")
            shown = any(reason in world.people.read(each) for each in world.people.messages())
            if reason and state != "awaiting_approval" and not shown:
                world.judge.wrong(f"{reason!r} of {person} about CHG-{change} is not shown")


def _moment(at: str) -> datetime:
    return datetime.fromisoformat(at).replace(tzinfo=UTC)
