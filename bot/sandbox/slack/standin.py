"""SlackStandIn: a whole Slack workspace on a loopback port, and the people in it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Self, TypeVar

from bot.sandbox.slack import payloads
from bot.sandbox.slack.delivery import Courier
from bot.sandbox.slack.faults import Faults
from bot.sandbox.slack.log import Clock, utc_now
from bot.sandbox.slack.modal import View
from bot.sandbox.slack.mrkdwn import render_text
from bot.sandbox.slack.person import SlackUser
from bot.sandbox.slack.ratelimits import MethodLimits
from bot.sandbox.slack.records import (
    Call,
    Channel,
    Deadlines,
    Delivery,
    File,
    Json,
    Message,
    Profile,
    Usergroup,
)
from bot.sandbox.slack.server import Server
from bot.sandbox.slack.sockets import Sockets
from bot.sandbox.slack.workspace import Workspace

T = TypeVar("T")
RETRIES = 3


class SlackStandIn:
    """A strict Slack for tests and the demo; an asynchronous context manager.

    It refuses what Slack refuses, with Slack's error strings, and enters what Slack lets pass but people suffer from in
    ``complaints``.
    """

    def __init__(
        self,
        *,
        signing_secret: str,
        bot_token: str,
        app_token: str = "",
        port: int = 0,
        deadlines: Deadlines | None = None,
        clock: Clock = utc_now,
    ) -> None:
        self._port = port
        self.workspace = Workspace(
            bot_token=bot_token, app_token=app_token, deadlines=deadlines or Deadlines(), clock=clock
        )
        self._sockets = Sockets(self.workspace)
        self._limits = MethodLimits()
        self._courier = Courier(self.workspace, self._sockets, signing_secret)
        self._server = Server(self.workspace, self._sockets, self._limits)
        self._persons: dict[str, SlackUser] = {}

    async def __aenter__(self) -> Self:
        await self._server.start(self._port)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._courier.close()
        await self._server.stop()

    @property
    def api_url(self) -> str:
        """The Web API's base address, with the final slash that slack_sdk wants."""
        return f"{self.workspace.origin}/api/"

    @property
    def signing_secret(self) -> str:
        """The secret that deliveries are signed with; change it to send forged ones."""
        return self._courier.signing_secret

    @signing_secret.setter
    def signing_secret(self, secret: str) -> None:
        self._courier.signing_secret = secret

    @property
    def scopes(self) -> set[str]:
        """The granted scopes; change the set to grant or withdraw."""
        return self.workspace.scopes

    @property
    def faults(self) -> Faults:
        """The faults to come."""
        return self.workspace.faults

    @faults.setter
    def faults(self, faults: Faults) -> None:
        self.workspace.faults = faults

    @property
    def enforce_rate_limits(self) -> bool:
        """Whether calls beyond Slack's tiers get 429; off at first."""
        return self._limits.enforced

    @enforce_rate_limits.setter
    def enforce_rate_limits(self, enforced: bool) -> None:
        self._limits.enforced = enforced

    def close_method(self, method: str, *, seconds: int, channel: str | None = None) -> None:
        """Answer every call of a method with 429 and ``Retry-After``, in ``channel`` only if one is given.

        Each call after the first answer is entered in ``complaints``. It ends with :meth:`open_methods`.
        """
        self._limits.close(method, seconds, channel)

    def open_methods(self) -> None:
        """Serve every method again."""
        self._limits.open()

    def chatter(self, channel_id: str, count: int, *, thread_ts: str | None = None) -> None:
        """Have a person say ``count`` things in a channel, or in a thread of it, all at once."""
        user = next(iter(self._persons))
        for number in range(count):
            self.workspace.add_message(
                Message(
                    channel=channel_id,
                    ts=self.workspace.next_ts(),
                    user=user,
                    text=f"something else, {number}",
                    thread_ts=thread_ts,
                    from_bot=False,
                )
            )

    def add_person(
        self,
        user_id: str,
        *,
        name: str,
        tz: str = "UTC",
        deleted: bool = False,
        guest: bool = False,
        admin: bool = False,
        foreign_team: str | None = None,
        grid_teams: tuple[str, ...] | None = None,
        teamless: bool = False,
        stranger: bool = False,
        invited: bool = False,
        email: str | None = None,
    ) -> SlackUser:
        """Add somebody to the workspace; ``foreign_team`` makes them a Slack Connect stranger.

        Of an Enterprise Grid organisation, ``grid_teams`` are the other workspaces of the person, their home first, and
        ``teamless`` has users.info say no home at all. Change their ``profile`` at any time: ``deleted``, ``guest``, …
        """
        profile = Profile(
            id=user_id,
            name=name,
            tz=tz,
            deleted=deleted,
            guest=guest,
            admin=admin,
            foreign_team=foreign_team,
            grid_teams=grid_teams,
            teamless=teamless,
            stranger=stranger,
            invited=invited,
            email=email,
        )
        self.workspace.people[user_id] = profile
        self._persons[user_id] = SlackUser(self.workspace, self._courier, profile)
        return self._persons[user_id]

    def add_channel(
        self,
        channel_id: str,
        *,
        name: str,
        members: Iterable[str] = (),
        private: bool = False,
        archived: bool = False,
        bot_is_member: bool = True,
    ) -> Channel:
        """Add a channel."""
        channel = Channel(
            id=channel_id,
            name=name,
            members=list(members),
            private=private,
            archived=archived,
            bot_is_member=bot_is_member,
        )
        self.workspace.channels[channel_id] = channel
        return channel

    def add_usergroup(self, group_id: str, *, handle: str, members: Iterable[str] = ()) -> Usergroup:
        """Add a user group; change its ``members`` or ``disabled`` at any time, or delete it."""
        group = Usergroup(id=group_id, handle=handle, members=list(members))
        self.workspace.usergroups[group_id] = group
        return group

    def delete_usergroup(self, group_id: str) -> None:
        """Delete a user group for good: Slack knows no such group from now on."""
        del self.workspace.usergroups[group_id]

    def person(self, user_id: str) -> SlackUser:
        """Return somebody to play; raises KeyError for a stranger."""
        return self._persons[user_id]

    def deliver_http(self, url: str | None) -> None:
        """Deliver to this request address from now on, or with None over Socket Mode; call again after a restart."""
        self._courier.url = url

    def direct_message(self, user_id: str) -> str:
        """Return the id of the direct message between a person and the bot."""
        return self.workspace.direct_message(user_id).id

    def messages(self, channel_id: str) -> list[Message]:
        """Return the channel's top-level messages (and broadcast replies), in order, without deleted ones."""
        found = self.workspace.in_channel(channel_id)
        return [message for message in found if message.thread_ts is None or message.broadcast]

    def thread(self, channel_id: str, ts: str) -> list[Message]:
        """Return a thread's parent and replies, in order, without deleted ones."""
        return self.workspace.thread(channel_id, ts)

    def ephemerals(self, user_id: str) -> list[Message]:
        """Return the messages that only this person was shown and that are still there, in order."""
        return [each for each in self.workspace.ephemerals if each.ephemeral_to == user_id and not each.deleted]

    def home(self, user_id: str) -> View | None:
        """Return a person's Home tab, or None when none was published."""
        return self.workspace.views.homes.get(user_id)

    @property
    def files(self) -> list[File]:
        """Every file whose bytes have arrived, in order."""
        return list(self.workspace.files.values())

    def delete_file(self, file_id: str) -> None:
        """Delete a file as its owner can at any time; Slack remembers that it was there."""
        self.workspace.files[file_id].deleted = True

    @property
    def calls(self) -> list[Call]:
        """Every call of the bot, with uploads and response addresses, in order."""
        return self.workspace.journal.calls

    @property
    def deliveries(self) -> list[Delivery]:
        """Everything that was sent to the bot and how it was answered, in order."""
        return self.workspace.journal.deliveries

    @property
    def complaints(self) -> list[str]:
        """What Slack lets pass and people suffer from."""
        return self.workspace.journal.complaints

    @property
    def sockets(self) -> int:
        """How many Socket Mode connections are live."""
        return self._sockets.live

    def render_text(self, mrkdwn: str, tz: str = "UTC") -> str:
        """Return mrkdwn as a person in that time zone reads it."""
        return render_text(mrkdwn, self.workspace.names(), tz)

    async def wait_for(self, predicate: Callable[[], T], timeout: float = 45.0, *, what: str = "") -> T:  # noqa: ASYNC109 - the caller's word; it is asyncio.timeout inside
        """Return the predicate's first truthy value, evaluated after every change.

        Raises TimeoutError that tells ``what`` was awaited and the last calls, deliveries and complaints.
        """
        return await self.workspace.journal.wait_for(predicate, timeout=timeout, what=what)

    async def redeliver(self, delivery: Delivery) -> Delivery:
        """Send the very same payload again, as after a lost answer; its reply is not shown a second time."""
        return await self._courier.send(delivery.payload, kind=delivery.kind)

    async def send_event(
        self, inner: Json, *, retries: bool = False, pauses: Sequence[float] = (0.0, 0.0, 0.0)
    ) -> list[Delivery]:
        """Send an event, and with ``retries`` send it up to three times more while it is not answered with 2xx.

        Slack pauses 0, 60 and 300 seconds before its retries; tests have no such patience. An ``x-slack-no-retry: 1``
        in an answer ends it. Returns every attempt.
        """
        payload = payloads.event(self.workspace, inner)
        attempts = [await self._courier.send(payload, kind="event_callback")]
        for number, pause in enumerate(pauses[:RETRIES] if retries else (), start=1):
            last = attempts[-1]
            if last.error is None or last.headers.get("x-slack-no-retry") == "1":
                break
            await asyncio.sleep(pause)
            reason = {"operation_timeout": "http_timeout"}.get(
                last.error, "connection_failed" if last.status is None else "http_error"
            )
            attempts.append(await self._courier.send(payload, kind="event_callback", retry=number, reason=reason))
        return attempts

    async def verify_url(self) -> bool:
        """Return whether the request address answers the ``url_verification`` challenge, as when it is configured."""
        challenge = f"challenge-{self.workspace.next_ts()}"
        payload = {"token": payloads.VERIFICATION_TOKEN, "challenge": challenge, "type": "url_verification"}
        delivery = await self._courier.send(payload)
        answer = delivery.answer
        return delivery.error is None and challenge in (delivery.body, (answer or {}).get("challenge"))

    def drop_sockets(self) -> None:
        """Break the Socket Mode connections without a word."""
        self._sockets.drop()

    async def rotate_socket(self) -> None:
        """Send ``disconnect`` (refresh_requested) to every Socket Mode connection."""
        await self._sockets.rotate()
