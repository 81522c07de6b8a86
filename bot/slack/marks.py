"""The mark by which a message of ours is known again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

#: The metadata event that marks our messages. Its payload holds the outbox key only: anybody in the workspace can
#: read metadata (docs.slack.dev/messaging/message-metadata).
EVENT: Final = "linesman_message"


def mark(key: str) -> dict[str, Any]:
    """Return the metadata of a message with this key."""
    return {"event_type": EVENT, "event_payload": {"key": key}}


def key_of(message: Mapping[str, Any]) -> str:
    """Return the key of a message as Slack shows it; empty when it is none of ours."""
    metadata = message.get("metadata") or {}
    if metadata.get("event_type") != EVENT:
        return ""
    return str(metadata.get("event_payload", {}).get("key", ""))
