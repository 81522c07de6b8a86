"""What people do in Slack, each read once from its payload, so that nobody else knows how Slack writes it down."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

from bot.changes.model.messages import MessageRef


@dataclass(frozen=True, kw_only=True, slots=True)
class SentView:
    """A modal or Home tab as it was when somebody clicked in it or sent it off."""

    id: str
    hash: str
    callback: str
    modal: bool
    #: What the view carries for us, as it was written.
    metadata: str
    blocks: Sequence[Mapping[str, Any]]
    #: Block id -> what its element holds.
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
        """What the view carries for us, where that is JSON."""
        stored: dict[str, Any] = json.loads(self.metadata or "{}")
        return stored

    @property
    def submission(self) -> str:
        """What names this state of the view: the same one sent twice is one submission."""
        return f"{self.id}:{self.hash}"

    def typed(self, block: str) -> str:
        """Return what was typed into the input ``block``; nothing where there is none."""
        return str(self.answers.get(block, {}).get("value") or "")


NO_VIEW: Final = SentView.of({})


@dataclass(frozen=True, kw_only=True, slots=True)
class Interaction:
    """Something that a person did, and how to answer them."""

    #: Id of the person, from the signed payload.
    user: str
    #: Opens a modal, for three seconds.
    trigger: str = ""
    #: Where they did it; nothing in a modal or on the Home tab.
    channel: str = ""
    #: Takes answers for half an hour; shortcuts and modals have none.
    response_url: str = ""
    #: The view in which they did it; the empty one elsewhere.
    view: SentView = NO_VIEW

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Self:
        """Read the ``body`` of a payload."""
        return cls(**_common(body))


@dataclass(frozen=True, kw_only=True, slots=True)
class Click(Interaction):
    """A button pressed, or an option chosen."""

    action: str
    #: What the button or the chosen option carries.
    value: str
    #: Slack's time of the click, as it writes it.
    at: str
    #: The message in which the button stands.
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
    """A modal sent off, or closed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SlashCommand(Interaction):
    """A command, with what follows it as Slack passes it on."""

    text: str

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Self:
        """Read the ``body`` of a payload."""
        return cls(**_common(body), text=body.get("text", ""))


@dataclass(frozen=True, kw_only=True, slots=True)
class Shortcut(Interaction):
    """A shortcut; ``message`` is the payload's message, empty for one that belongs to none."""

    message: Mapping[str, Any]

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Self:
        """Read the ``body`` of a payload."""
        return cls(**_common(body), message=body.get("message") or {})


@dataclass(frozen=True, kw_only=True, slots=True)
class MenuQuery(Interaction):
    """Something typed into a menu whose options we look up."""

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
