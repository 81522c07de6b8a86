"""A sheet and a form together: which numbers are meant, with which values, and what has to be said of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bot.changes.input.drafts import read_draft
from bot.changes.input.requests import Request, by_number, with_sheet
from bot.changes.model.draft import Draft
from bot.changes.model.kinds import Kind
from bot.changes.sheets.refusals import SHEET
from bot.errors import InputError
from tests.unit.changes.sheets.conftest import Read, is_id

ONE, TWO, THREE = "+13035550100", "+13035550101", "+13035550102"
ID = "1293384261075731499"


@pytest.fixture
def form(settings_kind: Kind) -> Callable[..., Request]:
    """Give a maker of requests from a form with a sheet beside it."""

    def make(**more: str) -> Request:
        typed = {"tags": "a"} if more.get("tags") else {}
        draft = Draft(
            kind=settings_kind.name,
            pasted=(more.get("pasted", ""),),
            chosen=tuple(typed),
            typed=typed,
            excluded=more.get("excluded", ""),
            sheet="F1",
            reason="why",
        )
        return read_draft(settings_kind, draft, is_id=is_id, max_numbers=100)

    return make


def test_numbers_of_the_form_and_of_the_sheet_are_meant_once(
    form: Callable[..., Request], read: Read, text: Callable[..., bytes]
) -> None:
    """A number in both counts as a repeat, and the sheet's value is its own."""
    sheet = read(text(("number", "customer reference"), (ONE, "a"), (TWO, "b")))
    request = with_sheet(form(pasted=f"{ONE} {THREE}", tags="yes"), sheet)

    assert request.given == (ONE, THREE, TWO)
    assert request.rows == {ONE: {"customer_reference": "a"}, TWO: {"customer_reference": "b"}}
    assert request.names == ("tags", "customer_reference")
    assert request.repeats == 1
    assert request.cautions == ()


def test_a_row_is_left_out_by_its_id_and_by_the_number_beside_it(
    form: Callable[..., Request], read: Read, text: Callable[..., bytes]
) -> None:
    """Whichever of the two the requester excludes; what is left out is remembered by the name that excludes it."""
    content = text(("id", "number", "customer reference"), (ID, ONE, "a"), ("", TWO, "b"))
    by_id = with_sheet(form(excluded=ID), read(content))
    beside = with_sheet(form(excluded=ONE), read(content))

    for request, name in ((by_id, ID), (beside, ONE)):
        assert request.rows == {TWO: {"customer_reference": "b"}}
        assert request.dropped == {name}
        assert request.beside == {}


def test_an_id_that_is_unknown_gives_way_to_the_number_beside_it(
    form: Callable[..., Request], read: Read, text: Callable[..., bytes]
) -> None:
    """The row keeps its values under its number, and people hear how many rows that were."""
    content = text(("id", "number", "customer reference"), (ID, ONE, "a"), ("1293384261075731500", TWO, "b"))
    request = with_sheet(form(), read(content))
    assert request.beside == {ID: ONE, "1293384261075731500": TWO}

    one = by_number(request, [ID])
    both = by_number(request, [*request.beside])

    assert one.rows == {ONE: {"customer_reference": "a"}, "1293384261075731500": {"customer_reference": "b"}}
    assert one.beside == {"1293384261075731500": TWO}
    assert "in 1 row of the sheet the id is not one of this provider's" in one.cautions[0]
    assert both.rows == {ONE: {"customer_reference": "a"}, TWO: {"customer_reference": "b"}}
    assert both.beside == {}
    assert "in 2 rows of the sheet" in both.cautions[0]


@pytest.mark.parametrize(
    ("headings", "said"),
    [
        (("owner",), "the sheet was read without its column “owner”"),
        (("owner", "site"), "the sheet was read without its 2 columns “owner”, “site”"),
    ],
)
def test_columns_that_were_left_out_are_named(
    form: Callable[..., Request], read: Read, text: Callable[..., bytes], headings: tuple[str, ...], said: str
) -> None:
    """Nobody takes what stands in such a column for asked for."""
    content = text(("number", "customer reference", *headings), (ONE, "a", *headings))

    assert with_sheet(form(), read(content, left_out=headings)).cautions == (said,)


def test_a_sheet_without_numbers_or_without_values_is_refused(
    form: Callable[..., Request], read: Read, text: Callable[..., bytes]
) -> None:
    """What is missing is said; values may also come from the form."""
    with pytest.raises(InputError) as empty:
        with_sheet(form(), read(text(("number", "customer reference"))))
    with pytest.raises(InputError) as bare:
        with_sheet(form(), read(text(("number",), (ONE,))))

    assert "no numbers" in empty.value.problems[SHEET]
    assert "numbers but no values" in bare.value.problems[SHEET]
    assert with_sheet(form(tags="yes"), read(text(("number",), (ONE,)))).rows == {ONE: {}}
