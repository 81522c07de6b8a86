"""Headings, in any order, case and spelling, and what is said of those that are not understood."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable

import pytest

from bot.changes.model.kinds import Kind
from bot.changes.sheets import ForeignColumns
from bot.changes.sheets.columns import key, letters, understand
from bot.changes.sheets.stages import MOMENTS, PLAN, RESULTS, Stage
from bot.changes.sheets.stages import heading as staged_heading
from bot.providers.close.kinds import kinds as close_kinds
from bot.providers.telnyx.kinds import kinds
from tests.unit.changes.sheets.conftest import Read

LINE = ("+13035550100", "a", "on")

#: What is said of a column of PINs.
PIN_REFUSED = (
    "The external PIN cannot be given in a sheet: the file stays in Slack and would show every PIN in it. Remove the "
    "column, "
    "type one PIN into the form, and ask for a separate change for each other PIN."
)


@pytest.mark.parametrize(
    "heading",
    ["number", "Number", "PHONE NUMBER", "phone_number", "Phone-Number", " e164 ", "E.164", "telephone", "'number"],
)
def test_the_number_column_is_found(read: Read, text: Callable[..., bytes], heading: str) -> None:
    """Whatever people call it."""
    assert [row.identifier for row in read(text((heading,), ("+13035550100",))).rows] == ["+13035550100"]


@pytest.mark.parametrize("heading", ["id", "ID", "number_id", "phone_number_id", "Number ID"])
def test_the_id_column_is_found(read: Read, text: Callable[..., bytes], heading: str) -> None:
    """A sheet may name numbers by the provider's ids."""
    sheet = read(text((heading,), ("1293384261075731499",)))

    assert [row.identifier for row in sheet.rows] == ["1293384261075731499"]


@pytest.mark.parametrize(
    ("heading", "name"),
    [
        ("Forward to", "voice.call_forwarding.forwards_to"),
        ("forward_TO", "voice.call_forwarding.forwards_to"),
        ("voice.call_forwarding.forwards_to", "voice.call_forwarding.forwards_to"),
        ("forwards-to", "voice.call_forwarding.forwards_to"),
        ("Call Forwarding Forwards To", "voice.call_forwarding.forwards_to"),
    ],
)
def test_a_setting_is_found(read: Read, text: Callable[..., bytes], heading: str, name: str) -> None:
    """By its label, its name at the provider, or the end of that name."""
    sheet = read(text(("number", heading), ("+13035550100", "+13035550199")))

    assert sheet.columns == (name,)
    assert sheet.rows[0].values == {name: "+13035550199"}


def test_every_setting_is_found_by_its_label_and_by_its_name(read: Read, text: Callable[..., bytes]) -> None:
    """Of every kind: the template's headings and the documentation's names."""
    for kind in kinds(secrets=True):
        settings = [setting for setting in kind.settings if not setting.secret]
        for headings in ([s.label for s in settings], [s.name for s in settings]):
            sheet = read(text(("number", *headings)), kind=kind)

            assert sheet.columns == tuple(setting.name for setting in settings)


def test_order_and_case_of_columns_do_not_matter(read: Read, text: Callable[..., bytes]) -> None:
    """Every order of the same columns says the same."""
    cells = dict(zip(("number", "tags", "hd voice"), LINE, strict=True))
    for order in itertools.permutations(cells):
        shouted = tuple(heading.upper() if random.Random(str(order)).random() < 0.5 else heading for heading in order)  # noqa: S311 - any case will do
        sheet = read(text(shouted, tuple(cells[heading] for heading in order)))

        assert [(row.identifier, row.values) for row in sheet.rows] == [
            ("+13035550100", {"tags": ("a",), "hd_voice_enabled": True})
        ]


def test_linesmans_own_columns_are_ignored(read: Read, text: Callable[..., bytes]) -> None:
    """The results and the plan can be uploaded as they are: their numbers are taken, the rest is left."""
    former = ("number", "id", "before", "after", "found", "sent_at", "settled_at", "read_back_at", "settled_at_utc")
    for columns in ((*RESULTS, *MOMENTS), PLAN, former):
        row = ["x"] * len(columns)
        row[0], row[1] = "+13035550100", "1293384261075731499"
        sheet = read(text((*columns, "Errors"), (*row, "anything")))

        assert sheet.ignored == (*columns[2:], "Errors")
        assert sheet.columns == ()
        assert [(row.identifier, row.values) for row in sheet.rows] == [("1293384261075731499", {})]


@pytest.mark.parametrize(
    ("headings", "read_from", "ignored"),
    [
        (("Tags (before)", "Tags (after)", "Tags (found)"), {"tags": "Tags (before)"}, 2),
        (("Tags (found)", "Tags (after)", "Tags (before)"), {"tags": "Tags (before)"}, 2),
        (("Tags (after)", "Tags (found)"), {"tags": "Tags (after)"}, 1),
        (("Tags (found)",), {}, 1),
        (("Tags", "Tags (before)", "HD voice (before)"), {"tags": "Tags"}, 2),
        (("Tags (before)", "HD voice (after)"), {"tags": "Tags (before)"}, 1),
        (("External PIN (before)", "Tags (after)"), {"tags": "Tags (after)"}, 1),
        (("TAGS before", "hd_voice_enabled (Before)"), {"tags": "TAGS before", "hd_voice_enabled": "hd_voice"}, 0),
    ],
)
def test_of_a_sheet_of_results_one_stage_is_read(
    settings_kind: Kind, headings: tuple[str, ...], read_from: dict[str, str], ignored: int
) -> None:
    """What was before, or else what was to be; all else is known, never read, and no foreign column."""
    columns = understand(settings_kind, ("number", *headings))

    assert columns.problems == ()
    assert {setting.name for _, setting in columns.settings} == set(read_from)
    assert all(columns.title(at).startswith(read_from[setting.name]) for at, setting in columns.settings)
    assert len(columns.ours) == ignored


def test_two_columns_of_one_stage_are_named(settings_kind: Kind) -> None:
    """Which of them is meant, nobody knows."""
    columns = understand(settings_kind, ("number", "Tags (before)", "tags (before)"))

    assert columns.problems == (
        "“Tags (before)” (column B) and “tags (before)” (column C) mean the same; keep one of them.",
    )


def test_no_heading_means_two_things() -> None:
    """Of every kind, no setting's name, stage or other column of Linesman's can be taken for another."""
    for kind in (*kinds(secrets=True), *close_kinds()):
        every = [staged_heading(setting, stage) for setting in kind.settings if not setting.secret for stage in Stage]
        spelt = [key(each) for each in (*every, *RESULTS, *MOMENTS, *PLAN[2:])]
        plain = {key(text) for each in kind.settings for text in (each.label, each.name)}

        assert len(spelt) - 1 == len(set(spelt)), "only the job stands in both"
        assert not plain & set(spelt)


@pytest.mark.parametrize(
    ("headings", "sentence"),
    [
        pytest.param(("number", "Tgas"), "The column “Tgas” (B) is not known; did you mean “Tags”?", id="nearest"),
        pytest.param(
            ("number", "Colour"),
            "The column “Colour” (B) is not a setting of this change; rename it to one, or leave it out.",
            id="unknown",
        ),
        pytest.param(
            ("number", "tags", "TAGS"),
            "“tags” (column B) and “TAGS” (column C) mean the same; keep one of them.",
            id="twice",
        ),
        pytest.param(
            ("number", "Phone", "tags"),
            "“number” (column A) and “Phone” (column B) mean the same; keep one of them.",
            id="two-number-columns",
        ),
        pytest.param(
            ("number", "External PIN"),
            PIN_REFUSED,
            id="secret",
        ),
        pytest.param(
            ("number", "Tgas", "external_pin", "tags", "Tags"),
            "The column “Tgas” (B) is not known; did you mean “Tags”? "
            "“tags” (column D) and “Tags” (column E) mean the same; "
            f"keep one of them. {PIN_REFUSED}",
            id="all-at-once",
        ),
        pytest.param(
            ("Kunde", "tags"),
            "“moves.csv” has no column called “number” or “id”; the headings in row 1 are “Kunde”, “tags”.",
            id="no-numbers",
        ),
        pytest.param(
            tuple(f"zzz{i}" for i in range(10)),
            "“moves.csv” has no column called “number” or “id”; the headings in row 1 are "
            + ", ".join(f"“zzz{i}”" for i in range(10))
            + ".",
            id="many-and-no-numbers",
        ),
        pytest.param(
            ("number",) * 10,
            ", ".join(f"“number” (column {letter})" for letter in "ABCDEFGHI")
            + " and “number” (column J) mean the same; keep one of them.",
            id="many-that-mean-the-same",
        ),
        pytest.param(
            ("+13035550100", "a"),
            "“moves.csv” has a number in row 1 where the headings should be. Put “number” above the numbers and the "
            "name of a setting above each column of values.",
            id="no-headings",
        ),
        pytest.param(
            ("number", *(f"zzz{i}" for i in range(10))),
            "10 columns are not settings of this change: "
            + ", ".join(f"“zzz{i}” ({'BCDEFGHIJK'[i]})" for i in range(10))
            + ". Rename them to settings or leave them out.",
            id="many",
        ),
    ],
)
def test_headings_that_are_not_understood_are_named(
    refused: Callable[..., str],
    text: Callable[..., bytes],
    book: Callable[..., bytes],
    headings: tuple[str, ...],
    sentence: str,
) -> None:
    """All of them at once, with the nearest that there is, in CSV and XLSX alike."""
    for file in (text(headings, ("+13035550100",)), book(headings, ("+13035550100",))):
        lines = refused(file).splitlines()
        assert " ".join(line.removeprefix("• ") for line in lines) == sentence
        assert all(line.startswith("• ") for line in lines) or len(lines) == 1


EXPORTS = {
    "teams": ("TelephoneNumber", "OperatorId", "NumberType", "ActivationState", "City", "AssignedPstnTargetId"),
    "teams-admin-center": ("Phone number", "Location", "Usage", "Assigned to"),
    "teams-users": ("DisplayName", "UserPrincipalName", "LineUri"),
    "zoom": ("Phone Number", "Number Type", "Assigned To", "Extension", "Site"),
    "ringcentral": ("First Name", "Last Name", "Extension", "Direct Number", "Site"),
    "webex": ("Location", "Phone Number", "Extension", "State"),
    "3cx": ("Rule name", "DID number", "Destination"),
    "freepbx-bulk-dids": ("action", "DID", "description", "destination", "cidnum", "pricid"),
    "freepbx-bulk-handler": ("description", "extension", "cidnum", "pricid", "destination"),
    "twilio": ("sid", "phone_number", "friendly_name", "voice_url", "date_created"),
    "telnyx": ("Phone Number", "Connection Name", "Purchased At"),
}
#: The column of each in which its numbers are.
HOLDS = {"teams-users": 2, "ringcentral": 3, "webex": 1, "3cx": 1, "freepbx-bulk-dids": 1, "freepbx-bulk-handler": 1}


@pytest.mark.parametrize("system", EXPORTS)
def test_the_numbers_of_other_systems_are_found_once_the_rest_is_left_out(
    read: Read, text: Callable[..., bytes], system: str
) -> None:
    """Every column that is not known is named with its heading; without them the export is a sheet of numbers."""
    headings = EXPORTS[system]
    at = HOLDS.get(system, 1 if system == "twilio" else 0)
    row = ["1001"] * len(headings)
    row[at] = "tel:+13035550100" if headings[at] == "LineUri" else "+1 (303) 555-0100"
    content = text((*headings, "Tags"), (*row, "x"))

    with pytest.raises(ForeignColumns) as refusal:
        read(content)
    others = [heading for heading in headings if heading not in {headings[at], "action"}]  # one of ours is called that
    assert list(refusal.value.headings) == others
    assert all(f"“{heading}”" in refusal.value.message for heading in others)

    sheet = read(content, left_out=refusal.value.headings)

    assert [(row.identifier, row.values) for row in sheet.rows] == [("+13035550100", {"tags": ("x",)})]
    assert list(sheet.left_out) == others


def test_only_columns_that_are_not_known_can_be_left_out(read: Read, text: Callable[..., bytes]) -> None:
    """A setting's column counts, whatever was left out of the sheet before it."""
    sheet = read(text(("number", "Tags", "Zip"), ("+13035550100", "x", "80202")), left_out=("number", "Tags", "Zip"))

    assert (sheet.rows[0].values, sheet.left_out) == ({"tags": ("x",)}, ("Zip",))


def test_two_hundred_columns_are_counted_right(read: Read, text: Callable[..., bytes]) -> None:
    """All that fit into a message are named, and those that are only counted are all the others."""
    headings = [f"something rather long {i}" for i in range(200)]

    with pytest.raises(ForeignColumns) as refusal:
        read(text(("number", *headings), ("+13035550100",)))

    message = refusal.value.message
    named = message.count("something rather long")
    assert message.startswith("200 columns are not settings")
    assert f" and {200 - named} more. " in message
    assert len(message) < 2900
    assert list(refusal.value.headings) == headings


@pytest.mark.parametrize(
    ("above", "shown"),
    [
        ([("Number export of 28 November",), ()], "Number export of 28 November"),
        ([("Phone numbers",), ("Denver", "2026-11-28")], "Phone numbers"),
        ([("", "Carrier move"), ("as of", "today", "", "", "by", "Ana")], "Carrier move"),
    ],
    ids=["title", "title-like-a-heading", "wide"],
)
def test_rows_above_the_headings_are_named_as_that(
    refused: Callable[..., str],
    text: Callable[..., bytes],
    book: Callable[..., bytes],
    above: list[tuple[str, ...]],
    shown: str,
) -> None:
    """The advice is to remove them; the headings themselves are as they have to be."""
    rows = [*above, ("Number", "Tags"), ("+13035550100", "x")]

    for file in (text(*rows), text(*rows, delimiter=";"), book(*rows)):
        assert refused(file) == (
            f"“moves.csv” has its headings in row {len(above) + 1}, and row 1 is “{shown}”. "
            "Remove every row above the headings and upload it again."
        )


def test_it_is_never_said_of_a_column_that_it_is_not_there(
    refused: Callable[..., str], text: Callable[..., bytes]
) -> None:
    """What is wrong is that Linesman does not know it."""
    for headings in (("number", "Tgas"), ("number", "Kunde", "Ort"), ("Kunde",), ("Nummer", "Tgas")):
        assert "There is no column" not in refused(text(headings, ("+13035550100", "a")))


def test_a_setting_of_another_kind_is_unknown(
    refused: Callable[..., str], text: Callable[..., bytes], emergency_kind: Kind
) -> None:
    """A sheet is read for one kind of change."""
    assert refused(text(("number", "Tags")), kind=emergency_kind) == (
        "The column “Tags” (B) is not a setting of this change; rename it to one, or leave it out."
    )


def test_of_several_sheets_one_may_have_numbers(
    read: Read, refused: Callable[..., str], book: Callable[..., bytes]
) -> None:
    """Notes beside the table do no harm; two tables could mean twice as many numbers, so nothing is guessed."""
    good = [("number",), ("+13035550100",)]
    other = [("number",), ("+13035550101",)]

    notes = [("Read this first",), ("Call 303-555-0199 with questions",), ("Denver PBX", "1293384261075731001")]

    assert read(book(*notes, Moves=good)).layout.worksheet == "Moves"
    assert read(book(*good, Old=other, hidden=("Old",))).layout.worksheet == "Numbers"
    for more in (
        other,
        [("West region",), *other],
        [("+13035550101",), ("+13035550102",)],
        [("1293384261075731001",)],
        [("Store", "Line"), ("12", 3035550101)],
    ):
        assert refused(book(*good, Old=more)) == (
            "“moves.csv” has numbers in 2 sheets: “Numbers”, “Old”. Keep only the one that you mean."
        )


@pytest.mark.parametrize("heading", ["External PIN", "external_pin", "EXTERNAL-PIN"])
def test_a_column_of_secrets_is_no_unknown_one_where_there_is_no_key(heading: str) -> None:
    """It says why no sheet takes it and what is missing here; its columns in results are passed over."""
    kind = kinds(secrets=False)[0]

    columns = understand(kind, ("number", "Tags", heading))
    results = understand(kind, ("number", "External PIN (before)", "Tags (before)"))

    assert columns.foreign == ()
    [said] = columns.problems
    assert heading in said
    assert "LINESMAN_SECRET_KEY is not set" in said
    assert (results.foreign, results.problems) == ((), ())


@pytest.mark.parametrize(("position", "name"), [(0, "A"), (25, "Z"), (26, "AA"), (51, "AZ"), (701, "ZZ"), (702, "AAA")])
def test_a_column_is_called_as_spreadsheets_call_it(position: int, name: str) -> None:
    """Whoever reads of a column finds it by the letters above it."""
    assert letters(position) == name
