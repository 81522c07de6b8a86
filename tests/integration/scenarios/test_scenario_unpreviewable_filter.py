"""A filter whose numbers the carrier does not list: only under a rule, alone, in plain words, and accounted for."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.scenarios.stage import Stage
from tests.integration.scenarios.test_scenario_home import opened, shows

RULES = '[[rule]]\nname = "bundles"\nkinds = ["telnyx.settings"]\nunpreviewable_filters = true\n'


async def under(idle: Stage, folder: Path, rules: str) -> Stage:
    """Start the bot with a policy file of ``rules``."""
    file = folder / "policy.toml"
    file.write_text(rules, encoding="utf-8")
    await idle.start(LINESMAN_POLICY_FILE=str(file))
    return idle


@pytest.fixture
async def bundles(idle: Stage, tmp_path: Path) -> Stage:
    """Start the bot with a rule that allows such filters; three of five numbers have bundles, no file says which."""
    stage = await under(idle, tmp_path, RULES)
    refuse(stage)
    for at, number in enumerate(stage.telnyx.add_numbers(5, start="+13035550000")):
        number.has_bundle = at < 3
    return stage


def refuse(stage: Stage) -> None:
    """Let the carrier make no files of numbers for this account."""
    stage.telnyx.faults.add(method="POST", path="/phone_numbers/csv_downloads", kind="status", status=403, times=None)


async def form(stage: Stage, numbers: str = "", settings: dict[str, str] | None = None) -> None:
    """Fill the form with the filter."""
    await stage.open()
    await stage.fill(numbers or None, settings or {"customer_reference": "bundled"}, "Marking bundles")
    await stage.ana.choose("filters", ["has_bundle"])
    await stage.ana.wait_for_view(lambda view: "filter:has_bundle" in str(view.blocks))
    await stage.ana.choose("filter:has_bundle", "true")


def searched(stage: Stage) -> int:
    """Return how often the list of jobs was read."""
    return sum(call.method == "GET" and call.path.endswith("/phone_numbers/jobs") for call in stage.telnyx.calls)


async def test_without_a_rule_nothing_is_planned(stage: Stage) -> None:
    """Whoever may not hand the filter over reads what the carrier said, and who could allow it."""
    refuse(stage)
    await form(stage)
    await stage.send()
    shown = stage.read(await stage.planned())
    assert (
        "Telnyx does not list the numbers that match this filter. Telnyx does not allow this for the API key." in shown
    )
    assert "You are not authorized to access the requested resource." in shown
    assert "does not allow filters that cannot be previewed" in shown
    assert "Request approval" not in shown
    assert stage.created() == []


async def test_the_jobs_own_list_becomes_the_changes_numbers(bundles: Stage) -> None:
    """The approver is told that nobody knows the numbers; afterwards every number of the job has its outcome."""
    stage = bundles
    await form(stage)
    await stage.send()
    shown = stage.read(await stage.planned())
    assert "Numbers: unknown until the job runs, at most 1,000" in shown
    assert "Nobody can see which numbers these are. Telnyx refused to list them for this account" in shown
    assert "Has bundle: yes" in shown
    assert "repeated" not in shown
    change = await stage.request()
    card = stage.request_card(change)
    assert "Up to 1,000 numbers that are unknown until the job runs" in str(card.blocks)
    request = stage.read(card)
    assert "Numbers that will match this filter when the job is created" in request
    assert "Nobody can see which numbers these are." in request

    await stage.approve(change)
    await stage.ended(change)

    changed = [n.phone_number for n in stage.telnyx.numbers.values() if n.customer_reference == "bundled"]
    assert changed == ["+13035550000", "+13035550001", "+13035550002"]
    assert sorted(row["number"] for row in stage.results(change)) == changed
    assert stage.outcomes(change) == {"verified": 3}
    assert len(stage.created()) == 1


async def test_while_it_waits_no_other_change_of_numbers_can_be_asked_for(bundles: Stage) -> None:
    """It may touch any number, so it holds them all, and it cannot be had while somebody holds one."""
    stage = bundles
    await form(stage)
    await stage.send()
    await stage.planned()
    first = await stage.request()

    await stage.propose("+13035550004", {"tags": "x"}, by=stage.mia)
    assert f"1 of the numbers is locked by CHG-{first}" in stage.modal(stage.mia)

    await stage.command(f"cancel CHG-{first}")
    second = await stage.ask("+13035550004", {"tags": "x"})
    await form(stage)
    await stage.send()
    shown = stage.read(await stage.planned())
    assert f"1 of the numbers is locked by CHG-{second}" in shown
    assert "Request approval" not in shown


@pytest.mark.parametrize(
    ("numbers", "settings", "canary", "why"),
    [
        pytest.param(
            "+13035550000",
            {"customer_reference": "x"},
            "",
            "A job can be given this filter only alone: remove numbers, sheet, exceptions and other filters",
            id="with numbers",
        ),
        pytest.param(
            "",
            {"voice.call_forwarding.forwards_to": "+13035550199"},
            "",
            "Forward to is computed from each number's current value, which cannot be read",
            id="with a nested object",
        ),
        pytest.param("", {"customer_reference": "x"}, "2", "so there is no canary: leave it empty", id="with a canary"),
    ],
)
async def test_what_cannot_go_with_it_is_said(
    bundles: Stage, numbers: str, settings: dict[str, str], canary: str, why: str
) -> None:
    """Nothing that needs the numbers, or their values of today, can be combined with it."""
    await form(bundles, numbers, settings)
    if canary:
        await bundles.ana.type("canary", canary)
    await bundles.send()
    shown = bundles.read(await bundles.planned())
    assert "Telnyx does not list the numbers that match this filter." in shown
    assert why in shown
    assert "Request approval" not in shown


async def test_a_rule_that_is_gone_stops_the_approval(bundles: Stage, tmp_path: Path) -> None:
    """The policy of the moment of the click decides, whatever was allowed when it was planned."""
    stage = bundles
    await form(stage)
    await stage.send()
    await stage.planned()
    change = await stage.request()
    await stage.stop()
    await under(stage, tmp_path, RULES.replace("true", "false"))
    assert "does not allow filters that cannot be previewed" in await stage.approve(change)
    assert stage.created() == []


async def test_an_unanswered_job_over_a_filter_is_never_sent_again_by_itself(bundles: Stage) -> None:
    """Nobody can say whether a listed job is this one, so an operator is asked, and nothing is repeated."""
    stage = bundles
    await form(stage)
    await stage.send()
    await stage.planned()
    change = await stage.request()
    stage.telnyx.faults.add(method="POST", path="/phone_numbers/jobs/*", kind="drop_after")
    await stage.approve(change)
    await stage.slack.wait_for(lambda: searched(stage) >= 1, what="a search")
    stage.clock.advance(120)
    await stage.slack.wait_for(
        lambda: any("creation time do not prove it" in said for said in stage.failures()), what="the question"
    )
    assert len(stage.created()) == 1
    assert len(stage.telnyx.jobs) == 1


async def test_home_asks_those_who_may_approve_what_the_filter_may_come_to(idle: Stage, tmp_path: Path) -> None:
    """Nobody knows how many numbers there are: the rule for as many as there may be says for whom the request waits."""
    large = RULES.replace("unpreviewable", 'min_numbers = 100\napprovers = ["U0MIA"]\nunpreviewable')
    stage = await under(idle, tmp_path, large)
    refuse(stage)
    stage.telnyx.add_numbers(2, start="+13035550000")
    await form(stage)
    await stage.send()
    await stage.planned()
    change = await stage.request()

    await opened(stage, stage.mia)
    await shows(stage, stage.mia, f"CHG-{change}")
    assert "No requests are waiting for you." in stage.read(await opened(stage, stage.max))
