"""Files: uploads by the bot, downloads with its token, sheets that people attach."""

from __future__ import annotations

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError, SlackRequestError

from bot.sandbox.slack import SlackStandIn, StandInRefused
from tests.integration.sandbox_slack.tinybot import BOT_TOKEN, client_of, menu, modal


async def fetched(url: str, token: str | None) -> tuple[int, str, bytes]:
    """Download an address; return status, content type and bytes."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with aiohttp.ClientSession(headers=headers) as session, session.get(url) as response:
        return response.status, response.content_type, await response.read()


async def test_the_sdk_uploads_into_a_thread(slack: SlackStandIn) -> None:
    """files_upload_v2 does its three steps; the file stands in the thread with its bytes and its title."""
    client = client_of(slack)
    parent = (await client.chat_postMessage(channel="C0OPS", text="Card"))["ts"]
    await client.files_upload_v2(
        channel="C0OPS",
        thread_ts=parent,
        filename="results.csv",
        title="Results",
        content="number,outcome\n+19705550100,succeeded\n",
        initial_comment="All done",
    )
    (file,) = slack.files
    reply = slack.thread("C0OPS", parent)[1]

    assert (file.name, file.title, file.channel, file.thread_ts) == ("results.csv", "Results", "C0OPS", parent)
    assert file.content == b"number,outcome\n+19705550100,succeeded\n"
    assert (reply.text, reply.files) == ("All done", [file])
    assert [call.method for call in slack.calls[1:]] == [
        "files.getUploadURLExternal",
        "upload",
        "files.completeUploadExternal",
    ]


async def test_a_file_shows_only_to_the_token(slack: SlackStandIn) -> None:
    """url_private gives the bytes with the token, and a login page with status 200 without it."""
    file = slack.person("U0ANA").post("C0OPS", files=[("numbers.csv", b"+19705550100\n")]).files[0]
    url = (await client_of(slack).files_info(file=file.id))["file"]["url_private"]

    assert await fetched(url, BOT_TOKEN) == (200, "text/csv", b"+19705550100\n")

    status, kind, page = await fetched(url, None)

    assert (status, kind) == (200, "text/html")
    assert b"+1970" not in page


async def test_uploads_are_refused_where_posts_are(slack: SlackStandIn) -> None:
    """A channel without the bot is not_in_channel, and an upload that fails is never shared."""
    client = client_of(slack)

    with pytest.raises(SlackApiError) as caught:
        await client.files_upload_v2(channel="C0FAR", filename="a.txt", content="x")

    assert caught.value.response["error"] == "not_in_channel"

    slack.faults.add(method="upload", kind="status", status=500)

    with pytest.raises(SlackRequestError):
        await client.files_upload_v2(channel="C0OPS", filename="a.txt", content="x")

    assert slack.messages("C0OPS") == []


async def test_an_upload_must_have_the_announced_length(slack: SlackStandIn) -> None:
    """Other bytes than announced are refused, and the file cannot be shared."""
    client = client_of(slack)
    ticket = await client.files_getUploadURLExternal(filename="a.txt", length=3)
    async with aiohttp.ClientSession() as session, session.post(ticket["upload_url"], data=b"four") as response:
        assert response.status == 400

    with pytest.raises(SlackApiError) as caught:
        await client.files_completeUploadExternal(files=[{"id": ticket["file_id"], "title": "A"}], channel_id="C0OPS")

    assert caught.value.response["error"] == "file_not_found"


async def test_a_person_attaches_a_sheet_to_a_modal(slack: SlackStandIn) -> None:
    """A file input holds what was attached, with addresses to fetch it from, and takes no more than it may."""
    client = client_of(slack)
    view = modal(menu("sheet", "file_input", filetypes=["csv"], max_files=1))
    await client.views_open(trigger_id=slack.workspace.triggers.issue("U0ANA"), view=view)
    ana = slack.person("U0ANA")
    await ana.attach("sheet", ("numbers.csv", b"+19705550100\n"))
    shown = ana.view
    assert shown is not None
    (file,) = shown.values["sheet"]["value"]["files"]

    assert (file["name"], file["size"]) == ("numbers.csv", 13)
    assert (await fetched(file["url_private_download"], BOT_TOKEN))[2] == b"+19705550100\n"

    with pytest.raises(StandInRefused, match="at most 1 files"):
        await ana.attach("sheet", ("a.csv", b"x"), ("b.csv", b"x"))
    with pytest.raises(StandInRefused, match="10 MB"):
        await ana.attach("sheet", ("a.csv", b"x" * 10_000_001))


async def test_a_deleted_file_is_remembered_and_not_shown(slack: SlackStandIn) -> None:
    """files.info says that it was deleted, and its address leads to the login page."""
    client = client_of(slack)
    file = slack.person("U0ANA").post("C0OPS", files=[("numbers.csv", b"+19705550100\n")]).files[0]
    url = (await client.files_info(file=file.id))["file"]["url_private"]

    slack.delete_file(file.id)

    with pytest.raises(SlackApiError) as caught:
        await client.files_info(file=file.id)
    assert caught.value.response["error"] == "file_deleted"
    assert (await fetched(url, BOT_TOKEN))[1] == "text/html"


async def test_a_file_goes_into_conversations_only(slack: SlackStandIn) -> None:
    """A person's id is none, as chat.postMessage would take it; the direct message has to be opened first."""
    client = client_of(slack)

    with pytest.raises(SlackApiError) as caught:
        await client.files_upload_v2(channel="U0ANA", filename="a.txt", content="x")
    assert caught.value.response["error"] == "channel_not_found"

    place = (await client.conversations_open(users="U0ANA"))["channel"]["id"]
    await client.files_upload_v2(channel=place, filename="a.txt", content="x")
    assert [file.channel for file in slack.files if file.channel] == [place]


async def test_a_download_can_be_led_astray(slack: SlackStandIn) -> None:
    """A redirect can be arranged for an address that would have given the bytes."""
    file = slack.person("U0ANA").post("C0OPS", files=[("numbers.csv", b"+19705550100\n")]).files[0]
    url = (await client_of(slack).files_info(file=file.id))["file"]["url_private"]
    slack.faults.add(method="download", kind="redirect", location="http://127.0.0.1:9/elsewhere")

    async with aiohttp.ClientSession() as session, session.get(url, allow_redirects=False) as response:
        assert (response.status, response.headers["Location"]) == (302, "http://127.0.0.1:9/elsewhere")
    assert slack.calls[-1].error == "redirected to http://127.0.0.1:9/elsewhere"
