"""Whether everything was written down, once, in an order in which it can happen, and by whom it may be done."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from tests.acceptance import ledger
from tests.acceptance.replicas import waves
from tests.acceptance.replicas.wishes import OPAL, Course, Wanted
from tests.acceptance.stories.staged import DANA, FIRST, MAX, MIA, OTTO, SECOND

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
#: The same of what gives numbers back, and of a request for a later end.
_BACK: Final = re.compile(r"plsf")
#: Steps that there may be more than one of.
_OFTEN: Final = {
    *("verifying", "read_back", "wave_started", "continued", "paused", "paused_as_planned", "click_refused"),
    *("approved", "approval_lapsed", "stage_opened", "stage_reopened", "fallback_asked", "extended", "not_extended"),
    *("batch_submitting", "batch_unknown", "batch_adopted", "batch_absent", "batch_postponed"),
    *("batch_submitted", "batch_settled", "batch_stopped", "approval_requested", "freeze_waited"),
}
#: Who does what nobody has to decide.
ITSELF: Final = "linesman"
#: Steps that are never taken: what came before them has let something pass.
_NEVER: Final = ("not_approved", "not_allowed", "digest_mismatch", "healed", "stale", "batch_stale", "operators_asked")


class _Step(NamedTuple):
    what: str
    actor: str
    digest: str
    details: dict[str, str | int | None]


def assert_it_was_written_down(cluster: Cluster, name: str, wanted: Wanted, requester: str) -> None:
    """Check the audit log of one change, and of what belongs to it."""
    change = int(name.removeprefix("CHG-"))
    steps = _steps(cluster, change)
    told = [step.what for step in steps]
    life = _LIFE.format(run=_THERE_AND_BACK if wanted.course is Course.TEMPORARY else _RUN)

    assert re.fullmatch(life, "".join(_LETTERS.get(what, "") for what in told)), told
    assert {what: times for what, times in Counter(told).items() if times > 1 and what not in _OFTEN} == {}, told
    assert set(told).isdisjoint(_NEVER), told
    _assert_who_did_it(steps, requester)
    if "started" in told:
        _assert_it_was_approved(cluster, change, steps, wanted)
    if wanted.course is Course.WAVES:
        waves.assert_each_was_let_go(steps, wanted)
    parts = ledger.rows(cluster.database, "SELECT id, state, ends_at FROM changes WHERE part_of = ?", change)
    back = [part for part, _, ends in parts if ends is None]
    later = Counter(str(state) for _, state, ends in parts if ends is not None)
    assert len(back) == told.count("ending")
    for part in back:
        life = "".join(_LETTERS.get(step.what, "") for step in _steps(cluster, part))
        assert _BACK.fullmatch(life), life
    assert later["finished"] == told.count("extended")
    assert set(later) <= {"finished", "cancelled", "rejected", "discarded", "expired"}


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


def _steps(cluster: Cluster, change: object) -> list[_Step]:
    query = "SELECT what, actor, digest, details FROM events WHERE change_id = ? ORDER BY id"
    rows = ledger.rows(cluster.database, query, change)
    return [_Step(str(what), str(by), str(digest), json.loads(str(more))) for what, by, digest, more in rows]


def _assert_who_did_it(steps: list[_Step], requester: str) -> None:
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


def _assert_it_was_approved(cluster: Cluster, change: int, steps: list[_Step], wanted: Wanted) -> None:
    """Check that it was approved in the digest that started, by those who could at that moment."""
    digest = next(step.digest for step in steps if step.what == "started")
    counting: list[tuple[str, str]] = []
    for step in steps:
        if step.what == "started":
            break
        whose = str(step.details.get("on_behalf_of") or step.actor)
        if step.what == "approved" and step.digest == digest:
            _assert_in_their_right(step, wanted)
            counting.append((str(step.details.get("stage") or ""), whose))
        elif step.what == "approval_lapsed":
            counting = [each for each in counting if each[1] != DANA]
        elif step.what in ("changes_requested", "plan_replaced"):
            counting = []
    if wanted.course is Course.STAGED:
        assert [stage for stage, _ in counting] == [FIRST, SECOND], counting
        _assert_no_lapsed_right_counts(cluster, change)
    else:
        assert len(counting) == 1, counting


def _assert_in_their_right(step: _Step, wanted: Wanted) -> None:
    given = (step.details.get("stage") or "", step.actor, step.details.get("on_behalf_of") or "")
    if wanted.course is Course.STAGED:
        assert given in {(FIRST, MIA, ""), (FIRST, OTTO, ""), (SECOND, DANA, ""), (SECOND, MAX, DANA)}, step
        assert bool(step.details.get("fallback")) is (step.actor == OTTO), step
    else:
        assert given in {("", MAX, ""), ("", MIA, "")}, step


def _assert_no_lapsed_right_counts(cluster: Cluster, change: int) -> None:
    """Max approved for Dana while that was lent, and it was not taken back before anything began."""
    lent, given = False, False
    query = (
        "SELECT what, actor, change_id FROM events WHERE what LIKE 'delegat%' OR "
        "(change_id = ? AND what IN ('approved', 'approval_lapsed', 'started')) ORDER BY id"
    )
    for what, actor, _ in ledger.rows(cluster.database, query, change):
        match what:
            case "delegated":
                assert not lent
                lent = True
            case "delegation_ended" | "delegation_over":
                assert lent
                lent = False
            case "approved" if actor == MAX:
                assert lent, "Max approved for Dana, and had no right to"
                given = True
            case "approved" if actor == DANA:
                given = False
            case "approval_lapsed":
                given = False
            case "started":
                assert lent or not given, "what was approved with a right began after that was taken back"
                return
