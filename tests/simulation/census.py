"""How often people of a world do each thing, and how often it has its effect: what never has one is ill driven."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from bot.sandbox.slack import SlackUser

if TYPE_CHECKING:
    from tests.simulation.world import World

#: What is pressed or typed -> the steps of the audit log to which it can lead, by the same person.
ACTS: Final[Mapping[str, Sequence[str]]] = {
    "approve": ("approved",),
    "approve_with_comment": ("approved",),
    "reject": ("rejected",),
    "ask_for_changes": ("changes_requested",),
    "revise": ("plan_replaced",),
    "cancel": ("cancelled", "stopped"),
    "freeze": ("frozen",),
    "unfreeze": ("unfrozen",),
    "unlock": ("unlocked",),
    "go_on": ("continued",),
    "stop_rest": ("stopped",),
    "end_now": ("ended_early",),
    "end": ("ended_early",),
    "extend": ("approval_requested",),
    "undo": ("approval_requested",),
    "retry": ("approval_requested",),
    "run": ("approval_requested",),
    "keep_template": ("template_saved", "template_replaced"),
    "delegate": ("delegated", "delegation_changed"),
    "delegate end": ("delegation_ended",),
    "end_delegation": ("delegation_ended",),
    "send_again": ("batch_sent_again",),
    "give_up": ("batch_given_up",),
    "adopt": ("batch_adopted",),
    "adopt_other": ("batch_adopted",),
    "end_read_back": ("read_back_ended",),
    "plan_again": ("proposed",),
    "workbook": ("workbook_asked_for",),
    "values": ("values_asked",),
    "delete_template": ("template_deleted",),
    "export": ("exported",),
}
#: What is pressed or typed to see something: its effect is that it is answered.
LOOKS: Final = (
    *("status", "list", "find", "locks", "templates", "sheet", "help", "resolve"),
    *("details", "home_start", "new_change", "change_these", "run_template"),
)
#: Steps of the audit log that come of what people do and of what goes wrong, each counted as often as it was taken.
STEPS: Final = (
    *(
        "start_passed",
        "expired",
        "not_extended",
        "end_passed",
        "extended",
        "delegation_over",
        "stage_opened",
        "reminded",
    ),
    *("rest_started", "stale", "batch_stale", "batch_refused", "batch_postponed", "batch_unknown", "batch_absent"),
    *("batch_adopted", "job_stuck", "job_resumed", "not_in_effect", "click_refused", "message_refused", "healed"),
    *("cancelled_by_memory", "values_answered", "template_replaced", "not_approved"),
)
_COUNT: Final = "SELECT count(*) FROM events WHERE what"
_ASKED: Final = "SELECT count(*) FROM changes WHERE requested_at NOT NULL AND"
_STARTED: Final = "SELECT count(*) FROM changes WHERE started_at NOT NULL AND"
_HAS: Final = "json_extract(details, '$.{}') NOT NULL"
_FROZEN: Final = (
    "'frozen' = (SELECT f.what FROM events f WHERE f.id < events.id AND f.what IN ('frozen', 'unfrozen') "
    "ORDER BY f.id DESC LIMIT 1)"
)
#: A stage of the plan that is decided on had been complete before.
_LATER: Final = (
    "EXISTS (SELECT 1 FROM events o WHERE o.change_id = events.change_id AND o.digest = events.digest "
    "AND o.what = 'stage_opened' AND o.id < events.id)"
)
_SHEET: Final = "json_extract(draft, '$.sheet') NOT NULL"
_UNDOES_PART: Final = (
    "json_extract(draft, '$.base.change') IN (SELECT id FROM changes p WHERE p.part_of NOT NULL) AND part_of IS NULL"
)
#: What is so of changes, rights and freezes -> how often it was, and how often anything hung on it.
TERMS: Final[Mapping[str, tuple[str, str]]] = {
    "stages": (f"{_ASKED} rule = 'in stages'", f"{_STARTED} rule = 'in stages'"),
    "fallback approvers": (f"{_COUNT} = 'fallback_asked'", f"{_COUNT} = 'approved' AND {_HAS.format('fallback')}"),
    "lent rights that approve": (
        f"{_COUNT} = 'delegated'",
        f"{_COUNT} = 'approved' AND {_HAS.format('on_behalf_of')}",
    ),
    "lent rights that decline": (
        f"{_COUNT} = 'delegated'",
        f"{_COUNT} IN ('rejected', 'changes_requested') AND {_HAS.format('on_behalf_of')}",
    ),
    "approvals taken back": (f"{_COUNT} = 'delegation_ended'", f"{_COUNT} = 'approval_lapsed'"),
    "fallback approvers too early": (
        f"{_COUNT} = 'fallback_asked'",
        f"{_COUNT} = 'click_refused' AND json_extract(details, '$.answer') LIKE '%fallback approver%'",
    ),
    "rejected in a later stage": (f"{_COUNT} = 'stage_opened'", f"{_COUNT} = 'rejected' AND {_LATER}"),
    "sent back in a later stage": (f"{_COUNT} = 'stage_opened'", f"{_COUNT} = 'changes_requested' AND {_LATER}"),
    "later ends refused": (f"{_ASKED} ends_at NOT NULL AND part_of NOT NULL", f"{_COUNT} = 'not_extended'"),
    "sheets": (f"{_ASKED} {_SHEET}", f"{_STARTED} {_SHEET}"),
    "undone ends": (f"{_STARTED} ends_at IS NULL AND part_of NOT NULL", f"{_ASKED} {_UNDOES_PART}"),
    "operators asked": (
        f"{_COUNT} IN ('operators_asked', 'batch_undecidable', 'job_stuck')",
        f"{_COUNT} IN ('batch_sent_again', 'batch_given_up', 'batch_adopted', 'read_back_ended')",
    ),
    "stages open again": (f"{_COUNT} = 'approval_lapsed'", f"{_COUNT} = 'stage_reopened'"),
    "start times": (f"{_ASKED} starts_at NOT NULL", f"{_STARTED} starts_at NOT NULL"),
    "temporary": (f"{_ASKED} ends_at NOT NULL AND part_of IS NULL", f"{_COUNT} = 'in_effect'"),
    "later ends": (f"{_ASKED} ends_at NOT NULL AND part_of NOT NULL", f"{_COUNT} = 'extended'"),
    "waves": (
        f"{_STARTED} coalesce(json_extract(draft, '$.canary'), '') <> ''",
        f"{_COUNT} IN ('continued', 'wave_started')",
    ),
    "pauses for trouble": (f"{_COUNT} = 'paused'", f"{_COUNT} = 'continued' AND actor <> 'linesman'"),
    "pauses as planned": (f"{_COUNT} = 'paused_as_planned'", f"{_COUNT} = 'continued'"),
    "freezes": (f"{_COUNT} = 'frozen'", f"{_COUNT} = 'approved' AND {_FROZEN}"),
}
#: Changes that were approved, with when they were and when they were started.
APPROVED: Final = (
    "SELECT c.kind, max(e.at), c.started_at FROM changes c JOIN events e ON e.change_id = c.id "
    "WHERE e.what = 'approved' AND c.part_of IS NULL AND c.state NOT IN ('awaiting_approval', 'rejected') GROUP BY c.id"
)

#: What is done -> how often, and how often it had an effect.
Counted = Mapping[str, tuple[int, int]]


@dataclass(frozen=True)
class _Act:
    what: str
    by: str
    #: The latest event of the audit log before it.
    after: int


class Census:
    """Counts what is done in one world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._acts: list[_Act] = []
        #: What was pressed or typed to see something, and what of it was answered.
        self._looks: Counter[str] = Counter()
        self._answered: Counter[str] = Counter()

    def pressed(self, by: SlackUser, action: str) -> None:
        """Note a press of a button."""
        self._note(by, word_of(action))

    def typed(self, by: SlackUser, text: str) -> None:
        """Note a command."""
        self._note(by, word_of(text))

    def answered(self, did: str) -> None:
        """Note that a press or a command was answered."""
        if (what := word_of(did)) in LOOKS:
            self._answered[what] += 1

    def _note(self, by: SlackUser, what: str) -> None:
        if what in LOOKS:
            self._looks[what] += 1
        if what in ACTS:
            [(last,)] = self._world.judge.rows("SELECT coalesce(max(id), 0) FROM events")
            self.done(what, by.id, last)

    def done(self, what: str, by: str, after: int) -> None:
        """Note what somebody does while ``after`` is the latest event of the audit log."""
        self._acts.append(_Act(what, by, after))

    def counted(self) -> Counted:
        """Return what was done in this world, and what came of it."""
        rows = self._world.judge.rows
        found = {name: (rows(drawn)[0][0], rows(effect)[0][0]) for name, (drawn, effect) in TERMS.items()}
        found["windows"] = self._windows()
        done, effects = Counter(act.what for act in self._acts), self.effects()
        found |= {name: (self._looks[name], self._answered[name]) for name in LOOKS}
        taken = dict(rows("SELECT what, count(*) FROM events GROUP BY 1"))
        found |= {f"step {step}": (taken.get(step, 0), taken.get(step, 0)) for step in STEPS}
        return {**{name: (done[name], effects[name]) for name in ACTS}, **found}

    def effects(self) -> Counter[str]:
        """Count each step of the audit log for the latest act of its person that can have led to it."""
        found: Counter[str] = Counter()
        for id_, what, actor in self._world.judge.rows("SELECT id, what, actor FROM events ORDER BY id"):
            able = [act for act in self._acts if act.after < id_ and act.by == actor and what in ACTS[act.what]]
            if able:
                found[max(able, key=lambda act: act.after).what] += 1
        return found

    def _windows(self) -> tuple[int, int]:
        """Count the changes that were approved while their window was shut, and those that began after that."""
        policy, found = self._world.policy, [0, 0]
        for kind, approved, started in self._world.judge.rows(APPROVED):
            moment = datetime.fromisoformat(approved).replace(tzinfo=UTC)
            if policy.shut(kind, moment, moment):
                found[0] += 1
                found[1] += started is not None
        return found[0], found[1]


def word_of(did: str) -> str:
    """Return what a button's action or the text of a command is counted as."""
    words = did.partition(":")[0].split()
    return "delegate end" if words[:2] == ["delegate", "end"] else words[0]


def summed(counts: Iterable[Counted]) -> Counted:
    """Return what was done in several worlds together."""
    drawn: Counter[str] = Counter()
    effects: Counter[str] = Counter()
    for one in counts:
        for name, (times, effect) in one.items():
            drawn[name] += times
            effects[name] += effect
    return {name: (drawn[name], effects[name]) for name in drawn}
