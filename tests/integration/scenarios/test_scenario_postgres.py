"""The bot on a PostgreSQL that fails: new work stops, people are told, and it goes on by itself."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog

from bot.sandbox.close import CloseStandIn, Fixtures
from bot.workflow.execution.staleness import RECENT
from tests.integration.scenarios.house import Clock
from tests.integration.scenarios.stage import Stage
from tests.integration.scenarios.steps import card_says
from tests.integration.scenarios.test_scenario_canary import numbers_of
from tests.integration.scenarios.test_scenario_change_window import (
    OUTSIDE,
    free_slots,
    goes_on_at_any_time,
    held,
    one_job_of_three,
)
from tests.integration.scenarios.test_scenario_delegations import lend, told
from tests.integration.scenarios.test_scenario_freeze import ALL, DONE, UNDER_WAY, updates
from tests.integration.scenarios.test_scenario_freeze import held as being_updated
from tests.integration.scenarios.test_scenario_policy import under
from tests.integration.scenarios.test_scenario_revisions import below_the_request, replan, send_back
from tests.integration.scenarios.test_scenario_stages import TWO
from tests.integration.scenarios.test_scenario_temporary import asked_to_extend, end_now, in_effect, restores
from tests.integration.scenarios.test_scenario_waves import started, waves_of
from tests.integration.unruly_postgres import DATABASE, USER, UnrulyPostgres, unruly, unruly_server

__all__ = ["unruly", "unruly_server"]


@pytest.fixture
async def stage(idle: Stage, unruly: UnrulyPostgres) -> Stage:
    """Set the stage with the bot at work on a PostgreSQL that can be harmed."""
    idle.clock = Clock(rate=1.0)  # a clock that differs from the server's takes no work
    await idle.start(DATABASE_URL=unruly.url)
    return idle


async def psql(unruly: UnrulyPostgres, *commands: str, database: str = "postgres") -> str:
    """Carry out ``commands`` in a thread: the bot lives in this loop, and may hold what they wait for."""
    return await asyncio.to_thread(unruly.psql, *commands, database=database)


async def ready(stage: Stage, status: int) -> str:
    """Wait until ``/readyz`` answers with ``status`` and return what it says."""
    async with asyncio.timeout(60):
        while (answer := await stage.get("/readyz"))[0] != status:  # noqa: ASYNC110 - only another look can tell
            await asyncio.sleep(0.05)
    return answer[1]


async def goes_on(stage: Stage) -> None:
    """Prove that work goes on, with a change from its beginning to its end."""
    await ready(stage, 200)
    number = stage.telnyx.add_number("+13035550199")
    change = await stage.run([number.phone_number])

    assert stage.outcomes(change) == {"verified": 1}
    stage.assert_nothing_doubled()


async def test_a_temporary_change_goes_there_and_back(stage: Stage) -> None:
    """It comes into effect, is extended with an approval of its own, and ends before its time."""
    numbers = stage.telnyx.add_numbers(3, start="+13035550000", customer_reference="Dallas")
    change = await in_effect(stage, [number.phone_number for number in numbers])
    extension = await asked_to_extend(stage, change)
    extended = await stage.approve(extension)
    await stage.slack.wait_for(lambda: any("Extended until" in line for line in stage.thread(change)), what="the line")
    numbers[1].customer_reference = "Portal"
    ended = await end_now(stage, change, stage.ana)
    await stage.ended(change)

    assert f"CHG-{change} is extended" in extended
    assert f"CHG-{change} ends now" in ended
    assert [number.customer_reference for number in numbers] == ["Dallas", "Portal", "Dallas"]
    assert restores(stage, change) == {"verified": 2, "left": 1}
    assert [len(job.operations) for job in stage.telnyx.jobs] == [3, 2]


async def test_a_rollout_in_waves_continues_once_however_often_it_is_pressed(
    stage: Stage, unruly: UnrulyPostgres
) -> None:
    """Two people press at once, a pause ends by its time while the bot is away, and each wave is sent once."""
    numbers = numbers_of(stage, 6)
    change = await started(stage, numbers, "1, 2", "30 min")
    await card_says(stage, change, "Wave 1 of 3 is done")
    card = stage.card(change)
    await asyncio.gather(*(each.click("go_on", message=card) for each in (stage.ana, stage.otto, stage.ana)))
    await card_says(stage, change, "Wave 2 of 3 is done")
    await waves_of(stage, numbers, 1, 2)
    await stage.crash()
    over = ("UPDATE changes SET resumes_at = now()", "UPDATE tasks SET due_at = now() WHERE task = 'start'")
    await psql(unruly, *over, database=DATABASE)
    await stage.start()
    await stage.ended(change)

    await waves_of(stage, numbers, 1, 2, 3)
    assert stage.outcomes(change) == {"verified": 6}
    assert sum("continued the rollout" in line for line in stage.thread(change)) == 1
    stage.assert_nothing_doubled()


async def test_changes_are_asked_for_and_made(stage: Stage) -> None:
    """The plan that takes the place of the first one is carried out, under the same name, and nothing of the first."""
    numbers = stage.telnyx.add_numbers(2, start="+13035550000", customer_reference="Dallas")
    change = await stage.ask([number.phone_number for number in numbers])
    await send_back(stage, change)
    await replan(stage, change, numbers[0].phone_number)
    await stage.approve(change)
    await stage.ended(change)

    assert [number.customer_reference for number in numbers] == ["Denver", "Dallas"]
    assert stage.outcomes(change) == {"verified": 1}
    stage.assert_nothing_doubled()


async def test_stages_and_fallback_approvers_hold_over_a_crash(
    stage: Stage, unruly: UnrulyPostgres, tmp_path: Path
) -> None:
    """Both stages click at once, the process dies, the fallback approver is called once and ends it."""
    rules = TWO.replace('["S0NET"]', '["U0MAX"], fallback_approvers = ["U0OTTO"], fallback_after = "2h"')
    await stage.stop()
    await under(stage, tmp_path, rules)
    change = await stage.ask(numbers_of(stage, 1))
    await asyncio.gather(*(stage.approve(change, by=each) for each in (stage.mia, stage.mia, stage.otto)))
    await stage.crash()
    moments = (
        "UPDATE changes SET requested_at = requested_at - interval '3 hours'",
        "UPDATE decisions SET at = at - interval '2 hours'",
        "UPDATE events SET at = at - interval '3 hours' WHERE what IN ('approval_requested', 'stage_opened')",
        "UPDATE tasks SET due_at = now() WHERE task = 'fallback'",
    )
    await psql(unruly, *moments, database=DATABASE)
    await stage.start()
    await stage.slack.wait_for(lambda: any("@Otto: nobody" in told for told in below_the_request(stage, change)))
    assert "last approval" in await stage.approve(change, by=stage.otto)
    await stage.ended(change)

    assert sum("@Otto: nobody" in told for told in below_the_request(stage, change)) == 1
    assert stage.outcomes(change) == {"verified": 1}
    stage.assert_nothing_doubled()


async def test_a_right_is_lent_used_and_taken_back(stage: Stage) -> None:
    """The bot dies between the lending and its use; taken back, it lets nobody approve."""
    numbers = stage.telnyx.add_numbers(2, start="+13035550000")
    await lend(stage)
    await stage.crash()
    await stage.start()
    first = await stage.ask([numbers[0].phone_number])
    assert "starts now" in await stage.approve(first, by=stage.sam)
    await stage.ended(first)
    second = await stage.ask([numbers[1].phone_number])
    assert "can no longer approve for you" in await stage.command("delegate end @Sam", by=stage.max)
    assert "you are not one of the approvers" in await stage.approve(second, by=stage.sam)
    await stage.slack.wait_for(lambda: len(told(stage, stage.sam)) == 2, what="a second word to Sam")
    await stage.quiet()

    assert stage.outcomes(first) == {"verified": 1}
    assert len(stage.created()) == 1
    stage.assert_nothing_doubled()


async def test_while_it_is_stopped_people_are_told_and_afterwards_it_goes_on(
    stage: Stage, unruly: UnrulyPostgres
) -> None:
    """A click is answered, readiness and metrics say it, and the log has a line and no traceback."""
    with structlog.testing.capture_logs() as lines:
        unruly.stop()
        answer = await stage.command("list", by=stage.otto)
        said = await ready(stage, 503)
        status, metrics = await stage.get("/metrics")
        unruly.start()
        await ready(stage, 200)

    assert "The database cannot be reached" in answer
    assert "Nothing was decided or sent" in answer
    assert "The database" in said
    assert status == 200
    assert 'linesman_trouble{where="database"} 1.0' in metrics
    assert "linesman_changes" not in metrics
    assert sum(line["event"] == "no new work is started" for line in lines) <= 2
    assert sum(line["event"] == "others cannot see that this replica lives" for line in lines) <= 1
    assert not [line for line in lines if line.get("exc_info")]
    await goes_on(stage)


async def test_while_it_hangs_people_are_answered_soon(stage: Stage, unruly: UnrulyPostgres) -> None:
    """Connections stay open and nothing comes: nobody waits for that to end."""
    with unruly.hanging():
        async with asyncio.timeout(15):
            answer = await stage.command("list", by=stage.otto)
        said = await ready(stage, 503)
        status, metrics = await stage.get("/metrics")

    assert "The database does not answer" in answer
    assert "does not answer" in said
    assert status == 200
    assert 'linesman_trouble{where="database"} 1.0' in metrics
    await goes_on(stage)


async def test_a_standby_is_not_ready(stage: Stage, unruly: UnrulyPostgres) -> None:
    """It can be read, so people can look; nothing that is decided could be kept."""
    stage.telnyx.add_number("+13035550000")
    change = await stage.ask("+13035550000")
    await stage.quiet()
    unruly.stop()
    unruly.start(default_transaction_read_only="on")
    said = await ready(stage, 503)
    answer = await stage.approve(change)
    unruly.stop()
    unruly.start()
    await ready(stage, 200)
    await stage.approve(change)
    await stage.ended(change)

    assert "is read-only, as a standby is" in said
    assert "have DATABASE_URL lead to the primary" in answer
    assert stage.outcomes(change) == {"verified": 1}
    stage.assert_nothing_doubled()


async def test_whom_others_cannot_see_takes_no_work_and_says_so(stage: Stage, unruly: UnrulyPostgres) -> None:
    """Its connections work, but there is none left for the one on which it is seen: it is not ready, in one line."""
    of_life = "FROM pg_locks WHERE locktype = 'advisory' AND classid = 4711044"
    async with asyncio.timeout(60):
        while (await psql(unruly, f"SELECT count(*) {of_life}")).strip() != "1":  # noqa: ASYNC110 - it signals nobody
            await asyncio.sleep(0.05)
    await ready(stage, 200)
    with structlog.testing.capture_logs() as lines:
        await psql(unruly, f"ALTER ROLE {USER} CONNECTION LIMIT 1", f"SELECT pg_terminate_backend(pid) {of_life}")
        said = await ready(stage, 503)
        status, metrics = await stage.get("/metrics")
        await asyncio.sleep(3)
        await psql(unruly, f"ALTER ROLE {USER} CONNECTION LIMIT -1")
        await ready(stage, 200)

    assert "takes no work, because others cannot see that it is alive. The database has no connection left" in said
    assert (status, 'linesman_trouble{where="database"} 1.0' in metrics) == (200, True)
    told = [line["event"] for line in lines if line["event"] != "event"]
    assert told == ["others cannot see that this replica lives", "trouble", "recovered"]
    await goes_on(stage)


async def test_a_right_that_is_taken_away_is_one_line_until_it_is_given_back(
    stage: Stage, unruly: UnrulyPostgres
) -> None:
    """What can still be written does not make it ready in between."""
    await ready(stage, 200)
    with structlog.testing.capture_logs() as lines:
        await psql(unruly, f"REVOKE ALL ON tasks FROM {USER}", database=DATABASE)
        await ready(stage, 503)
        for _ in range(50):
            status, said = await stage.get("/readyz")
            assert status == 503
            assert "lacks a right (permission denied for table tasks)" in said
            await asyncio.sleep(0.1)
        await psql(unruly, f"GRANT ALL ON tasks TO {USER}", database=DATABASE)
        await ready(stage, 200)

    assert [line["event"] for line in lines if line["log_level"] in {"error", "warning"}] == [
        "the database takes no writes",
        "no new work is started",
        "the database takes writes again",
    ]
    await goes_on(stage)


async def test_ended_connections_double_and_lose_nothing(stage: Stage, unruly: UnrulyPostgres) -> None:
    """An administrator ends every connection again and again while a change of many numbers is carried out."""
    numbers = [number.phone_number for number in stage.telnyx.add_numbers(30, start="+13035550000")]
    change = await stage.ask(numbers)
    await stage.quiet()
    await stage.approve(change)
    for _ in range(8):
        await asyncio.to_thread(unruly.end_connections)
    await stage.ended(change)

    assert stage.outcomes(change) == {"verified": 30}
    stage.assert_nothing_doubled()


async def test_whoever_stood_still_in_the_midst_of_a_message_does_not_finish_it(stage: Stage) -> None:
    """Its claim has run out, so others may have said it: it is looked for, and said once."""
    number = stage.telnyx.add_number("+13035550000")
    stage.slack.faults.add(method="upload", kind="delay", seconds=1.0)

    def times(method: str) -> int:
        return sum(call.method == method for call in stage.slack.calls)

    await stage.propose(number.phone_number)
    await stage.ana.submit()
    await stage.slack.wait_for(lambda: times("upload"), what="the bytes of the plan")
    assert stage.bot is not None
    messages = stage.bot.worker._messages
    lease = messages._context.timing.lease.total_seconds()
    messages._context = replace(messages._context, steady=lambda: stage.clock.steady() + lease)
    await stage.slack.wait_for(lambda: times("files.completeUploadExternal"), what="the plan in the thread")
    await stage.quiet()

    assert times("files.getUploadURLExternal") == 2
    assert [file.name for file in stage.slack.files if file.channel] == ["CHG-1-plan.csv"]


@pytest.mark.parametrize("conflict", ["deadlock_detected", "serialization_failure"])
async def test_a_click_that_meets_a_conflict_is_done_at_once(
    stage: Stage, unruly: UnrulyPostgres, conflict: str
) -> None:
    """The database puts another transaction first, in the middle of a decision: it is decided all the same, once."""
    stage.telnyx.add_number("+13035550000")
    change = await stage.ask("+13035550000")
    await stage.quiet()
    await psql(
        unruly,
        "CREATE SEQUENCE tries",  # it counts on where a transaction is rolled back
        "CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN "
        f"IF nextval('tries') = 1 THEN RAISE {conflict}; END IF; RETURN NEW; END $$",
        "CREATE TRIGGER lose BEFORE INSERT ON decisions FOR EACH ROW EXECUTE FUNCTION lose()",
        database=DATABASE,
    )
    answer = await stage.approve(change)
    await stage.ended(change)

    assert "at the same moment" not in answer
    assert (await psql(unruly, "SELECT last_value FROM tries", database=DATABASE)).strip() == "2"
    assert (await psql(unruly, "SELECT count(*) FROM decisions", database=DATABASE)).strip() == "1"
    assert stage.outcomes(change) == {"verified": 1}
    stage.assert_nothing_doubled()


async def test_a_replica_whose_clock_is_off_is_not_ready(stage: Stage) -> None:
    """It takes no work and says why, and by how much; once its clock is right again it goes on."""
    await ready(stage, 200)
    stage.clock.advance(120)
    said = await ready(stage, 503)
    stage.clock.advance(-120)

    assert "2 min ahead of" in said
    await goes_on(stage)


async def test_after_an_upgrade_by_another_version_it_only_looks(stage: Stage, unruly: UnrulyPostgres) -> None:
    """A rolling update starts the new version beside the old one: the old one takes no more work, and says so."""
    stage.telnyx.add_number("+13035550000")
    change = await stage.ask("+13035550000")
    await stage.quiet()
    [before] = (await psql(unruly, "SELECT version_num FROM alembic_version", database=DATABASE)).split()
    await psql(unruly, "UPDATE alembic_version SET version_num = 'later'", database=DATABASE)
    answer = await stage.approve(change)
    said = await ready(stage, 503)
    await psql(unruly, f"UPDATE alembic_version SET version_num = '{before}'", database=DATABASE)  # noqa: S608 - its own
    await ready(stage, 200)
    await stage.approve(change)
    await stage.ended(change)

    assert "Another version of Linesman has upgraded the database" in answer
    assert "Another version of Linesman has upgraded the database" in said
    assert stage.outcomes(change) == {"verified": 1}
    stage.assert_nothing_doubled()


async def test_a_start_waits_for_the_database(idle: Stage, unruly: UnrulyPostgres, monkeypatch: Any) -> None:
    """As it waits for Slack: whoever starts both at once need not mind which is there first."""
    monkeypatch.setattr("bot.store.maintenance.preparation.RETRY", 0.05)
    idle.clock = Clock(rate=1.0)
    unruly.stop()
    with structlog.testing.capture_logs() as lines:
        starting = asyncio.create_task(idle.start(DATABASE_URL=unruly.url))
        async with asyncio.timeout(30):
            while len(lines) < 2:  # noqa: ASYNC110 - lines signal nobody
                await asyncio.sleep(0.05)
        unruly.start()
        await starting

    assert {line["event"] for line in lines[:2]} == {"the database does not answer; trying again"}
    await goes_on(idle)


def another_day(stage: Stage) -> str:
    """Return a rule under which changes are sent on another day of the week than this one."""
    day = f"{stage.clock() + timedelta(days=3):%a}".lower()
    window = f'{{ days = "{day}", from = "00:00", to = "24:00", zone = "UTC" }}'
    return f'[[rule]]\nname = "another day"\nwindows = [{window}]\n'


async def test_what_is_left_of_a_change_waits_for_its_window(stage: Stage, tmp_path: Path) -> None:
    """The server's clock says whether it is open; the rest waits, and goes on under a policy without a window."""
    change = await one_job_of_three(stage)
    await stage.stop()
    free_slots(stage)

    await under(stage, tmp_path, another_day(stage))
    await held(stage, change)
    await stage.stop()

    await goes_on_at_any_time(stage, change, tmp_path)


async def test_numbers_of_close_wait_for_their_window(
    idle: Stage, unruly: UnrulyPostgres, close: CloseStandIn, team: Fixtures, tmp_path: Path
) -> None:
    """The same between two numbers of a change of Close, whose process has died meanwhile."""
    idle.clock, idle.close = Clock(rate=1.0), close
    await idle.start(DATABASE_URL=unruly.url)
    change, holding = await being_updated(idle, close, team)
    await idle.crash()
    holding.let_go()

    await under(idle, tmp_path, another_day(idle))
    await card_says(
        idle, change, f"{OUTSIDE}: 7 numbers wait. Sending continues at", "1 held until its change window opens"
    )
    assert updates(close) == DONE + UNDER_WAY
    await idle.stop()

    await under(idle, tmp_path, '[[rule]]\nname = "any time"\n')
    await idle.ended(change)
    assert idle.outcomes(change) == {"verified": ALL}
    assert Counter(update.number for update in close.updates) == Counter(n.number for n in team.shared)


async def test_a_restore_leaves_what_somebody_changed_and_brings_back_its_mates(stage: Stage) -> None:
    """The number that changes while its job waits is left; the other one of that job goes back in another restore."""
    pairs = (("+13035550000", "Dallas"), ("+13035550002", "Austin"))
    added = [n for first, name in pairs for n in stage.telnyx.add_numbers(2, start=first, customer_reference=name)]
    stage.ana.profile.tz = "Europe/Berlin"
    change = await in_effect(stage, [each.phone_number for each in added])
    stage.telnyx.other_jobs(19, "update_phone_numbers")
    stage.telnyx.job_seconds = 60
    await stage.command(f"end CHG-{change}")
    await stage.telnyx.wait_for(lambda: len(stage.created()) >= 3, timeout=30)  # there, back, and what found no slot
    gone_out = {operation.id for operation in stage.telnyx.jobs[-1].operations}
    next(each for each in added if each.id not in gone_out).customer_reference = "Portal"
    await asyncio.sleep(RECENT.total_seconds())  # until then a look counts, and the server's clock cannot be moved
    free_slots(stage)
    await stage.ended(change, timeout=60)

    assert Counter(each.customer_reference for each in added)["Portal"] == 1
    assert "Holiday" not in {each.customer_reference for each in added}
    assert "3 numbers restored, 1 left because somebody changed it" in stage.read(stage.card(change))
    assert len(stage.telnyx.jobs) == 3
