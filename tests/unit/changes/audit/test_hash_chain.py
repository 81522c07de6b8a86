"""The audit log is a chain that no single row can leave unnoticed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.changes.audit.events import GENESIS, PRUNED, ChainCheck, ChainProof, Event, Head, link
from bot.errors import AuditLogBroken

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)

texts = st.text(max_size=12)
details = st.dictionaries(texts, st.none() | st.integers() | texts, max_size=3)
times = st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2040, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds the zone
untold = st.builds(
    Event,
    id=st.just(0),
    change=st.none() | st.integers(min_value=1, max_value=99),
    at=times,
    actor=texts,
    what=texts.filter(lambda what: what != PRUNED),
    digest=texts,
    details=details,
)


def chained(events: Sequence[Event], *, previous: str = GENESIS, first: int = 1) -> list[Event]:
    """Return ``events`` with ids and hashes as the store gives them."""
    told = []
    for number, event in enumerate(events, first):
        placed = replace(event, id=number)
        previous = link(previous, placed)
        told.append(replace(placed, hash=previous))
    return told


trails = st.lists(untold, min_size=1, max_size=6).map(chained)


def head_of(events: Sequence[Event]) -> Head:
    """Return the head of an honest trail."""
    return Head(last=events[-1].id, hash=events[-1].hash)


def walk(events: Sequence[Event], head: Head | None, pruned: Event | None = None) -> ChainProof:
    """Follow ``events`` to ``head``."""
    walking = ChainCheck(pruned)
    for event in sorted(events, key=lambda event: event.id):
        walking.take(event)
    return walking.end(head)


def event(what: str = "planned", **more: Any) -> Event:
    """Return an event."""
    columns: dict[str, Any] = {"id": 0, "change": 1, "at": NOW, "actor": "U0ANA", "digest": "d", "details": {}} | more
    return Event(what=what, **columns)


@settings(deadline=None)  # other work on the machine is no fault
@given(trails)
def test_what_nobody_touched_is_proven(trail: list[Event]) -> None:
    """An honest trail is followed to its head."""
    assert walk(trail, head_of(trail)) == ChainProof(events=len(trail), pruned=0, head=head_of(trail))


@settings(deadline=None)  # other work on the machine is no fault
@given(trails, st.data())
def test_any_change_of_any_event_is_found_and_the_event_is_named(trail: list[Event], data: st.DataObject) -> None:
    """Whatever is written over any column of one event, the trail breaks at that event."""
    place = data.draw(st.integers(min_value=0, max_value=len(trail) - 1))
    columns = {
        "change": st.none() | st.integers(),
        "at": times,
        "actor": texts,
        "what": texts,
        "digest": texts,
        "details": details,
        "hash": st.text("0123456789abcdef", min_size=64, max_size=64),
    }
    column = data.draw(st.sampled_from(sorted(columns)))
    value = data.draw(columns[column].filter(lambda value: value != getattr(trail[place], column)))
    touched = [*trail]
    touched[place] = replace(trail[place], **{column: value})

    with pytest.raises(AuditLogBroken, match=f"breaks at event {place + 1} "):
        walk(touched, head_of(trail))


@settings(deadline=None)  # other work on the machine is no fault
@given(trails, st.data())
def test_an_event_that_is_gone_is_missed(trail: list[Event], data: st.DataObject) -> None:
    """Without any one of its events the trail breaks, or ends before its head."""
    gone = data.draw(st.sampled_from(trail))

    with pytest.raises(AuditLogBroken):
        walk([each for each in trail if each != gone], head_of(trail))


@settings(deadline=None)  # other work on the machine is no fault
@given(trails.filter(lambda trail: len(trail) > 1), st.data())
def test_two_events_that_changed_places_are_found(trail: list[Event], data: st.DataObject) -> None:
    """Giving two events each other's ids breaks the trail, with and without their hashes."""
    one, other = data.draw(st.permutations(range(len(trail))))[:2]
    with_hashes = data.draw(st.booleans())
    swapped = [*trail]
    for here, there in ((one, other), (other, one)):
        moved = replace(trail[there], id=trail[here].id)
        swapped[here] = moved if with_hashes else replace(moved, hash=trail[here].hash)

    if swapped != trail:
        with pytest.raises(AuditLogBroken):
            walk(swapped, head_of(trail))


@pytest.mark.parametrize(
    ("tamper", "said"),
    [
        (lambda trail: trail[:1] + trail[2:], r"breaks at event 3 .* follow from event 1\..* ids between 1 and 3 are"),
        (lambda trail: trail[1:], r"breaks at event 2 .* from its beginning\..* ids before 2 are missing"),
        (lambda trail: trail[:2], r"ends with event 2, and its head names event 4: what came after event 2 was"),
        (lambda _: [], r"ends with its beginning, and its head names event 4"),
        (lambda trail: [*trail, chained([event()], previous=trail[-1].hash, first=5)[0]], r"added outside Linesman"),
    ],
    ids=["from the middle", "from the start", "from the end", "all", "one more"],
)
def test_what_is_missing_or_too_much_is_told(tamper: Callable[[list[Event]], list[Event]], said: str) -> None:
    """A person who verifies reads where it broke and what that means."""
    trail = chained([event("proposed"), event("planned"), event("approved"), event("started")])

    with pytest.raises(AuditLogBroken, match=said):
        walk(tamper(trail), head_of(trail))


def test_where_only_words_were_changed_no_id_is_said_to_be_missing() -> None:
    """Ids that follow each other have nothing between them."""
    trail = chained([event("proposed"), event("planned"), event("approved")])
    trail[1] = replace(trail[1], actor="U0EVE")

    with pytest.raises(AuditLogBroken, match=r"breaks at event 2 .*reordered\.$"):
        walk(trail, head_of(trail))


def test_without_a_head_nothing_is_proven() -> None:
    """A trail whose head was removed may have lost its end."""
    with pytest.raises(AuditLogBroken, match="head of the audit log is missing"):
        walk(chained([event()]), None)


def test_a_pruned_audit_log_goes_on_from_where_it_was_cut() -> None:
    """The event that says what was pruned is part of the trail; from its word on the rest is proven."""
    old = chained([event("proposed"), event("planned"), event("approved")])
    cut = event(
        PRUNED, change=None, actor="linesman", details={"events": 2, "first": 1, "last": 2, "hash": old[1].hash}
    )
    trail = [*old, *chained([cut], previous=old[-1].hash, first=4)]

    assert walk(trail[2:], head_of(trail), pruned=trail[3]) == ChainProof(events=2, pruned=2, head=head_of(trail))
    with pytest.raises(AuditLogBroken, match=r"breaks at event 4 .* ids between 2 and 4 are missing"):
        walk(trail[3:], head_of(trail), pruned=trail[3])
    with pytest.raises(AuditLogBroken, match="breaks at event 3"):
        walk(trail[2:], head_of(trail))


def test_a_made_up_word_about_pruning_proves_nothing() -> None:
    """Who removes events and only says so beside the chain is found out, and a word in a foreign form is not taken."""
    trail = chained([event("proposed"), event("planned"), event("approved")])
    made_up = event(PRUNED, id=4, details={"events": 2, "first": 1, "last": 2, "hash": trail[1].hash}, hash="0" * 64)

    with pytest.raises(AuditLogBroken, match="breaks at event 4"):
        walk([trail[2], made_up], Head(last=4, hash="0" * 64), pruned=made_up)
    with pytest.raises(AuditLogBroken, match="Event 4, which says what was pruned"):
        ChainCheck(replace(made_up, details={"last": "two"}))


def test_the_hash_is_over_the_moment_not_over_its_zone() -> None:
    """The same instant in another zone, as a database may return it, has the same hash; another microsecond has not."""
    berlin = NOW.astimezone(timezone(timedelta(hours=1)))

    assert link(GENESIS, event(at=NOW)) == link(GENESIS, event(at=berlin))
    assert link(GENESIS, event(at=NOW)) != link(GENESIS, event(at=NOW + timedelta(microseconds=1)))


def test_text_that_is_no_text_has_a_hash_too() -> None:
    """Half a surrogate pair in a reason does not stop the event that tells of it."""
    assert link(GENESIS, event(details={"reason": "\ud83d"})) != link(GENESIS, event(details={"reason": "\ud83e"}))
