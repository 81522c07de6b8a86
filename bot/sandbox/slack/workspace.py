"""The workspace: everything that Slack knows, with no network in it."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field
from datetime import datetime

from bot.sandbox.slack.elements import with_ids
from bot.sandbox.slack.faults import Faults
from bot.sandbox.slack.forms import Form
from bot.sandbox.slack.log import Clock, Journal, utc_now
from bot.sandbox.slack.modal import ViewBook
from bot.sandbox.slack.mrkdwn import Names
from bot.sandbox.slack.records import Channel, Deadlines, File, Json, Message, Profile, Usergroup
from bot.sandbox.slack.triggers import Triggers

TEAM = "T0STANDIN"
TEAM_DOMAIN = "linesman-sandbox"
#: the organisation of people whose profile has ``grid_teams``
ENTERPRISE = "E0STANDIN"
APP = "A0STANDIN"
BOT_USER = "U0LINESMAN"
BOT = "B0LINESMAN"

#: what an app like this one is granted
SCOPES = frozenset(
    {
        "channels:history",
        "channels:read",
        "chat:write",
        "commands",
        "files:read",
        "files:write",
        "groups:history",
        "groups:read",
        "im:history",
        "im:write",
        "reactions:write",
        "team:read",
        "usergroups:read",
        "users:read",
    }
)


@dataclass(kw_only=True, eq=False)
class ResponseLink:
    """A response address: five posts within thirty minutes."""

    channel: str
    user: str
    #: the app's message in the chain, which ``replace_original`` and ``delete_original`` mean
    original: Message | None
    #: monotonic seconds
    issued: float = field(default_factory=time.monotonic)
    uses: int = 0
    #: what was posted to it, in order
    posted: list[Message] = field(default_factory=list)


class Workspace:
    """People, channels, messages, files and views, and the log of what happened to them."""

    def __init__(self, *, bot_token: str, app_token: str, deadlines: Deadlines, clock: Clock = utc_now) -> None:
        self.bot_token = bot_token
        self.app_token = app_token
        self.deadlines = deadlines
        #: Seconds after a submission at which Slack applies its ack's body, however early the ack came.
        self.ack_lag = 0.0
        self.clock = clock
        #: the address that links point to, known once the server listens
        self.origin = ""
        self.scopes = set(SCOPES)
        self.home_enabled = True
        #: whether answers say when they were given
        self.dated = True
        #: whether the app's command asks for ``should_escape``: people, channels and links arrive as Slack writes them
        self.escapes_commands = True
        self.journal = Journal(clock)
        self.faults = Faults()
        self.triggers = Triggers(deadlines.trigger)
        self.views = ViewBook()
        self.people: dict[str, Profile] = {}
        self.channels: dict[str, Channel] = {}
        self.usergroups: dict[str, Usergroup] = {}
        self.files: dict[str, File] = {}
        self.uploads: dict[str, tuple[File, int]] = {}
        self.links: dict[str, ResponseLink] = {}
        self._messages: dict[str, list[Message]] = {}
        #: channel and ts of every message that has been answered in a thread
        self._answered: set[tuple[str, str]] = set()
        self.ephemerals: list[Message] = []
        self._forms: dict[tuple[str, str, str], Form] = {}
        self._last_ts = 0
        self.people[BOT_USER] = Profile(id=BOT_USER, name="linesman", is_bot=True)

    def next_ts(self) -> str:
        """Return a message time stamp that no other message has."""
        micros = int(self.clock().timestamp() * 1_000_000)
        self._last_ts = max(self._last_ts + 1, micros)
        return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06d}"

    def unix_now(self) -> int:
        """Return the time in whole Unix seconds."""
        return int(self.clock().timestamp())

    def now(self) -> datetime:
        """Return the aware time."""
        return self.clock()

    def in_channel(self, channel: str) -> list[Message]:
        """Return every message of a channel with its replies, in order, without the deleted ones."""
        return [message for message in self._messages.get(channel, []) if not message.deleted]

    def message(self, channel: str, ts: str) -> Message | None:
        """Return a message that is still there."""
        return next((message for message in self.in_channel(channel) if message.ts == ts), None)

    def thread(self, channel: str, ts: str) -> list[Message]:
        """Return a parent and its replies, in order."""
        return [message for message in self.in_channel(channel) if ts in (message.ts, message.thread_ts)]

    def add_message(self, message: Message) -> Message:
        """Keep a message, giving its blocks their ids."""
        message.blocks = with_ids(message.blocks)
        if message.ephemeral_to is not None:
            self.ephemerals.append(message)
        else:
            self._messages.setdefault(message.channel, []).append(message)
            if message.thread_ts is not None:
                self._answered.add((message.channel, message.thread_ts))
        self.journal.touch()
        return message

    def direct_message(self, user: str) -> Channel:
        """Return the direct message between a person and the bot, opening it when needed."""
        channel_id = "D0" + user[1:]
        if channel_id not in self.channels:
            self.channels[channel_id] = Channel(
                id=channel_id, name="directmessage", members=[user], private=True, im_with=user
            )
        return self.channels[channel_id]

    def link(self, channel: str, user: str, original: Message | None) -> str:
        """Return a fresh response address."""
        token = secrets.token_hex(12)
        self.links[token] = ResponseLink(channel=channel, user=user, original=original)
        return f"{self.origin}/actions/{TEAM}/{token}"

    def message_form(self, message: Message, user: str) -> Form:
        """Return what a person typed and chose in a message."""
        key = (message.channel, message.ts, user)
        form = self._forms.setdefault(key, Form(message.blocks))
        form.rebuild(message.blocks)
        return form

    def names(self) -> Names:
        """Return what ids are called."""
        return Names(
            people={each.id: each.name for each in self.people.values()},
            channels={each.id: each.name for each in self.channels.values()},
            groups={each.id: each.handle for each in self.usergroups.values()},
        )

    def file_json(self, file: File, *, asked: bool = False) -> Json:
        """Return a file as Slack shows it; ``asked`` says that it is the answer of files.info."""
        if file.connect and not asked:
            return {
                "id": file.id,
                "created": self.unix_now(),
                "timestamp": self.unix_now(),
                "mode": "file_access",
                "file_access": "check_file_info",
            }
        url = f"{self.origin}/files-pri/{TEAM}-{file.id}/{file.name}"
        suffix = file.name.rpartition(".")[2] if "." in file.name else "binary"
        shares: Json = {}
        if file.channel is not None:
            channel = self.channels[file.channel]
            entries = [
                {"ts": message.ts, **({"thread_ts": message.thread_ts} if message.thread_ts else {})}
                for message in self.in_channel(file.channel)
                if file in message.files
            ]
            shares = {"private" if channel.private else "public": {file.channel: entries}}
        return {
            "id": file.id,
            "created": self.unix_now(),
            "timestamp": self.unix_now(),
            "name": file.name,
            "title": file.title,
            "mimetype": file.mimetype,
            "filetype": suffix,
            "pretty_type": suffix.upper(),
            "user": file.user,
            "size": len(file.content),
            "mode": "hosted",
            "is_external": False,
            "url_private": url,
            "url_private_download": f"{url}?download=1",
            "permalink": f"https://{TEAM_DOMAIN}.slack.com/files/{file.user}/{file.id}/{file.name}",
            "channels": [file.channel] if file.channel else [],
            "shares": shares,
            **file.told,
        }

    def message_json(self, message: Message) -> Json:
        """Return a message as Slack shows it to an app."""
        shown: Json = {
            "type": "message",
            "user": message.user,
            "ts": message.ts,
            "text": message.text,
            "team": TEAM,
        }
        if message.from_bot:
            shown |= {"bot_id": BOT, "app_id": APP}
        optional: Json = {
            "blocks": message.blocks,
            "attachments": message.attachments,
            "thread_ts": message.thread_ts,
            "metadata": message.metadata,
            "files": [self.file_json(file) for file in message.files],
            "reactions": [
                {"name": name, "users": users, "count": len(users)} for name, users in message.reactions.items()
            ],
        }
        if message.edited_shown:
            optional["edited"] = {"user": message.user, "ts": message.ts}
        answered = (message.channel, message.ts) in self._answered
        thread = self.thread(message.channel, message.ts) if answered else []
        replies = [each for each in thread if each is not message]
        if replies and message.thread_ts is None:
            optional |= {
                "thread_ts": message.ts,
                "reply_count": len(replies),
                "latest_reply": replies[-1].ts,
                "reply_users": sorted({each.user for each in replies}),
            }
        return shown | {key: value for key, value in optional.items() if value}
