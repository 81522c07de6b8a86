"""The form: kind, numbers, settings, values, reason. Building it, and reading it back."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Final

from bot.changes.input.drafts import REASON, REASON_LENGTH
from bot.changes.input.targets import NUMBERS
from bot.changes.input.times import LENGTH as START_LENGTH
from bot.changes.input.times import START, UNTIL
from bot.changes.input.waves import CANARY, PAUSE, THRESHOLD
from bot.changes.input.waves import LENGTH as WAVES_LENGTH
from bot.changes.model.draft import Base, Draft, FollowUp
from bot.changes.model.kinds import Kind
from bot.changes.model.public_ids import public_id
from bot.slack.views.elements import (
    Block,
    View,
    actions,
    button,
    code,
    context,
    field,
    header,
    modal,
    option,
    plain,
    section,
)
from bot.slack.views.inputs import (
    BOX_LENGTH,
    filter_fields,
    settings_field,
    text_input,
    value_fields,
    ways_to_filter,
)
from bot.slack.views.problems import with_problems
from bot.slack.views.sheet_field import kept, sheet_fields

FORM: Final = "change_form"
KIND: Final = "kind"
MORE: Final = "more_numbers"
SEVERAL: Final = "several_boxes"
PUT_BACK: Final = "put_back"

#: Number boxes in one form: about 4,600 numbers. More would not fit beside the settings in Slack's 250 kB per view.
MOST_BOXES: Final = 20
#: About how many numbers one box holds: each takes 13 characters, including the line end.
A_BOX: Final = BOX_LENGTH // 13
#: Most numbers named that one click left out.
_NAMED: Final = 10


_LONGER: Final = (
    "For a longer list, upload a *sheet* below or add boxes. Or post the list as a message and choose "
    "*Change these numbers* among its shortcuts (⋮, More actions): that opens this form with all its "
    "numbers."
)


def form(
    kinds: Sequence[Kind],
    kind: Kind,
    draft: Draft,
    *,
    origin: str,
    boxes: int = 1,
    source: int | None = None,
    problems: Mapping[str, str] | None = None,
    turn: int = 0,
    asked: str = "",
) -> View:
    """Return the form for ``kind``, filled with ``draft``, with at least ``boxes`` number boxes.

    ``source`` is the change whose plan is being edited: its sealed secrets stay when their fields are left empty.
    ``problems`` are shown above everything, for when Slack no longer accepts them at the fields. ``turn`` counts how
    often the input for a sheet was cleared. ``asked`` (mrkdwn) is what approvers want to be different, also shown
    above.

    The ids of blocks and actions are the same in every view, so that Slack keeps what was typed.
    """
    boxes = min(max(boxes, len(draft.pasted), 1), MOST_BOXES)
    blocks = [kind_field(kinds, kind), header("Which numbers"), *number_fields(draft, boxes, _LONGER)]
    blocks += sheet_fields(draft.sheet, turn, without=draft.columns_left_out)
    if fields := ways_to_filter(kind):
        blocks += filter_fields(kind, draft, fields)
    if draft.left_out:
        blocks += _left_out_fields(draft.left_out)
    if kind.settings:
        blocks.append(header("New values"))
    if any(not setting.always for setting in kind.settings):
        blocks.append(settings_field(kind, draft))
    for setting in kind.settings:
        if setting.always or setting.name in draft.chosen:
            blocks += value_fields(setting, draft)
    blocks.append(header("Reason and start"))
    blocks.append(
        field(
            REASON,
            "Reason",
            text_input(REASON, draft.reason, REASON_LENGTH, multiline=True),
            hint="Approvers read it, and it stays in the history.",
        )
    )
    blocks.append(_start_field(draft))
    if not kind.removes:
        blocks.append(_until_field(draft))
    blocks += _rollout_fields(draft)
    about = {"origin": origin, "boxes": boxes, "kind": kind.name, "source": source, **kept(draft.sheet, turn)}
    about["left_out"] = bool(draft.left_out)  # not which: a thousand would not fit, and the change has them
    if draft.base:
        blocks.insert(0, section(base_text(draft.base)))
        about["base"] = {"change": draft.base.change, "what": draft.base.what.value}
    if asked:
        blocks.insert(0, section(asked))
    private = json.dumps(about, ensure_ascii=False)
    view = modal(FORM, "Change phone numbers", blocks, submit="Preview", close="Cancel", private=private)
    return with_problems(view, problems.values()) if problems else view


def base_text(base: Base) -> str:
    """Return which numbers of an earlier change are included, in mrkdwn."""
    if base.what is FollowUp.UNDO:
        return f"↩️ Undo of *{public_id(base.change)}*: the numbers that it changed return to their earlier values."
    return (
        f"🔁 Retry of *{public_id(base.change)}*: its numbers that failed, differ or were not attempted, "
        "and any that you add below. Fix what was wrong, or request the same again."
    )


def _left_out_fields(left_out: Sequence[str]) -> list[Block]:
    """Return which numbers were left out with one click, and the button that restores them."""
    names = [name for name in left_out if name.startswith("+")] or left_out
    shown = ", ".join(code(name) for name in names[:_NAMED]) + (", …" if len(names) > _NAMED else "")
    return [
        context(f"These numbers stay left out: {shown}"),
        actions(PUT_BACK, [button("Put them back", PUT_BACK, "all")]),
    ]


def _start_field(draft: Draft) -> Block:
    """Return the input for the start; Slack knows the person's time zone."""
    hint = (
        "In your time zone: tonight 22:00, tomorrow 6am, Mon 06:30, 2026-11-30 02:00, in 2 hours. "
        "Leave it empty to start once approved."
    )
    return field(START, "Start", text_input(START, draft.start, START_LENGTH), hint=hint, optional=True)


def _until_field(draft: Draft) -> Block:
    """Return the input for the end of a temporary change."""
    hint = (
        "For a temporary change: at this time each number returns to its current values. Mon 08:00, in 4 hours. "
        "Leave it empty to keep the new values."
    )
    return field(UNTIL, "Until", text_input(UNTIL, draft.until, START_LENGTH), hint=hint, optional=True)


def _rollout_fields(draft: Draft) -> list[Block]:
    """Return the inputs for canary or waves, for what comes between them, and for how much may go wrong."""
    waves = (
        "These numbers go first and are read back. If any of them is not as approved, the change pauses and asks you. "
        "Several waves: 10, 10 %, rest. Leave this empty to change all numbers at once."
    )
    pause = (
        "ask: you press Continue rollout after each wave. Or a time: 30 min, 2 hours. "
        "Leave this empty to continue at once."
    )
    threshold = "Of one wave: 1 %, or a count such as 5. Leave this empty to pause at the first one."
    fields = (
        (CANARY, "Canary: change this many first", draft.canary, waves),
        (PAUSE, "Between waves", draft.pause, pause),
        (THRESHOLD, "Pause when more than this many are not as approved", draft.threshold, threshold),
    )
    return [
        field(name, label, text_input(name, typed, WAVES_LENGTH), hint=hint, optional=True)
        for name, label, typed, hint in fields
    ]


def kind_field(kinds: Sequence[Kind], kind: Kind) -> Block:
    """Return the choice of what to change."""
    options = {each.name: option(f"{each.provider.title()}: {each.title}", each.name) for each in kinds}
    element = {
        "type": "static_select",
        "action_id": KIND,
        "options": list(options.values()),
        "initial_option": options[kind.name],
    }
    return field(KIND, "What to change", element, dispatch=True)


def number_fields(draft: Draft, boxes: int, longer: str) -> list[Block]:
    """Return the boxes for numbers, with a way to add boxes; ``longer`` names other ways for long lists (mrkdwn).

    The capacity of a box is stated before the first one: after pasting, the list has already been cut.
    """
    fields = [context(f"A box holds {BOX_LENGTH:,} characters, about {A_BOX} numbers. {longer}")]
    for index in range(boxes):
        text = draft.pasted[index] if index < len(draft.pasted) else ""
        hint = "Numbers such as +13035550100, or the provider's ids; separated by commas, spaces or new lines."
        fields.append(
            field(
                f"{NUMBERS}:{index}",
                "Numbers" if boxes == 1 else f"Numbers, box {index + 1} of {boxes}",
                text_input(NUMBERS, text, BOX_LENGTH, multiline=True),
                hint=hint if index == 0 else "",
                optional=True,  # a sheet or a filter will do; the server knows what is missing
            )
        )
    if boxes < MOST_BOXES:
        fields.append(_more_boxes(boxes))
    else:
        fields.append(context(f"This form has its maximum of {MOST_BOXES} boxes. Put the rest in a second change."))
    return fields


def _more_boxes(boxes: int) -> Block:
    """Return the ways to add boxes: one at a time, or as many as the list needs.

    The block's id has the number of boxes, so that Slack does not keep showing the earlier choice.
    """
    elements = [button("Add a box", MORE, str(boxes + 1))]
    if many := range(boxes + 2, MOST_BOXES + 1):
        element: Block = {
            "type": "static_select",
            "action_id": SEVERAL,
            "placeholder": plain("Add several at once"),
            "options": [option(f"{each} boxes: about {each * A_BOX:,} numbers", str(each)) for each in many],
        }
        elements.append(element)
    return actions(f"{MORE}:{boxes}", elements)
