"""From rows of Telnyx's lists to the values of settings, and from values to the body of a job-creating request.

The names in the kinds' tables determine which settings a row holds, and where, so a new setting needs an entry there
and nothing here. The detail row (``/phone_numbers``) is flat; the voice row (``/phone_numbers/voice``) is shaped like
the ``voice`` object of the update request.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from bot.changes.model.encryption import Encryption
from bot.changes.model.kinds import Kind
from bot.changes.model.settings import Setting, Shape
from bot.changes.model.values import JSON, Secret, Value, Values
from bot.errors import SecretError
from bot.providers.base import BatchRequest
from bot.providers.telnyx.kinds import DELETE, EMERGENCY, SETTINGS
from bot.providers.telnyx.settings import EXTERNAL_PIN

_VOICE: Final = "voice."
#: Settings of the ``voice`` object at the top level of the detail row. Caller ID name is only there.
_VOICE_IN_DETAIL: Final = frozenset({"voice.caller_id_name_enabled", "voice.inbound_call_screening"})
#: Settings outside the ``voice`` object that the voice row has too. It also has ``connection_id``, but with an id
#: documented in another form than the detail row's, which would not match the list of connections.
_DETAIL_IN_VOICE: Final = frozenset({"customer_reference"})
_ABSENT: Final = object()


class Source(Enum):
    """A list of numbers, by its path; the path of one number is ``single``."""

    DETAIL = "/phone_numbers"
    VOICE = "/phone_numbers/voice"

    @property
    def single(self) -> str:
        """The path of one number in this form."""
        return "/phone_numbers/{id}" if self is Source.DETAIL else "/phone_numbers/{id}/voice"

    def holds(self, name: str) -> bool:
        """Whether rows of this list have the setting ``name``."""
        in_voice = name.startswith(_VOICE)
        if self is Source.DETAIL:
            return not in_voice or name in _VOICE_IN_DETAIL
        return (in_voice and name != "voice.caller_id_name_enabled") or name in _DETAIL_IN_VOICE


def sources(names: Iterable[str]) -> tuple[Source, ...]:
    """Return the fewest lists that together hold ``names``."""
    wanted = set(names)
    if not wanted:
        return ()
    for source in Source:
        if all(source.holds(name) for name in wanted):
            return (source,)
    return tuple(Source)


def shown_along(names: Iterable[str], kind: Kind) -> tuple[str, ...]:
    """Return the rest of the ``voice`` object, as far as the lists with ``names`` show it; empty without voice.

    Whether a job replaces that object whole is documented nowhere (API.md, "Nested objects"). It is the whole rest
    except the caller ID name, which only the other list shows: reading both would double the calls of every change of a
    voice setting. A job that resets the object is noticed by the other fields, on numbers that have any of them set.
    """
    wanted = tuple(names)
    if not any(name.startswith(_VOICE) for name in wanted):
        return ()
    read = sources(wanted)
    return tuple(
        setting.name
        for setting in kind.settings
        if setting.name.startswith(_VOICE)
        and setting.name not in wanted
        and any(source.holds(setting.name) for source in read)
    )


@dataclass(frozen=True, slots=True)
class Field:
    """The place of a setting's value in the rows of a list."""

    setting: Setting
    #: The keys of the enclosing objects, outermost first, and its own key.
    parents: tuple[str, ...]
    leaf: str
    #: Whether a text in its place is the value itself.
    plain: bool


def fields(source: Source, names: Iterable[str], kind: Kind) -> tuple[Field, ...]:
    """Return the places of those of ``names`` that rows of ``source`` hold: computed once, not for every row."""
    found = []
    for setting in (kind.setting(name) for name in names if source.holds(name)):
        *parents, leaf = setting.name.removeprefix(_VOICE).split(".")
        plain = setting.shape not in {Shape.BOOL, Shape.TAGS, Shape.SECRET}
        found.append(Field(setting, tuple(parents), leaf, plain))
    return tuple(found)


def values(row: Mapping[str, JSON], fields: Iterable[Field], encryption: Encryption | None) -> dict[str, Value]:
    """Return the values of a row in ``fields``; a value that is not set is None.

    The external PIN comes in clear and is sealed here, before any other code sees it.
    """
    return {field.setting.name: _value(row, field, encryption) for field in fields}


def _value(row: Mapping[str, JSON], field: Field, encryption: Encryption | None) -> Value:
    parent, found = _at(row, field)
    if found and field.plain and isinstance(found, str):
        return found
    setting = field.setting
    if setting.clearable and (found is None or found is _ABSENT) and parent:
        # A field that can be emptied reads as empty however Telnyx writes that: "", null or absent.
        return ""
    if found is _ABSENT or found is None:
        return None
    match setting.shape:
        case Shape.BOOL:
            return found if isinstance(found, bool) else None
        case Shape.TAGS:
            return tuple(str(tag) for tag in found) if isinstance(found, list) else None
        case Shape.SECRET:
            return encryption.seal(str(found)) if encryption and found != "" else None
        case _:
            # A blank means the same as absent if blank cannot be set.
            return str(found) if found != "" or setting.clearable else None


def _at(row: Mapping[str, JSON], field: Field) -> tuple[bool, JSON | object]:
    """Return whether the object that should hold the leaf is there, and the leaf or _ABSENT."""
    place: Mapping[str, JSON] = row
    for parent in field.parents:
        inner = place.get(parent)
        if not isinstance(inner, dict):
            return False, _ABSENT
        place = inner
    return True, place.get(field.leaf, _ABSENT)


#: Kind -> path below ``/phone_numbers/jobs/`` of its job, which is also the job's ``type``.
JOB_TYPES: Final = {
    SETTINGS: "update_phone_numbers",
    EMERGENCY: "update_emergency_settings",
    DELETE: "delete_phone_numbers",
}


def body(batch: BatchRequest, encryption: Encryption | None) -> dict[str, JSON]:
    """Return the request body for ``batch``, secrets opened; only for the request.

    All numbers go by their id: Telnyx refuses a call that mixes ids and E.164. Raises :class:`bot.errors.SecretError`
    when a secret cannot be opened.
    """
    document = nested({name: _sent(value, encryption) for name, value in _effective(batch).items()})
    if not batch.handed:
        document["phone_numbers"] = [id_ for id_, _ in batch.numbers]
    return document


def sealed_leaves(batch: BatchRequest) -> dict[str, Value]:
    """Return dotted path -> value for everything that the body of ``batch`` sets, secrets still sealed."""
    return dict(_effective(batch))


def clear_secrets(document: Mapping[str, JSON]) -> list[str]:
    """Return the clear texts of the secrets in a body."""
    return [str(document[EXTERNAL_PIN])] if document.get(EXTERNAL_PIN) else []


def nested(leaves: Mapping[str, JSON]) -> dict[str, JSON]:
    """Return the document with leaves at these dotted paths: ``{"a.b": 1}`` gives ``{"a": {"b": 1}}``."""
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
    """Return the leaves of ``document`` by their dotted paths; lists are leaves, and empty objects vanish."""
    return dict(_leaves(document, above))


def _leaves(document: Mapping[str, JSON], above: str) -> Iterator[tuple[str, JSON]]:
    for name, value in document.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", value


def _effective(batch: BatchRequest) -> Values:
    """Return the values that are sent.

    A nested object is sent whole, because Telnyx does not say whether omitted siblings keep their value or fall back to
    the default (API.md, "Nested objects"). A sibling that is not set at the provider (None) has no value to send,
    though: no field of the request accepts null, and omitting it changes nothing.

    Fields that the kind leaves out beside other values are not sent either
    (:func:`bot.providers.telnyx.rules.left_out`).
    """
    away = batch.kind.left_out(batch.values)
    return {name: value for name, value in batch.values.items() if value is not None and name not in away}


def _sent(value: Value, encryption: Encryption | None) -> JSON:
    if isinstance(value, Secret):
        if encryption is None:
            raise SecretError("A secret is to be sent, but there is no key to open it with; set LINESMAN_SECRET_KEY.")
        return encryption.open(value)
    return list(value) if isinstance(value, tuple) else value
