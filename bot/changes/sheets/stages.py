"""Columns of the sheets that Linesman makes of a change: values before, after, and found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Final

from bot.changes.model.lifecycle import MISSED, OperationState
from bot.changes.model.settings import Setting


class Stage(Enum):
    """When a number had, or was to have, a value; the word follows the setting's name in the heading."""

    BEFORE = "before"  #: when the plan was made
    AFTER = "after"  #: as the plan wants it
    FOUND = "found"  #: when it was read back

    @property
    def caution(self) -> str:
        """What people must know of numbers whose values were read from this stage's columns of an uploaded sheet."""
        what = "had before that change" if self is Stage.BEFORE else "were to get by that change"
        return f"the sheet is one that Linesman made of a change, and sets what they {what} (columns “({self.value})”)"

    def passes_over(self, outcome: object) -> bool:
        """Tell whether a row with ``outcome`` gives no values when this stage's columns are read.

        An undo skips numbers that the change did not touch: somebody else may have changed them meanwhile, which may be
        why. A repeat skips numbers that already have their values.
        """
        spared = _NOT_DONE if self is Stage.BEFORE else _DONE
        return isinstance(outcome, str) and outcome.strip().casefold() in spared


#: The word for a number that had the wanted values already and was left alone.
LEFT_ALONE: Final = "unchanged"
_NOT_DONE: Final = frozenset({LEFT_ALONE, *(state.value for state in MISSED)})
_DONE: Final = frozenset({LEFT_ALONE, OperationState.VERIFIED.value})
#: Headings of a number's outcome or action: these cells decide whether a row gives values.
OUTCOMES: Final = frozenset({"outcome", "action"})

#: Columns of ``results.csv`` before and after those of the settings.
RESULTS: Final = ("number", "id", "outcome", "reason_code", "reason", "pointer")
MOMENTS: Final = ("job", "sent_at_utc", "ended_at_utc", "read_back_at_utc")
#: Columns after those, of a temporary change: what became of the number at its end.
RESTORES: Final = ("restored", "restored_reason")
#: Columns of ``plan.csv`` before those of the settings.
PLAN: Final = ("number", "id", "action", "job")
#: Columns that such sheets had in the past; old sheets are still in threads.
_FORMER: Final = ("before", "after", "found", "sent_at", "settled_at", "read_back_at", "settled_at_utc")
#: Headings that are known and never read.
FOR_READING_ONLY: Final = frozenset({*RESULTS, *MOMENTS, *RESTORES, *PLAN, *_FORMER})


def heading(setting: Setting, stage: Stage) -> str:
    """Return the heading of a setting's values at ``stage``: ``Connection (before)``."""
    return f"{setting.label} ({stage.value})"


def staged(word: str, settings: Mapping[str, Setting]) -> tuple[Setting, Stage] | None:
    """Return the setting and the stage that the heading ``word`` names; None for other headings.

    ``settings`` has settings by their spellings, reduced like ``word`` to letters and digits.
    """
    for stage in Stage:
        for base in (word.removesuffix(stage.value), word.removeprefix(stage.value)):
            if base != word and base in settings:
                return settings[base], stage
    return None


def stage_read(found: Sequence[tuple[Setting, Stage]], *, plain: bool) -> Stage | None:
    """Return the stage whose columns give the values of an uploaded sheet; None when none of them does.

    The values before come first, so that a sheet of results is its own undo; if those columns were removed, the values
    after. ``plain`` means that a setting has a column under its name alone: then somebody has said what is meant, and
    all other columns are only for reading. The found values always are.
    """
    stages = {stage for setting, stage in found if not setting.secret}
    return next((stage for stage in (Stage.BEFORE, Stage.AFTER) if stage in stages and not plain), None)
