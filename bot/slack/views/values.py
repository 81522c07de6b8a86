"""The form that asks for current values as a sheet."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

from bot.changes.model.draft import Draft
from bot.changes.model.kinds import Kind
from bot.slack.views.elements import View, modal, section
from bot.slack.views.form import MOST_BOXES, kind_field, number_fields
from bot.slack.views.inputs import filter_fields, ways_to_filter
from bot.slack.views.preview import notice

VALUES: Final = "values_form"
TITLE: Final = "Export current values"
_LONGER: Final = "For a longer list, add boxes or use a filter."


def values_form(kinds: Sequence[Kind], kind: Kind, draft: Draft, *, boxes: int = 1) -> View:
    """Return the form for ``kind``, with only the ways to select numbers of the form for a change."""
    boxes = min(max(boxes, len(draft.pasted), 1), MOST_BOXES)
    what = (
        "You get a sheet with the current values of these numbers in a direct message. To change them, "
        f"edit it and upload it with `/numbers {kind.command}`."
    )
    blocks = [section(what), kind_field(kinds, kind), *number_fields(draft, boxes, _LONGER)]
    if fields := ways_to_filter(kind):
        blocks += filter_fields(kind, draft, fields)
    private = json.dumps({"boxes": boxes, "kind": kind.name})
    return modal(VALUES, TITLE, blocks, submit="Send me the sheet", close="Cancel", private=private)


def being_read(provider: str) -> View:
    """Return the modal after the sheet was requested."""
    text = f"Reading the current values from {provider}. You get the sheet in a direct message; you can close this."
    return notice(text, title=TITLE)
