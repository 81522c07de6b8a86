"""Templates: the button that saves a change, the modal that asks for a name, and the list."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Final

from bot.changes.input.templates import NAME, NAME_LENGTH, Template
from bot.changes.input.times import end_time
from bot.changes.model.draft import Draft
from bot.changes.model.kinds import Kind
from bot.changes.model.public_ids import public_id
from bot.changes.text.counts import counted
from bot.slack.views.draft_lines import course_lines, filter_lines, setting_lines
from bot.slack.views.elements import (
    Block,
    View,
    actions,
    button,
    code,
    confirmation,
    context,
    escape,
    field,
    listed,
    modal,
    person,
    section,
    when,
)
from bot.slack.views.fragments import kind_words
from bot.slack.views.inputs import text_input
from bot.workflow.planning.templates import TemplatePage, TemplatePreview

KEEP: Final = "keep_template"
SAVE: Final = "save_template"
RUN: Final = "run_template"
DELETE: Final = "delete_template"
#: Paging button -> its side of the name that it carries.
EARLIER: Final = "templates_earlier"
LATER: Final = "templates_later"
TITLE: Final = "Save as template"
#: Longest description of one template in a list, in characters; Slack accepts about 13,200 in a message (API.md,
#: "Lengths of texts and elements").
_ENTRY: Final = 1100


def keep_button(change: int) -> Block:
    """Return the button that saves a change as a template."""
    return button(TITLE, KEEP, str(change))


def naming(change: int, keeping: TemplatePreview) -> View:
    """Return the modal that asks for the name and says what is saved."""
    element = text_input(NAME, "", NAME_LENGTH)
    content = _content(keeping.draft, keeping.kind, 2400)
    blocks = [
        section("\n".join([f"*{kind_words(keeping.kind, keeping.draft.kind)}*", *content])),
        section("\n".join(["*Numbers*", *_target(keeping.draft, keeping.kind, keeping.numbers)])),
    ]
    if lost := _not_kept(keeping):
        blocks.append(section("*Not kept*\n" + "\n".join(lost)))
    blocks.append(
        field(NAME, "Name", element, hint="Find it with /numbers templates. Each run asks for its own reason.")
    )
    private = json.dumps({"change": change})
    return modal(SAVE, TITLE, blocks, submit="Save", close="Go back", private=private)


def _not_kept(keeping: TemplatePreview) -> list[str]:
    """Return what of the change is not in its template, a line each; of the reason the input's hint tells."""
    draft, lines = keeping.original, []
    if keeping.left_out:
        labels = ", ".join(keeping.kind.setting(name).label for name in keeping.left_out)
        lines.append(f"🔒 {labels}: secrets are never part of a template.")
    if draft.until and not keeping.draft.until:
        ended, length = code(end_time(draft.until)), "a length, such as `in 4 hours`, would be."
        lines.append(f"🕒 Until {ended}, which is one point in time; {length}")
    if draft.start:
        lines.append(f"🕒 Start {code(draft.start)}: each run asks for its own.")
    if draft.sheet:
        lines.append(f"📎 Sheet {code(draft.sheet.name, 200)}, its numbers and values: attach it again in each run.")
    if draft.base:
        lines.append(f"🔁 The numbers and values of {public_id(draft.base.change)}.")
    if draft.left_out:
        lines.append("🚫 That numbers were left out with one click: to leave them out of each run, exclude them.")
    return lines


def replacing(change: int, typed: str, taken: Template) -> View:
    """Return the question whether to replace the template with that name."""
    text = (
        f"{code(taken.name)} already exists, saved by {person(taken.owner)} on {when(taken.saved_at)}. "
        "Replace it? Its current content is lost."
    )
    private = json.dumps({"change": change, "name": typed, "replacing": taken.version})
    return modal(SAVE, TITLE, [section(text)], submit="Replace", close="Go back", private=private)


def saved(template: Template) -> str:
    """Return the message after saving."""
    return f"💾 {code(template.name)} is saved. {code(f'/numbers run {template.name}')} opens it in the form."


def template_list(page: TemplatePage, kinds: Mapping[str, Kind], first: str = "") -> tuple[str, list[Block]]:
    """Return a page of templates with their buttons, below the text ``first`` (mrkdwn)."""
    blocks = [section(first)] if first else []
    if not page.templates:
        text = "There are no templates yet. Press “Save as template” on the card of a change to make one."
        return text, [*blocks, section(text)]
    blocks.append(section("*Templates*"))
    for template in page.templates:
        blocks.append(section(_entry(template, kinds.get(template.draft.kind))))
        blocks.append(actions(f"template:{template.id}", _buttons(template)))
    turns = []
    if page.earlier:
        turns.append(button("Previous", EARLIER, page.templates[0].name))
    if page.later:
        turns.append(button("Next", LATER, page.templates[-1].name))
    if turns:
        blocks.append(actions("templates", turns))
    blocks.append(context("A template is a change saved under a name. `/numbers run NAME` opens one in the form."))
    return first or counted(len(page.templates), "template"), blocks


def _buttons(template: Template) -> Sequence[Block]:
    question = confirmation(
        f"Delete “{template.name}”?", "Nobody can run it afterwards. Changes made from it stay.", "Delete"
    )
    value = f"{template.id}:{template.version}"
    return [button("Run", RUN, value), button("Delete", DELETE, value, style="danger", confirm=question)]


def read_value(value: str) -> tuple[int, int]:
    """Return a template's id and version from a button's value."""
    template, _, version = value.partition(":")
    return int(template), int(version)


def _entry(template: Template, kind: Kind | None) -> str:
    lines = [
        f"{code(template.name)} · {kind_words(kind, template.draft.kind)}",
        f"Saved by {person(template.owner)}, {when(template.saved_at)}",
        *_content(template.draft, kind, 500),
        *_target(template.draft, kind, template.numbers, limit=300),
    ]
    if template.left_out:
        labels = [kind.setting(n).label if kind and n in kind.by_name else n for n in template.left_out]
        lines.append(f"Without {escape(', '.join(labels))}: secrets are never kept.")
    return listed(lines, _ENTRY)


def _content(draft: Draft, kind: Kind | None, limit: int) -> list[str]:
    """Return the settings with their values, and how it is carried out, one line each."""
    settings = [f"• *{escape(label)}* → {code(words, 80)}" for label, words in setting_lines(draft, kind)]
    return [*(listed(settings, limit) or "No settings.").splitlines(), *course_lines(draft)]


def _target(draft: Draft, kind: Kind | None, numbers: int, limit: int = 1500) -> list[str]:
    """Return the selected numbers, one line each."""
    lines = [counted(numbers, "listed number")] if numbers else []
    lines += [f"• Filter: {code(condition, 120)}" for condition in filter_lines(draft, kind)]
    lines = lines or ["No numbers; enter them in the form."]
    if draft.excluded.strip():
        lines.append(f"• Exclude {code(draft.excluded, 80)}")
    return listed(lines, limit).splitlines()
