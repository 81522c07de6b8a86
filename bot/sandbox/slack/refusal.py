"""How the stand-in says no to the bot: Slack's error strings and details."""

from __future__ import annotations

from collections.abc import Iterable

from bot.sandbox.slack.records import Json


class Refusal(Exception):
    """Slack's ``ok: false`` with its error string and, where Slack gives them, details."""

    def __init__(self, error: str, *, messages: Iterable[str] = (), **extra: object) -> None:
        super().__init__(error)
        self.error = error
        self.messages = list(messages)
        self.extra = extra

    def body(self) -> Json:
        """Return the answer's JSON."""
        body: Json = {"ok": False, "error": self.error, **self.extra}
        if self.messages:
            body["response_metadata"] = {"messages": self.messages}
        return body


def invalid_arguments(*problems: str) -> Refusal:
    """Return Slack's ``invalid_arguments`` with one ``[ERROR]`` line for each problem."""
    return Refusal("invalid_arguments", messages=[f"[ERROR] {problem}" for problem in problems])
