"""Words that somebody relies on: nobody gets round them with blanks."""

from __future__ import annotations

import pytest

from bot.sandbox.slack import SlackUser, View
from tests.integration.scenarios.stage import Stage
from tests.integration.scenarios.test_scenario_acks import SCENES, Scene
from tests.integration.scenarios.test_scenario_templates import rows

#: What looks empty: blanks, and signs that show nothing.
BLANKS = (" \u00a0 ", " \u200b\u3164 ")
#: A comment may be left out, as it may at the button beside; the other two have nothing but choices and lists.
WITHOUT = {"approval", "preview", "values_form"}


def required(view: View) -> list[str]:
    """Return the inputs for words without which Slack does not send the modal; what a value may be is its setting's."""
    inputs = [block for block in view.blocks if block["type"] == "input" and not block.get("optional")]
    words = [block["block_id"] for block in inputs if block["element"]["type"] == "plain_text_input"]
    return [block for block in words if not block.startswith("value:")]


async def done_by(stage: Stage, person: SlackUser) -> list[tuple[object, ...]]:
    """Return what a person has done, as the audit log has it."""
    return await rows(stage, "SELECT what FROM events WHERE actor = :person ORDER BY id", person=person.id)


@pytest.mark.parametrize("blanks", BLANKS, ids=ascii)
@pytest.mark.parametrize(
    "scene", [pytest.param(scenes[0], id=modal) for modal, scenes in SCENES.items() if modal not in WITHOUT]
)
async def test_blanks_are_no_words(stage: Stage, scene: Scene, blanks: str) -> None:
    """Every modal that needs words says so at the input, stays open, and nothing happens."""
    person, _ = await scene(stage)
    assert person.view is not None
    inputs = required(person.view)
    before = await done_by(stage, person)
    for block in inputs:
        await person.type(block, blanks)

    refused = await stage.refused(by=person)

    assert sorted(refused) == sorted(inputs) != []
    assert await done_by(stage, person) == before


@pytest.mark.parametrize("modal", sorted(WITHOUT - {"approval"}))
async def test_the_others_need_none(stage: Stage, modal: str) -> None:
    """A modal that comes to need words belongs into the table above."""
    person, _ = await SCENES[modal][0](stage)

    assert person.view is not None
    assert required(person.view) == []
