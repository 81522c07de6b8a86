"""The page's server: who may ask, and what is answered."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiohttp import ClientSession, WSServerHandshakeError

from bot.sandbox.page.sandbox import Sandbox
from bot.sandbox.page.server import STATIC
from bot.sandbox.page.world import ANA, OPS
from tests.integration.sandbox_page.visitor import visiting


async def test_the_page_is_served_with_everything_that_it_loads(quiet: Sandbox) -> None:
    """Each file arrives as what it is, and may load nothing from anywhere else."""
    names = sorted(path.name for path in STATIC.iterdir())
    async with ClientSession() as session:
        for path in ("/", *(f"/static/{name}" for name in names)):
            async with session.get(f"{quiet.url}{path}") as answer:
                assert answer.status == 200
                assert await answer.read() == (STATIC / (Path(path).name or "index.html")).read_bytes()
                assert "default-src 'none'; script-src 'self'" in answer.headers["Content-Security-Policy"]
                assert answer.headers["X-Content-Type-Options"] == "nosniff"
                assert answer.headers["Referrer-Policy"] == "no-referrer"

    assert "index.html" in names


@pytest.mark.parametrize("path", ["/static/..%2Fserver.py", "/static/%2Fetc%2Fpasswd", "/static/none.js", "/files/F0"])
async def test_nothing_else_is_served(quiet: Sandbox, path: str) -> None:
    """Neither what lies beside the page's files nor what is not there."""
    async with ClientSession() as session, session.get(f"{quiet.url}{path}") as answer:
        assert answer.status == 404
        assert "Content-Security-Policy" in answer.headers


@pytest.mark.parametrize("path", ["/", "/static/index.html", "/files/F0", "/live"])
@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"Host": "evil.example.com"}, id="another-name-that-leads-here"),
        pytest.param({"Host": "127.0.0.1"}, id="another-port"),
        pytest.param({"Origin": "https://evil.example.com"}, id="another-page"),
        pytest.param({"Origin": "null"}, id="no-page"),
    ],
)
async def test_pages_of_others_get_nothing(quiet: Sandbox, path: str, headers: dict[str, str]) -> None:
    """Whatever else the visitor's browser has open can neither read the sandbox nor act in it."""
    given = {"Origin": quiet.url, **headers}
    async with ClientSession() as session, session.get(f"{quiet.url}{path}", headers=given) as answer:
        assert answer.status == 403


async def test_the_socket_wants_to_know_who_asks(quiet: Sandbox) -> None:
    """A browser always says of a socket which page opens it; whoever does not is not our page."""
    async with ClientSession() as session:
        with pytest.raises(WSServerHandshakeError) as refused:
            await session.ws_connect(f"{quiet.url}/live")

    assert refused.value.status == 403


async def test_a_file_is_kept_and_not_opened(quiet: Sandbox) -> None:
    """What somebody uploaded comes back byte for byte, under its name, and never as a page of ours."""
    async with visiting(quiet) as visitor, ClientSession() as session:
        content = "PHNjcmlwdD4="  # a script
        done = await visitor.act(
            ANA, "post", channel=OPS, text="look", files=[{"name": "a é.html", "content": content}]
        )
        assert done["error"] is None
        [message] = await visitor.until(lambda: visitor.parts[f"messages:{OPS}"])
        [file] = message["files"]
        async with session.get(f"{quiet.url}/files/{file['id']}") as answer:
            assert (await answer.read(), file["size"]) == (b"<script>", 8)
            assert answer.headers["Content-Type"] == "application/octet-stream"
            assert answer.headers["Content-Disposition"] == "attachment; filename*=UTF-8''a%20%C3%A9.html"
