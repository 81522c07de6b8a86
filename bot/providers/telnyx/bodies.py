"""From values to the body of the request that creates a job, and back to dotted paths."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from bot.changes.model.encryption import Encryption
from bot.changes.model.values import JSON, Secret, Value, Values
from bot.errors import SecretError
from bot.providers.base import BatchRequest
from bot.providers.telnyx.kinds import DELETE, EMERGENCY, EXTERNAL_PIN, SETTINGS

#: Kind -> path below ``/phone_numbers/jobs/`` of its job, which is also the job's ``type``.
JOB_TYPES: Final = {
    SETTINGS: "update_phone_numbers",
    EMERGENCY: "update_emergency_settings",
    DELETE: "delete_phone_numbers",
}


def body(batch: BatchRequest, encryption: Encryption | None) -> dict[str, JSON]:
    """Return the request body for ``batch``, secrets opened; for the request and nothing else.

    Numbers go by their id, all of them: Telnyx refuses a call that mixes ids and E.164. Raises
    :class:`bot.errors.SecretError` when a secret cannot be opened.
    """
    document = nested({name: _sent(value, encryption) for name, value in _effective(batch).items()})
    if not batch.handed:
        document["phone_numbers"] = [id_ for id_, _ in batch.numbers]
    return document


def sealed_leaves(batch: BatchRequest) -> dict[str, Value]:
    """Return dotted path -> value for what the body of ``batch`` sets, secrets still sealed."""
    return dict(_effective(batch))


def clear_secrets(document: Mapping[str, JSON]) -> list[str]:
    """Return the clear texts of the secrets in a body."""
    return [str(document[EXTERNAL_PIN])] if document.get(EXTERNAL_PIN) else []


def nested(leaves: Mapping[str, JSON]) -> dict[str, JSON]:
    """Return the document whose leaves stand at these dotted paths: ``{"a.b": 1}`` gives ``{"a": {"b": 1}}``."""
    document: dict[str, JSON] = {}
    for path, value in leaves.items():
        *parents, leaf = path.split(".")
        place = document
        for parent in parents:
            inner = place.setdefault(parent, {})
            if not isinstance(inner, dict):
                msg = f"{parent} in {path} is both a value and an object"
                raise TypeError(msg)
            place = inner
        place[leaf] = value
    return document


def flat(document: Mapping[str, JSON], above: str = "") -> dict[str, JSON]:
    """Return the leaves of ``document`` by their dotted paths; lists are leaves, empty objects vanish."""
    return dict(_leaves(document, above))


def _leaves(document: Mapping[str, JSON], above: str) -> Iterator[tuple[str, JSON]]:
    for name, value in document.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", value


def _effective(batch: BatchRequest) -> Values:
    """Return the values that are sent.

    A nested object goes out whole, because Telnyx does not say whether siblings that are left out keep their value
    or fall back to the default (API.md, "Nested objects"). A sibling that is not set at the provider (None) has no
    value to send, though: no field of the request takes null, and leaving it out can change nothing that is there.

    What the kind leaves out beside other values is not sent either (:func:`bot.providers.telnyx.kinds.left_out`).
    """
    away = batch.kind.left_out(batch.values)
    return {name: value for name, value in batch.values.items() if value is not None and name not in away}


def _sent(value: Value, encryption: Encryption | None) -> JSON:
    if isinstance(value, Secret):
        if encryption is None:
            raise SecretError("A secret is to be sent, but there is no key to open it with; set LINESMAN_SECRET_KEY.")
        return encryption.open(value)
    return list(value) if isinstance(value, tuple) else value
