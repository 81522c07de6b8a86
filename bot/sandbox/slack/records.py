"""What the stand-in keeps: profiles, channels, messages, files, and what passed between Slack and the bot."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bot.sandbox.slack.mrkdwn import Mentions, mentions

Json = dict[str, Any]


class StandInRefused(Exception):
    """A real Slack client would not let a person do this."""


@dataclass(kw_only=True, eq=False)
class Profile:
    """Somebody of the workspace, as Slack knows them."""

    id: str
    name: str
    tz: str = "UTC"
    deleted: bool = False
    guest: bool = False
    admin: bool = False
    is_bot: bool = False
    #: team id of a Slack Connect stranger, else None
    foreign_team: str | None = None
    #: other workspaces of an Enterprise Grid organisation that has this one: with them, this person belongs to the
    #: organisation and to this workspace too; None for somebody of a workspace that stands alone
    grid_teams: tuple[str, ...] | None = None
    #: whether users.info gives no ``team_id``, as it does for people of an organisation
    teamless: bool = False
    #: whether Slack calls them a stranger: somebody from elsewhere, in a shared channel or no longer in one
    stranger: bool = False
    #: whether they were invited and have not come yet
    invited: bool = False
    email: str | None = None


@dataclass(kw_only=True, eq=False)
class Channel:
    """A channel or a direct message between one person and the bot."""

    id: str
    name: str
    members: list[str] = field(default_factory=list)
    private: bool = False
    archived: bool = False
    bot_is_member: bool = True
    #: the person of a direct message, else None
    im_with: str | None = None


@dataclass(kw_only=True, eq=False)
class Usergroup:
    """A user group such as @managers."""

    id: str
    handle: str
    members: list[str] = field(default_factory=list)
    disabled: bool = False


@dataclass(kw_only=True, eq=False)
class File:
    """A file with its bytes; ``channel`` is None until it is shared."""

    id: str
    name: str
    title: str
    user: str
    content: bytes = b""
    channel: str | None = None
    thread_ts: str | None = None
    mimetype: str = "application/octet-stream"
    #: what Slack says of the file otherwise than is true: a wrong size, an address elsewhere
    told: Json = field(default_factory=dict)
    #: whether it was deleted after it had been there
    deleted: bool = False
    #: whether it lies in another workspace: then only files.info tells more of it than its id
    connect: bool = False


@dataclass(kw_only=True, eq=False)
class Message:
    """A message as it stands now; it changes in place when it is edited."""

    channel: str
    ts: str
    user: str
    text: str = ""
    blocks: list[Json] = field(default_factory=list)
    thread_ts: str | None = None
    metadata: Json | None = None
    attachments: list[Json] = field(default_factory=list)
    files: list[File] = field(default_factory=list)
    #: how many times it was edited
    edited_count: int = 0
    #: whether people see "(edited)": only edits without blocks show it
    edited_shown: bool = False
    deleted: bool = False
    from_bot: bool = True
    #: the person who alone sees it, else None
    ephemeral_to: str | None = None
    #: also shown in the channel although it is a thread reply
    broadcast: bool = False
    #: emoji name -> user ids
    reactions: dict[str, list[str]] = field(default_factory=dict)

    @property
    def mentions(self) -> Mentions:
        """Whom the message as it stands would notify."""
        return mentions(self.text, self.blocks)

    def snapshot(self) -> Message:
        """Return a copy that later edits do not change: what a person still sees who has not been told of the edit."""
        return copy.deepcopy(self)


@dataclass(kw_only=True, eq=False)
class Call:
    """One request of the bot to the Web API, an upload address or a response address."""

    method: str
    params: Json
    at: datetime
    #: HTTP status of the answer; None when the connection was dropped instead
    status: int | None = None
    #: Slack's error string; None when the call succeeded
    error: str | None = None
    #: whether an arranged fault has hit it
    spoilt: bool = False


@dataclass(kw_only=True, eq=False)
class Delivery:
    """One payload sent to the bot and how it was answered."""

    #: the payload's type: ``slash_command``, ``block_actions``, ``view_submission``, …
    kind: str
    payload: Json
    at: datetime
    #: ``http`` or ``socket``
    transport: str
    #: HTTP status; 200 for an acknowledged envelope; None when nothing came
    status: int | None = None
    #: the raw answer, empty for a plain acknowledgement
    body: str = ""
    #: from sending to the answer
    seconds: float = 0.0
    #: what the person is told: ``operation_timeout``, ``dispatch_failed`` or a sentence; None when all went well
    error: str | None = None
    #: HTTP headers of the answer, names in lower case
    headers: dict[str, str] = field(default_factory=dict)
    #: 0, or the number of an event's retry
    retry: int = 0

    @property
    def answer(self) -> Json | None:
        """The body as a JSON object, or None when it is something else."""
        try:
            parsed = json.loads(self.body)
        except ValueError:
            return None
        return parsed if isinstance(parsed, dict) else None


@dataclass(frozen=True, kw_only=True)
class SubmittedView:
    """What came of pressing a modal's Submit button."""

    #: input block id -> what is wrong; None when the app accepted
    errors: dict[str, str] | None
    delivery: Delivery


@dataclass(frozen=True, kw_only=True)
class Deadlines:
    """Slack's time limits, in seconds; shortened only by tests of what happens after them."""

    ack: float = 3.0
    trigger: float = 3.0
    response_url: float = 1800.0
