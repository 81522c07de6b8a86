"""Numbers with a bundle: no list of the carrier's shows them, so its file of numbers is read, and checked."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.providers.telnyx import downloads
from bot.sandbox.slack import View
from bot.sandbox.telnyx.file_host import FileHost
from tests.integration.scenarios.stage import Stage

NEW = {"customer_reference": "bundled"}
#: A rule under which a filter may go to the job where its numbers cannot be had.
RULES = '[[rule]]\nname = "bundles"\nkinds = ["telnyx.settings"]\nunpreviewable_filters = true\n'


@pytest.fixture
async def fleet(stage: Stage) -> Stage:
    """Set up three numbers with a bundle among six: two tagged ``denver``, of three."""
    for at, number in enumerate(stage.telnyx.add_numbers(6, start="+13035550000")):
        number.has_bundle = at in {1, 2, 5}
        number.tags = ["denver"] if at < 3 else ["boulder"]
    return stage


async def fill(stage: Stage, settings: dict[str, str] | None = None, **filters: str) -> None:
    """Fill a new form with the filter, and with others."""
    await stage.open()
    await stage.fill(None, settings or NEW, "Marking bundles")
    await stage.ana.choose("filters", ["has_bundle", *filters])
    await stage.ana.wait_for_view(lambda view: all(f"filter:{n}" in str(view.blocks) for n in ("has_bundle", *filters)))
    await stage.ana.choose("filter:has_bundle", "true")
    for name, value in filters.items():
        await stage.ana.suggest(f"filter:{name}", "")
        await stage.ana.choose(f"filter:{name}", value)


async def plan(stage: Stage, settings: dict[str, str] | None = None, **filters: str) -> View:
    """Plan a change of the numbers with a bundle."""
    await fill(stage, settings, **filters)
    await stage.send()
    return await stage.planned()


def bundled(stage: Stage) -> list[str]:
    """Return the numbers that have the new value, by their last digit."""
    return [n.phone_number[-1] for n in stage.telnyx.numbers.values() if n.customer_reference == "bundled"]


async def test_the_filter_becomes_explicit_numbers_like_any_other(fleet: Stage) -> None:
    """No rule is needed, the plan names every number, and what gets a bundle after it is not touched."""
    shown = fleet.read(await plan(fleet))
    assert "Has bundle: yes" in shown
    assert "Numbers: 3" in shown
    assert "+13035550001" in shown
    change = await fleet.request()
    assert "Numbers that matched this filter when it was planned" in fleet.read(fleet.request_card(change))
    await fleet.ask("+13035550000", by=fleet.mia)  # its numbers are locked, and no others
    fleet.telnyx.number("+13035550003").has_bundle = True

    await fleet.approve(change)
    await fleet.ended(change)

    assert bundled(fleet) == ["1", "2", "5"]
    (created,) = fleet.created()
    assert created.query == {}
    assert fleet.outcomes(change) == {"verified": 3}
    assert [call.status for call in fleet.telnyx.files.calls] == [200]


async def test_it_goes_with_whatever_others_go_with(fleet: Stage) -> None:
    """Another filter, an exclusion, a canary and values that are computed for each number: all of it at once."""
    await fill(fleet, {"voice.call_forwarding.forwards_to": "+13035550199"}, tag="denver")
    await fleet.ana.type("excluded", "+13035550002")
    await fleet.send()

    assert "Numbers: 1" in fleet.read(await fleet.planned())
    change = await fleet.request()
    await fleet.approve(change)
    await fleet.ended(change)

    assert [row["number"] for row in fleet.results(change)] == ["+13035550001"]
    assert fleet.outcomes(change) == {"verified": 1}


async def test_a_file_that_was_moved_to_another_host_is_read_there(fleet: Stage) -> None:
    """Wherever it is, nobody but the carrier's API gets the key: both hosts refuse who brings one."""
    other = FileHost(fleet.telnyx._clock)
    runner = await other.start()
    try:
        await fill(fleet)
        location = other.keep(b"phone_number\n+13035550001\n")
        fleet.telnyx.files.faults.add(kind="redirect", location=location)
        await fleet.send()
        assert "Numbers: 1" in fleet.read(await fleet.planned())
    finally:
        await runner.cleanup()

    assert [call.status for call in (*fleet.telnyx.files.calls, *other.calls)] == [302, 200]


async def test_a_list_that_never_comes_is_given_up(fleet: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The requester is told, nothing is planned, and "Plan again" finds it once it comes."""
    monkeypatch.setattr(downloads, "PATIENCE", 20.0)
    fleet.telnyx.downloads.seconds = 1e6
    assert "did not finish its list of the numbers that match the filter" in fleet.read(await plan(fleet))
    assert fleet.created() == []

    fleet.telnyx.downloads.seconds = 0.7
    await fleet.ana.click("plan_again")

    view = await fleet.ana.wait_for_view(lambda view: "Request approval" in fleet.read(view))
    assert "Numbers: 3" in fleet.read(view)


async def test_a_bot_that_is_killed_while_it_waits_asks_again(fleet: Stage) -> None:
    """The plan comes all the same, to the modal that waits for it."""
    fleet.telnyx.downloads.seconds = 1e6
    await fill(fleet)
    await fleet.send()
    await fleet.telnyx.wait_for(lambda: any("csv_downloads/" in call.path for call in fleet.telnyx.calls))
    await fleet.crash()
    fleet.telnyx.downloads.seconds = 0.0

    await fleet.start()

    assert "Numbers: 3" in fleet.read(await fleet.planned())


@pytest.mark.parametrize(
    ("lie", "words"),
    [
        pytest.param({"intruders": ["+13035550999"]}, "names 1 that its list does not have", id="a number of nobody"),
        pytest.param({"intruders": ["+13035550004"]}, "names 1 that its list does not have", id="one that is not like"),
        pytest.param({"ignored": {"filter[has_bundle]"}}, "nothing shows that Telnyx applied it", id="ignored"),
        pytest.param({"heading": "label"}, "has no column, or several", id="other columns"),
        pytest.param({"intruders": ["n/a"]}, "in the place of a number", id="no number"),
        pytest.param({"end": "failed"}, "could not finish its list", id="failed"),
        pytest.param({"end": "expired"}, "could not finish its list", id="expired"),
    ],
)
async def test_a_file_that_is_wrong_plans_nothing(
    fleet: Stage, tmp_path: Path, lie: dict[str, object], words: str
) -> None:
    """Neither is a number of it taken, nor is it a refusal: also under the rule the filter does not go to a job."""
    file = tmp_path / "policy.toml"
    file.write_text(RULES, encoding="utf-8")
    await fleet.stop()
    await fleet.start(LINESMAN_POLICY_FILE=str(file))
    for name, value in lie.items():
        setattr(fleet.telnyx.downloads, name, value)

    shown = fleet.read(await plan(fleet, tag="denver"))

    assert words in shown
    assert "Request approval" not in shown


async def test_other_kinds_of_change_find_them_too(fleet: Stage) -> None:
    """Emergency service has no job that takes a filter, and needs none."""
    address = fleet.telnyx.add_address("1600 Broadway")
    await fleet.open("emergency")
    await fleet.fill(None, {"emergency_enabled": "true", "emergency_address_id": address.id}, "Bundled lines")
    await fleet.ana.choose("filters", ["has_bundle"])
    await fleet.ana.wait_for_view(lambda view: "filter:has_bundle" in str(view.blocks))
    await fleet.ana.choose("filter:has_bundle", "true")
    await fleet.send()

    assert "Numbers: 3" in fleet.read(await fleet.planned())


async def test_where_the_file_is_refused_a_kind_without_such_a_job_says_so(fleet: Stage) -> None:
    """Nothing of it could be handed to the carrier, so the numbers have to be chosen otherwise."""
    fleet.telnyx.faults.add(method="POST", path="/phone_numbers/csv_downloads", kind="status", status=403, times=None)
    await fleet.open("emergency")
    await fleet.fill(None, {"emergency_enabled": "false"}, "Bundled lines")
    await fleet.ana.choose("filters", ["has_bundle"])
    await fleet.ana.wait_for_view(lambda view: "filter:has_bundle" in str(view.blocks))
    await fleet.ana.choose("filter:has_bundle", "true")
    await fleet.send()

    shown = fleet.read(await fleet.planned())
    assert "Telnyx does not list the numbers that match this filter." in shown
    assert "Choose the numbers in another way." in shown
