"""Fetching what people upload: with the token, from Slack's own hosts, and a sentence for everything else."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import aiohttp
import pytest
from aiohttp import web

from bot.changes.model.draft import Upload
from bot.changes.sheets import LARGEST
from bot.errors import DeliveryPostponed, DeliveryRefused, DeliveryUnknown, InputError, LinesmanError
from bot.machine import utc_now
from bot.sandbox.slack import SlackStandIn
from bot.sandbox.slack.records import File
from bot.slack.client import Client
from bot.slack.files import SlackFiles
from bot.slack.web_api import session

TOKEN = "xoxb-fetching-1"
CONTENT = b"number,tags\n+13035550100,denver\n"

GONE = "“moves.csv” is no longer in Slack; upload the sheet again."
SHUT = (
    "“moves.csv” is not open to the bot: its owner, or the workspace that it was shared from, restricts it; "
    "download it and upload it in the form."
)
ADDRESSLESS = "Slack gives no download link for “moves.csv”; download it and upload it in the form."
OUTSIDE = "“moves.csv” is stored outside Slack and cannot be read there; upload the file itself."
LARGE = "“moves.csv” is larger than 10 MB; split it into several sheets."
UNREADABLE = (
    "Slack does not let the bot read “moves.csv”. Ask an operator to give the app the scope files:read and to "
    "reinstall it."
)


@dataclass
class Elsewhere:
    """A host that is not Slack's, and every token that it was shown."""

    url: str = ""
    seen: list[str] = field(default_factory=list)


@pytest.fixture
async def elsewhere() -> AsyncIterator[Elsewhere]:
    """Serve a file on another host."""
    place = Elsewhere()

    async def serve(request: web.Request) -> web.Response:
        place.seen.append(request.headers.get("Authorization", ""))
        return web.Response(body=CONTENT, content_type="text/csv")

    app = web.Application()
    app.router.add_get("/{path:.*}", serve)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    place.url = f"http://127.0.0.1:{runner.addresses[0][1]}/moves.csv"
    yield place
    await runner.cleanup()


@dataclass
class Stage:
    """A workspace with one uploaded file, and the part that fetches it."""

    slack: SlackStandIn
    file: File
    elsewhere: Elsewhere
    http: aiohttp.ClientSession

    async def fetch(self, within: float = 10.0) -> bytes:
        """Fetch the file."""
        files = SlackFiles(Client(TOKEN, self.slack.api_url, self.http, clock=utc_now), within=within)
        return await files.fetch(Upload(id=self.file.id, name="moves.csv"))


@pytest.fixture
async def stage(elsewhere: Elsewhere) -> AsyncIterator[Stage]:
    """Set up a workspace in which Ana has uploaded a sheet."""
    async with SlackStandIn(signing_secret="s", bot_token=TOKEN) as slack, session() as http:
        ana = slack.add_person("U0ANA", name="Ana")
        slack.add_channel("C0OPS", name="ops", members=["U0ANA"])
        (file,) = ana.post("C0OPS", files=[("moves.csv", CONTENT)]).files
        yield Stage(slack, file, elsewhere, http)


async def test_a_file_is_fetched_with_the_token(stage: Stage) -> None:
    """What was uploaded comes back byte for byte, in two calls."""
    assert await stage.fetch() == CONTENT
    assert [call.method for call in stage.slack.calls] == ["files.info", "download"]


def deleted(stage: Stage) -> None:
    """Have the owner delete the file."""
    stage.slack.delete_file(stage.file.id)


def unknown(stage: Stage) -> None:
    """Have Slack know nothing of the file."""
    stage.file.id = "F0NOBODY"


def hidden(stage: Stage) -> None:
    """Have Slack hide the file beyond the limit of a free workspace."""
    stage.file.told = {"mode": "hidden_by_limit"}


def tombstone(stage: Stage) -> None:
    """Have Slack show the place where the file was."""
    stage.file.told = {"mode": "tombstone"}


def external(stage: Stage) -> None:
    """Have the file kept by another service."""
    stage.file.told = {"mode": "external", "is_external": True, "external_type": "gdrive"}


def without_address(stage: Stage) -> None:
    """Have Slack tell of the file without an address to fetch it from."""
    stage.file.told = {"url_private_download": "", "url_private": ""}


def denied(stage: Stage) -> None:
    """Have the workspace that the file was shared from keep it shut."""
    stage.file.connect = True
    stage.file.told = {"file_access": "access_denied", "url_private_download": "", "url_private": ""}


def gone_elsewhere(stage: Stage) -> None:
    """Have the file be gone in the workspace that it was shared from."""
    stage.file.told = {"file_access": "file_not_found", "url_private_download": "", "url_private": ""}


def said_too_large(stage: Stage) -> None:
    """Have Slack say that the file is too large."""
    stage.file.told = {"size": LARGEST + 1}


def really_too_large(stage: Stage) -> None:
    """Have more come than Slack said."""
    stage.file.content = b"x" * (LARGEST + 1)
    stage.file.told = {"size": 12}


def without_scope(stage: Stage) -> None:
    """Have the app lack the scope."""
    stage.slack.workspace.scopes.discard("files:read")


def forbidden(stage: Stage) -> None:
    """Have the download refused."""
    stage.slack.faults.add(method="download", kind="status", status=403)


def missing(stage: Stage) -> None:
    """Have the download not found."""
    stage.slack.faults.add(method="download", kind="status", status=404)


def sign_in_page(stage: Stage) -> None:
    """Have the sign-in page come with status 200 in the file's place."""
    stage.slack.faults.add(method="download", kind="malformed")


def redirect(stage: Stage) -> None:
    """Have the download lead to another host."""
    stage.slack.faults.add(method="download", kind="redirect", location=stage.elsewhere.url)


def fault(stage: Stage) -> None:
    """Have Slack break down."""
    stage.slack.faults.add(method="download", kind="status", status=503)


def dropped(stage: Stage) -> None:
    """Have the connection break, also when the client asks once more over a new one."""
    stage.slack.faults.add(method="download", kind="drop_before", times=5)


def busy(stage: Stage) -> None:
    """Have Slack ask to wait."""
    stage.slack.faults.add(method="download", kind="rate_limited", retry_after=7)


@pytest.mark.parametrize(
    ("spoil", "error", "sentence"),
    [
        (deleted, InputError, GONE),
        (unknown, InputError, GONE),
        (hidden, InputError, GONE),
        (tombstone, InputError, GONE),
        (missing, InputError, GONE),
        (external, InputError, OUTSIDE),
        (without_address, InputError, ADDRESSLESS),
        (denied, InputError, SHUT),
        (gone_elsewhere, InputError, GONE),
        (said_too_large, InputError, LARGE),
        (really_too_large, InputError, LARGE),
        (without_scope, DeliveryRefused, UNREADABLE),
        (forbidden, DeliveryRefused, UNREADABLE),
        (sign_in_page, DeliveryRefused, UNREADABLE),
        (redirect, DeliveryRefused, UNREADABLE),
        (fault, DeliveryUnknown, "Slack did not deliver “moves.csv” (HTTP 503)."),
        (dropped, DeliveryUnknown, "Slack did not deliver “moves.csv”."),
        (busy, DeliveryPostponed, "Slack asks to wait."),
    ],
)
async def test_what_cannot_be_fetched_is_said_in_a_sentence(
    stage: Stage, spoil: Callable[[Stage], None], error: type[LinesmanError], sentence: str
) -> None:
    """Each fault has its own words, and the token goes nowhere else."""
    spoil(stage)

    with pytest.raises(LinesmanError) as caught:
        await stage.fetch()

    assert (type(caught.value), caught.value.message) == (error, sentence)
    assert stage.elsewhere.seen == []


async def test_a_file_of_a_connected_workspace_is_fetched(stage: Stage) -> None:
    """Its message tells only an id; files.info tells the rest, and the file is like any other."""
    stage.file.connect = True

    assert await stage.fetch() == CONTENT


async def test_a_slow_download_ends(stage: Stage) -> None:
    """Nobody waits for ever for a file that does not come."""
    stage.slack.faults.add(method="download", kind="delay", seconds=30)

    with pytest.raises(DeliveryUnknown, match="Slack did not deliver"):
        await stage.fetch(within=0.05)


@pytest.mark.parametrize(
    "url",
    [
        "{elsewhere}",
        "https://files.slack.com.example.com/moves.csv",
        "https://files.slack.com@example.com/moves.csv",
        "https://files.slack.com:8443/moves.csv",
        "http://files.slack.com/moves.csv",
        "https://evil-files.slack.com/moves.csv",
        "file:///etc/passwd",
    ],
)
async def test_the_token_goes_to_no_other_host(stage: Stage, url: str) -> None:
    """An address that is not Slack's own is not even asked."""
    address = url.replace("{elsewhere}", stage.elsewhere.url)
    stage.file.told = {"url_private_download": address, "url_private": address}

    with pytest.raises(InputError) as caught:
        await stage.fetch()

    assert caught.value.problems == {"sheet": OUTSIDE}
    assert stage.elsewhere.seen == []
    assert [call.method for call in stage.slack.calls] == ["files.info"]


async def test_a_web_page_that_somebody_uploaded_is_handed_to_its_reader(stage: Stage) -> None:
    """A page that is the file itself is told from the page where people sign in: its reader says what it is."""
    stage.file.content, stage.file.mimetype = b"<html><table></table></html>", "text/html"

    assert await stage.fetch() == b"<html><table></table></html>"
