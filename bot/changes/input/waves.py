"""From typed text to a rollout: ``10, 10 %, rest``, ``30 min`` and ``1 %``.

Nothing is guessed. A comma within ``10,200`` or ``2,5 %`` could separate two waves or belong to one, and is refused
with texts for both.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from bot.changes.model.rollout import MOST_WAVES, WHOLE, Pause, Threshold, WaveSize, percent
from bot.errors import InvalidValue

#: The form's fields.
CANARY: Final = "canary"
PAUSE: Final = "pause"
THRESHOLD: Final = "threshold"
#: Longest text of each field, in characters.
LENGTH: Final = 100
#: The longest pause between two waves: the numbers stay locked during it.
LONGEST: Final = timedelta(days=7)

_UNITS: Final = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
_PART: Final = re.compile(r"(\d{1,5}) ?(m|min|mins|minutes?|h|hrs?|hours?|d|days?)(?= |\d|$)", re.ASCII)
_ASKING: Final = frozenset({"ask", "ask me", "person", "a person"})
_REST: Final = frozenset({"rest", "the rest"})
#: A count, with or without a thousands separator.
_COUNT: Final = re.compile(r"\d{1,6}|\d{1,3}(?:[ ,]\d{3})", re.ASCII)
#: A share with up to two decimals.
_SHARE: Final = re.compile(r"(\d{1,3})(?:\.(\d{1,2}))? ?(?:%|percent|per cent)", re.ASCII)
#: A comma that separates no waves: what follows it is not a wave, as no number begins with a zero.
_THOUSANDS: Final = re.compile(r"(?<![\d.])(\d{1,3}),(0\d\d)(?!\d)", re.ASCII)
#: Commas that may or may not separate waves.
_EITHER: Final = re.compile(r"(?<![\d.])\d{1,3},\d{3}(?!\d)", re.ASCII)
_DECIMAL: Final = re.compile(r"\d+,\d+ ?(?:%|percent|per cent)", re.ASCII)


def read_waves(typed: str) -> tuple[WaveSize, ...]:
    """Return the waves before the rest; empty when all numbers are sent together.

    Raises :class:`bot.errors.InvalidValue`, which says what is wrong.
    """
    text = _plain(typed)
    if not text:
        return ()
    text = _THOUSANDS.sub(r"\1\2", text)
    if found := _EITHER.search(text) or _DECIMAL.search(text):
        left, right = found[0].split(",")
        point = "" if _EITHER.fullmatch(found[0]) else "."
        raise InvalidValue(
            f"“{found[0]}” could mean one wave or two: write “{left}{point}{right}” or “{left}, {right}”."
        )
    parts = [part.strip() for part in text.split(",")]
    if parts[-1] in _REST:
        parts.pop()
        if not parts:
            return ()
    waves = tuple(_size(part) for part in parts)
    _check(waves)
    return waves


def _size(part: str) -> WaveSize:
    if part in _REST:
        raise InvalidValue("“rest” is the last wave: leave out what follows it.")
    if not part:
        raise InvalidValue("There is a comma with no wave beside it: write them like 10, 10 %, rest.")
    if found := _SHARE.fullmatch(part):
        size = WaveSize(share=_hundredths(found))
    elif _COUNT.fullmatch(part):
        size = WaveSize(count=_count(part))
    else:
        raise InvalidValue(
            f"“{part[:30]}” is not the size of a wave: write a whole number such as 10, a share such as 10 %, or rest."
        )
    if size == WaveSize():
        raise InvalidValue(f"“{part}” would be a wave without a number: a wave has at least one.")
    return size


def _check(waves: Sequence[WaveSize]) -> None:
    if len(waves) >= MOST_WAVES:
        raise InvalidValue(
            f"That is {len(waves)} waves and the rest: a rollout has at most {MOST_WAVES - 1} waves and the rest."
        )
    together = sum(wave.share for wave in waves)
    if together > WHOLE:
        raise InvalidValue(f"These shares add up to {percent(together)} of the numbers: they may not exceed 100 %.")


def read_pause(typed: str) -> Pause:
    """Return what comes between two waves if the first is as approved.

    Raises :class:`bot.errors.InvalidValue`, which says what is wrong.
    """
    text = _plain(typed)
    if not text:
        return Pause()
    if text in _ASKING:
        return Pause(asks=True)
    rest, length = text, timedelta()
    while part := _PART.match(rest):
        length += int(part[1]) * _UNITS[part[2][0]]
        rest = rest[part.end() :].strip()
    if rest:
        raise InvalidValue(
            f"“{text[:30]}” is not a pause: write “ask” to be asked after each wave, or a time such as 30 min, 2 hours."
        )
    if not length:
        raise InvalidValue("That is not a pause: leave this empty to continue at once, or write 30 min.")
    if length > LONGEST:
        raise InvalidValue(f"A pause lasts {LONGEST.days} days at most, because the numbers stay locked.")
    return Pause(length=length)


def read_threshold(typed: str) -> Threshold:
    """Return how many numbers of a wave may be bad before the rollout pauses.

    Raises :class:`bot.errors.InvalidValue`, which says what is wrong.
    """
    text = _plain(typed)
    if not text:
        return Threshold()
    if found := _SHARE.fullmatch(text):
        share = _hundredths(found)
        if share >= WHOLE:
            raise InvalidValue(f"With {percent(share)} nothing could ever pause the rollout: choose less than 100 %.")
        return Threshold(share=share)
    if _COUNT.fullmatch(text):
        return Threshold(count=_count(text))
    raise InvalidValue(f"“{text[:30]}” is not a threshold: write a share of a wave such as 1 %, or a count such as 5.")


def _plain(typed: str) -> str:
    text = " ".join(unicodedata.normalize("NFC", typed).split()).lower()
    if len(text) > LENGTH:
        raise InvalidValue(f"That is too long: keep it under {LENGTH} characters.")
    return text


def _count(text: str) -> int:
    return int(text.replace(" ", "").replace(",", ""))


def _hundredths(found: re.Match[str]) -> int:
    return int(found[1]) * 100 + int((found[2] or "").ljust(2, "0"))
