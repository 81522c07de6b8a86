"""Whether everything was written down, once, in an order in which it can happen, and by whom it may be done."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from tests.acceptance import ledger
from tests.acceptance.replicas import approvals, waves
from tests.acceptance.replicas.steps import ITSELF, Step, steps_of
from tests.acceptance.replicas.wishes import OPAL, Course, Wanted
from tests.acceptance.stories.staged import MAX

if TYPE_CHECKING:
    from tests.acceptance.replicas.cluster import Cluster

#: One letter per step of a change, and the ways they may follow each other; other steps are checked elsewhere.
_LETTERS: Final = {
    "proposed": "p",
    "planned": "l",
    "approval_requested": "r",
    "changes_requested": "q",
    "plan_replaced": "v",
    "rejected": "x",
    "not_approved": "n",
    "cancelled": "c",
    "stale": "t",
    "started": "s",
    "stopped": "o",
    "in_effect": "i",
    "ending": "d",
    "ended": "e",
    "finished": "f",
    "discarded": "D",
    "expired": "X",
}
_RUN: Final = r"s(?:c|o?f)"
_THERE_AND_BACK: Final = r"s(?:c|o?f|o?ide)"
_LIFE: Final = "plr(?:qvr)?(?:x|c|t|{run})"
#: Where a right can be lent, what was approved with it ends when it is taken back before anything began.
_LIFE_IN_STAGES: Final = "plr(?:x|c|t|n|{run})"
#: The same of what gives numbers back, and of a request for a later end.
_BACK: Final = re.compile(r"plsf")
#: Steps that there may be more than one of.
_OFTEN: Final = {
    *("verifying", "read_back", "wave_started", "continued", "paused", "paused_as_planned", "click_refused"),
    *("approved", "approval_lapsed", "stage_opened", "stage_reopened", "fallback_asked", "extended", "not_extended"),
    *("batch_submitting", "batch_unknown", "batch_adopted", "batch_absent", "batch_postponed"),
    *("batch_submitted", "batch_settled", "batch_stopped", "approval_requested", "freeze_waited"),
}
#: Steps that are never taken: what came before them has let something pass.
_NEVER: Final = ("not_allowed", "digest_mismatch", "healed", "stale", "batch_stale", "operators_asked")


def assert_it_was_written_down(cluster: Cluster, name: str, wanted: Wanted, requester: str) -> None:
    """Check the audit log of one change, and of what belongs to it."""
    change = int(name.removeprefix("CHG-"))
    steps = steps_of(cluster.database, change)
    told = [step.what for step in steps]
    life = _LIFE_IN_STAGES if wanted.course is Course.STAGED else _LIFE
    life = life.format(run=_THERE_AND_BACK if wanted.course is Course.TEMPORARY else _RUN)

    assert re.fullmatch(life, "".join(_LETTERS.get(what, "") for what in told)), told
    assert {what: times for what, times in Counter(told).items() if times > 1 and what not in _OFTEN} == {}, told
    assert set(told).isdisjoint(_NEVER), told
    _assert_who_did_it(steps, requester)
    if "started" in told:
        approvals.assert_it_was_approved(cluster.database, change, steps, wanted)
    if "not_approved" in told:
        approvals.assert_it_was_taken_back(steps, wanted)
    if wanted.course is Course.WAVES:
        waves.assert_each_was_let_go(steps, wanted)
    parts = ledger.rows(cluster.database, "SELECT id, state, ends_at FROM changes WHERE part_of = ?", change)
    back = [part for part, _, ends in parts if ends is None]
    later = Counter(str(state) for _, state, ends in parts if ends is not None)
    assert len(back) == told.count("ending")
    for part in back:
        life = "".join(_LETTERS.get(step.what, "") for step in steps_of(cluster.database, part))
        assert _BACK.fullmatch(life), life
    assert later["finished"] == told.count("extended")
    assert set(later) <= {"finished", "cancelled", "rejected", "discarded", "expired"}


def is_taken_back(cluster: Cluster, name: str) -> bool:
    """Tell whether a change was approved, and ended before it began because that does not count any more."""
    return "not_approved" in [step.what for step in steps_of(cluster.database, int(name.removeprefix("CHG-")))]


def assert_nothing_was_sent_in_a_freeze(cluster: Cluster) -> None:
    """Every freeze was lifted once, and no batch was about to be sent in between, by the order of the audit log."""
    frozen = False
    for what, actor in ledger.rows(cluster.database, "SELECT what, actor FROM events ORDER BY id"):
        if what in ("frozen", "unfrozen"):
            assert (frozen, actor) == (what == "unfrozen", OPAL)
            frozen = what == "frozen"
        assert not (frozen and what == "batch_submitting")
    assert not frozen


def assert_the_chain_is_whole(cluster: Cluster) -> None:
    """Each event of the audit log has a hash over itself and over the one before it, up to the head."""
    before, last = "0" * 64, 0
    query = "SELECT id, change_id, at, actor, what, digest, details, hash FROM events ORDER BY id"
    for id_, change, at, actor, what, digest, details, told in ledger.rows(cluster.database, query):
        moment = datetime.fromisoformat(str(at)).replace(tzinfo=UTC).isoformat(timespec="microseconds")
        said = [1, before, id_, change, moment, actor, what, digest, json.loads(str(details))]
        text = json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        before, last = hashlib.sha256(text.encode()).hexdigest(), int(str(id_))
        assert before == told, f"the audit log breaks at event {id_}"
    assert ledger.rows(cluster.database, "SELECT last, hash FROM audit_head") == [(last, before)]


def _assert_who_did_it(steps: list[Step], requester: str) -> None:
    """Only who may has decided."""
    for step in steps:
        match step.what:
            case "proposed" | "approval_requested" | "plan_replaced" | "cancelled" | "stopped":
                assert step.actor == requester, step
            case "ended_early":
                assert step.actor in (requester, OPAL), step
            case "continued":
                assert step.actor in (requester, OPAL, ITSELF), step
            case "changes_requested":
                assert step.actor == MAX, step
