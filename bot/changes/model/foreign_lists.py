"""Lists in the notation of other programs, typed or pasted as the entries of a setting."""

from __future__ import annotations

import re

from bot.changes.model.settings import Setting, Shape
from bot.changes.text.cells import entries, is_bracketed, is_odd_list
from bot.errors import InvalidValue


def is_odd(setting: Setting, text: str) -> bool:
    """Tell whether ``text`` is a list in another program's notation that cannot be read with certainty.

    Names beside ids may contain any sign, so only signs around the whole list count there.
    """
    if setting.shape is Shape.TAGS:
        return is_odd_list(text)
    return setting.listed and is_bracketed(text) and entries(text) is None


def unlisted(setting: Setting, text: str) -> str:
    """Return the entries of a list that another program wrote, such as ``["a", "b"]``, separated by commas.

    Other texts are returned unchanged. Raises :class:`bot.errors.InvalidValue` for an empty list in such a notation,
    and for an entry that the commas would break apart.
    """
    found = entries(text)
    if found is None:
        return text
    if not any(entry.strip() for entry in found):
        what = "clear the field to empty the list" if setting.clearable else "leave the setting out to keep what is set"
        raise InvalidValue(f"{setting.label}: “{text[:30]}” is how other programs write an empty list; {what}.")
    if torn := [entry for entry in found if re.search(r"[,;\n]", entry)]:
        raise InvalidValue(f"{setting.label}: the entry “{torn[0][:30]}” has a comma, semicolon or line break in it.")
    return ", ".join(found)
