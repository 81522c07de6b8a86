"""The form's field for a sheet, and reading it back.

An app cannot fill Slack's file input (API.md, "File inputs"), so an uploaded sheet moves from the input into the view's
private metadata whenever the form is redrawn: it is named, it can be removed, and the input above is empty again, ready
for another one. So the valid sheet is in one known place, whether or not Slack keeps files in an input through an
update.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from bot.changes.model.draft import Upload
from bot.changes.sheets import LARGEST
from bot.slack.interactions import SentView
from bot.slack.views.elements import Block, actions, button, code, context, field

SHEET: Final = "sheet"
TAKE_AWAY: Final = "take_sheet_away"
#: File types to choose from. Slack calls this a convenience, so the file itself is checked all the same.
TYPES: Final = ("csv", "xlsx")
#: Longest name that is kept, in characters: it must fit into the view's private metadata.
_NAME: Final = 150
#: Slack's mark for a file from a Slack Connect channel, about which it tells nothing else.
UNTOLD: Final = "check_file_info"


def sheet_fields(sheet: Upload | None, turn: int, *, without: Sequence[str] = ()) -> list[Block]:
    """Return the input for a sheet and, if there is a sheet already, its name with a button to remove it.

    ``turn`` makes the input a new one, which makes Slack forget its content. ``without`` has the headings of columns
    that were left out.
    """
    element: Block = {"type": "file_input", "action_id": SHEET, "filetypes": list(TYPES), "max_files": 1}
    hint = (
        "CSV or XLSX with a column “number” and one column per setting; each row can have its own values. "
        "/numbers sheet sends an empty sheet, /numbers values one with current values."
    )
    blocks = [field(f"{SHEET}:{turn}", "Sheet", element, hint=hint, optional=True)]
    if sheet is not None:
        columns = f", without its columns {code(', '.join(without), 500)}" if without else ""
        blocks.append(
            context(f"Sheet: {code(sheet.name, 200)} is attached{columns}. Upload another one to replace it.")
        )
        blocks.append(actions(TAKE_AWAY, [button("Remove the sheet", TAKE_AWAY, sheet.id)]))
    return blocks


def attached(view: SentView) -> Upload | None:
    """Return the valid sheet: the one in the input, or the earlier one; None without any."""
    if files := _files(view):
        return _upload(files[0])
    before = view.private.get("sheet")
    return Upload(id=before["id"], name=before["name"]) if before else None


def first_sheet(files: Iterable[Mapping[str, Any]]) -> tuple[Upload | None, list[str]]:
    """Return the first of a message's files that may be a sheet, if any, and why each of the others does not count.

    A file about which Slack tells nothing yet counts only if no other does.
    """
    given = sorted(files, key=_untold)
    sheet = next((file for file in given if not _problem(file)), None)
    others = (file for file in given if file is not sheet)
    return (_upload(sheet) if sheet else None), [
        _problem(file) or f"{_called(file)} is another sheet, and a change takes one." for file in others
    ]


def kept(sheet: Upload | None, turn: int) -> dict[str, Any]:
    """Return the entries about the sheet for the view's private metadata."""
    return {"sheet": {"id": sheet.id, "name": sheet.name} if sheet else None, "turn": turn}


def next_turn(view: SentView, *, taken_away: bool) -> int:
    """Return the form's turn for a redraw: the input starts over once its file is taken or must not count."""
    turn = int(view.private.get("turn", 0))
    return turn + 1 if taken_away or _files(view) else turn


def sheet_problems(view: SentView) -> dict[str, str]:
    """Return the problems of the file in the input that show without opening it."""
    files = _files(view)
    if not files:
        return {}
    problem = f"These are {len(files)} files; upload one sheet." if len(files) > 1 else _problem(files[0])
    return {SHEET: problem} if problem else {}


def _upload(file: Mapping[str, Any]) -> Upload:
    return Upload(id=str(file["id"]), name=_short(str(file.get("name") or "sheet")))


def _called(file: Mapping[str, Any]) -> str:
    name = str(file.get("name") or "The file")
    return f"“{name if len(name) <= 40 else name[:39] + '…'}”"


def _untold(file: Mapping[str, Any]) -> bool:
    """Tell whether only files.info describes ``file``: it comes from a Slack Connect channel, without its name.

    Source: docs.slack.dev, "File object" and "Using Slack Connect": ``file_access`` is ``check_file_info``.
    """
    return file.get("file_access") == UNTOLD


def _problem(file: Mapping[str, Any]) -> str:
    if _untold(file):
        return ""
    shown, size = _called(file), file.get("size")
    kinds = {str(file.get("name")).rpartition(".")[2].lower(), str(file.get("filetype", "")).lower()}
    if not kinds & set(TYPES):
        return f"{shown} is neither CSV nor XLSX. Save the sheet as CSV or XLSX and upload that."
    if size == 0:
        return f"{shown} is empty. Save the sheet again and upload it."
    if isinstance(size, int) and size > LARGEST:
        return f"{shown} is {size / 1024 / 1024:,.1f} MB; a sheet may have at most 10 MB. Split it into several sheets."
    return ""


def _files(view: SentView) -> list[Mapping[str, Any]]:
    return list(view.answers.get(f"{SHEET}:{view.private.get('turn', 0)}", {}).get("files") or ())


def _short(name: str) -> str:
    """Return ``name`` short enough for the private metadata, with its ending."""
    while len(json.dumps(name, ensure_ascii=False)) > _NAME:
        stem, dot, ending = name.rpartition(".")
        name = f"{stem[:-1]}{dot}{ending}" if stem and len(ending) < 10 else name[:-1]
    return name
