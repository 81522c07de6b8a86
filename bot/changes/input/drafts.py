"""From the form that a person filled in to a request that can be planned, or to every reason why it cannot."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import Final, TypeVar

from bot.changes.input.requests import Request
from bot.changes.input.targets import target_parts
from bot.changes.input.times import UNTIL
from bot.changes.input.wanted_values import read_wanted_values, without_edits
from bot.changes.input.waves import CANARY, PAUSE, THRESHOLD, read_pause, read_threshold, read_waves
from bot.changes.model.draft import Draft
from bot.changes.model.kinds import Kind
from bot.changes.model.rollout import Pause, Rollout, Threshold, WaveSize
from bot.changes.text.characters import is_blank
from bot.errors import InputError, InvalidValue

_Read = TypeVar("_Read")

#: A field of the form.
REASON: Final = "reason"
#: Longest reason, in characters: it must fit beside everything else on a card.
REASON_LENGTH: Final = 500


def read_draft(kind: Kind, draft: Draft, *, is_id: Callable[[str], bool], max_numbers: int) -> Request:
    """Return the request that ``draft`` means.

    Raises :class:`bot.errors.InputError` with every problem at once, each under its field. Sheets are not read here:
    :func:`bot.changes.input.requests.with_sheet` adds their rows.
    """
    problems: dict[str, str] = {}
    reading, conditions, excluded = target_parts(kind, draft, problems, is_id=is_id, max_numbers=max_numbers)
    _read_until(kind, draft, problems)
    # Rows of a sheet, or of the earlier change, may say what the form does not; the rule is then checked row by row.
    rows_only = bool(draft.sheet or draft.base) and not reading.identifiers and not draft.filters
    wanted = read_wanted_values(kind, draft, problems, optional=rows_only)
    if not rows_only and not problems.keys() & kind.by_name.keys():
        problems |= kind.rule(without_edits(wanted))
    waves, rollout = _read_waves(draft, problems)
    reason = " ".join(draft.reason.split())
    if any(unicodedata.category(character) == "Cc" for character in reason):
        problems[REASON] = "The reason holds a control character, which nobody sees; type it again."
    elif is_blank(reason):
        problems[REASON] = "Give a reason, in a few words: the approver relies on it."
    elif len(reason) > REASON_LENGTH:
        problems[REASON] = f"Keep the reason under {REASON_LENGTH} characters; this has {len(reason)}."
    if problems:
        raise InputError(problems)
    unwanted = frozenset((*draft.left_out, *draft.postponed, *excluded))
    identifiers = tuple(identifier for identifier in reading.identifiers if identifier not in unwanted)
    return Request(
        kind=kind,
        identifiers=identifiers,
        wanted=wanted,
        reason=reason,
        repeats=reading.repeats,
        dropped=unwanted.intersection(reading.identifiers),
        conditions=conditions,
        excluded=tuple(unwanted),
        exclusions=excluded,
        waves=waves,
        rollout=rollout,
    )


def _read_until(kind: Kind, draft: Draft, problems: dict[str, str]) -> None:
    """Note what cannot be restored automatically: removed numbers, and secrets, which are not kept in clear."""
    if not draft.until.strip():
        return
    chosen = [kind.by_name[name] for name in draft.chosen if name in kind.by_name]
    if kind.removes:
        problems[UNTIL] = "Deleted numbers cannot be restored, so this cannot be temporary. Leave this empty."
    elif secret := [setting.label for setting in chosen if setting.secret]:
        problems[UNTIL] = f"{', '.join(secret)} cannot be restored: Linesman does not keep secrets. Leave this empty."


def _read_waves(draft: Draft, problems: dict[str, str]) -> tuple[tuple[WaveSize, ...], Rollout]:
    waves = _read(CANARY, read_waves, draft.canary, problems)
    pause = _read(PAUSE, read_pause, draft.pause, problems)
    threshold = _read(THRESHOLD, read_threshold, draft.threshold, problems)
    if waves == ():
        for name, typed in ((PAUSE, draft.pause), (THRESHOLD, draft.threshold)):
            if typed.strip():  # if it were ignored, everything would be sent at once
                problems.setdefault(name, "This is for a change in waves: say which waves, or leave this empty.")
    return waves or (), Rollout(pause=pause or Pause(), threshold=threshold or Threshold())


def _read(name: str, read: Callable[[str], _Read], typed: str, problems: dict[str, str]) -> _Read | None:
    """Return the value typed into the field ``name``; None, with its problem noted, when it makes no sense."""
    try:
        return read(typed)
    except InvalidValue as error:
        problems.setdefault(name, str(error))
        return None
