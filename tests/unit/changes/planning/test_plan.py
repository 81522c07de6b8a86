"""Plans: differences, payloads, batches and the digest."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.changes.input.requests import Request, with_carried
from bot.changes.model.encryption import Encryption
from bot.changes.model.kinds import Kind
from bot.changes.model.rollout import MOST_WAVES, WHOLE, Pause, Rollout, Threshold, WaveSize, wave_sizes
from bot.changes.model.snapshots import Snapshot
from bot.changes.model.start import End, Start
from bot.changes.model.values import EditMode, ListEdit, Value, Values, canonical
from bot.changes.planning.builder import build
from bot.changes.planning.plan import PlannedNumber, difference, digest, ids_to_name, payload, revised_digest
from bot.changes.planning.summary import summarise
from bot.errors import PlanRefused
from bot.providers.telnyx.kinds import kinds
from bot.workflow.planning.validation import rows_by_id, varied

KIND = replace(next(kind for kind in kinds(secrets=True) if kind.name == "telnyx.settings"), batch_size=7)
FORWARDS_TO = "voice.call_forwarding.forwards_to"

texts = st.sampled_from(["", "one", "two", "three"])
current = st.fixed_dictionaries(
    {
        "customer_reference": st.one_of(st.none(), texts),
        "hd_voice_enabled": st.booleans(),
        "tags": st.lists(texts.filter(bool), max_size=2, unique=True).map(tuple),
        "voice.call_forwarding.call_forwarding_enabled": st.booleans(),
        FORWARDS_TO: st.one_of(st.none(), st.sampled_from(["", "+13035550999", "+13035550998"])),
        "voice.call_forwarding.forwarding_type": st.sampled_from([None, "always", "on-failure"]),
    }
)
wanted_values = st.dictionaries(
    st.sampled_from(["customer_reference", "hd_voice_enabled", FORWARDS_TO]), st.none(), min_size=1
).flatmap(
    lambda chosen: st.fixed_dictionaries(
        {
            name: {
                "customer_reference": st.sampled_from(["one", "two"]),
                "hd_voice_enabled": st.booleans(),
                FORWARDS_TO: st.sampled_from(["+13035550999", "+13035550997"]),
            }[name]
            for name in chosen
        }
    )
)


def snapshots_of(values: list[dict[str, Value]]) -> list[Snapshot]:
    """Return a snapshot for each set of values."""
    return [
        Snapshot(id=str(10**18 + index), e164=f"+1303555{index:04}", values=each) for index, each in enumerate(values)
    ]


fleets = st.lists(current, min_size=1, max_size=40).map(snapshots_of)


@given(fleets, wanted_values)
def test_batches_partition_what_changes(fleet: list[Snapshot], wanted: dict[str, Value]) -> None:
    """Every number that changes is in exactly one batch, within the cap; every other number is in none."""
    plan = build(KIND, wanted, fleet)

    assert [number.id for number in plan.numbers] == [snapshot.id for snapshot in fleet]
    sizes = Counter(number.batch for number in plan.numbers if number.batch is not None)
    assert sizes == {batch.position: batch.size for batch in plan.batches}
    assert all(0 < batch.size <= KIND.batch_size for batch in plan.batches)
    assert all((number.batch is None) == (not number.after) for number in plan.numbers)


wave = st.one_of(st.builds(WaveSize, count=st.integers(1, 45)), st.builds(WaveSize, share=st.integers(1, WHOLE)))


@given(st.lists(wave, max_size=MOST_WAVES - 1), st.integers(0, 100_000))
def test_waves_part_the_numbers_exactly(waves: list[WaveSize], total: int) -> None:
    """None is empty, together they are all numbers, and each is as large as was asked for while there are enough."""
    sizes = wave_sizes(waves, total)

    assert sum(sizes) == total
    assert all(size > 0 for size in sizes)
    assert len(sizes) <= len(waves) + 1
    asked = [size.of(total) for size in waves]
    assert all(size == wanted for size, wanted in zip(sizes[:-1], asked, strict=False))


@pytest.mark.parametrize(
    ("waves", "total", "sizes"),
    [
        ([WaveSize(count=10), WaveSize(share=10_00)], 2000, (10, 200, 1790)),
        ([WaveSize(count=10), WaveSize(share=10_00)], 10, (10,)),
        ([WaveSize(count=10), WaveSize(share=10_00)], 11, (10, 1)),
        ([WaveSize(share=10_00), WaveSize(share=10_00)], 7, (1, 1, 5)),
        ([WaveSize(share=1)], 3, (1, 2)),
        ([WaveSize(share=50_00), WaveSize(share=50_00)], 5, (3, 2)),
        ([WaveSize(share=WHOLE)], 5, (5,)),
        ([], 5, (5,)),
        ([WaveSize(count=1)], 0, ()),
    ],
)
def test_the_size_of_waves(waves: list[WaveSize], total: int, sizes: tuple[int, ...]) -> None:
    """A share is of all numbers and rounded up; a wave for which nothing is left there is not."""
    assert wave_sizes(waves, total) == sizes


@given(fleets, wanted_values, st.lists(wave, max_size=4))
def test_each_wave_is_the_next_numbers_that_change_and_nothing_else(
    fleet: list[Snapshot], wanted: dict[str, Value], waves: list[WaveSize]
) -> None:
    """Its batches come before the next one's and hold exactly them; all batches still partition what changes."""
    plan = build(KIND, wanted, fleet, waves=waves, rollout=Rollout(pause=Pause(asks=True)))
    changing = [number for number in plan.numbers if number.batch is not None]
    of = {batch.position: batch.wave for batch in plan.batches}

    sent = [of[number.batch] for number in changing if number.batch is not None]
    sizes = wave_sizes(waves, len(changing))
    assert sent == [number for number, size in enumerate(sizes, start=1) for _ in range(size)]
    assert list(of.values()) == sorted(of.values())
    assert Counter(number.batch for number in changing) == {batch.position: batch.size for batch in plan.batches}
    assert all(0 < batch.size <= KIND.batch_size for batch in plan.batches)
    together = build(KIND, wanted, fleet)
    assert [(n.id, n.before, n.after) for n in plan.numbers] == [(n.id, n.before, n.after) for n in together.numbers]
    assert (plan.digest == together.digest) == (len(sizes) < 2)


@pytest.mark.parametrize(("canary", "first"), [(1, [True, False, False]), (2, [True, True, False]), (3, [False] * 3)])
def test_a_canary_of_numbers_with_values_of_their_own(canary: int, first: list[bool]) -> None:
    """Each gets a batch of its own; the batches of the canary are those of its numbers, to the last one."""
    fleet = snapshots_of([{"customer_reference": ""}] * 3)
    rows: dict[str, Values] = {each.id: {"customer_reference": each.id} for each in fleet}

    plan = build(KIND, {}, fleet, rows, waves=[WaveSize(count=canary)])

    assert [len({batch.wave for batch in plan.batches}) > 1 and batch.wave == 1 for batch in plan.batches] == first


def test_what_was_approved_of_a_canary_before_there_were_waves_is_still_approved() -> None:
    """The digest of a plan with a canary is what it was when there was nothing else."""
    fleet = snapshots_of([{"customer_reference": "one"}] * 3)
    plan = build(KIND, {"customer_reference": "two"}, fleet, waves=[WaveSize(count=1)])

    assert plan.digest == "1acf508ffe3c67a8087b40744fc9909ad1253e4397df85f59c494baa95ef30cd"


def test_the_digest_covers_the_waves_and_what_comes_between_them() -> None:
    """Other waves, another pause and another threshold are other plans."""
    fleet = snapshots_of([{"customer_reference": "one"}] * 30)

    def sealed(*counts: int, pause: Pause = Pause(), threshold: Threshold = Threshold()) -> str:  # noqa: B008 - frozen
        waves = [WaveSize(count=count) for count in counts]
        rollout = Rollout(pause=pause, threshold=threshold)
        return build(KIND, {"customer_reference": "two"}, fleet, waves=waves, rollout=rollout).digest

    digests = [
        sealed(),
        sealed(7),
        sealed(14),
        sealed(7, 7),
        sealed(7, 14),
        sealed(7, 7, 7),
        sealed(7, pause=Pause(asks=True)),
        sealed(7, pause=Pause(length=timedelta(minutes=30))),
        sealed(7, threshold=Threshold(count=1)),
        sealed(7, threshold=Threshold(share=1)),
    ]
    assert len(set(digests)) == len(digests)
    assert sealed(30, pause=Pause(asks=True)) == sealed()


def test_the_digest_covers_the_start_and_not_the_zone_in_which_it_is_written() -> None:
    """Another instant is another plan; the same one in another zone is the same."""
    fleet = snapshots_of([{"customer_reference": "one"}])
    noon = datetime(2026, 11, 30, 12, tzinfo=UTC)

    def sealed(start: Start | None) -> str:
        return build(KIND, {"customer_reference": "two"}, fleet, start=start).digest

    expected = sealed(Start(at=noon, zone="UTC"))

    assert expected == sealed(Start(at=noon.astimezone(ZoneInfo("Asia/Kolkata")), zone="Asia/Kolkata"))
    assert expected != sealed(Start(at=noon + timedelta(minutes=1), zone="UTC"))
    assert expected != sealed(None)


def test_the_digest_covers_the_end_of_a_temporary_change() -> None:
    """Whoever approved a change until noon has approved neither one until two nor one that lasts."""
    fleet = snapshots_of([{"customer_reference": "one"}])
    noon = datetime(2026, 11, 30, 12, tzinfo=UTC)
    sealed = {
        build(KIND, {"customer_reference": "two"}, fleet, start=start, until=until).digest
        for start, until in (
            (None, None),
            (None, End(at=noon, zone="UTC")),
            (None, End(at=noon + timedelta(hours=2), zone="UTC")),
            (Start(at=noon, zone="UTC"), None),
        )
    }

    assert len(sealed) == 4


def test_a_plan_that_takes_the_place_of_another_has_a_digest_of_its_own() -> None:
    """Of one and the same plan every attempt has another, however often it is sent back."""
    plan = build(KIND, {"customer_reference": "two"}, snapshots_of([{"customer_reference": "one"}])).digest
    attempts = [plan]
    for _ in range(3):
        attempts.append(revised_digest(attempts[-1], plan))

    assert len(set(attempts)) == 4
    assert {len(digest) for digest in attempts} == {64}


@given(fleets, wanted_values)
def test_batches_are_the_fewest(fleet: list[Snapshot], wanted: dict[str, Value]) -> None:
    """For each set of equal payloads there are as many batches as the cap makes necessary, and no more."""
    plan = build(KIND, wanted, fleet)

    groups = Counter(
        repr(sorted(payload(KIND, number.before, wanted).items()))
        for number in plan.numbers
        if number.batch is not None
    )
    assert len(plan.batches) == sum(-(-count // KIND.batch_size) for count in groups.values())


@given(fleets, wanted_values)
def test_applying_the_difference_gives_the_wanted_values(fleet: list[Snapshot], wanted: dict[str, Value]) -> None:
    """A number with its ``after`` values laid over its ``before`` values has nothing left to change."""
    for number in build(KIND, wanted, fleet).numbers:
        assert difference(KIND, {**number.before, **number.after}, wanted) == {}


@given(fleets, wanted_values)
def test_a_sent_object_is_whole(fleet: list[Snapshot], wanted: dict[str, Value]) -> None:
    """When one leaf of a nested object is sent, every sibling that is set today is sent with today's value."""
    siblings = [s.name for s in KIND.settings if s.group == "voice.call_forwarding"]
    plan = build(KIND, wanted, fleet)
    values = {batch.position: batch.values for batch in plan.batches}
    for number, snapshot in zip(plan.numbers, fleet, strict=True):
        if number.batch is None or FORWARDS_TO not in wanted:
            continue
        for name in siblings:
            today = snapshot.values[name]
            expected = wanted.get(name, today if today not in {None, ""} else None)
            assert values[number.batch].get(name) == expected


rows_of_values = st.fixed_dictionaries(
    {},
    optional={
        "customer_reference": st.sampled_from(["one", "two"]),
        "hd_voice_enabled": st.booleans(),
        "tags": st.sampled_from([("a",), ("a", "b")]),
        FORWARDS_TO: st.just("+13035550997"),
    },
)


@given(fleets, st.one_of(st.just({}), wanted_values), st.data())
def test_every_number_gets_its_own_row_and_the_rest_of_the_form(
    fleet: list[Snapshot], wanted: dict[str, Value], data: st.DataObject
) -> None:
    """What is sent lays exactly the wanted values over today's, and equal rows never take more jobs than need be."""
    rows = {s.id: data.draw(rows_of_values) for s in fleet if data.draw(st.booleans())}
    plan = build(KIND, wanted, fleet, rows)
    sent = {batch.position: batch.values for batch in plan.batches}

    assert Counter(n.batch for n in plan.numbers if n.batch) == {b.position: b.size for b in plan.batches}
    groups: Counter[str] = Counter()
    for number, snapshot in zip(plan.numbers, fleet, strict=True):
        meant = {**wanted, **rows.get(number.id, {})}
        assert (number.batch is None) == (difference(KIND, number.before, meant) == {})
        if number.batch is not None:
            values = sent[number.batch]
            assert difference(KIND, {**number.before, **values}, meant) == {}
            assert difference(KIND, {**snapshot.values, **meant}, values) == {}
            groups[repr(sorted(payload(KIND, number.before, meant).items()))] += 1
    assert len(plan.batches) <= sum(-(-count // KIND.batch_size) for count in groups.values())


def test_a_sheet_of_current_values_costs_no_more_than_what_was_edited() -> None:
    """Every row differs in a column that nobody edited; the edited column alone is sent, in one job."""
    fleet = snapshots_of([{"customer_reference": f"desk {i}", "hd_voice_enabled": False} for i in range(5)])
    rows = {s.id: {**s.values, "hd_voice_enabled": True} for s in fleet}

    (batch,) = build(KIND, {}, fleet, rows).batches

    assert (dict(batch.values), batch.size) == ({"hd_voice_enabled": True}, 5)


def test_rows_that_are_equal_when_sent_whole_are_one_job() -> None:
    """What one number has already and the other needs does not part them."""
    fleet = snapshots_of([{"hd_voice_enabled": True}, {"hd_voice_enabled": False}])
    row = {"hd_voice_enabled": False, "customer_reference": "two"}
    rows = {fleet[0].id: row, fleet[1].id: {**row, "tags": ("a",)}}

    (batch,) = build(KIND, {"tags": ("a",)}, fleet, rows).batches

    assert (dict(batch.values), batch.size) == ({**row, "tags": ("a",)}, 2)


EQUAL = (("a", "b"), ("b", "a"), ("B", "a"))


def test_equal_lists_in_another_order_are_one_job() -> None:
    """Tags are a set: by rows of a sheet, and where numbers that differ are added one."""
    fleet = snapshots_of([{"tags": ("x",)}, {"tags": ("y",)}, {"tags": ("z",)}])
    rows = {snapshot.id: {"tags": tags} for snapshot, tags in zip(fleet, EQUAL, strict=True)}
    tagged = snapshots_of([{"tags": tags} for tags in EQUAL])

    by_rows = build(KIND, {}, fleet, rows)
    by_edit = build(KIND, {"tags": ListEdit(EditMode.ADD, ("c",))}, tagged)

    assert [[batch.size for batch in plan.batches] for plan in (by_rows, by_edit)] == [[3], [3]]
    assert varied(KIND, {}, rows, by_rows) == {"tags": 1}
    assert rows_by_id(request({fleet[0].id: {"tags": ("a", "b")}, fleet[0].e164: {"tags": ("b", "a")}}), fleet[:1])


def test_a_sheet_corrects_what_came_over_from_the_change_before() -> None:
    """Value by value, by whichever name it calls the number; two rows of the sheet are another thing."""
    (snapshot,) = snapshots_of([{"tags": ("x",)}])
    old = {"tags": ("old",), "customer_reference": "kept"}
    for name in (snapshot.id, snapshot.e164):
        asked = with_carried(request({name: {"tags": ("new",)}}), {snapshot.id: old}, {snapshot.id: snapshot.e164})
        assert rows_by_id(asked, [snapshot]) == {snapshot.id: {**old, "tags": ("new",)}}
        assert asked.given == (name,)

    with pytest.raises(PlanRefused, match="Two rows of the sheet"):
        rows_by_id(request({snapshot.id: {"tags": ("new",)}, snapshot.e164: {"tags": ("old",)}}), [snapshot])


def request(rows: dict[str, dict[str, Value]]) -> Request:
    """Return a request with rows."""
    return Request(kind=KIND, identifiers=(), wanted={}, reason="why", repeats=0, dropped=frozenset(), rows=rows)


def test_the_sample_shows_unlike_numbers_and_not_unlike_orders() -> None:
    """What has the same tags as another number says nothing new."""
    fleet = snapshots_of([{"tags": tags} for tags in (*EQUAL, ("c",))])
    plan = build(KIND, {"tags": ("new",)}, fleet)

    summary = summarise(KIND, plan, {"tags": ("new",)}, {}, repeats=0)

    assert [number for number, *_ in summary.sample[:2]] == [fleet[0].e164, fleet[3].e164]


def test_values_that_only_go_together_are_sent_together(emergency_kind: Kind) -> None:
    """A row whose address alone differs is sent with the service on, because an address without it is refused."""
    fleet = snapshots_of([{"emergency_enabled": True, "emergency_address_id": "1"}])
    rows = {fleet[0].id: {"emergency_enabled": True, "emergency_address_id": "2"}}

    (batch,) = build(emergency_kind, {}, fleet, rows).batches

    assert dict(batch.values) == {"emergency_enabled": True, "emergency_address_id": "2"}


@given(fleets, wanted_values, st.data())
def test_the_digest_changes_with_any_value_and_with_nothing_else(
    fleet: list[Snapshot], wanted: dict[str, Value], data: st.DataObject
) -> None:
    """Planning the same again gives the same digest; another number, id, before or wanted value gives another one."""
    plan = build(KIND, wanted, fleet)
    again = build(
        KIND, dict(reversed(wanted.items())), [replace(s, values=dict(reversed(s.values.items()))) for s in fleet]
    )
    assert again.digest == plan.digest

    index = data.draw(st.integers(0, len(fleet) - 1))
    other = fleet[index]
    touched = data.draw(st.sampled_from(sorted(wanted)))
    for changed in (
        replace(other, e164="+442079460000"),
        replace(other, id="1"),
        replace(other, values={**other.values, touched: "something else"}),
    ):
        moved = [*fleet[:index], changed, *fleet[index + 1 :]]
        assert build(KIND, wanted, moved).digest != plan.digest
    assert build(KIND, {**wanted, "customer_reference": "never seen"}, fleet).digest != plan.digest
    assert build(KIND, wanted, [*fleet, replace(other, id="2")]).digest != plan.digest


def test_the_digest_is_over_the_canonical_form_of_every_number() -> None:
    """What neighbours share is written down once, and the digest is the one over all of it, number by number."""
    one, two = {"tags": ("b", "a")}, {"tags": ("b", "a"), "customer_reference": "“é”"}
    rows = [(one, two, 1), (one, two, 1), (one, two, 2), (one, {}, 2), (two, {}, None), (one, two, 1)]
    numbers = [
        PlannedNumber(id=str(at), e164=f"+130355501{at:02}", before=before, after=after, batch=batch)
        for at, (before, after, batch) in enumerate(rows)
    ]
    whole = canonical({"version": 1, "kind": "k"}) + "".join(
        canonical([each.id, each.e164, each.batch, dict(each.before), dict(each.after)]) for each in numbers
    )

    assert digest("k", numbers, ()) == sha256(whole.encode()).hexdigest()


def test_the_digest_sees_a_changed_secret(encryption: Encryption, settings_kind: Kind) -> None:
    """Two PINs give two digests; the same PIN sealed twice gives one."""
    fleet = [Snapshot(id="1", e164="+13035550100", values={"external_pin": encryption.seal("0000")})]

    digests = [
        build(settings_kind, {"external_pin": encryption.seal(pin)}, fleet).digest for pin in ("4711", "4711", "4712")
    ]

    assert digests[0] == digests[1] != digests[2]


@pytest.mark.parametrize(
    ("name", "today", "wanted"),
    [
        pytest.param("customer_reference", None, "", id="unset-is-empty"),
        pytest.param("tags", ("Sales", "EU"), ("eu", "sales"), id="tags-are-a-set-without-case"),
        pytest.param("hd_voice_enabled", False, False, id="equal"),
    ],
)
def test_a_number_that_has_the_values_is_left_alone(
    settings_kind: Kind, name: str, today: Value, wanted: Value
) -> None:
    """Values that mean the same are no difference, and a number without a difference is in no batch."""
    plan = build(settings_kind, {name: wanted}, [Snapshot(id="1", e164="+13035550100", values={name: today})])

    assert plan.batches == ()
    assert plan.unchanged == 1


def test_off_and_unset_are_different(settings_kind: Kind) -> None:
    """Switching something off that the provider says nothing about is a change: it is sent."""
    plan = build(
        settings_kind,
        {"hd_voice_enabled": False},
        [Snapshot(id="1", e164="+13035550100", values={"hd_voice_enabled": None})],
    )

    assert len(plan.batches) == 1


def test_the_summary_counts_what_costs_money(settings_kind: Kind) -> None:
    """Only numbers on which a paid setting goes from off to on are counted."""
    fleet = snapshots_of([{"hd_voice_enabled": False}, {"hd_voice_enabled": None}, {"hd_voice_enabled": True}])
    wanted: dict[str, Value] = {"hd_voice_enabled": True}
    plan = build(settings_kind, wanted, fleet)

    summary = summarise(settings_kind, plan, wanted, {}, repeats=4)

    assert summary.paid == {"hd_voice_enabled": 2}
    assert (summary.numbers, summary.unchanged, summary.batches, summary.repeats) == (3, 1, 1, 4)


def test_every_id_that_people_will_read_is_named(settings_kind: Kind) -> None:
    """The wanted id and all of today's ids are looked up, each once."""
    fleet = snapshots_of(
        [{"connection_id": "1"}, {"connection_id": "2"}, {"connection_id": None}, {"connection_id": "1"}]
    )
    wanted: dict[str, Value] = {"connection_id": "3", "tags": ("a",)}

    assert ids_to_name(settings_kind, wanted, build(settings_kind, wanted, fleet)) == {"connection_id": {"1", "2", "3"}}
