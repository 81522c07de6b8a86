"""Who is asking, the users, the groups, and a team to work with."""

from __future__ import annotations

import httpx
import pytest

from bot.sandbox.close import CloseStandIn, Group, User, furnish


async def test_the_caller_learns_who_it_is(close: CloseStandIn, client: httpx.AsyncClient, sales: Group) -> None:
    """``/me/`` has the acting user, the organization, and the numbers that the user is on."""
    mine = close.add_number("+13035550100", owner=close.me.id)
    close.add_number("+13035550101", participant_groups=[sales.id])

    answer = (await client.get("/me/")).json()

    organization = answer["organizations"][0]["id"]
    assert (close.me.id, close.me.email) == (answer["id"], answer["email"])
    assert organization.startswith("orga_")
    assert answer["memberships"][0]["organization_id"] == organization
    assert [(mine.id, [])] == [(row["id"], row["participant_groups"]) for row in answer["phone_numbers"]]
    assert (await client.get("/me/", params={"_fields": "id"})).json() == {"id": close.me.id}


async def test_users_are_listed_in_pages(
    client: httpx.AsyncClient,
    close: CloseStandIn,
    ana: User,
    ben: User,
) -> None:
    """All users of the organization come in pages, the acting one among them."""
    first = (await client.get("/user/", params={"_limit": 2})).json()
    second = (await client.get("/user/", params={"_limit": 2, "_skip": 2})).json()

    assert ([close.me.id, ana.id], True) == ([row["id"] for row in first["data"]], first["has_more"])
    assert ([ben.id], False) == ([row["id"] for row in second["data"]], second["has_more"])
    assert {"email": "ana.reyes@example.com", "first_name": "Ana", "last_name": "Reyes"}.items() <= first["data"][
        1
    ].items()
    assert first["data"][1] == (await client.get(f"/user/{ana.id}/")).json()


@pytest.mark.parametrize(
    ("order", "expected"),
    [("last_name,first_name", ["Okafor", "Reyes", "Robot"]), ("first_name,last_name", ["Reyes", "Okafor", "Robot"])],
)
@pytest.mark.usefixtures("ana", "ben")
async def test_users_can_be_ordered(client: httpx.AsyncClient, order: str, expected: list[str]) -> None:
    """The two documented orders are by last and by first name; another one is refused."""
    answer = await client.get("/user/", params={"_order_by": order})

    assert expected == [row["last_name"] for row in answer.json()["data"]]
    assert (await client.get("/user/", params={"_order_by": "email"})).status_code == 400


async def test_groups_show_what_is_asked_for(client: httpx.AsyncClient, sales: Group, ben: User) -> None:
    """A group's name and members have to be asked for, and members only of one group."""
    bare = (await client.get("/group/")).json()
    named = (await client.get("/group/", params={"_fields": "id,name"})).json()
    one = (await client.get(f"/group/{sales.id}/", params={"_fields": "name,members"})).json()

    assert bare["has_more"] is False
    assert [{"id", "organization_id"}] == [set(row) for row in bare["data"]]
    assert [{"id": sales.id, "name": "Sales"}] == named["data"]
    assert {"name": "Sales", "members": [{"user_id": ben.id}]} == one


async def test_a_group_has_a_name_of_its_own_and_known_members(close: CloseStandIn, sales: Group) -> None:
    """A taken name or a strange member is a mistake in the test."""
    with pytest.raises(ValueError, match="already has a group"):
        close.add_group(sales.name)
    with pytest.raises(ValueError, match="does not know 'user_x'"):
        close.add_group("Support", members=["user_x"])


async def test_a_team_is_furnished_at_once(close: CloseStandIn, client: httpx.AsyncClient) -> None:
    """A team has people in two teams, shared numbers of both, our own numbers, and one of everybody else."""
    team = furnish(close, shared=6, own=2, start="+13035551000")

    rows = (await client.get("/phone_number/")).json()["data"]
    names = (await client.get("/group/", params={"_fields": "name"})).json()["data"]

    assert names == [{"name": "Sales"}, {"name": "Support"}]
    everything = (*team.shared, *team.own, *team.foreign)
    assert [f"+{13035551000 + each}" for each in range(13)] == [number.number for number in everything]
    assert {number.id for number in everything} == {row["id"] for row in rows}
    assert all(number.participants for number in team.shared)
    assert any(number.forward_to_enabled for number in team.shared)
    assert {close.me.id} == {number.owner for number in team.own}
    assert {user.id for user in team.users} == {number.owner for number in team.foreign}


async def test_teams_are_alike(close: CloseStandIn) -> None:
    """Ids look like Close's, and the same team has the same ones in every run."""
    furnish(close)
    again = CloseStandIn()
    furnish(again)

    assert close.numbers.keys() == again.numbers.keys()
    assert {len("phon_") + 43} == {len(each) for each in close.numbers}
