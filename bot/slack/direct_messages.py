"""Files and texts for one person, in their direct message with the bot."""

from __future__ import annotations

from collections.abc import Collection

from bot.slack.client import Client
from bot.slack.files import FileUploads
from bot.slack.history import History, Message, key_of, mark
from bot.slack.views.elements import escape
from bot.slack.web_api import call


class SlackDirectMessages:
    """Implements :class:`bot.workflow.ports.DirectMessages`. ``bot`` is our own user id."""

    def __init__(self, client: Client, bot: str) -> None:
        self._client = client
        self._history = History(client)
        self._uploads = FileUploads(client)
        self._bot = bot

    async def write(self, user: str, text: str, key: str) -> None:
        """Send ``text`` to ``user``, marked with ``key``."""
        place = await self._place(user)
        await call(
            self._client.chat_postMessage(channel=place, text=escape(text), metadata=mark(key), unfurl_links=False)
        )

    async def send(self, user: str, name: str, content: bytes, text: str) -> None:
        """Send a file called ``name`` with ``text`` beside it."""
        await self._uploads.share(name, content, channel=await self._place(user), text=escape(text))

    async def arrived(self, user: str, names: Collection[str], key: str, since: str) -> bool:
        """Tell whether a file with one of ``names``, or a text marked with ``key``, came to ``user``."""
        async for each in self._history.channel(await self._place(user), since):
            if key_of(each) == key or self.is_shared(each, names):
                return True
        return False

    def is_shared(self, message: Message, names: Collection[str]) -> bool:
        """Tell whether we shared a file with one of ``names`` in ``message``; people may have such files too."""
        return any(
            file.get("name") in names and self._bot in (file.get("user"), message.get("user"))
            for file in message.get("files") or []
        )

    async def _place(self, user: str) -> str:
        """Return the direct message's id; files go only into conversations, and a person's id is not one."""
        answer = await call(self._client.conversations_open(users=user))
        return str(answer["channel"]["id"])
