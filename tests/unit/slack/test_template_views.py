"""What templates are, in words: whoever chooses one from the list can tell it from every other."""

from __future__ import annotations

import json
from dataclasses import MISSING, fields, replace
from datetime import UTC, datetime

import pytest

from bot.changes.input.templates import Template, kept
from bot.changes.model.draft import Base, Draft, FollowUp, Upload
from bot.changes.model.kinds import Kind
from bot.changes.model.values import EditMode
from bot.providers.close.kinds import kinds as close_kinds
from bot.providers.telnyx.kinds import kinds
from bot.slack.views.templates import naming, template_list
from bot.workflow.planning.templates import TemplatePage, TemplatePreview

TELNYX = kinds(secrets=True)[0]
CLOSE = close_kinds()[0]
BY_NAME = {kind.name: kind for kind in (*kinds(secrets=True), *close_kinds())}

#: A draft in which everything is filled in.
FULL = Draft(
    kind=TELNYX.name,
    pasted=("+13035550100",),
    chosen=("tags", "connection_id"),
    typed={"tags": "denver", "connection_id": "1293384261075731001"},
    picked={"connection_id": "Denver PBX"},
    ways={"tags": EditMode.ADD},
    sheet=Upload(id="F1", name="numbers.csv"),
    base=Base(change=1, what=FollowUp.RETRY),
    reason="Because",
    filters={"customer_reference[eq]": "old"},
    excluded="+13035550199",
    left_out=("+13035550198",),
    columns_left_out=("Notes",),
    start="in 2 hours",
    zone="America/Denver",
    canary="10",
    pause="ask",
    threshold="1 %",
    until="in 4 hours",
)
#: Field of a draft that a template keeps -> another value of it.
OTHERWISE = {
    "kind": "telnyx.gone",
    "pasted": ("+13035550100\n+13035550101",),
    "chosen": ("tags", "connection_id", "hd_voice_enabled"),
    "typed": {"tags": "boulder", "connection_id": "1293384261075731001"},
    "picked": {"connection_id": "Boulder PBX"},
    "ways": {"tags": EditMode.REMOVE},
    "filters": {"customer_reference[eq]": "new"},
    "excluded": "+13035550197",
    "canary": "10, 10 %, rest",
    "pause": "30 min",
    "threshold": "5",
    "until": "in 2 days",
}


def entry(draft: Draft) -> str:
    """Return what the list says of a template with ``draft``."""
    template = Template(
        id=1,
        name="Denver",
        version=1,
        owner="U0ANA",
        draft=draft,
        left_out=(),
        numbers=sum(box.count("+") for box in draft.pasted),
        saved_at=datetime(2026, 11, 21, 12, 0, tzinfo=UTC),
    )
    _, blocks = template_list(TemplatePage([template], earlier=False, later=False), BY_NAME)
    return str(blocks[1]["text"]["text"])


def offered(draft: Draft, kind: Kind, original: Draft | None = None) -> str:
    """Return what the modal that asks for a name says is kept, and what of ``original`` is not."""
    view = naming(1, TemplatePreview(draft=draft, kind=kind, left_out=(), numbers=1, original=original or draft))
    return "\n".join(block["text"]["text"] for block in view["blocks"] if block["type"] == "section")


def test_every_part_of_a_template_is_told() -> None:
    """Two templates that differ in anything that is kept read differently, in the list and before one is saved.

    Of numbers that are listed one by one it is how many they are.
    """
    template, _ = kept(FULL, TELNYX)
    empty = {
        each.name: each.default if each.default_factory is MISSING else each.default_factory() for each in fields(Draft)
    }

    assert set(OTHERWISE) == {name for name, value in empty.items() if getattr(template, name) != value}
    for name, value in OTHERWISE.items():
        other = replace(template, **{name: value})
        assert entry(other) != entry(template), name
        assert name in {"kind", "pasted"} or offered(other, TELNYX) != offered(template, TELNYX), name


def test_every_part_of_a_change_that_a_template_does_not_keep_is_told() -> None:
    """Whatever a draft holds and may come to hold is either kept or named before the template is saved.

    Of the reason the input's hint tells; the zone goes with the times, the columns go with their sheet, and numbers are
    postponed only at the end of a temporary change, which is no template.
    """
    whole = replace(FULL, until="Mon 08:00", postponed=("+13035550196",))
    template, _ = kept(whole, TELNYX)
    gone = {each.name for each in fields(Draft) if getattr(template, each.name) != getattr(whole, each.name)}

    assert gone - {"reason", "zone", "columns_left_out", "postponed"} == {"sheet", "base", "left_out", "start", "until"}
    lost = offered(template, TELNYX, whole).partition("*Not kept*")[2]
    for words in (
        "Sheet `numbers.csv`",
        "values of CHG-1",
        "left out with one click",
        "Start `in 2",
        "Until `Mon 08:00`",
    ):
        assert words in lost
    assert "Not kept" not in offered(template, TELNYX)


@pytest.mark.parametrize(
    ("kind", "draft", "line"),
    [
        pytest.param(TELNYX, {"typed": {"tags": "a, b"}}, "*Tags* → `a, b`", id="replace"),
        pytest.param(TELNYX, {"typed": {"tags": "a"}, "ways": {"tags": EditMode.ADD}}, "*Tags* → `add a`", id="add"),
        pytest.param(
            TELNYX,
            {"typed": {"voice.inbound_call_screening": "flag_calls"}},
            "*Inbound call screening* → `Flag calls`",
            id="choice",
        ),
        pytest.param(
            TELNYX,
            {"typed": {"connection_id": "12"}, "picked": {"connection_id": "Denver PBX"}},
            "*Connection* → `Denver PBX (12)`",
            id="lookup",
        ),
        pytest.param(
            TELNYX,
            {"typed": {"connection_id": "12"}, "picked": {"connection_id": "Denver PBX (12)"}},
            "*Connection* → `Denver PBX (12)`",
            id="lookup-with-its-id",
        ),
        pytest.param(
            CLOSE,
            {
                "typed": {"participants": "user_a,user_b"},
                "picked": {"participants": json.dumps({"user_a": "Jürgen", "user_b": "Bo"})},
                "ways": {"participants": EditMode.REMOVE},
            },
            "*Participants* → `remove Jürgen (user_a), Bo (user_b)`",
            id="lookups",
        ),
        pytest.param(TELNYX, {"typed": {"tags": ""}}, "*Tags* → `(empty)`", id="empty"),
        pytest.param(
            TELNYX, {"typed": {"voice.inbound_call_screening": "maybe"}}, "→ `maybe`", id="a-choice-that-is-gone"
        ),
        pytest.param(TELNYX, {"typed": {"gone": "x"}, "ways": {"gone": EditMode.ADD}}, "*gone* → `add x`", id="gone"),
        pytest.param(TELNYX, {"canary": "10"}, "🐤 Canary: `10` first", id="canary"),
        pytest.param(TELNYX, {"canary": "10, rest"}, "🌊 Waves: `10, rest`", id="waves"),
        pytest.param(
            TELNYX,
            {"filters": {"connection_id": "12"}, "picked": {"filter:connection_id": "Denver PBX"}},
            "Filter: `Connection is Denver PBX (12)`",
            id="filter-lookup",
        ),
        pytest.param(TELNYX, {"filters": {"gone": "x"}}, "Filter: `gone: x`", id="filter-gone"),
    ],
)
def test_a_template_reads_like_the_plan_that_comes_of_it(kind: Kind, draft: dict[str, object], line: str) -> None:
    """Names beside ids, labels of choices, what becomes of a list; what is gone is said as it was typed."""
    chosen = tuple(draft.get("typed", {}))  # type: ignore[call-overload]
    content = replace(Draft(kind=kind.name, chosen=chosen), **draft)  # type: ignore[arg-type]

    assert line in entry(content)
    assert line in offered(content, kind)
