"""Selecting numbers by their properties: the fields of a filter, and the conditions that people make of them.

A filter is a set of conditions that must all hold. A kind's table lists its fields, as its settings; each
:class:`FilterField` defines the form's input, its valid values and how the condition is shown. Typed text is never
dropped silently: a missing condition would select more numbers, not fewer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias, cast

from bot.changes.model.settings import Choice, Shape
from bot.changes.model.values import JSON, Value, from_json, to_json
from bot.changes.text.characters import LOST, blanks_marked, sound, visible
from bot.errors import InputError, InvalidValue

if TYPE_CHECKING:
    from bot.changes.model.kinds import Kind

#: Prefix of a field's name in the keys of problems.
PREFIX: Final = "filter:"
#: The form's value for "has none".
NONE: Final = "null"
#: Longest text of a condition, in characters.
LONGEST: Final = 250

#: The input for one field: text, a switch, or several texts.
Typed: TypeAlias = "str | bool | Sequence[str] | None"

_NONE_WORDS: Final = frozenset({NONE, "none"})
_TRUE: Final = frozenset({"true", "yes", "on", "1"})
_FALSE: Final = frozenset({"false", "no", "off", "0"})
_SAID: Final = {"eq": "is", "contains": "contains", "starts_with": "starts with", "ends_with": "ends with"}
_OPERATED: Final = re.compile(r"(?P<name>[^\[\]]+)(?:\[(?P<operator>[a-z_]+)\])?")


@dataclass(frozen=True, kw_only=True, slots=True)
class FilterField:
    """One property by which numbers can be found."""

    #: The provider's own name of the filter, such as ``tag`` or ``voice.connection_name``.
    name: str
    #: What people call it, in sentences about it. The form uses :attr:`asked`.
    label: str
    #: TEXT, CHOICE, LOOKUP or BOOL.
    shape: Shape
    #: One sentence below the input.
    help: str = ""
    #: For CHOICE: the choices. For BOOL: the remaining one of yes and no when the provider knows only one.
    choices: tuple[Choice, ...] = ()
    #: How a text may be compared: ``eq``, ``contains``, ``starts_with``, ``ends_with``. Empty: there is only one way.
    operators: tuple[str, ...] = ()
    #: The word between label and value if there is only one way to compare.
    verb: str = "is"
    #: Whether "has none" can be asked for.
    none: bool = False
    #: Shortest text, in characters; ``eq`` takes any.
    min_length: int = 1
    #: Whether only digits count; a plus sign and punctuation are dropped.
    digits_only: bool = False
    #: Whether several values can be given, one of which a number must have. The condition's value is then a tuple.
    several: bool = False
    #: Whether the values are codes, written in capitals.
    capitals: bool = False
    #: A text must match this whole; ``pattern_help`` says what that means to the person who broke it.
    pattern: str = ""
    pattern_help: str = ""
    #: Whether a rule may allow handing it to the provider's job if the provider refuses to list the matching numbers.
    can_be_handed: bool = False
    #: For LOOKUP: the setting whose choices and labels it uses, such as ``connection_id``.
    lookup: str = ""
    #: The words after "Only numbers" in the form, where "with" and the label are not right.
    only: str = ""

    @property
    def asked(self) -> str:
        """What the form calls it: different from any setting's label, so that nobody confuses the two."""
        return f"Only numbers {self.only or f'with {self.label[:1].lower()}{self.label[1:]}'}"


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition that numbers must meet."""

    #: Name of a :class:`FilterField`.
    field: str
    #: One of the field's operators; empty when it has none.
    operator: str
    #: Text, yes or no, several texts of which one must match, or None for "has none".
    value: Value


def read_filter(kind: Kind, typed: Mapping[str, Typed]) -> tuple[Condition, ...]:
    """Return the given conditions, in the order of the kind's table.

    ``typed`` is keyed by field name, or by ``name[operator]`` if the field has operators (without one, the first
    counts). Blank means: not asked for. Raises :class:`bot.errors.InputError` with every problem at once, keyed
    ``filter:<name>``.
    """
    problems: dict[str, list[str]] = {}
    read: dict[tuple[str, str], Condition] = {}
    fields = {field.name: field for field in kind.filters}
    for key, given in typed.items():
        name, operator = _split(key)
        field = fields.get(name)
        texts = _texts(given, picked=field is not None and field.shape is Shape.LOOKUP)
        if not texts:
            continue
        try:
            _keep(read, _read(field, operator, texts), fields)
        except InvalidValue as error:
            problems.setdefault(PREFIX + name, []).append(str(error))
    if problems:
        raise InputError({key: " ".join(sentences) for key, sentences in problems.items()})
    ways = [(field.name, operator) for field in kind.filters for operator in field.operators or ("",)]
    return tuple(read[way] for way in ways if way in read)


def _keep(read: dict[tuple[str, str], Condition], condition: Condition, fields: Mapping[str, FilterField]) -> None:
    """Keep ``condition``, unless there is one that differs only in its value: neither may be lost."""
    if _meant(read.setdefault((condition.field, condition.operator), condition)) != _meant(condition):
        raise InvalidValue(f"{fields[condition.field].label} is given twice with different values; remove one.")


def _meant(condition: Condition) -> object:
    """Return the meaning of a condition's value; the order of several values means nothing."""
    return frozenset(condition.value) if isinstance(condition.value, tuple) else condition.value


def _split(key: str) -> tuple[str, str]:
    found = _OPERATED.fullmatch(key)
    return (found["name"], found["operator"] or "") if found else (key, "")


def _texts(given: Typed, *, picked: bool) -> list[str]:
    """Return the given texts without blank ones.

    A text ``picked`` from a menu is an id or a tag exactly as the provider has it: even a blank makes it another one.
    """
    if given is None:
        return []
    if isinstance(given, bool):
        return ["true" if given else "false"]
    texts = [given] if isinstance(given, str) else given
    return list(filter(None, texts if picked else map(str.strip, texts)))


def _read(field: FilterField | None, operator: str, texts: Sequence[str]) -> Condition:
    if field is None:
        raise InvalidValue("Numbers cannot be filtered by this; remove it from the filter.")
    if field.operators and not operator:
        operator = field.operators[0]
    if operator and operator not in field.operators:
        raise InvalidValue(f"{field.label} cannot be compared in this way; choose another.")
    if field.several:
        parts = [part for text in texts for part in re.split(r"[,;\s]+", text) if part]
        if not parts:
            raise InvalidValue(f"{field.label} has separators but no value; give one, or leave it blank.")
        return Condition(field.name, operator, tuple(dict.fromkeys(_text(field, operator, part) for part in parts)))
    if len(texts) > 1:
        raise InvalidValue(f"{field.label} takes one value; {len(texts)} were given.")
    return Condition(field.name, operator, _value(field, operator, texts[0]))


def _value(field: FilterField, operator: str, text: str) -> Value:
    if field.none and text.lower() in _NONE_WORDS:
        return None
    match field.shape:
        case Shape.BOOL:
            return _switch(field, text)
        case Shape.CHOICE:
            return _chosen(field, text)
        case _:
            return _text(field, operator, text)


def _switch(field: FilterField, text: str) -> bool:
    word = text.lower()
    value = word in _TRUE
    if word not in _TRUE | _FALSE:
        raise InvalidValue(f"{field.label} must be yes or no.")
    if field.choices and str(value).lower() not in {choice.value for choice in field.choices}:
        raise InvalidValue(f"{field.label} cannot be negated; leave it out instead.")
    return value


def _chosen(field: FilterField, text: str) -> str:
    for choice in field.choices:
        if text.lower() in {choice.value.lower(), choice.label.lower()}:
            return choice.value
    raise InvalidValue(f"{field.label} must be one of: {', '.join(choice.value for choice in field.choices)}.")


def _text(field: FilterField, operator: str, text: str) -> str:
    if field.shape is not Shape.LOOKUP and (re.search(r"[\t\n]", text) or visible(text) != text):
        seen = visible(" ".join(text.split()))[:60]
        raise InvalidValue(f"{field.label} has a line break or a character that nobody sees: “{seen}”; type it again.")
    if LOST in text or sound(text) != text:
        raise InvalidValue(f"{field.label} has a broken character; type it again.")
    if len(text) > LONGEST:
        raise InvalidValue(f"{field.label} may have at most {LONGEST} characters; this has {len(text)}.")
    if field.digits_only:
        return _digits(field, text)
    if field.capitals:
        text = text.upper()
    if operator != "eq" and len(text) < field.min_length:
        raise InvalidValue(f"{field.label} needs at least {field.min_length} characters; this has {len(text)}.")
    if field.pattern and not re.fullmatch(field.pattern, text):
        raise InvalidValue(f"{field.label} {field.pattern_help}.")
    return text


def _digits(field: FilterField, text: str) -> str:
    digits = "".join(character for character in text if "0" <= character <= "9")
    if any(character.isalnum() and not "0" <= character <= "9" for character in text):
        raise InvalidValue(f"{field.label} may hold only digits.")
    if len(digits) < field.min_length:
        raise InvalidValue(f"{field.label} needs at least {field.min_length} digits; this has {len(digits)}.")
    return digits


def show_condition(field: FilterField, condition: Condition, label: str | None = None) -> str:
    """Return the condition as people read it: ``Connection is Denver PBX (123)``, ``Billing group: none``.

    ``label`` is the name of a LOOKUP's id, if it has one. The text includes what people typed: escape it.
    """
    value = condition.value
    if value is None:
        return f"{field.label}: none"
    if isinstance(value, bool):
        return f"{field.label}: {'yes' if value else 'no'}"
    said = _SAID[condition.operator] if condition.operator else field.verb
    if isinstance(value, tuple):
        return f"{field.label} {said} {' or '.join(value)}"
    text = blanks_marked(str(value))
    if field.shape is Shape.LOOKUP and label != str(value):
        return f"{field.label} {said} {label} ({text})" if label else f"{field.label} {said} {text} (name unknown)"
    named = next((choice.label for choice in field.choices if choice.value == text), text)
    return f"{field.label} {said} {named}"


def conditions_to_json(conditions: Iterable[Condition]) -> list[JSON]:
    """Return ``conditions`` in the form in which they are stored."""
    return [
        {"field": condition.field, "operator": condition.operator, "value": to_json(condition.value)}
        for condition in conditions
    ]


def conditions_from_json(stored: JSON) -> tuple[Condition, ...]:
    """Return the conditions that :func:`conditions_to_json` stored."""
    listed = cast("list[dict[str, JSON]]", stored)
    return tuple(Condition(str(one["field"]), str(one["operator"]), from_json(one["value"])) for one in listed)
