"""Answers to reads that are poorer than documented."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from bot.changes.model.kinds import Kind
from bot.changes.model.snapshots import Target
from bot.errors import Unavailable, UnrequestedData
from bot.providers.telnyx.provider import Telnyx

Serve = Callable[[httpx.Request], httpx.Response]
FIRST = 1_293_384_261_075_731_000


def row(position: int) -> dict[str, Any]:
    """Return a number's row; ids come as integers here."""
    return {"id": FIRST + position, "phone_number": f"+1303555{position:04}", "tags": ["vip"], "status": "active"}


def owned(count: int) -> httpx.Response:
    """Return the answer to an ownership check of the first ``count`` numbers."""
    found = [{"id": FIRST + n, "number_val_e164": f"+1303555{n:04}"} for n in range(count)]
    return httpx.Response(200, json={"data": {"found": found, "not_found": None}})


async def test_pages_without_totals_are_read_to_the_end(telnyx: Callable[[Serve], Telnyx], settings_kind: Kind) -> None:
    """When no page says how many there are, a full one promises another, and a short one is the last."""
    pages: list[int] = []

    def serve(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            return owned(600)
        pages.append(int(request.url.params["page[number]"]))
        first = (pages[-1] - 1) * 250
        return httpx.Response(200, json={"data": [row(n) for n in range(first, min(first + 250, 600))]})

    target = Target(identifiers=tuple(f"+1303555{n:04}" for n in range(600)))
    found = [one async for one in telnyx(serve).find(target, ["tags"], settings_kind)]

    assert len({one.id for one in found}) == 600
    assert pages == [1, 2, 3]


async def test_an_id_that_telnyx_cannot_read_is_absent(telnyx: Callable[[Serve], Telnyx], settings_kind: Kind) -> None:
    """One malformed id among many does not spoil the reading of the others."""

    def serve(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            return owned(1)
        if request.url.path.endswith(str(FIRST)):
            return httpx.Response(200, json={"data": row(0)})
        return httpx.Response(422, json={"errors": [{"code": "10022", "detail": "One or more invalid IDs"}]})

    target = Target(identifiers=(str(FIRST), "8888888888888888888"))
    found = [one async for one in telnyx(serve).find(target, ["tags"], settings_kind)]

    assert [(one.id, one.e164, one.editable) for one in found] == [(str(FIRST), "+13035550000", True)]


async def test_an_id_that_telnyx_cannot_read_has_no_name(
    telnyx: Callable[[Serve], Telnyx], settings_kind: Kind
) -> None:
    """A malformed connection id has no name, and is no error."""
    unreadable = {"errors": [{"code": "10022", "detail": "One or more invalid IDs"}]}
    provider = telnyx(lambda _request: httpx.Response(422, json=unreadable))

    assert await provider.labels(settings_kind, "connection_id", ["what?"]) == {}


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param({}, id="no-data"),
        pytest.param([], id="a-list"),
        pytest.param({"data": 5}, id="a-number"),
        pytest.param({"data": {"found": 5}}, id="found-is-a-number"),
        pytest.param({"data": {}}, id="nothing-in-it"),
    ],
)
async def test_an_answer_of_another_shape_is_unavailable(
    telnyx: Callable[[Serve], Telnyx], settings_kind: Kind, answer: object
) -> None:
    """What is not the documented shape at all is an error to try again after, not an empty account."""
    provider = telnyx(lambda _request: httpx.Response(200, json=answer))

    with pytest.raises(Unavailable):
        [one async for one in provider.find(Target(identifiers=("+13035550100",)), ["tags"], settings_kind)]


@pytest.mark.parametrize(
    "document",
    [
        pytest.param({}, id="nothing-in-it"),
        pytest.param({"id": str(FIRST)}, id="only-an-id"),
        pytest.param(row(1), id="another-number"),
    ],
)
async def test_a_document_that_is_not_the_numbers_is_no_number_with_empty_settings(
    telnyx: Callable[[Serve], Telnyx], settings_kind: Kind, document: object
) -> None:
    """Read as a number, it would be planned as if nothing were set, and read back as if everything were gone."""
    provider = telnyx(lambda _request: httpx.Response(200, json={"data": document}))
    target = Target(identifiers=(str(FIRST),), editable_asked=False)

    with pytest.raises((Unavailable, UnrequestedData)):
        [one async for one in provider.find(target, ["tags"], settings_kind)]
    with pytest.raises((Unavailable, UnrequestedData)):
        await provider.poll(str(FIRST + 2))
    with pytest.raises((Unavailable, UnrequestedData)):
        await provider.labels(settings_kind, "connection_id", ["1293384261075731499"])


@pytest.mark.parametrize(
    ("text", "is_id"),
    [
        pytest.param("1293384261075731499", True, id="19-digits"),
        pytest.param("2637816387126861", True, id="16-digits"),
        pytest.param("441632960961000", False, id="15-digits-may-be-a-phone-number"),
        pytest.param("13035550100", False, id="a-number-without-plus"),
        pytest.param("+13035550100", False, id="e164"),
        pytest.param("9999999999999999999", False, id="beyond-64-bits"),
        pytest.param("1293384261075731499x", False, id="a-letter"),
        pytest.param("", False, id="nothing"),
    ],
)
def test_ids_are_told_from_phone_numbers(
    telnyx: Callable[[Serve], Telnyx],
    text: str,
    is_id: bool,  # noqa: FBT001 - a column of a table
) -> None:
    """Only what cannot be a phone number is taken for an id."""
    assert telnyx(lambda _request: httpx.Response(500)).is_id(text) is is_id
