"""Files that answers point to: whoever keeps them gets no key of ours, and no more patience than is good for us."""

from __future__ import annotations

import traceback

import httpx
import pytest

from bot.changes.sheets import LARGEST
from bot.errors import Unavailable
from bot.providers.telnyx.files import REDIRECTS, TRIES, LinkedFiles
from tests.unit.providers.telnyx.conftest import World

ELSEWHERE = "https://store.test/list.csv?signature=s3cret"
API = "https://provider.test/v2/files/1"


def files(world: World) -> LinkedFiles:
    """Return what fetches files in ``world``."""
    return LinkedFiles(world.client, httpx.MockTransport(world._serve))


def keys(world: World) -> list[str | None]:
    """Return which key each request had."""
    return [request.headers.get("authorization") for _, request in world.requests]


async def test_another_host_gets_no_key() -> None:
    """A file may be anywhere, and the key is for the API."""
    world = World(httpx.Response(200, content=b"list"))

    assert await files(world).fetch(ELSEWHERE) == b"list"

    assert keys(world) == [None]


async def test_the_api_itself_gets_its_key_and_whoever_it_redirects_to_does_not() -> None:
    """Each hop is looked at anew."""
    world = World(
        httpx.Response(302, headers={"location": ELSEWHERE}),
        httpx.Response(307, headers={"location": "/other.csv"}),
        httpx.Response(200, content=b"list"),
    )

    assert await files(world).fetch(API) == b"list"

    assert keys(world) == [f"Bearer {world.key}", None, None]
    assert str(world.requests[-1][1].url) == "https://store.test/other.csv"


@pytest.mark.parametrize(
    "address",
    [
        pytest.param("http://store.test/list.csv", id="in clear"),
        pytest.param("http://provider.test/v2/files/1", id="the API in clear"),
        pytest.param("file:///etc/passwd", id="a file of ours"),
        pytest.param("ftp://store.test/list.csv", id="another protocol"),
        pytest.param("https://KEY@store.test/list.csv", id="with a name"),
        pytest.param("https://", id="no host"),
        pytest.param("https://store.test:99999/list.csv", id="no port"),
        pytest.param("https://[::1", id="no address"),
    ],
)
async def test_an_address_that_is_not_safe_is_not_asked(address: str) -> None:
    """Nothing is read in clear, and nothing but https is spoken."""
    world = World(httpx.Response(200, content=b"list"))

    with pytest.raises(Unavailable, match="cannot be fetched: its address is"):
        await files(world).fetch(address)

    assert world.requests == []


@pytest.mark.parametrize("address", ["http://store.test/list.csv", "ftp://store.test/list.csv"])
async def test_a_redirect_leads_nowhere_that_is_not_safe(address: str) -> None:
    """Whoever points there."""
    world = World(httpx.Response(302, headers={"location": address}))

    with pytest.raises(Unavailable, match="cannot be fetched: its address is"):
        await files(world).fetch(ELSEWHERE)

    assert len(world.requests) == 1


async def test_a_redirect_without_end_has_one() -> None:
    """A host that sends us round and round is left."""
    world = World(httpx.Response(302, headers={"location": ELSEWHERE}))

    with pytest.raises(Unavailable, match="again and again"):
        await files(world).fetch(ELSEWHERE)

    assert len(world.requests) == REDIRECTS + 1


@pytest.mark.parametrize("fault", [httpx.Response(503), httpx.Response(429), httpx.ReadError("reset")])
async def test_a_fault_that_may_pass_is_tried_again(fault: httpx.Response | Exception) -> None:
    """A file that is there a moment later is taken; one that never comes is given up."""
    world = World(fault, httpx.Response(200, content=b"list"))
    assert await files(world).fetch(ELSEWHERE) == b"list"

    world = World(fault)
    with pytest.raises(Unavailable, match="cannot be fetched"):
        await files(world).fetch(ELSEWHERE)
    assert len(world.requests) == TRIES


@pytest.mark.parametrize("status", [204, 403, 404, 410])
async def test_a_file_that_is_not_handed_out_is_none(status: int) -> None:
    """A link that has expired does not come back, and an empty answer is no empty list."""
    world = World(httpx.Response(status))

    with pytest.raises(Unavailable, match=f"its host answered {status}"):
        await files(world).fetch(ELSEWHERE)

    assert len(world.requests) == 1


async def test_a_file_without_end_is_left() -> None:
    """It is not kept in memory to see how large it is."""
    world = World(httpx.Response(200, content=b"x" * (LARGEST + 1)))

    with pytest.raises(Unavailable, match="larger than 10 MB"):
        await files(world).fetch(ELSEWHERE)


async def test_the_address_is_in_no_error() -> None:
    """It is signed, so whoever reads it has the file."""
    world = World(httpx.ConnectError(f"cannot reach {ELSEWHERE}"))

    with pytest.raises(Unavailable) as caught:
        await files(world).fetch(ELSEWHERE)

    assert "s3cret" not in "".join(traceback.format_exception(caught.value))
