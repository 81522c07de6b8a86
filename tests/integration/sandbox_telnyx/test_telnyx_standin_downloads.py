"""CSV downloads of the stand-in: as documented, and in all the ways in which they may go wrong."""

from __future__ import annotations

import csv

import httpx
import pytest

from bot.sandbox.telnyx import TelnyxStandIn

PATH = "/phone_numbers/csv_downloads"


@pytest.fixture
async def fleet(telnyx: TelnyxStandIn) -> TelnyxStandIn:
    """Give the account three numbers, one with a bundle and a tag."""
    telnyx.add_numbers(2, start="+13035550000")
    telnyx.add_number(
        "+13035550002", has_bundle=True, tags=["vip"], voice={"call_forwarding": {"forwards_to": "+1720"}}
    )
    return telnyx


async def file(client: httpx.AsyncClient, **params: str) -> list[list[str]]:
    """Ask for a download and return its rows."""
    (download,) = (await client.post(PATH, params=params)).json()["data"]
    (now,) = (await client.get(f"{PATH}/{download['id']}")).json()["data"]
    assert (now["record_type"], now["status"]) == ("csv_download", "complete")
    async with httpx.AsyncClient() as anybody:
        content = (await anybody.get(now["url"])).text
    return list(csv.reader(content.splitlines()))


async def test_a_file_has_the_numbers_that_match(fleet: TelnyxStandIn, client: httpx.AsyncClient) -> None:
    """The filters are those of the update job; the older format writes numbers without plus signs."""
    assert len(fleet.numbers) == 3
    heading, *rows = await file(client, csv_format="V2", **{"filter[has_bundle]": "true", "filter[tag]": "VIP"})
    assert (heading[0], [row[0] for row in rows]) == ("phone_number", ["+13035550002"])

    heading, *rows = await file(client)
    assert (heading[0], [row[0] for row in rows]) == ("Number", ["13035550002", "13035550001", "13035550000"])


async def test_it_takes_its_time_and_has_no_address_before(fleet: TelnyxStandIn, client: httpx.AsyncClient) -> None:
    """What matches is what matched when it was asked for; the list of downloads shows the newest first."""
    fleet.downloads.seconds = 30
    (download,) = (await client.post(PATH)).json()["data"]
    assert download == {"id": download["id"], "record_type": "csv_download", "status": "pending"}

    fleet.advance(31)

    fleet.downloads.end = "failed"
    (other,) = (await client.post(PATH)).json()["data"]
    listed = (await client.get(PATH)).json()
    assert [each["id"] for each in listed["data"]] == [other["id"], download["id"]]
    assert [each["status"] for each in listed["data"]] == ["pending", "complete"]
    assert listed["meta"]["total_results"] == 2


@pytest.mark.parametrize("end", ["failed", "expired"])
async def test_it_may_end_without_a_file(fleet: TelnyxStandIn, client: httpx.AsyncClient, end: str) -> None:
    """Only complete downloads can be retrieved."""
    fleet.downloads.end = end  # type: ignore[assignment] - one of the two
    (download,) = (await client.post(PATH)).json()["data"]

    assert download["status"] == end
    assert "url" not in download


async def test_it_lies_when_it_is_told_to(fleet: TelnyxStandIn, client: httpx.AsyncClient) -> None:
    """Filters are overlooked, numbers are made up and left out, and the column is called otherwise."""
    fleet.downloads.ignored.add("filter[has_bundle]")
    fleet.downloads.intruders.append("+13035559999")
    fleet.downloads.missing.add("+13035550000")
    fleet.downloads.heading = "label"

    heading, *rows = await file(client, csv_format="V2", **{"filter[has_bundle]": "true"})

    assert heading[0] == "label"
    assert [row[0] for row in rows] == ["+13035550002", "+13035550001", "+13035559999"]


@pytest.mark.parametrize(
    ("method", "path", "params", "status"),
    [
        ("POST", PATH, {"filter[source]": "ported"}, 400),
        ("POST", PATH, {"filter[has_bundle]": "maybe"}, 422),
        ("POST", PATH, {"csv_format": "V3"}, 422),
        ("GET", f"{PATH}/no-such-download", {}, 404),
    ],
)
async def test_what_it_does_not_know_is_refused(
    client: httpx.AsyncClient, method: str, path: str, params: dict[str, str], status: int
) -> None:
    """A filter that a download does not take is never ignored in silence."""
    assert (await client.request(method, path, params=params)).status_code == status


async def test_the_host_of_the_files_takes_no_key(fleet: TelnyxStandIn, client: httpx.AsyncClient) -> None:
    """It is another host than the API's, and whoever gives it the key gets nothing."""
    (download,) = (await client.post(PATH)).json()["data"]
    assert httpx.URL(download["url"]).port != httpx.URL(fleet.url).port

    assert (await client.get(download["url"])).status_code == 400
    async with httpx.AsyncClient() as anybody:
        assert (await anybody.get(download["url"])).status_code == 200
        assert (await anybody.get(f"{download['url']}x")).status_code == 404
    assert [call.status for call in fleet.files.calls] == [400, 200, 404]
