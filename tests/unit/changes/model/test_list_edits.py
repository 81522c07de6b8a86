"""Promises about adding to lists and taking away from them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.changes.input.drafts import read_draft
from bot.changes.model.draft import Draft
from bot.changes.model.kinds import Kind
from bot.changes.model.list_edits import applied, keys, show_wanted
from bot.changes.model.settings import Setting, Shape
from bot.changes.model.snapshots import Snapshot
from bot.changes.model.values import EditMode, ListEdit, Values, values_to_json, wanted_values_from_json
from bot.changes.planning.builder import build
from bot.changes.planning.plan import emptied
from bot.changes.planning.summary import summarise
from bot.errors import InputError

TAGS = Setting(name="tags", label="Tags", shape=Shape.TAGS)
PEOPLE = Setting(name="people", label="People", shape=Shape.LOOKUPS, clearable=True)
RING = Setting(name="ring", label="Ring for", shape=Shape.INTEGER, bounds=(15, 90))
KIND = Kind(
    name="some.kind",
    provider="some",
    title="Some kind",
    command="some",
    settings=(TAGS, PEOPLE, RING),
    batch_size=2,
    jobs_in_flight=1,
)

entries = st.lists(st.text(alphabet="abcABC", min_size=1, max_size=3), max_size=6).map(tuple)
some_entries = entries.filter(bool)
ways = st.sampled_from(EditMode)


def snapshot(number: int, values: Values) -> Snapshot:
    """Return a number that has ``values``."""
    return Snapshot(id=str(number), e164=f"+1303555{number:04}", values=values)


@given(today=entries, more=some_entries)
def test_after_adding_every_entry_is_there_and_none_is_lost(today: tuple[str, ...], more: tuple[str, ...]) -> None:
    """What was there stays as it was spelt, in its order, and everything that was to be added is there."""
    after = applied(TAGS, ListEdit(EditMode.ADD, more), today)
    assert isinstance(after, tuple)
    assert after[: len(today)] == today
    assert keys(TAGS, after) == keys(TAGS, today) | keys(TAGS, more)


@given(today=entries, less=some_entries)
def test_after_taking_away_nothing_else_is_lost(today: tuple[str, ...], less: tuple[str, ...]) -> None:
    """What was to go is gone, whatever its casing, and everything else stays."""
    after = applied(TAGS, ListEdit(EditMode.REMOVE, less), today)
    assert keys(TAGS, after) == keys(TAGS, today) - keys(TAGS, less)
    assert after == tuple(entry for entry in today if entry in (after or ()))


@given(today=st.none() | entries, way=ways, some=some_entries)
def test_an_edit_done_twice_is_an_edit_done_once(
    today: tuple[str, ...] | None, way: EditMode, some: tuple[str, ...]
) -> None:
    """A number that has the result already is left alone."""
    once = applied(PEOPLE, ListEdit(way, some), today)
    assert applied(PEOPLE, ListEdit(way, some), once) == once


@given(lists=st.lists(entries, min_size=1, max_size=20), more=some_entries)
def test_numbers_with_equal_results_share_calls(lists: list[tuple[str, ...]], more: tuple[str, ...]) -> None:
    """Each number gets its own result, numbers with one result share calls, and no call is larger than allowed."""
    fleet = [snapshot(index, {"tags": tags}) for index, tags in enumerate(lists)]
    plan = build(KIND, {"tags": ListEdit(EditMode.ADD, more)}, fleet)
    results = {}
    for number, before in zip(plan.numbers, lists, strict=True):
        if number.batch is None:
            assert keys(TAGS, more) <= keys(TAGS, before)
            continue
        batch = plan.batches[number.batch - 1]
        assert number.after["tags"] == applied(TAGS, ListEdit(EditMode.ADD, more), before)
        sent = keys(TAGS, batch.values["tags"])  # a set: numbers share any order and casing of the same tags
        assert sent == keys(TAGS, number.after["tags"])
        results.setdefault(sent, []).append(number.id)
    assert len(plan.batches) == sum(-(-len(ids) // KIND.batch_size) for ids in results.values())


def test_values_of_its_own_go_before_what_all_numbers_get() -> None:
    """A number with a row gets the row's values, and the common ones for what its row does not say."""
    fleet = [snapshot(1, {"ring": 15, "tags": ("a",)}), snapshot(2, {"ring": 15, "tags": ("a",)})]
    plan = build(KIND, {"ring": 30}, fleet, {"1": {"ring": 45, "tags": ("b",)}})
    assert [dict(number.after) for number in plan.numbers] == [{"ring": 45, "tags": ("b",)}, {"ring": 30}]
    assert [sorted(number.before) for number in plan.numbers] == [["ring", "tags"], ["ring"]]


def test_taking_the_last_entry_away_is_found_where_no_way_to_do_it_is_documented() -> None:
    """Tags cannot be emptied, so the numbers that would lose their last one are named; people can."""
    fleet = [snapshot(1, {"tags": ("a",), "people": ("u1",)}), snapshot(2, {"tags": ("a", "b"), "people": ("u1",)})]
    plan = build(KIND, {"tags": ListEdit(EditMode.REMOVE, ("A",)), "people": ListEdit(EditMode.REMOVE, ("u1",))}, fleet)
    assert {name: [number.id for number in numbers] for name, numbers in emptied(KIND, plan).items()} == {"tags": ["1"]}


def test_an_edit_is_not_counted_as_a_list_that_is_replaced() -> None:
    """The warning about lost entries is for lists that are replaced; who takes entries away knows it."""
    fleet = [snapshot(1, {"tags": ("a", "b")})]
    for wish, losing in ((ListEdit(EditMode.REMOVE, ("a",)), {}), (("b",), {"tags": 1})):
        plan = build(KIND, {"tags": wish}, fleet)
        assert summarise(KIND, plan, {"tags": wish}, {}, repeats=0).losing == losing


@given(way=ways, some=some_entries)
def test_an_edit_survives_the_database(way: EditMode, some: tuple[str, ...]) -> None:
    """What was stored comes back equal, and is not taken for a secret or a list."""
    stored = json.loads(json.dumps(values_to_json({"tags": ListEdit(way, some), "people": some})))
    assert wanted_values_from_json(stored) == {"tags": ListEdit(way, some), "people": some}


@pytest.mark.parametrize(
    ("way", "typed", "wish", "text"),
    [
        (EditMode.ADD, "vip, Denver", ListEdit(EditMode.ADD, ("vip", "Denver")), "add vip, Denver"),
        (EditMode.REMOVE, "vip", ListEdit(EditMode.REMOVE, ("vip",)), "remove vip"),
        (None, "vip", ("vip",), "vip"),
    ],
)
def test_the_form_says_what_becomes_of_a_list(way: EditMode | None, typed: str, wish: object, text: str) -> None:
    """What is typed is added, taken away, or becomes the list, as chosen; people read which."""
    draft = Draft(
        kind=KIND.name,
        pasted=("+13035550100",),
        chosen=("tags",),
        typed={"tags": typed},
        ways={"tags": way} if way else {},
        reason="because",
    )
    request = read_draft(KIND, draft, is_id=str.isdecimal, max_numbers=10)
    assert request.wanted == {"tags": wish}
    assert show_wanted(TAGS, request.wanted["tags"]) == text


def test_adding_nothing_is_refused_even_where_a_list_may_be_emptied() -> None:
    """An empty box with “Add to it” means that something was forgotten."""
    draft = Draft(
        kind=KIND.name, pasted=("+13035550100",), chosen=("people",), ways={"people": EditMode.ADD}, reason="because"
    )
    with pytest.raises(InputError) as caught:
        read_draft(KIND, draft, is_id=str.isdecimal, max_numbers=10)
    assert caught.value.problems == {"people": "People: say what to add, or choose to replace the list."}


def test_ids_in_a_list_are_read_with_their_names() -> None:
    """Each id of a list stands behind its own name."""
    shown = show_wanted(PEOPLE, ListEdit(EditMode.ADD, ("u1", "u2")), {"u1": "Ana"})
    assert shown == "add Ana (u1), u2 (name unknown)"
