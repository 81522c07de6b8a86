"""From the text typed for each setting to the values that the numbers are to get."""

from __future__ import annotations

from typing import Final

from bot.changes.model.draft import Draft
from bot.changes.model.foreign_lists import is_odd, unlisted
from bot.changes.model.kinds import Kind
from bot.changes.model.settings import Setting, read_value
from bot.changes.model.values import EditMode, ListEdit, Secret, Values, WantedValue, WantedValues
from bot.changes.text.cells import is_bracketed, is_nothing
from bot.errors import InvalidValue

#: The field of the form in which settings are chosen; problems of one setting are keyed by its own name.
SETTINGS: Final = "settings"


def without_edits(wanted: WantedValues) -> Values:
    """Return the complete wanted values, without edits of lists."""
    return {name: value for name, value in wanted.items() if not isinstance(value, ListEdit)}


def read_wanted_values(kind: Kind, draft: Draft, problems: dict[str, str], *, optional: bool) -> dict[str, WantedValue]:
    """Return the wanted value of each setting; problems go into ``problems``. ``optional``: it may be empty."""
    names = [s.name for s in kind.settings if s.always or s.name in draft.chosen]
    if not names and not optional and not kind.removes:
        problems[SETTINGS] = "Choose at least one setting to change."
    wanted: dict[str, WantedValue] = {}
    for name in names:
        setting = kind.setting(name)
        typed = draft.typed.get(name)
        if typed is None and setting.always:
            continue  # an optional part of the form: the kind's rule says when it is required
        if isinstance(typed, Secret):
            if typed.sealed:
                wanted[name] = typed
            else:
                problems[name] = f"{setting.label} was not kept from before: type it again."
            continue
        try:
            wanted[name] = read_wanted_value(setting, "" if typed is None else str(typed), draft.ways.get(name))
        except InvalidValue as error:
            problems[name] = str(error)
    return wanted


def read_wanted_value(setting: Setting, typed: str, way: EditMode | None) -> WantedValue:
    """Return the value of a setting that ``typed`` means; with ``way``, its entries edit each number's list.

    Raises :class:`bot.errors.InvalidValue` with a sentence for the person.
    """
    value = read_value(setting, _meant(setting, typed) if setting.listed else typed)
    if way is None or not isinstance(value, tuple):
        return value
    if not value:
        raise InvalidValue(f"{setting.label}: say what to {way.value}, or choose to replace the list.")
    return ListEdit(way, value)


def _meant(setting: Setting, typed: str) -> str:
    """Return the typed list; raises for texts that other programs, such as spreadsheets, write for "nothing".

    After an apostrophe, the characters are meant literally.
    """
    text = typed.strip()
    bare = text.removeprefix("'")
    odd = is_nothing(bare) or is_odd(setting, bare)
    if text != bare and (odd or is_bracketed(bare)):
        return bare
    if not odd:
        return unlisted(setting, typed)
    way = "clear the field to empty the list" if setting.clearable else "leave the setting out to keep what is set"
    raise InvalidValue(
        f"{setting.label}: “{text[:30]}” is what other programs write for nothing or for a list: {way}, write entries "
        "with commas between them, or put an apostrophe in front to mean these characters."
    )
