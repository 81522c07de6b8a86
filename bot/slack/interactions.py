"""Actions of people in Slack, each read once from its payload, so that no other code knows Slack's format."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

from bot.changes.model.messages import MessageRef


@dataclass(frozen=True, kw_only=True, slots=True)
class SentView:
    """A modal or Home tab as it was when somebody clicked in it or submitted it."""

    id: str
    hash: str
    callback: str
    modal: bool
    #: The metadata that the view carries for us, unparsed.
    metadata: str
    blocks: Sequence[Mapping[str, Any]]
    #: Block id -> content of its element.
    answers: Mapping[str, Mapping[str, Any]]

    @classmethod
    def of(cls, view: Mapping[str, Any]) -> Self:
        """Read the ``view`` of a payload."""
        state: Mapping[str, Mapping[str, Mapping[str, Any]]] = (view.get("state") or {}).get("values", {})
        return cls(
            id=view.get("id", ""),
            hash=view.get("hash", ""),
            callback=view.get("callback_id", ""),
            modal=view.get("type") == "modal",
            metadata=view.get("private_metadata") or "",
            blocks=view.get("blocks", ()),
            answers={block: next(iter(elements.values()), {}) for block, elements in state.items()},
        )

    @property
    def private(self) -> Mapping[str, Any]:
        """The metadata that the view carries for us, if it is JSON."""
        stored: dict[str, Any] = json.loads(self.metadata or "{}")
        return stored

    @property
    def submission(self) -> str:
        """Identifies this state of the view: the same state sent twice is one submission."""
        return f"{self.id}:{self.hash}"

    def typed(self, block: str) -> str:
        """Return the text in the input ``block``; empty without one."""
        return str(self.answers.get(block, {}).get("value") or "")


NO_VIEW: Final = SentView.of({})


@dataclass(frozen=True, kw_only=True, slots=True)
class Interaction:
    """An action of a person, and how to answer it."""

    #: Id of the person, from the signed payload.
    user: str
    #: Opens a modal; valid for three seconds.
    trigger: str = ""
    #: The channel of the action; empty in a modal or on the Home tab.
    channel: str = ""
    #: Accepts answers for half an hour; shortcuts and modals have none.
    response_url: str = ""
    #: The view of the action; the empty one elsewhere.
    view: SentView = NO_VIEW

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Self:
        """Read the ``body`` of a payload."""
        return cls(**_common(body))


@dataclass(frozen=True, kw_only=True, slots=True)
class Click(Interaction):
    """A button pressed, or an option chosen."""

    action: str
    #: The value of the button or the chosen option.
    value: str
    #: Slack's time of the click, in Slack's format.
    at: str
    #: The message that has the button.
    message: MessageRef | None

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Self:
        """Read the ``body`` of a payload."""
        action = body["actions"][0]
        container = body.get("container") or {}
        in_message = container.get("type") == "message"
        return cls(
            **_common(body),
            action=action["action_id"],
            value=str((action.get("selected_option") or action).get("value") or ""),
            at=action.get("action_ts", ""),
            message=MessageRef(channel=container["channel_id"], ts=container["message_ts"]) if in_message else None,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class ModalSubmission(Interaction):
    """A modal that was submitted or closed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SlashCommand(Interaction):
    """A command, with the text after it as Slack passes it on."""

    text: str

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Self:
        """Read the ``body`` of a payload."""
        return cls(**_common(body), text=body.get("text", ""))


@dataclass(frozen=True, kw_only=True, slots=True)
class Shortcut(Interaction):
    """A shortcut; ``message`` is the payload's message, empty for a global shortcut."""

    message: Mapping[str, Any]

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Self:
        """Read the ``body`` of a payload."""
        return cls(**_common(body), message=body.get("message") or {})


@dataclass(frozen=True, kw_only=True, slots=True)
class MenuQuery(Interaction):
    """Text typed into a menu whose options we look up."""

    block: str
    text: str

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Self:
        """Read the ``body`` of a payload."""
        return cls(**_common(body), block=body["block_id"], text=body.get("value", ""))


def _common(body: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "user": body["user_id"] if "user_id" in body else body["user"]["id"],
        "trigger": body.get("trigger_id", ""),
        "channel": body.get("channel_id") or (body.get("channel") or {}).get("id", ""),
        "response_url": body.get("response_url", ""),
        "view": SentView.of(body.get("view") or {}),
    }
