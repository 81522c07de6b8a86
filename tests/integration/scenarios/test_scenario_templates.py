"""Templates: saving a change under a name, running, replacing and deleting it."""

from __future__ import annotations

import asyncio
import copy
from datetime import timedelta

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import text

from bot.sandbox.slack import Message, SlackUser, View
from bot.sandbox.slack.blocks import message_problems, total_characters
from tests.integration.scenarios.stage import OPS, Stage
from tests.integration.scenarios.test_scenario_sheets import attach

ONE, TWO = "+13035550000", "+13035550001"


def last(stage: Stage, user: str = "U0ANA") -> Message:
    """Return what a person alone was shown last."""
    return stage.slack.ephemerals(user)[-1]


async def rows(stage: Stage, query: str, **given: str) -> list[tuple[object, ...]]:
    """Return what the database holds."""
    assert stage.bot is not None
    async with stage.bot.worker._context.database.engine.begin() as connection:
        result = await connection.execute(text(query), given)
        return [tuple(row) for row in result] if result.returns_rows else []


async def ask_name(stage: Stage, change: int, by: SlackUser) -> View:
    """Press "Save as template" on the card and return the modal that asks for a name."""
    await by.click("keep_template", message=stage.card(change))
    return await by.wait_for_view(lambda view: view.callback_id == "save_template")


async def save(stage: Stage, change: int, name: str, *, by: SlackUser | None = None) -> str:
    """Save a change under a name and return what the modal then says."""
    by = by or stage.ana
    await ask_name(stage, change, by)
    await by.type("name", name)
    await stage.send(by=by)
    return stage.modal(by)


async def said_of(stage: Stage, name: str, by: SlackUser) -> str:
    """Run a template that is not there, and return what the modal says."""
    await by.command("/numbers", f"run {name}", channel=OPS)
    return stage.read(await by.wait_for_view(lambda view: view.callback_id == "notice"))


async def test_running_a_template_that_is_not_there_says_so_in_the_modal(stage: Stage) -> None:
    """With the name as it was typed."""
    assert "There is no template “nothing”" in await said_of(stage, "nothing", stage.ana)
    assert "There is no template “Nothing”" in await said_of(stage, "“Nothing”", stage.ana)


@pytest.mark.parametrize("how", ["command", "button"])
async def test_a_template_opens_before_slack_says_whose_it_is(stage: Stage, how: str) -> None:
    """A trigger lives three seconds, and Slack can take longer to say who somebody is."""
    stage.telnyx.add_numbers(2, start=ONE)
    await save(stage, await stage.run([ONE], {"customer_reference": "Denver"}), "Move")
    await stage.ana.close()
    await stage.command("templates")
    listed = last(stage)
    await stage.stop()
    await stage.start()  # who Ana is has to be asked again
    stage.slack.faults.add(method="users.info", kind="delay", seconds=3.3, times=1)

    if how == "button":
        await stage.ana.click("run_template", message=listed)
    else:
        await stage.ana.command("/numbers", "run move", channel=OPS)
    filled = stage.read(await stage.ana.wait_for_view(lambda view: view.callback_id == "change_form"))

    assert "> Denver" in filled


async def test_a_change_is_saved_from_its_card_and_run_again(stage: Stage) -> None:
    """Kind, settings and numbers come back in the form; the reason is given anew, and the rest is as ever."""
    stage.telnyx.add_numbers(2, start=ONE)
    change = await stage.run([ONE, TWO], {"customer_reference": "Denver"}, reason="The first time")
    shown = stage.read(await ask_name(stage, change, stage.ana))
    await stage.ana.type("name", " Denver   move ")
    await stage.send()
    said = stage.modal()

    await stage.ana.command("/numbers", "run denver MOVE", channel=OPS)
    view = await stage.ana.wait_for_view(lambda view: view.callback_id == "change_form")
    filled = stage.read(view)
    await stage.ana.type("value:customer_reference", "Boulder")
    await stage.ana.type("reason", "The second time")
    await stage.send()
    await stage.planned()
    again = await stage.request()

    assert "Customer reference → Denver" in shown
    assert "2 listed numbers" in shown
    assert "Denver move is saved. /numbers run Denver move" in said
    assert ONE in filled
    assert "> Denver" in filled
    assert "The first time" not in filled
    assert "Boulder" in stage.read(stage.card(again))
    assert await rows(stage, "SELECT actor, change_id FROM events WHERE what = 'template_saved'") == [("U0ANA", change)]


async def test_how_long_a_temporary_change_lasts_is_kept(stage: Stage) -> None:
    """A length of time is in the form again; a point in time is not, and whoever saves the template reads that."""
    stage.telnyx.add_numbers(2, start=ONE, customer_reference="Dallas")
    shown = []
    for number, until in ((ONE, "in 4 hours"), (TWO, f"{stage.clock() + timedelta(days=2):%Y-%m-%d} 08:00 UTC")):
        await stage.open("update")
        await stage.fill(number, {"customer_reference": "Holiday"}, "Closed for the holiday")
        await stage.ana.type("until", until)
        await stage.send()
        await stage.planned()
        change = await stage.request()
        shown.append(stage.read(await ask_name(stage, change, stage.ana)))
        await stage.ana.type("name", f"after {change}")
        await stage.send()
        await stage.ana.close(everything=True)

    forms = []
    for change in (1, 2):
        await stage.ana.command("/numbers", f"run after {change}", channel=OPS)
        form = await stage.ana.wait_for_view(lambda view: view.callback_id == "change_form")
        forms.append(next(each["element"] for each in form.blocks if each.get("block_id") == "until"))
        await stage.ana.close(everything=True)

    assert "Until in 4 hours" in shown[0]
    assert "Not kept" not in shown[0]
    assert "08:00 UTC, which is one point in time" in shown[1]
    assert [form.get("initial_value", "") for form in forms] == ["in 4 hours", ""]


async def test_what_a_template_does_not_keep_is_said_before_it_is_saved(stage: Stage) -> None:
    """The rows of a sheet, and which numbers were left out with one click."""
    stage.telnyx.add_numbers(2, start=ONE)
    await stage.ask([ONE], {"customer_reference": "held"}, by=stage.mia)
    await stage.open()
    await attach(stage, f"number,tags\n{TWO},x\n".encode())
    await stage.fill([ONE], {"customer_reference": "Denver"}, "As the sheet says")
    await stage.send()
    await stage.planned()
    await stage.ana.click("leave_out")
    await stage.ana.wait_for_view(lambda view: "Numbers: 1" in stage.read(view))

    await stage.ana.click("keep_template")
    shown = stage.read(await stage.ana.wait_for_view(lambda view: view.callback_id == "save_template"))

    assert "Sheet moves.csv, its numbers and values: attach it again in each run." in shown
    assert "That numbers were left out with one click" in shown


async def test_a_filter_is_kept_as_a_filter(stage: Stage) -> None:
    """What meets it when the template is run is meant, not what met it when it was saved."""
    stage.telnyx.add_number(ONE, tags=["denver"])
    await stage.open("update")
    await stage.ana.choose("filters", ["customer_reference"])
    await stage.ana.wait_for_view(lambda view: any("filter:customer" in b["block_id"] for b in view.blocks))
    await stage.ana.type("filter:customer_reference", "old")
    stage.telnyx.number(ONE).customer_reference = "old"
    await stage.fill(None, {"tags": "new"}, "Because")
    await stage.send()
    await stage.planned()

    await stage.ana.click("keep_template")
    await stage.ana.wait_for_view(lambda view: view.callback_id == "save_template")
    shown = stage.modal()
    await stage.ana.type("name", "Old ones")
    await stage.send()
    await stage.ana.close()
    underneath = stage.modal()
    stage.telnyx.add_number(TWO, customer_reference="old")
    await stage.ana.command("/numbers", "run old ones", channel=OPS)
    await stage.ana.wait_for_view(lambda view: view.callback_id == "change_form")
    await stage.ana.type("reason", "Again")
    await stage.send()

    assert "Filter: Customer reference is old" in shown
    assert "Request approval" in underneath
    assert "Numbers: 2 " in stage.read(await stage.planned())


async def test_details_and_status_offer_it_as_well(stage: Stage) -> None:
    """Wherever a change is shown whole, it can be saved; on top of a modal, which stays below."""
    stage.telnyx.add_number(ONE)
    change = await stage.ask(ONE)
    await stage.max.click("details", message=stage.request_card(change))
    await stage.max.wait_for_view(lambda view: view.callback_id == "details")
    await stage.command(f"status CHG-{change}")

    await stage.ana.click("keep_template", message=last(stage))
    await stage.ana.wait_for_view(lambda view: view.callback_id == "save_template")
    await stage.mia.click("keep_template", message=stage.card(change))
    await stage.mia.wait_for_view(lambda view: view.callback_id == "save_template")
    await stage.max.click("keep_template")
    await stage.max.wait_for_view(lambda view: view.callback_id == "notice")

    assert "You may not request changes" in stage.modal(stage.max)
    await stage.max.close()
    assert "History" in stage.modal(stage.max)
    assert stage.slack.complaints == []


async def test_a_secret_is_never_part_of_a_template(idle: Stage) -> None:
    """Neither sealed nor open; it is said when it is left out, and again when the template is run."""
    await idle.start(LINESMAN_SECRET_KEY=Fernet.generate_key().decode())
    idle.telnyx.add_number(ONE)
    change = await idle.ask(ONE, {"external_pin": "839201", "customer_reference": "Denver"})

    view = await ask_name(idle, change, idle.ana)
    asked = idle.read(view)
    await idle.ana.type("name", "With a PIN")
    await idle.send()
    await idle.ana.command("/numbers", "run with a pin", channel=OPS)
    form = await idle.ana.wait_for_view(lambda view: view.callback_id == "change_form")

    assert "Not kept" in asked
    assert "External PIN: secrets are never part of a template." in asked
    assert "Secrets are never stored in a template; choose and enter them again: External PIN." in idle.read(form)
    assert ("value:external_pin", "value:") not in form.form.slots
    stored = str(await rows(idle, "SELECT * FROM templates"))
    assert "external_pin" in stored
    assert not any(word in stored for word in ("839201", "sealed", "fingerprint", "gAAAA"))


async def test_a_name_that_is_taken_is_asked_about(stage: Stage) -> None:
    """Whatever its case: its owner may replace it after a question; to anybody else it is taken."""
    stage.telnyx.add_numbers(2, start=ONE)
    first = await stage.ask(ONE, {"customer_reference": "First"})
    second = await stage.ask(TWO, {"customer_reference": "Second"})
    await save(stage, first, "Denver")

    asked = await save(stage, second, "DENVER")
    before = await stage.command("templates")
    await stage.send()
    replaced = stage.modal()
    after = await stage.command("templates")
    await ask_name(stage, first, stage.mia)
    await stage.mia.type("name", "denver")
    errors = await stage.refused(by=stage.mia)

    assert "Denver already exists, saved by @Ana" in asked
    assert "[Go back] [Replace]" in asked
    assert ("First" in before, "Second" in before) == (True, False)
    assert "DENVER is saved." in replaced
    assert ("First" in after, "Second" in after) == (False, True)
    assert errors == {"name": "“DENVER” is somebody else's template; choose another name."}
    said = await rows(stage, "SELECT what FROM events WHERE what LIKE 'template%' ORDER BY id")
    assert said == [("template_saved",), ("template_replaced",)]


async def test_an_operator_may_replace_somebody_elses_template_once_seen(stage: Stage) -> None:
    """And when it was replaced meanwhile, the question is asked again, about what is there now."""
    await stage.stop()
    await stage.start(LINESMAN_REQUESTERS="U0ANA,U0MIA,U0OTTO")
    stage.telnyx.add_numbers(2, start=ONE)
    first = await stage.ask(ONE, {"customer_reference": "First"})
    second = await stage.ask(TWO, {"customer_reference": "Second"})
    await save(stage, first, "Denver")
    asked = await save(stage, second, "denver", by=stage.otto)

    await save(stage, second, "Denver")
    await stage.send()
    await stage.send(by=stage.otto)
    again = stage.modal(stage.otto)
    await stage.send(by=stage.otto)

    assert "[Replace]" in asked
    assert "[Replace]" in again
    assert "denver is saved." in stage.modal(stage.otto)
    assert await rows(stage, "SELECT owner, version FROM templates") == [("U0OTTO", 3)]


async def test_a_name_that_cannot_be_one_is_refused_on_its_field(stage: Stage) -> None:
    """Blank is not a name."""
    stage.telnyx.add_number(ONE)
    change = await stage.ask(ONE)
    await ask_name(stage, change, stage.ana)
    await stage.ana.type("name", "   ")

    assert await stage.refused() == {"name": "Give it a name by which everybody can find it."}


async def test_saving_delivered_twice_saves_once(stage: Stage) -> None:
    """When Slack delivers the press again, nothing is asked and nothing is replaced."""
    stage.telnyx.add_number(ONE)
    change = await stage.ask(ONE)
    await ask_name(stage, change, stage.ana)
    await stage.ana.type("name", "Denver")
    sent = await stage.send()

    repeats = await asyncio.gather(*(stage.slack.redeliver(sent.delivery) for _ in range(3)))

    assert all("is saved" in repeat.body for repeat in repeats)
    assert await rows(stage, "SELECT name, version FROM templates") == [("Denver", 1)]


async def test_two_who_take_a_name_at_once_do_not_lose_anything(stage: Stage) -> None:
    """One has it; the other is told so on the field."""
    stage.telnyx.add_number(ONE)
    change = await stage.ask(ONE)
    for person in (stage.ana, stage.mia):
        await ask_name(stage, change, person)
        await person.type("name", "Denver")

    both = await asyncio.gather(stage.ana.submit(), stage.mia.submit())

    assert sorted(sent.errors is None for sent in both) == [False, True]
    assert len(await rows(stage, "SELECT * FROM templates")) == 1


async def test_templates_are_listed_with_who_when_and_what_and_run_from_there(stage: Stage) -> None:
    """Whoever may look sees them; the button opens the form for those who may ask for changes."""
    stage.telnyx.add_number(ONE)
    change = await stage.ask(ONE, {"customer_reference": "<!channel>", "tags": "a"})
    await save(stage, change, "<@U0MAX> & *co*")

    said = await stage.command("templates", by=stage.otto)
    await stage.otto.click("run_template", message=last(stage, "U0OTTO"))
    await stage.otto.wait_for_view(lambda view: view.callback_id == "notice")
    await stage.command("templates", by=stage.mia)
    await stage.mia.click("run_template", message=last(stage, "U0MIA"))
    form = await stage.mia.wait_for_view(lambda view: view.callback_id == "change_form")

    assert "<@U0MAX> & *co* · Telnyx: Update settings" in said
    assert "Saved by @Ana, Nov " in said
    assert "Customer reference → <!channel>" in said
    assert "1 listed number" in said
    assert "[Run] [Delete]" in said
    assert last(stage, "U0OTTO").mentions.users == {"U0ANA"}
    assert not last(stage, "U0OTTO").mentions.broadcasts
    assert "You may not request changes" in stage.modal(stage.otto)
    assert ONE in stage.read(form)


async def test_only_its_owner_and_operators_delete_a_template(stage: Stage) -> None:
    """Checked at the click; a refused click is in the audit log, and the list shows what is left."""
    stage.telnyx.add_number(ONE)
    change = await stage.ask(ONE)
    for name in ("Alpha", "Beta"):
        await save(stage, change, name)
    lists = {}
    for person in (stage.mia, stage.otto, stage.ana):
        await stage.command("templates", by=person)
        lists[person.id] = last(stage, person.id)
    alpha, beta = "1:1", "2:1"
    question = next(
        e for b in lists["U0MIA"].blocks for e in b.get("elements", []) if e.get("value") == alpha and "confirm" in e
    )

    refused = await stage.answered(stage.mia, stage.mia.click("delete_template", message=lists["U0MIA"], value=alpha))
    await stage.otto.click("delete_template", message=lists["U0OTTO"], value=alpha)
    await stage.slack.wait_for(lambda: "Alpha is deleted" in stage.read(lists["U0OTTO"]), what="the list")
    late = await stage.answered(stage.ana, stage.ana.click("delete_template", message=lists["U0ANA"], value=alpha))
    await stage.ana.double_click("delete_template", message=lists["U0ANA"], value=beta)
    await stage.slack.wait_for(lambda: "Beta is deleted" in stage.read(lists["U0ANA"]), what="the list")
    gone = await said_of(stage, "alpha", stage.mia)  # Ana may still be told of her second press

    assert question["confirm"]["title"]["text"] == "Delete “Alpha”?"
    assert "“Alpha” is somebody else's template; only they and operators can delete it." in refused
    assert "This template no longer exists" in late
    assert "There is no template “alpha”" in gone
    assert "There are no templates yet" in stage.read(lists["U0ANA"])
    told = await rows(
        stage, "SELECT what, actor FROM events WHERE what IN ('template_deleted', 'click_refused') ORDER BY id"
    )
    assert told == [("click_refused", "U0MIA"), ("template_deleted", "U0OTTO"), ("template_deleted", "U0ANA")]


async def test_a_button_for_a_replaced_template_deletes_nothing(stage: Stage) -> None:
    """What was shown is not what is there; whoever presses is told to look again."""
    stage.telnyx.add_number(ONE)
    change = await stage.ask(ONE)
    await save(stage, change, "Denver")
    await stage.command("templates")
    old = copy.deepcopy(last(stage))
    await save(stage, change, "Denver")
    await stage.send()

    said = await stage.answered(stage.ana, stage.ana.click("delete_template", message=old))

    assert "“Denver” was just changed by somebody" in said
    assert len(await rows(stage, "SELECT * FROM templates")) == 1


async def test_what_does_not_exist_any_more_is_said_and_the_rest_is_filled_in(stage: Stage) -> None:
    """A setting that is gone is left out and named; of a kind that is gone the numbers stay."""
    stage.telnyx.add_number(ONE)
    change = await stage.ask(ONE, {"customer_reference": "Denver", "tags": "a"})
    await save(stage, change, "Denver")
    await rows(stage, "UPDATE templates SET draft = replace(draft, '\"tags\"', '\"fax\"')")

    await stage.ana.command("/numbers", "run denver", channel=OPS)
    form = stage.read(await stage.ana.wait_for_view(lambda view: view.callback_id == "change_form"))
    await rows(
        stage, "UPDATE templates SET draft = replace(draft, 'telnyx.settings', 'telnyx.moon'), kind = 'telnyx.moon'"
    )
    listed = await stage.command("templates")
    await stage.ana.command("/numbers", "run denver", channel=OPS)
    bare = stage.read(await stage.ana.wait_for_view(lambda view: "telnyx.moon" in stage.read(view)))

    assert "Settings that no longer exist are left out: fax." in form
    assert "> Denver" in form
    assert "telnyx.moon" in listed
    assert "Changes of the kind telnyx.moon are no longer available; only the numbers are filled in." in bare
    assert ONE in bare
    assert "Denver" not in bare


async def test_a_long_shelf_is_paged_by_name(stage: Stage) -> None:
    """Next and Previous replace the page in place; the largest entries stay within Slack's limits."""
    stage.telnyx.add_number(ONE)
    change = await stage.ask(
        ONE, {"tags": ", ".join("<" * 60 + str(i) for i in range(12)), "customer_reference": "&" * 200}
    )
    await save(stage, change, "a" * 60)
    copied = (
        "INSERT INTO templates (name, key, version, owner, kind, draft, left_out, numbers, submission, saved_at) "
        "SELECT :name, :name, version, owner, kind, draft, left_out, numbers, submission, saved_at "
        "FROM templates WHERE id = 1"
    )
    for index in range(19):
        await rows(stage, copied, name=f"{index:02}{'b' * 58}")

    first = await stage.command("templates")
    shown = last(stage)
    problems = message_problems(shown.blocks)
    size = total_characters(shown.blocks)
    await stage.ana.click("templates_later", message=shown)
    await stage.slack.wait_for(lambda: "08bbb" in stage.read(shown), what="the second page")
    await stage.ana.click("templates_later", message=shown)
    await stage.slack.wait_for(lambda: "16bbb" in stage.read(shown), what="the third page")
    third = stage.read(shown)
    await stage.ana.click("templates_earlier", message=shown)
    await stage.slack.wait_for(lambda: "08bbb" in stage.read(shown), what="the second page again")

    assert (problems, size < 13_200) == ([], True)
    assert "00bbb" in first
    assert "[Next]" in first
    assert "[Previous]" not in first
    assert "aaaa" in third
    assert "[Next]" not in third
    assert "[Previous] [Next]" in stage.read(shown)
