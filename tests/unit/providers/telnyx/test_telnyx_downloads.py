"""CSV downloads: what is read of a file, how long it is waited for, and what counts as a refusal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from bot.changes.model.filter_fields import Condition
from bot.changes.model.kinds import Kind
from bot.errors import (
    BadRequest,
    FilterRefused,
    ProviderError,
    TooManyJobs,
    Unauthorised,
    Unavailable,
    UnrequestedData,
)
from bot.providers.telnyx import downloads
from bot.providers.telnyx.downloads import PATIENCE, Downloads, confirmed, read_file
from bot.providers.telnyx.files import LinkedFiles
from bot.providers.telnyx.search import Search
from tests.unit.providers.telnyx.conftest import World

BUNDLE = Condition("has_bundle", "", value=True)
TAG = Condition("tag", "", "vip")
COUNTRY = Condition("country_iso_alpha2", "", ("US",))
FILE = b"phone_number,status\r\n+13035550100,active\r\n"


@pytest.fixture
def search(settings_kind: Kind) -> Callable[..., Search]:
    """Give a maker of searches for numbers with a bundle."""
    return lambda *others: Search.of((BUNDLE, *others), settings_kind)


def served(*states: Any) -> World:
    """Return a world in which a download has one state after the other, and its file is there."""
    left = list(states)

    def serve(request: httpx.Request) -> httpx.Response:
        if request.url.host == "store.test":
            return httpx.Response(200, content=FILE)
        state = left.pop(0) if len(left) > 1 else left[0]
        return state if isinstance(state, httpx.Response) else httpx.Response(200, json={"data": state})

    world = World(httpx.Response(500))
    world.handler = serve
    return world


def state(status: str, *, id_: str = "d1", url: str = "https://store.test/d1.csv") -> dict[str, str]:
    """Return a download as Telnyx shows it."""
    return {"id": id_, "record_type": "csv_download", "status": status, "url": url}


async def numbers(world: World, search: Search) -> frozenset[str]:
    """Return what a download in ``world`` finds."""
    return await Downloads(world.client, LinkedFiles(world.client, httpx.MockTransport(world._serve))).numbers(search)


async def test_a_download_is_asked_for_with_all_filters_that_it_takes(search: Callable[..., Search]) -> None:
    """The file is waited for, and the numbers in it are the answer; it is asked for by the newer format."""
    world = served([state("pending")], [state("pending")], [state("complete")])

    assert await numbers(world, search(TAG, COUNTRY)) == {"+13035550100"}

    created, *looks, fetched = [request for _, request in world.requests]
    assert created.method == "POST"
    assert dict(created.url.params) == {"csv_format": "V2", "filter[has_bundle]": "true", "filter[tag]": "vip"}
    assert {look.url.path for look in looks} == {"/v2/phone_numbers/csv_downloads/d1"}
    assert "authorization" not in fetched.headers


@pytest.mark.parametrize("shown", [state("complete"), [state("complete")]], ids=["object", "list of one"])
async def test_both_forms_of_the_answer_are_read(search: Callable[..., Search], shown: object) -> None:
    """The schema says a list, the examples say an object."""
    assert await numbers(served(shown), search()) == {"+13035550100"}


@pytest.mark.parametrize(
    "later",
    [
        pytest.param([state("in_progress")], id="a word that is not documented"),
        pytest.param([state("complete", url="")], id="complete, and nowhere"),
        pytest.param(
            httpx.Response(404, json={"errors": [{"code": "10005", "title": "Resource not found"}]}),
            id="not to be seen yet",
        ),
    ],
)
async def test_what_is_not_there_yet_is_waited_for(search: Callable[..., Search], later: object) -> None:
    """Only a complete file is fetched, and only two words end it without one."""
    assert await numbers(served([state("pending")], later, [state("complete")]), search()) == {"+13035550100"}


async def test_patience_has_an_end(search: Callable[..., Search]) -> None:
    """A download that is never complete is given up, at pauses that grow: nobody waits for ever, nor asks for ever."""
    world = served([state("pending")])

    with pytest.raises(Unavailable, match="within 5 minutes; nothing was planned"):
        await numbers(world, search())

    assert sum(world.clock.sleeps) <= PATIENCE
    assert max(world.clock.sleeps) == downloads.LONGEST_PAUSE
    assert len(world.requests) < 30


@pytest.mark.parametrize("word", ["failed", "expired"])
async def test_a_download_that_ends_without_a_file_plans_nothing(search: Callable[..., Search], word: str) -> None:
    """It is a fault and no refusal: the next one may succeed."""
    with pytest.raises(Unavailable, match="could not finish its list"):
        await numbers(served([state("pending")], [state(word)]), search())


@pytest.mark.parametrize("shown", [[], [state("pending"), state("pending", id_="d2")], "x", [state("pending", id_="")]])
async def test_an_answer_that_is_no_download_is_not_used(search: Callable[..., Search], shown: object) -> None:
    """Nothing is fetched from wherever it may point."""
    with pytest.raises(Unavailable):
        await numbers(served(shown), search())


async def test_somebody_elses_download_is_not_taken(search: Callable[..., Search]) -> None:
    """An answer about another download than the one asked about is nobody's."""
    with pytest.raises(UnrequestedData):
        await numbers(served([state("pending")], [state("complete", id_="d2")]), search())


def refusal(status: int, detail: str = "Nothing for you.", code: str = "10015") -> httpx.Response:
    """Return a refusal in Telnyx's own form."""
    return httpx.Response(status, json={"errors": [{"code": code, "title": "No", "detail": detail}]})


@pytest.mark.parametrize("status", [400, 402, 403, 404, 410, 422])
async def test_a_refusal_is_told_as_one(search: Callable[..., Search], status: int) -> None:
    """What Telnyx says of it is in the words."""
    with pytest.raises(FilterRefused, match=r"does not list the numbers that match this filter.*Nothing for you"):
        await numbers(served(refusal(status)), search())


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        pytest.param(refusal(401), Unauthorised, id="the key"),
        pytest.param(refusal(500), Unavailable, id="a fault"),
        pytest.param(httpx.Response(403, text="<html>"), Unavailable, id="a gateway"),
        pytest.param(refusal(409), Unavailable, id="at work"),
        pytest.param(
            refusal(422, "You can have at most 20 pending or in progress jobs"), TooManyJobs, id="too many of them"
        ),
    ],
)
async def test_a_fault_is_no_refusal(
    search: Callable[..., Search], answer: httpx.Response, kind: type[ProviderError]
) -> None:
    """What passes by itself opens no other way."""
    with pytest.raises(kind) as caught:
        await numbers(served(answer), search())
    assert not isinstance(caught.value, FilterRefused)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("phone_number,forwards_to\n+13035550100,+17205550100\n+13035550101,\n", id="new"),
        pytest.param("Status;Phone Number\nactive;13035550100\nactive;13035550101\n", id="no plus signs"),
        pytest.param('\ufeff"Number"\r\n"+13035550100"\r\n\r\n"+13035550101"\r\n', id="one column"),
        pytest.param("id\tnumber\n13035550999\t+13035550100\n7\t+13035550101\n\n", id="tabs"),
    ],
)
def test_the_numbers_are_read_and_nothing_else(text: str) -> None:
    """The column is told by its name, whatever stands beside it."""
    assert read_file(text.encode()) == {"+13035550100", "+13035550101"}


def test_a_file_with_its_headings_only_is_an_empty_list() -> None:
    """Nothing matches."""
    assert read_file(b"phone_number,status\n") == frozenset()


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("+13035550100\n+13035550101\n", id="no headings"),
        pytest.param("forwards_to,status\n+13035550100,active\n", id="no column of numbers"),
        pytest.param("phone_number,number\n+13035550100,+17205550100\n", id="two columns of numbers"),
        pytest.param("phone_number,status\n,active\n", id="a row without a number"),
        pytest.param("phone_number,status\n+1 303 555,active\n", id="a row with something else"),
        pytest.param("phone_number,status\n1.3035550100E+10,active\n", id="what a spreadsheet left of it"),
        pytest.param("phone_number,status\n+13035550100\n", id="half a row"),
        pytest.param("phone_number,status\n+13035550100,x,y\n", id="a row and a half"),
        pytest.param('phone_number,status\n"+13035550100,active\n', id="a quotation mark without end"),
        pytest.param("<html><body>sign in</body></html>", id="a web page"),
        pytest.param('{"data": []}', id="JSON"),
    ],
)
def test_a_file_that_would_have_to_be_guessed_at_is_not_used(text: str) -> None:
    """A number too few, or a wrong one, is worse than none."""
    with pytest.raises(Unavailable):
        read_file(text.encode())


def test_numbers_of_the_file_have_to_be_in_the_list(search: Callable[..., Search]) -> None:
    """A number that the account's list does not have under the other filters is a lie, or has left meanwhile."""
    with pytest.raises(Unavailable, match="names 1 that its list does not have"):
        confirmed(search(TAG), frozenset({"+1", "+2"}), {"+1", "+3"})


def test_a_filter_that_a_download_does_not_take_is_held_against_the_list(search: Callable[..., Search]) -> None:
    """The file has more then, and what does not match is left out."""
    assert confirmed(search(COUNTRY), frozenset({"+1", "+2"}), {"+1", "+3"}) == {"+1"}


def test_a_file_with_every_number_proves_nothing(search: Callable[..., Search]) -> None:
    """An ignored filter would have brought the same, so the requester is told how to say that they mean all."""
    with pytest.raises(BadRequest, match=r"nothing shows that Telnyx applied it.*remove the filter"):
        confirmed(search(TAG), frozenset({"+1", "+2"}), {"+1", "+2"})


def test_an_empty_file_finds_nothing(search: Callable[..., Search]) -> None:
    """Where the account has no numbers, none match."""
    assert confirmed(search(), frozenset(), set()) == set()
