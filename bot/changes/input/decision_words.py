"""Texts that approvers type with a decision: why they reject, what should be different, a comment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from bot.changes.model.decisions import DecisionVerb
from bot.changes.text.characters import is_blank
from bot.errors import InputError

#: The field, in any of the modals.
SAID: Final = "said"
#: Most characters of such words.
WORDS_LENGTH: Final = 500

#: Decision that requires a text -> the message to a person who gives none.
_MISSING: Final[Mapping[DecisionVerb, str]] = {
    DecisionVerb.REJECT: "Say why: the requester will read this.",
    DecisionVerb.ASK_FOR_CHANGES: "Say what should be different.",
}


def read_words(verb: DecisionVerb, typed: str) -> str:
    """Return the text of a decision, on one line; empty for an approval without a comment.

    Raises :class:`bot.errors.InputError` under :data:`SAID` when the decision requires a text and none is visible.
    """
    words = "" if is_blank(typed) else " ".join(typed.split())
    if not words and verb in _MISSING:
        raise InputError({SAID: _MISSING[verb]})
    return words
