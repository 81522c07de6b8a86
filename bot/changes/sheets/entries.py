"""From the text of one cell to a number, an id or the value of a setting."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from bot.changes.model.foreign_lists import is_odd, unlisted
from bot.changes.model.settings import Setting, Shape, read_value
from bot.changes.model.values import Value
from bot.changes.numbers.parser import read_numbers
from bot.changes.numbers.phone_numbers import readings
from bot.changes.sheets.cells import CLEAR, SHOWN_ONLY, is_clear, plain, shortened
from bot.changes.sheets.refusals import shown
from bot.changes.text.cells import is_nothing
from bot.errors import InvalidValue

_REGION: Final = "US"
#: A number in one piece, whose beginning and end need not be searched for.
_ONE_PIECE: Final = re.compile(r"\+?\d{7,15}", re.ASCII)
#: ``13035550100.0``: a number after a program has taken it for a quantity.
_QUANTITY: Final = re.compile(r"(\+?\d+)[.,]0+", re.ASCII)
_SHORTENED: Final = re.compile(r"\d+(?:[.,]\d+)?e\+?\d+", re.IGNORECASE | re.ASCII)
#: ``Denver trunk (1293384261075731499)``: an id with a name, as :func:`bot.changes.model.settings.value_text` writes
#: it.
_NAMED_ID: Final = re.compile(r".*\(([^()]*)\)", re.DOTALL)
_NAMELESS_ID: Final = re.compile(r"(\S+) \(name unknown\)")
_ID: Final = re.compile(r"[A-Za-z0-9_-]*[0-9][A-Za-z0-9_-]*", re.ASCII)


class ForeignList(InvalidValue):
    """A cell has a list in another program's form; with an apostrophe in front, its text is taken as it is."""


def read_identifier(cell: object, is_id: Callable[[str], bool]) -> str:
    """Return the E.164 number or provider id in ``cell``; empty for a blank cell.

    Raises :class:`bot.errors.InvalidValue` with a sentence for the person.
    """
    text = _digits(plain(cell))
    if not text:
        return ""
    if _ONE_PIECE.fullmatch(text) and len(found := readings(text, _REGION)) == 1:
        return found[0]
    reading = read_numbers((text,), is_id=is_id, region=_REGION)
    if reading.bad:
        raise InvalidValue(f"“{reading.bad[0].text}” {reading.bad[0].why}.")
    match reading.identifiers:
        case ():
            raise InvalidValue(f"“{shown(text)}” is not a phone number.")
        case (identifier,):
            return identifier
        case several:
            raise InvalidValue(f"“{shown(text)}” holds {len(several)} numbers; give each a row of its own.")


def read_entry(setting: Setting, cell: object) -> Value:
    """Return the value that ``cell`` gives ``setting``; None for a blank cell, which keeps the current value.

    Raises :class:`bot.errors.InvalidValue` with a sentence for the person; :class:`ForeignList` if an apostrophe would
    make the cell acceptable as it is.
    """
    if is_clear(cell):
        if not setting.clearable:
            raise InvalidValue(f"{setting.label} cannot be emptied; leave the cell blank to keep the current value.")
        return read_value(setting, "")
    text = plain(cell)
    if not text:
        return None
    if not _is_literal(cell):
        _refuse_foreign(setting, text)
        text = unlisted(setting, text) if setting.listed else text
    if text.casefold().startswith(SHOWN_ONLY):
        raise InvalidValue(
            f"This value of {setting.label} cannot be given in a sheet; blank the cell to keep the current value."
        )
    if setting.shape is Shape.LOOKUP:
        text = _id(setting, text)
    elif setting.shape is Shape.PHONE:
        text = read_identifier(text, lambda _: False)
    elif setting.shape is Shape.LOOKUPS:
        text = ", ".join(_id(setting, part) for part in _parts(text))
    elif setting.shape is Shape.NUMBERS:
        text = ", ".join(read_identifier(part, lambda _: False) for part in _parts(text))
    return read_value(setting, text)


def _is_literal(cell: object) -> bool:
    """Tell whether the cell begins with an apostrophe, so that its text is meant literally."""
    return isinstance(cell, str) and cell.strip().startswith("'")


def _refuse_foreign(setting: Setting, text: str) -> None:
    """Raise for other programs' words for "nothing", and for their lists if they cannot be read with certainty.

    "null" could mean keeping the value or emptying it, and as a text it would go to the provider.
    """
    if is_nothing(text) and not _is_choice(setting, text):
        ways = ["blank the cell to keep the current value"]
        if setting.clearable:
            ways.append(f"write {CLEAR} to empty the setting")
        if setting.shape in {Shape.TEXT, Shape.TAGS}:
            ways.append("put an apostrophe in front to mean these characters")
        raise InvalidValue(f"“{shown(text)}” is how other programs write an empty value: {', or '.join(ways)}.")
    if is_odd(setting, text):
        raise ForeignList(
            f"“{shown(text)}” is a list in another program's form; write the entries with commas between them and "
            "without brackets, quotes and bullets, or put an apostrophe in front to mean these characters."
        )


def _is_choice(setting: Setting, text: str) -> bool:
    word = text.casefold()
    return any(word in {choice.value.casefold(), choice.label.casefold()} for choice in setting.choices)


def _parts(text: str) -> list[str]:
    """Return the entries of a list in one cell; a comma alone is one entry, which its setting then refuses."""
    return [part.strip() for part in re.split(r"[,;\n]", text) if part.strip()] or [text]


def _digits(text: str) -> str:
    """Return ``text`` as it was before a program took it for a quantity; raises when digits are lost."""
    if _SHORTENED.fullmatch(text):
        raise shortened(text)
    quantity = _QUANTITY.fullmatch(text)
    return quantity[1] if quantity else text


def _id(setting: Setting, text: str) -> str:
    """Return the id alone: for an object with a name, the id in brackets after the name."""
    text = _digits(text)
    found = _NAMELESS_ID.fullmatch(text) or _NAMED_ID.fullmatch(text)
    bare = found[1].strip() if found else text
    if not _ID.fullmatch(bare):
        raise InvalidValue(
            f"{setting.label} takes an id, or a name with its id behind it in brackets; “{shown(text)}” is neither."
        )
    return bare
