"""One updatable field of a kind: the single declaration from which everything else about it follows.

The modal's input, the sheet's column, validation and its messages, the diff and the table in .github/USING.md are all
read from a :class:`Setting`. Adding a field to Linesman is adding one entry to a kind's table.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from bot.changes.model.values import MASK, Secret, Value
from bot.changes.text.addresses import parts_of
from bot.changes.text.characters import LOST, blanks_marked, sound
from bot.errors import InvalidValue


class Shape(Enum):
    """The type of a setting's value."""

    TEXT = "text"  #: one line of text
    BOOL = "bool"  #: on or off
    CHOICE = "choice"  #: one of a fixed few
    PHONE = "phone"  #: one number in E.164
    TAGS = "tags"  #: a list of short texts, replaced whole
    LOOKUP = "lookup"  #: the id of a named object at the provider
    INTEGER = "integer"  #: a whole number between two bounds
    URL = "url"  #: an https address
    NUMBERS = "numbers"  #: a list of numbers in E.164, replaced whole
    LOOKUPS = "lookups"  #: a list of ids of named objects at the provider, replaced whole
    SECRET = "secret"  #: text that nobody may read back  # noqa: S105 - the name of a shape, not a password


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing that can be chosen: what is sent, and what a person reads."""

    value: str
    label: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Setting:
    """One updatable field."""

    #: The provider's own dotted field path, such as ``voice.call_forwarding.forwards_to``.
    name: str
    #: Its name for people: modal label, sheet column, diff line.
    label: str
    shape: Shape
    #: One sentence below the input.
    help: str = ""
    #: For CHOICE: the choices.
    choices: tuple[Choice, ...] = ()
    #: Longest text, in characters; in a list, longest entry.
    max_length: int = 250
    #: For INTEGER: the least and the greatest value.
    bounds: tuple[int, int] = (0, 2**31 - 1)
    #: A text must match this whole.
    pattern: str = ""
    #: The meaning of the pattern, for a person whose text does not match.
    pattern_help: str = ""
    #: Whether the provider documents how to empty it. Otherwise an empty value is refused.
    clearable: bool = False
    #: The effect of "not set", for people; empty when there is none.
    unset: str = ""
    #: Settings that the provider treats as one object: when one is sent, its siblings are sent too.
    group: str = ""
    #: Whether switching it on costs money at the provider.
    paid: bool = False
    #: Whether the form of its kind always shows it, and it is sent whenever anything is.
    always: bool = False

    @property
    def secret(self) -> bool:
        """Whether nobody may read the value back."""
        return self.shape is Shape.SECRET

    @property
    def lookup(self) -> bool:
        """Whether the value is an id, or a list of ids, whose names must be shown beside them."""
        return self.shape in (Shape.LOOKUP, Shape.LOOKUPS)

    @property
    def listed(self) -> bool:
        """Whether the value is a list, which people can also add to and remove from."""
        return self.shape in (Shape.TAGS, Shape.NUMBERS, Shape.LOOKUPS)  # asked of every value; a set would hash them


E164: Final = re.compile(r"\+[1-9]\d{6,14}")
_TRUE: Final = frozenset({"true", "yes", "on", "1", "enabled", "enable"})
_FALSE: Final = frozenset({"false", "no", "off", "0", "disabled", "disable"})


def read_value(setting: Setting, typed: str) -> Value:
    """Return the value that a person meant by ``typed``.

    Secrets are returned as plain text; sealing needs a key and is the caller's business. Raises :class:`InvalidValue`
    with a sentence for the person.
    """
    text = typed.strip()
    if not text:
        if setting.clearable:
            return () if setting.listed else ""
        raise InvalidValue(f"{setting.label} needs a value; leave it out of the settings to keep the current value.")
    if setting.listed:
        return _read_list(setting, text)
    match setting.shape:
        case Shape.BOOL:
            return _read_bool(setting, text)
        case Shape.CHOICE:
            return _read_choice(setting, text)
        case Shape.PHONE:
            if not E164.fullmatch(text):
                raise InvalidValue(f"{setting.label} must be one number in international form, such as +13035550100.")
            return text
        case Shape.INTEGER:
            return _read_integer(setting, text)
        case Shape.URL:
            return _read_url(setting, text)
        case _:
            return _read_text(setting, text)


def _read_bool(setting: Setting, text: str) -> bool:
    word = text.lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise InvalidValue(f"{setting.label} must be on or off.")


def _read_choice(setting: Setting, text: str) -> str:
    for choice in setting.choices:
        if text.lower() in {choice.value.lower(), choice.label.lower()}:
            return choice.value
    allowed = ", ".join(choice.value for choice in setting.choices)
    raise InvalidValue(f"{setting.label} must be one of: {allowed}.")


def _read_integer(setting: Setting, text: str) -> int:
    least, most = setting.bounds
    if not re.fullmatch(r"\d{1,12}", text, re.ASCII) or not least <= int(text) <= most:
        raise InvalidValue(f"{setting.label} must be a whole number from {least} to {most}.")
    return int(text)


def _read_url(setting: Setting, text: str) -> str:
    parts = parts_of(text)
    if parts is None or parts.scheme != "https" or not parts.hostname or any(character.isspace() for character in text):
        raise InvalidValue(f"{setting.label} must be an address that begins with https://.")
    return _read_text(setting, text)


def _read_list(setting: Setting, text: str) -> tuple[str, ...]:
    _refuse_halves(setting, text)
    seen: dict[str, str] = {}
    for part in re.split(r"[,;\n]", text):
        entry = " ".join(part.split())
        if not entry:
            continue
        if len(entry) > setting.max_length:
            what = "tag" if setting.shape is Shape.TAGS else "entry"
            raise InvalidValue(f"The {what} “{entry[:30]}…” is longer than {setting.max_length} characters.")
        _refuse_controls(setting, entry)
        if setting.shape is Shape.NUMBERS and not E164.fullmatch(entry):
            raise InvalidValue(
                f"“{entry[:30]}” in {setting.label} is not a number in international form, such as +13035550100."
            )
        # Telnyx keeps the casing of a tag's first use anywhere, so two casings are one tag.
        seen.setdefault(entry.casefold() if setting.shape is Shape.TAGS else entry, entry)
    if not seen:
        raise InvalidValue(f"{setting.label} needs at least one entry between the commas.")
    return tuple(seen.values())


def _refuse_halves(setting: Setting, text: str) -> None:
    if LOST in text or sound(text) != text:
        raise InvalidValue(f"{setting.label} has a broken character; type it again.")


def _refuse_controls(setting: Setting, text: str) -> None:
    if any(unicodedata.category(character) == "Cc" for character in text):
        raise InvalidValue(f"{setting.label} contains a control character; type it on one line.")


def _read_text(setting: Setting, text: str) -> str:
    _refuse_controls(setting, text)
    _refuse_halves(setting, text)
    if len(text) > setting.max_length:
        raise InvalidValue(f"{setting.label} may have at most {setting.max_length} characters; this has {len(text)}.")
    if setting.pattern and not re.fullmatch(setting.pattern, text):
        raise InvalidValue(f"{setting.label} {setting.pattern_help}.")
    return text


def restorable(setting: Setting, value: Value) -> bool:
    """Tell whether ``value`` can be restored: nothing can be sent where nothing was set.

    Close's ring duration reads as null while its default holds, and takes only whole numbers
    (providers/close/API.md, "Settings of a number").
    """
    return setting.clearable or value not in {None, "", ()}


def show_value(setting: Setting, value: Value, labels: Mapping[str, str] | None = None) -> str:
    """Return ``value`` as a person reads it; different values look different, so unusual blanks get a sign.

    ``labels`` has id -> human name for settings whose values are ids.
    """
    return blanks_marked(value_text(setting, value, labels))


def value_text(setting: Setting, value: Value, labels: Mapping[str, str] | None = None) -> str:
    """Return ``value`` like :func:`show_value`, but with its blanks unchanged."""
    if isinstance(value, Secret):
        return MASK
    if value is None or value in {"", ()}:
        return setting.unset or "(empty)"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, tuple):
        return ", ".join(_named(entry, labels) if setting.lookup else entry for entry in value)
    text = str(value)
    if setting.lookup:
        return _named(text, labels)
    for choice in setting.choices:
        if choice.value == text:
            return choice.label
    return text


def _named(identifier: str, labels: Mapping[str, str] | None) -> str:
    label = (labels or {}).get(identifier)
    return f"{label} ({identifier})" if label else f"{identifier} (name unknown)"
