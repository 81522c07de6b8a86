"""Close as the second provider: the same words, form, plan, approval, card and results."""

from __future__ import annotations

from collections import Counter

from bot.sandbox.close import CloseStandIn, Fixtures
from tests.integration.scenarios.stage import FAILURES, Stage
from tests.integration.scenarios.steps import card_says


def updated(close: CloseStandIn) -> Counter[str]:
    """Count the updates that took effect, by number."""
    return Counter(update.number for update in close.updates)


async def test_a_change_at_close_goes_from_the_command_to_the_last_number(
    both: Stage, close: CloseStandIn, team: Fixtures
) -> None:
    """What is asked for and approved is done number by number, watched, told and accounted for, once."""
    stage, dev = both, team.users[3]
    numbers = [number.number for number in team.shared]
    before = {number.number: list(number.participants) for number in team.shared}
    close.fail(numbers[0], field="label", text="This label is taken.")
    await stage.open("close")
    await stage.fill(numbers, reason="The night desk grows")
    await stage.choose(["label", "participants", "inbound_ring_duration"])
    await stage.set("label", "Night desk")
    await stage.set("inbound_ring_duration", "45")
    await stage.ana.choose("way:participants", "add")
    await stage.ana.suggest("value:participants", "dev")
    await stage.ana.choose("value:participants", [dev.id])
    await stage.send()

    shown = stage.read(await stage.planned())
    assert "Close: Update settings" in shown
    assert "Label → Night desk" in shown
    assert f"Participants → add Dev Malhotra (dev.malhotra@example.com) ({dev.id})" in shown
    assert "Ring duration: 30 s, Close's default → 45" in shown
    assert "Participants: + Dev Malhotra (dev.malhotra@example.com)" in shown
    assert close.updates == []

    change = await stage.request()
    assert "Close: Update settings" in stage.read(stage.request_card(change))
    await stage.approve(change)
    await stage.ended(change)

    assert stage.outcomes(change) == {"verified": 23, "failed": 1}
    [failed] = [row for row in stage.results(change) if row["outcome"] == "failed"]
    assert (failed["number"], failed["reason_code"], failed["pointer"]) == (numbers[0], "400", "/label")
    assert "This label is taken." in failed["reason"]
    assert updated(close) == Counter(numbers[1:])
    for number in numbers[1:]:
        now = close.number(number)
        assert (now.label, now.inbound_ring_duration) == ("Night desk", 45)
        assert set(now.participants) == {*before[number], dev.id}
    assert any("at Close; watching them until they finish" in line for line in stage.thread(change))
    stage.assert_nothing_doubled()


async def test_a_number_that_somebody_changed_meanwhile_is_left_as_it_is(
    both: Stage, close: CloseStandIn, team: Fixtures
) -> None:
    """Between the start of the run and its own update a list can move; it is not overwritten, and the sheet says so."""
    stage, (first, second) = both, team.shared[:2]
    ana, ben = team.users[0].id, team.users[1].id
    # The number by itself is read at the start of the change, and again just before its update: the second one waits.
    one = f"/phone_number/{first.id}/"
    close.faults.add(method="GET", path=one, kind="delay", seconds=0.4, effect_first=False, after=1)
    await stage.open("close")
    await stage.fill([first.number, second.number], reason="A new team")
    await stage.choose(["participants"])
    await stage.ana.suggest("value:participants", "")
    await stage.ana.choose("value:participants", [ana])
    await stage.send()
    await stage.planned()
    change = await stage.request()
    await stage.approve(change)
    await close.wait_for(lambda: sum(call.path == one for call in close.calls) == 2)
    first.participants = [ben]
    await stage.ended(change)

    outcomes = {row["number"]: (row["outcome"], row["reason_code"]) for row in stage.results(change)}
    assert outcomes == {first.number: ("not_attempted", "linesman.stale"), second.number: ("verified", "")}
    assert (first.participants, second.participants) == ([ben], [ana])


async def test_a_stale_number_stops_every_run_of_its_change(both: Stage, close: CloseStandIn, team: Fixtures) -> None:
    """What waits in another run is not sent either, people hear which number it was, and can plan again."""
    stage, (first, second) = both, team.shared[:2]
    ana, ben, cleo = (user.id for user in team.users[:3])
    first.participants, second.participants = [ana], [ben]
    one = f"/phone_number/{first.id}/"
    held = close.faults.add(method="GET", path=one, kind="hold", effect_first=False, times=None, after=1)
    waiting = close.faults.add(method="PUT", path=f"/phone_number/{second.id}/", kind="rate_limited", reset=3600)
    await stage.open("close")
    await stage.fill([first.number, second.number], reason="A new team")
    await stage.choose(["participants"])
    await stage.ana.choose("way:participants", "add")
    await stage.ana.suggest("value:participants", "")
    await stage.ana.choose("value:participants", [cleo])
    await stage.send()
    await stage.planned()
    change = await stage.request()
    await stage.approve(change)
    await close.wait_for(lambda: sum(call.path == one for call in close.calls) == 2 and waiting.times == 0)
    first.participants = [ben]
    held.let_go()
    await card_says(stage, change, "Stale")
    await stage.quiet()

    assert close.updates == []
    assert "2 not attempted" in stage.read(stage.card(change))
    assert "again" in stage.buttons(stage.card(change))[0]
    assert "No numbers are locked" in await stage.command("locks")
    [notice] = [said for said in stage.failures() if "was stopped" in said]
    assert f"1 number has changed since the plan was made ({first.number}), so nothing more was sent." in notice


async def test_a_key_that_ends_stops_the_run_and_says_so(both: Stage, close: CloseStandIn, team: Fixtures) -> None:
    """What was done stays done, the rest is not attempted, and the failure channel hears why and how many."""
    stage = both
    numbers = [number.number for number in team.shared]
    close.faults.add(method="PUT", kind="status", status=401, times=None, after=5)

    change = await stage.run(numbers, {"label": "Night desk"}, command="close")

    outcomes = stage.outcomes(change)
    assert outcomes["verified"] == len(close.updates) == 5
    assert outcomes["failed"] >= 1
    assert outcomes["not_attempted"] == 24 - 5 - outcomes["failed"] > 0
    said, told = sorted(map(stage.read, stage.slack.messages(FAILURES)), key=lambda text: "🔑" in text)
    assert f"{outcomes['failed']} of 24 numbers failed, and {outcomes['not_attempted']} were not attempted" in said
    assert "Close does not accept Linesman's credentials" in said
    assert "Close does not accept the credentials; set CLOSE_API_KEY" in told
    reasons = {row["reason"] for row in stage.results(change) if row["outcome"] == "not_attempted"}
    assert len(reasons) == 1
    assert "The run was stopped before this number was sent. Close does not accept" in reasons.pop()


async def test_numbers_are_found_by_who_is_on_them(both: Stage, close: CloseStandIn, team: Fixtures) -> None:
    """A filter is resolved to explicit numbers before anybody approves; a person's name stands in the plan."""
    stage, ana = both, team.users[0]
    await stage.open("close")
    await stage.ana.choose("filters", ["participant", "sort"])
    await stage.ana.wait_for_view(lambda view: ("filter:participant", "filter:") in view.form.slots)
    await stage.ana.suggest("filter:participant", "ana")
    await stage.ana.choose("filter:participant", ana.id)
    await stage.ana.choose("filter:sort", "group")
    await stage.fill(settings={"press_1_to_accept": "true"}, reason="Spam calls")
    await stage.send()
    shown = stage.read(await stage.planned())
    assert f"Participant is Ana Reyes (ana.reyes@example.com) ({ana.id})" in shown

    change = await stage.request()
    await stage.approve(change)
    await stage.ended(change)

    assert updated(close) == Counter(number.number for number in team.shared if ana.id in number.participants)


async def test_a_crash_in_the_middle_of_a_run_loses_and_doubles_nothing(
    both: Stage, close: CloseStandIn, team: Fixtures
) -> None:
    """The next start goes on at the first number without an outcome; every number is updated once."""
    stage = both
    numbers = [number.number for number in team.shared]
    held = close.faults.add(method="PUT", kind="hold", times=None, after=8)
    change = await stage.ask(numbers, {"label": "Night desk"}, command="close")
    await stage.approve(change)
    await close.wait_for(lambda: len(close.updates) > 8)

    await stage.crash()
    assert len(close.updates) < 24
    held.let_go()
    await stage.start()
    await stage.ended(change)

    assert stage.outcomes(change) == {"verified": 24}
    assert updated(close) == Counter(numbers)
    stage.assert_nothing_doubled()


async def test_close_alone_will_do(idle: Stage, close: CloseStandIn, team: Fixtures) -> None:
    """Without a key for Telnyx the form offers what there is, and any shortcut opens it."""
    idle.close = close
    await idle.start(TELNYX_API_KEY="")

    change = await idle.run(
        [team.shared[0].id], {"forward_to_enabled": "true", "forward_to": "+13035550123"}, command="new"
    )

    assert idle.outcomes(change) == {"verified": 1}
    assert (team.shared[0].forward_to, team.shared[0].forward_to_enabled) == ("+13035550123", True)
    assert "/numbers close" in await idle.command("help")
    assert "/numbers update` -" not in await idle.command("help")


async def test_what_close_may_refuse_is_named_before_anybody_approves(
    both: Stage, close: CloseStandIn, team: Fixtures
) -> None:
    """Other people's own numbers are named; that a permission is needed is said until an update shows it is there."""
    stage = both
    theirs = close.add_number("+13035557700", owner=team.users[3].id)
    mine = close.add_number("+13035557701", owner=close.me.id)
    shared = team.shared[0].number
    foreign = "1 number: somebody else's personal number, which Close lets only its owner change (+13035557700)."
    unsure = f"does not say beforehand whether the API key's user may ({shared})."

    everything = [theirs.number, mine.number, shared]
    shown = stage.read(await stage.propose(everything, {"label": "Night desk"}, command="close"))
    assert foreign in shown
    assert unsure in shown
    change = await stage.request()
    asked = stage.read(stage.request_card(change))
    assert foreign in asked
    assert unsure in asked
    await stage.approve(change)
    await stage.ended(change)
    assert stage.outcomes(change) == {"verified": 2, "failed": 1}

    again = stage.read(await stage.propose([shared], {"label": "Day desk"}, command="close"))
    assert "Label → Day desk" in again
    assert "API key's user" not in again


async def test_forwarding_is_not_switched_on_without_a_number_to_forward_to(both: Stage, team: Fixtures) -> None:
    """The plan names the numbers, which can be left out; one that gets a number in the same change is fine."""
    bare = next(number for number in team.shared if not number.forward_to)
    ready = next(number for number in team.shared if number.forward_to)
    ready.forward_to_enabled = False
    numbers = [bare.number, ready.number]

    shown = both.read(await both.propose(numbers, {"forward_to_enabled": "true"}, command="close"))
    assert f"forwarding would be on without a number to forward to ({bare.number})" in shown
    await both.ana.click("leave_out")
    await both.ana.wait_for_view(lambda view: "Numbers: 1" in both.read(view))
    change = await both.request()
    await both.approve(change)
    await both.ended(change)

    assert (ready.forward_to_enabled, bare.forward_to_enabled) == (True, False)
    assert both.outcomes(change) == {"verified": 1}
    given = {"forward_to": "+17205550123", "forward_to_enabled": "true"}
    assert "without a number" not in both.read(await both.propose([bare.number], given, command="close"))


async def test_a_forwarding_that_close_does_not_show_is_doubted(both: Stage, team: Fixtures) -> None:
    """Nobody knows whether there is a number to forward to, so people read that before they approve."""
    ready = next(number for number in team.shared if number.forward_to)
    ready.forward_to_enabled = False
    ready.absent = {"forward_to"}

    shown = both.read(await both.propose([ready.number], {"forward_to_enabled": "true"}, command="close"))

    assert "Close does not show whether there is a number to forward to" in shown
