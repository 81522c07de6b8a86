"""What can be wrong about the audit log of a past, and about its tables, with the name of the judge that notices it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from tests.acceptance.replicas import pasts
from tests.acceptance.replicas.chronicle import ANA, BEA, Event
from tests.acceptance.replicas.pasts import Past
from tests.acceptance.replicas.steps import ITSELF
from tests.acceptance.replicas.wishes import OPAL
from tests.acceptance.replicas.workload import Fate
from tests.acceptance.stories.staged import DANA, MAX, OTTO, SECOND
from tests.acceptance.workspace import APPROVALS

#: Makes one thing wrong about a past that is not written yet.
Forgery: TypeAlias = Callable[[Past], object]


def _find(past: Past, change: int | None, what: str) -> Event:
    """Return the first such event."""
    return next(each for each in past.events if (each.change, each.what) == (change, what))


def _lost(change: int | None, what: str) -> Forgery:
    return lambda past: past.events.remove(_find(past, change, what))


def _twice(change: int, what: str) -> Forgery:
    return lambda past: past.events.insert(past.events.index(_find(past, change, what)), _find(past, change, what))


def _by(actor: str, change: int | None, what: str) -> Forgery:
    return lambda past: setattr(_find(past, change, what), "actor", actor)


def _before(change: int | None, what: str, *, moved: tuple[int | None, str]) -> Forgery:
    """Return what moves an event to the place just before another."""

    def forge(past: Past) -> None:
        event = _find(past, *moved)
        past.events = [each for each in past.events if each is not event]
        past.events.insert(past.events.index(_find(past, change, what)), event)

    return forge


def _more(change: int | None, what: str, *, before: str, by: str = ITSELF) -> Forgery:
    return lambda past: past.events.insert(past.events.index(_find(past, change, before)), Event(change, what, by))


def _open_extension(past: Past) -> None:
    past.besides.append(("INSERT INTO changes VALUES (98, 'running', ?, NULL, 'later')", (pasts.TEMPORARY,)))
    past.say(APPROVALS, "CHG-98:approval_card", "Decided")


def _all_stopped(past: Past) -> None:
    past.cluster.workload.fates = dict.fromkeys(past.cluster.workload.wanted, Fate.STOPPED)


def _both(*forgeries: Forgery) -> Forgery:
    return lambda past: [forgery(past) for forgery in forgeries]


def _told(change: int, what: str, **details: str) -> Forgery:
    return lambda past: setattr(_find(past, change, what), "details", details)


def _written(statement: str, *values: object) -> Forgery:
    return lambda past: past.besides.append((statement, values))


_STEPS: Final[Mapping[str, Forgery]] = {
    "a step not written down": _lost(pasts.REVISED, "plan_replaced"),
    "a milestone written down twice": _twice(pasts.STAGED, "started"),
    "a step written down twice": _twice(pasts.TEMPORARY, "ended_early"),
    "a start before the request": _before(pasts.STAGED, "approval_requested", moved=(pasts.STAGED, "started")),
    "a step that is never to be": _more(pasts.STAGED, "healed", before="finished"),
    "an end without what gives back": _lost(pasts.RESTORE, "finished"),
    "an extension that nobody wrote down": _lost(pasts.TEMPORARY, "extended"),
    "an extension written down that is open": _written(
        "UPDATE changes SET state = 'running' WHERE id = ?", pasts.EXTENSION
    ),
    "a second extension that is open": _open_extension,
    "a second part that gives back": _written("INSERT INTO changes VALUES (99, '', ?, NULL, NULL)", pasts.TEMPORARY),
}
_WHO: Final[Mapping[str, Forgery]] = {
    "a request by another": _by(DANA, pasts.STAGED, "approval_requested"),
    "a cancellation by another": _by(MAX, pasts.CANCELLED, "cancelled"),
    "changes asked for by who may not": _by(DANA, pasts.REVISED, "changes_requested"),
    "an end by who may not": _by(DANA, pasts.TEMPORARY, "ended_early"),
    "a wave let go by who may not": _by(DANA, pasts.IN_WAVES, "continued"),
}
_APPROVED: Final[Mapping[str, Forgery]] = {
    "no approval": _lost(pasts.REVISED, "approved"),
    "an approval of another plan": lambda past: setattr(_find(past, pasts.REVISED, "approved"), "digest", "former"),
    "an approval before the plan was replaced": _before(
        pasts.REVISED, "changes_requested", moved=(pasts.REVISED, "approved")
    ),
    "an approval after the start": _before(pasts.REVISED, "batch_submitting", moved=(pasts.REVISED, "approved")),
    "two approvals where one is asked for": _twice(pasts.REVISED, "approved"),
    "a stage that nobody approved": _lost(pasts.STAGED, "approved"),
    "an approval that lapsed": _more(pasts.STAGED, "approval_lapsed", before="started"),
}
_TAKEN_BACK: Final[Mapping[str, Forgery]] = {
    "an end for want of approvals that count": _lost(pasts.TAKEN_BACK, "approval_lapsed"),
    "an end for want of approvals that nobody gave": _lost(pasts.TAKEN_BACK, "approved"),
    "an end before all have approved": _both(
        _lost(pasts.TAKEN_BACK, "approval_lapsed"),
        _before(pasts.TAKEN_BACK, "approved", moved=(pasts.TAKEN_BACK, "not_approved")),
        _before(pasts.TAKEN_BACK, "not_approved", moved=(pasts.TAKEN_BACK, "approved")),
    ),
}
_RIGHT: Final[Mapping[str, Forgery]] = {
    "an approval of one's own": _by(BEA, pasts.TEMPORARY, "approved"),
    "an approval in another's stage": _told(pasts.STAGED, "approved", stage=SECOND),
    "an approval by who is asked later": _by(OTTO, pasts.STAGED, "approved"),
    "an approval in no stage": _told(pasts.STAGED, "approved"),
}
_LENT: Final[Mapping[str, Forgery]] = {
    "an approval before the right was lent": _before(pasts.STAGED, "started", moved=(None, "delegated")),
    "a start after it was taken back": _before(pasts.STAGED, "started", moved=(None, "delegation_ended")),
    "a right lent that is lent": _more(None, "delegated", before="delegated", by=DANA),
    "a right taken back that is not lent": _more(None, "delegation_ended", before="delegated", by=DANA),
}
_LET_GO: Final[Mapping[str, Forgery]] = {
    "a wave goes by itself that waits": _by(ITSELF, pasts.IN_WAVES, "continued"),
    "a wave is let go that does not wait": _lost(pasts.IN_WAVES, "paused"),
    "a wave goes on although too many failed": _both(
        _lost(pasts.IN_WAVES, "paused"), _by(ITSELF, pasts.IN_WAVES, "continued")
    ),
    "a wave goes by itself where somebody is to be asked": lambda past: past.asks(pasts.IN_WAVES),
    "a wave sent that waits": _lost(pasts.IN_WAVES, "continued"),
    "a wave sent twice": _twice(pasts.IN_WAVES, "wave_started"),
    "a pause in a pause": _twice(pasts.IN_WAVES, "paused"),
    "a pause for which there is no reason": _more(pasts.IN_WAVES, "paused", before="rest_started"),
    "a pause that nobody planned": _more(pasts.IN_WAVES, "paused_as_planned", before="rest_started"),
}
_FROZEN: Final[Mapping[str, Forgery]] = {
    "a batch sent in a freeze": _before(pasts.PLAIN, "batch_submitted", moved=(None, "unfrozen")),
    "a freeze that is not lifted": lambda past: past.events.append(Event(None, "frozen", OPAL)),
    "a freeze in a freeze": _more(None, "frozen", before="unfrozen", by=OPAL),
    "a freeze by who may not": _by(ANA, None, "frozen"),
}
_CHAIN: Final[Mapping[str, Forgery]] = {
    "an event changed afterwards": _written("UPDATE events SET at = '2026-11-30 07:00:00' WHERE id = 9"),
    "an event taken out": _written("DELETE FROM events WHERE what = 'read_back' AND change_id = ?", pasts.CLOSE),
    "a head that is not the last event": _written("UPDATE audit_head SET last = last - 1"),
}
_WAITS: Final[Mapping[str, Forgery]] = {
    "a lock left": _written("INSERT INTO locks VALUES ('1')"),
    "a task left": _written("INSERT INTO tasks VALUES ('poll', ?, NULL)", pasts.PLAIN),
    "a message left": _written("INSERT INTO outbox VALUES ('CHG-3:card', 'pending', '', 'card', NULL)"),
    "a batch left": _written("UPDATE batches SET state = 'submitted' WHERE change_id = ?", pasts.PLAIN),
    "a number left": _written("INSERT INTO operations VALUES ('', 'waiting', ?, '')", pasts.PLAIN),
}
_LEFT: Final[Mapping[str, Forgery]] = {
    "a lock of what was stopped": _both(_all_stopped, _written("INSERT INTO locks VALUES ('1')")),
    "a message of what was stopped": _both(
        _all_stopped, _written("INSERT INTO outbox VALUES ('CHG-3:card', 'pending', '', 'card', NULL)")
    ),
    "something that had got stuck": _more(pasts.RESTORE, "healed", before="finished"),
}
_BATCHES: Final[Mapping[str, Forgery]] = {
    "a batch that never ended": _lost(pasts.PLAIN, "batch_settled"),
    "a batch that was sent twice": _twice(pasts.PLAIN, "batch_submitting"),
}
#: By name: the judge that has to notice it, and what makes it.
FORGERIES: Final[Mapping[str, tuple[str, Forgery]]] = {
    name: (judge, forgery)
    for judge, forgeries in {
        "assert_it_was_written_down": _STEPS,
        "_assert_who_did_it": _WHO,
        "assert_it_was_approved": _APPROVED,
        "assert_it_was_taken_back": _TAKEN_BACK,
        "_assert_in_their_right": _RIGHT,
        "_assert_no_lapsed_right_counts": _LENT,
        "assert_each_was_let_go": _LET_GO,
        "assert_nothing_was_sent_in_a_freeze": _FROZEN,
        "assert_the_chain_is_whole": _CHAIN,
        "assert_nothing_waits": _WAITS,
        "assert_the_trail_is_whole": _BATCHES,
        "assert_right": _LEFT,
    }.items()
    for name, forgery in forgeries.items()
}
