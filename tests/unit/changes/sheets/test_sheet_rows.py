"""Rows: what is wrong with them, what they say twice, and where they disagree."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from bot.changes.model.kinds import Kind
from bot.changes.model.settings import Choice
from bot.changes.sheets.entries import read_entry
from bot.changes.sheets.rows import MOST_PROBLEMS
from bot.errors import InvalidValue
from tests.unit.changes.sheets.conftest import Read

A, B = "+13035550100", "+13035550101"
X, Y = "1293384261075731499", "1293384261075731500"
Found = Callable[..., list[tuple[int, str, str]]]


@pytest.mark.parametrize(
    ("heading", "cell", "sentence"),
    [
        pytest.param("Number", "hello", "“hello” is not a phone number.", id="word"),
        pytest.param("Number", "+1303555010", "“+1303555010” needs 10 digits after +1 and has 9.", id="short"),
        pytest.param("Number", f"{A} {B}", f"“{A} {B}” holds 2 numbers; give each a row of its own.", id="two"),
        pytest.param("Number", "—", "“—” is not a phone number.", id="nothing-to-read"),
        pytest.param("Number", "", "This row has no number; fill it in or remove it.", id="no-number"),
        pytest.param("HD voice", "perhaps", "HD voice must be on or off.", id="bool"),
        pytest.param("Usage billing", "free", "Usage billing must be one of: pay-per-minute, channel.", id="choice"),
        pytest.param("Forward to", "nobody", "“nobody” is not a phone number.", id="phone"),
        pytest.param(
            "Connection",
            "Denver trunk",
            "Connection takes an id, or a name with its id behind it in brackets; “Denver trunk” is neither.",
            id="lookup",
        ),
        pytest.param(
            "Tags",
            "(empty)",
            "Tags cannot be emptied; leave the cell blank to keep the current value.",
            id="not-clearable",
        ),
        pytest.param("Tags", ",", "Tags needs at least one entry between the commas.", id="no-tags"),
        pytest.param(
            "CNAM listed name",
            "Müller",
            "CNAM listed name may hold only letters, digits and spaces.",
            id="pattern",
        ),
        pytest.param(
            "Customer reference",
            "x" * 251,
            "Customer reference may have at most 250 characters; this has 251.",
            id="length",
        ),
    ],
)
def test_a_bad_cell_is_named(found: Found, text: Callable[..., bytes], heading: str, cell: str, sentence: str) -> None:
    """With its row, its column as it is headed, and what is wrong."""
    row = {"Number": A, "Deletion lock": "on", heading: cell}

    assert found(text(list(row), (), list(row.values()))) == [(3, heading, sentence)]


@pytest.mark.parametrize("cell", ["\u200b", "\u3164", " \u2060 ", "\x07"])
def test_a_cell_that_looks_blank_is_blank(read: Read, cell: str) -> None:
    """What nobody sees is no value, and a row of it is no row; so is the sign that old programs end a file with."""
    sheet = read(f"number,tags,customer_reference\n+13035550100,denver,{cell}\n{cell},{cell},\n\x1a".encode())

    assert [dict(row.values) for row in sheet.rows] == [{"tags": ("denver",)}]
    assert sheet.problems == ()


def test_a_control_character_is_named_where_it_stands(found: Callable[..., list[tuple[int, str, str]]]) -> None:
    """A small sheet with one of them is a sheet all the same."""
    assert found(b"number,customer_reference\n+13035550100,a\x07b\n") == [
        (2, "customer_reference", "Customer reference contains a control character; type it on one line.")
    ]


@pytest.mark.parametrize(
    "nothing",
    ["null", "NULL", "None", "[]", "{}", "n/a", "NaN", "\\N", "-", "(blank)", '""', "< null >", "<NA>", "(leer)"],
)
@pytest.mark.parametrize(
    ("heading", "ways"),
    [
        ("Tags", "blank the cell to keep the current value, or put an apostrophe in front to mean these characters."),
        (
            "Customer reference",
            "blank the cell to keep the current value, or put an apostrophe in front to mean these characters.",
        ),
        ("Forward to", "blank the cell to keep the current value, or write (empty) to empty the setting."),
        ("Connection", "blank the cell to keep the current value."),
        ("HD voice", "blank the cell to keep the current value."),
    ],
)
def test_what_programs_write_for_nothing_is_no_value(
    found: Found, text: Callable[..., bytes], heading: str, ways: str, nothing: str
) -> None:
    """In a column of whatever shape: nobody knows whether it keeps or empties, and as a text nobody meant it."""
    sentence = f"“{nothing}” is how other programs write an empty value: {ways}"

    assert found(text(("Number", heading), (A, nothing))) == [(2, heading, sentence)]


@pytest.mark.parametrize(
    "cell",
    ['["denver", "night shift"]', '["denver","night shift"]', "['denver', 'night shift']", "denver; night shift"],
)
def test_a_list_of_another_program_is_a_list(read: Read, text: Callable[..., bytes], cell: str) -> None:
    """Its brackets and quotation marks are no part of the tags."""
    assert read(text(("Number", "Tags"), (A, cell))).rows[0].values == {"tags": ("denver", "night shift")}


@pytest.mark.parametrize(
    "cell",
    [
        *("[denver, night]", "{denver,night}", '["a", 1]', '[["a"]]', "[" * 40 + "]" * 40, "(a, b)", "('a', 'b')"),
        *(
            '"a", "b"',
            "\u201ca\u201d, \u201cb\u201d",
            '["a", "b"],',
            "a|b",
            "- a\n- b",
            "\u2022 a\n\u2022 b",
            "1. a\n2. b",
        ),
        *("frozenset({'a'})", "array(['a'], dtype=object)", "System.String[]", "[object Object]"),
    ],
)
def test_a_list_that_cannot_be_read_for_certain_is_named(found: Found, text: Callable[..., bytes], cell: str) -> None:
    """It is refused whole; its pieces are never tags."""
    ((row, column, sentence),) = found(text(("Number", "Tags"), (A, cell)))

    assert (row, column) == (2, "Tags")
    assert (
        "is a list in another program's form; write the entries with commas between them and without brackets"
        in sentence
    )


def test_an_entry_with_a_comma_is_named(found: Found, text: Callable[..., bytes]) -> None:
    """A comma divides tags, so one inside a tag would tear it apart."""
    assert found(text(("Number", "Tags"), (A, '["a,b", "c"]'))) == [
        (2, "Tags", "Tags: the entry “a,b” has a comma, semicolon or line break in it.")
    ]


def test_an_apostrophe_means_the_characters_themselves(read: Read, text: Callable[..., bytes]) -> None:
    """As everywhere in a sheet."""
    sheet = read(text(("Number", "Customer reference", "Tags"), (A, "'null", "'[vip]"), (B, "'#NV", """'["a"]""")))

    assert sheet.rows[0].values == {"customer_reference": "null", "tags": ("[vip]",)}
    assert sheet.rows[1].values == {"customer_reference": "#NV", "tags": ('["a"]',)}


@pytest.mark.parametrize(
    "error", ["#REF!", "#NV", "#WERT!", "#BEZUG!", "#\u00a1VALOR!", "#\u0418\u041c\u042f?", "#SPILL!"]
)
def test_an_error_of_a_spreadsheet_is_no_value(found: Found, text: Callable[..., bytes], error: str) -> None:
    """In the words of any language."""
    assert found(text(("Number", "Customer reference"), (A, error))) == [
        (2, "Customer reference", f"“{error}” is a spreadsheet error; enter the value itself.")
    ]


def test_values_that_do_not_go_together_are_named(
    found: Found, text: Callable[..., bytes], emergency_kind: Kind
) -> None:
    """The kind's own rule holds in each row, and stands at the column that it is about."""
    sheet = text(("number", "CNAM listing", "CNAM listed name"), (A, "off", "Acme"))
    assert found(sheet) == [
        (2, "CNAM listed name", "A listed name needs the CNAM listing on: switch it on, or leave the name out.")
    ]

    addresses = text(("number", "emergency address"), (A, "53829456729313"))
    assert found(addresses, kind=emergency_kind) == [
        (2, "Emergency service", "Say whether the emergency service is to be on or off.")
    ]
    assert found(addresses, kind=emergency_kind, form={"emergency_enabled": True}) == []


def test_rows_without_values_are_not_judged(read: Read, text: Callable[..., bytes], emergency_kind: Kind) -> None:
    """Where the values come from the form, the sheet is a list of numbers."""
    sheet = read(text(("number",), (A,), (B,)), kind=emergency_kind)

    assert (sheet.columns, sheet.problems) == ((), ())
    assert [row.identifier for row in sheet.rows] == [A, B]


def test_what_stands_below_no_heading_is_named(found: Found) -> None:
    """A comma without quotation marks moves cells to the right; they are not dropped in silence."""
    said = "is in a column without a heading; a value that contains a delimiter needs quotation marks."

    assert found(b"number,tags\n+13035550100,a,b,c\n+13035550101,d\n") == [
        (2, "C", f"“b” {said}"),
        (2, "D", f"“c” {said}"),
    ]


def test_every_problem_comes_at_once_in_the_order_of_rows(found: Found, text: Callable[..., bytes]) -> None:
    """Nobody has to repair one to hear of the next, disagreements included."""
    sheet = text(
        ("number", "tags", "hd voice"),
        (A, "a", "on"),
        ("x", ",", "maybe"),
        (),
        (A, "b", "what"),
        (B, "b", "never"),
    )

    assert [(row, column) for row, column, _ in found(sheet)] == [
        (2, "number"),
        (3, "number"),
        (3, "tags"),
        (3, "hd voice"),
        (5, "hd voice"),
        (5, "number"),
        (6, "hd voice"),
    ]


def test_rows_that_say_the_same_are_counted(read: Read, text: Callable[..., bytes]) -> None:
    """In whatever style the number is written, and whatever the order of its tags."""
    sheet = read(text(("number", "tags"), (A, "a, b"), ("(303) 555-0100", "B;a"), (B, "c"), (A, "a,b")))

    assert sheet.problems == ()
    assert sheet.repeats == 2
    assert [(row.row, row.identifier) for row in sheet.rows] == [(2, A), (4, B)]


def test_rows_that_disagree_name_each_other(read: Read, found: Found, text: Callable[..., bytes]) -> None:
    """Both rows are named, and neither is taken; saying nothing is not the same as saying the same."""
    sheet = text(("number", "tags", "hd voice"), (A, "a", ""), (B, "c", ""), (A, "b", ""), (B, "c", "on"))

    assert found(sheet) == [
        (2, "number", f"{A} is also in row 4 with other values; keep one row."),
        (3, "number", f"{B} is also in row 5 with other values; keep one row."),
        (4, "number", f"{A} is also in row 2 with other values; keep one row."),
        (5, "number", f"{B} is also in row 3 with other values; keep one row."),
    ]
    assert (read(sheet).rows, read(sheet).repeats) == ((), 0)


def test_many_rows_that_disagree_stay_readable(found: Found, text: Callable[..., bytes]) -> None:
    """A few rows are named, the rest is counted."""
    problems = found(text(("number", "tags"), *((A, f"tag{i}") for i in range(2000))))

    assert len(problems) == 2000
    assert problems[0][2] == f"{A} is also in rows 3, 4, 5, 6, 7 and 1,994 more with other values; keep one row."
    assert problems[-1][2] == f"{A} is also in rows 2, 3, 4, 5, 6 and 1,994 more with other values; keep one row."


def test_an_id_counts_before_the_number_beside_it(read: Read, text: Callable[..., bytes]) -> None:
    """Where the id is missing, the number does; a rounded id gives way to the number of its row."""
    sheet = read(
        text(
            ("number", "id"), (A, X), (B, ""), ("+13035550102", "1.29338E+18"), ("+13035550103", "1293384261075730000")
        )
    )

    assert sheet.problems == ()
    assert [row.identifier for row in sheet.rows] == [X, B, "+13035550102", "+13035550103"]


def test_an_id_and_its_number_are_one(read: Read, text: Callable[..., bytes]) -> None:
    """A row by number, one by id and one by both are three rows about one number when any row says so."""
    sheet = read(text(("number", "id", "tags"), (A, "", "a"), ("", X, "a"), (A, X, "a")))

    assert (sheet.problems, sheet.repeats) == ((), 2)
    assert [row.identifier for row in sheet.rows] == [A]


def test_ids_and_numbers_that_contradict_are_named(found: Found, text: Callable[..., bytes]) -> None:
    """One number has one id."""
    assert found(text(("number", "id"), (A, X), (A, Y))) == [
        (2, "number", f"{A} has 2 ids: {X} in row 2 and {Y} in row 3."),
        (3, "number", f"{A} has 2 ids: {X} in row 2 and {Y} in row 3."),
    ]
    assert found(text(("number", "id"), (A, X), (B, X))) == [
        (2, "number", f"{X} has 2 numbers: {A} in row 2 and {B} in row 3."),
        (3, "number", f"{X} has 2 numbers: {A} in row 2 and {B} in row 3."),
    ]
    assert found(text(("number", "id"), (A, B))) == [
        (2, "number", f"This row names two numbers: {A} and {B}; keep one of them.")
    ]


@pytest.mark.parametrize(
    "strange",
    ["PN2a0747eba6abf96b7e3c3ff0b4530f6e", "42", "3fa85f64-5717-4562-b3fc-2c963f66afa6", "2512345678", "row 7"],
)
def test_an_id_of_another_system_gives_way_to_the_number(read: Read, text: Callable[..., bytes], strange: str) -> None:
    """Twilio's, a CRM's, a row's: they are counted, so that it can be said, and the number counts."""
    sheet = read(text(("id", "number", "tags"), (strange, A, "x"), ("", B, "y"), (X, B, "y")))

    assert [row.identifier for row in sheet.rows] == [A, B]
    assert sheet.problems == ()
    assert sheet.strange_ids == 1


def test_a_strange_id_without_a_number_is_named(found: Found, text: Callable[..., bytes]) -> None:
    """Nothing else says which number is meant."""
    ((row, column, _),) = found(text(("id", "number"), ("42", "")))

    assert (row, column) == (2, "id")


def test_more_rows_than_allowed_are_refused(
    read: Read, refused: Callable[..., str], text: Callable[..., bytes]
) -> None:
    """Blank rows do not count."""
    rows = [(A,), (), (B,), (), ("+13035550102",)]

    assert len(read(text(("number",), *rows), max_rows=3).rows) == 3
    assert refused(text(("number",), *rows), max_rows=2) == (
        "“moves.csv” has more than 2 rows; one sheet may have at most that many. Split it."
    )


def test_progress_is_told_every_thousand_rows(read: Read, text: Callable[..., bytes]) -> None:
    """So that a person sees that something happens."""
    told: list[int] = []

    read(text(("number",), *((f"+1303555{i:04}",) for i in range(2500))), progress=told.append)

    assert told == [1000, 2000]


def test_every_row_of_a_large_sheet_is_there(read: Read, text: Callable[..., bytes]) -> None:
    """A hundred thousand numbers, each with a value of its own."""
    rows = [(f"+1{303 + i // 10_000}555{i % 10_000:04}", f"ref-{i}") for i in range(100_000)]

    sheet = read(text(("number", "customer reference"), *rows))

    assert [(row.identifier, row.values["customer_reference"]) for row in sheet.rows] == rows


@pytest.mark.parametrize("cell", ["none", "None"])
def test_a_choice_that_is_called_none_is_that_choice(settings_kind: Kind, cell: str) -> None:
    """A word that programs write for nothing means what the setting says where it is one of its choices."""
    setting = next(each for each in settings_kind.settings if each.choices)
    with pytest.raises(InvalidValue, match="how other programs write an empty value"):
        read_entry(setting, cell)

    assert read_entry(replace(setting, choices=(*setting.choices, Choice("none", "None"))), cell) == "none"


def test_of_endless_problems_the_first_ones_are_kept_and_the_others_counted(
    read: Read, text: Callable[..., bytes]
) -> None:
    """Values below no heading in every row of a long sheet do not fill the memory."""
    stray = 12
    sheet = read(text(("number", "tags"), *((A, "a", *["x"] * stray) for _ in range(1000))))

    assert len(sheet.problems) == MOST_PROBLEMS
    assert sheet.more_problems == 1000 * stray - MOST_PROBLEMS


def test_a_list_in_another_form_is_kept_behind_the_most_problems(read: Read, text: Callable[..., bytes]) -> None:
    """Handed back without a word, it could be taken for one that is meant."""
    stray = 12
    many = [(A, "a", *["x"] * stray) for _ in range(1000)]
    sheet = read(text(("number", "tags"), *many, (B, "- a\n- b")))

    assert sheet.problems[-1].foreign
    assert sheet.problems[-1].row == 1002
