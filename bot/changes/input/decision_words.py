"""What approvers type with a decision: why they reject, what should be different, a comment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from bot.changes.model.decisions import DecisionVerb
from bot.changes.text.characters import is_blank
from bot.errors import InputError

#: The field, in whichever modal it stands.
SAID: Final = "said"
#: Most characters of such words.
WORDS_LENGTH: Final = 500

#: Decision that somebody has to act on, and so needs words -> what is said to whoever gives none.
_MISSING: Final[Mapping[DecisionVerb, str]] = {
    DecisionVerb.REJECT: "Say why: the requester will read this.",
    DecisionVerb.ASK_FOR_CHANGES: "Say what should be different.",
}


def read_words(verb: DecisionVerb, typed: str) -> str:
    """Return what was typed with a decision, on one line; nothing for an approval without a comment.

    Raises :class:`bot.errors.InputError` under :data:`SAID` when the decision needs words and nobody sees any.
    """
    words = "" if is_blank(typed) else " ".join(typed.split())
    if not words and verb in _MISSING:
        raise InputError({SAID: _MISSING[verb]})
    return words
