"""The form's place for a sheet, and the form for today's values: legal in Slack, and read back as they were left."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.changes.model.draft import Draft, Upload
from bot.changes.sheets import LARGEST
from bot.providers.telnyx.kinds import kinds
from bot.sandbox.slack.blocks.inspect import view_problems
from bot.slack.interactions import SentView
from bot.slack.views.answers import field_errors, read_form
from bot.slack.views.form import MOST_BOXES, form
from bot.slack.views.inputs import BOX_LENGTH
from bot.slack.views.preview import planning
from bot.slack.views.sheet_field import first_sheet, next_turn, sheet_problems
from bot.slack.views.values import being_read, values_form

KINDS = kinds(secrets=True)
KIND = KINDS[0]
BY_NAME = {kind.name: kind for kind in KINDS}


def view_of(sheet: Upload | None, turn: int = 0, files: list[dict[str, Any]] | None = None) -> SentView:
    """Return the form with ``sheet``, and ``files`` in its input."""
    view = form(KINDS, KIND, Draft(kind=KIND.name, sheet=sheet), origin="C0OPS", source=12, turn=turn)
    state = {f"sheet:{turn}": {"sheet": {"type": "file_input", "files": files}}} if files else {}
    return SentView.of({**view, "state": {"values": state}})


@given(st.text(min_size=1, max_size=255))
def test_whatever_a_file_is_called_the_form_is_legal_and_keeps_it(name: str) -> None:
    """The name is text in the modal, fits into the private metadata, and the file is found again by its id."""
    uploaded = read_form(view_of(None, files=[{"id": "F1", "name": name}]), BY_NAME).sheet
    assert uploaded is not None

    view = view_of(uploaded, turn=1)

    assert view_problems(form(KINDS, KIND, Draft(kind=KIND.name, sheet=uploaded), origin="C0OPS", turn=1)) == []
    assert read_form(view, BY_NAME).sheet == uploaded


def test_a_file_of_which_slack_tells_nothing_yet_is_taken() -> None:
    """One from a Slack Connect channel has no name before files.info is asked; what it is, is found out then."""
    untold = {"id": "F9", "mode": "file_access", "file_access": "check_file_info"}
    view = view_of(None, files=[untold])

    assert sheet_problems(view) == {}
    assert first_sheet([{"id": "F1", "name": "floor.png"}, untold])[0] == Upload(id="F9", name="sheet")
    assert first_sheet([untold, {"id": "F2", "name": "a.csv"}])[0] == Upload(id="F2", name="a.csv")


def test_of_several_files_each_that_is_passed_over_is_named() -> None:
    """One sheet counts; of every other file it is said why it does not."""
    files = [{"id": "F1", "name": "a.xls"}, {"id": "F2", "name": "b.csv"}, {"id": "F3", "name": "c.csv"}]

    assert first_sheet(files) == (
        Upload(id="F2", name="b.csv"),
        [
            "“a.xls” is neither CSV nor XLSX. Save the sheet as CSV or XLSX and upload that.",
            "“c.csv” is another sheet, and a change takes one.",
        ],
    )


def test_the_file_in_the_input_goes_before_the_one_from_before() -> None:
    """Another upload takes the place of the sheet that was there."""
    view = view_of(Upload(id="F1", name="old.csv"), files=[{"id": "F2", "name": "new.csv"}])

    assert read_form(view, BY_NAME).sheet == Upload(id="F2", name="new.csv")


def test_the_input_starts_over_once_its_file_counts() -> None:
    """Drawn anew, the form has an empty input when a file moved out of it or was taken away, and else the same one."""
    full, empty = view_of(None, 3, [{"id": "F1", "name": "a.csv"}]), view_of(Upload(id="F1", name="a.csv"), 3)

    assert next_turn(full, taken_away=False) == 4
    assert next_turn(empty, taken_away=True) == 4
    assert next_turn(empty, taken_away=False) == 3


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        ([{"id": "F1", "name": "a.csv", "size": 10}], None),
        ([{"id": "F1", "name": "A.XLSX", "size": LARGEST}], None),
        ([{"id": "F1", "name": "pasted", "filetype": "csv"}], None),
        ([{"id": "F1", "name": "a.csv"}, {"id": "F2", "name": "b.csv"}], "These are 2 files; upload one sheet."),
        (
            [{"id": "F1", "name": "a.ods", "size": 10}],
            "“a.ods” is neither CSV nor XLSX. Save the sheet as CSV or XLSX and upload that.",
        ),
        ([{"id": "F1", "name": "a.csv", "size": 0}], "“a.csv” is empty. Save the sheet again and upload it."),
        (
            [{"id": "F1", "name": "a.csv", "size": 2 * LARGEST}],
            "“a.csv” is 20.0 MB; a sheet may have at most 10 MB. Split it into several sheets.",
        ),
    ],
)
def test_what_is_no_sheet_is_known_before_it_is_opened(files: list[dict[str, Any]], problem: str | None) -> None:
    """Several files, other types, empty and large ones are answered at the field, whichever input it is by now."""
    view = view_of(None, 2, files)

    problems = sheet_problems(view)

    assert field_errors(problems, view) == ({"sheet:2": problem} if problem else {})


@pytest.mark.parametrize("kind", KINDS, ids=[kind.name for kind in KINDS])
@pytest.mark.parametrize("boxes", [1, MOST_BOXES])
def test_the_form_for_values_is_legal(kind: Any, boxes: int) -> None:
    """With every box full and every filter chosen it is a legal modal below 250 kB."""
    draft = Draft(
        kind=kind.name,
        pasted=tuple("1" * BOX_LENGTH for _ in range(boxes)),
        filters={field.name: "x" for field in kind.filters if not field.operators},
    )

    view = values_form(KINDS, kind, draft, boxes=boxes)

    assert view_problems(view) == []
    assert len(json.dumps(view)) < 250_000
    assert view_problems(being_read("Telnyx")) == []


def test_progress_is_text() -> None:
    """What is said of the progress cannot be markup."""
    view = planning(1, "<!channel> 1,000 rows read")

    assert view_problems(view) == []
    assert "&lt;!channel&gt; 1,000 rows read" in json.dumps(view)
