"""Columns of the sheets that Linesman makes of a change: what each number had, was to get, and was found to have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Final

from bot.changes.model.lifecycle import MISSED, OperationState
from bot.changes.model.settings import Setting


class Stage(Enum):
    """When a number had, or was to have, a value; the word stands in the heading behind the setting's name."""

    BEFORE = "before"  #: when the plan was made
    AFTER = "after"  #: as the plan wants it
    FOUND = "found"  #: when it was read back

    @property
    def caution(self) -> str:
        """What people have to know of numbers whose values were read from this stage's columns of an uploaded sheet."""
        what = "had before that change" if self is Stage.BEFORE else "were to get by that change"
        return f"the sheet is one that Linesman made of a change, and sets what they {what} (columns “({self.value})”)"

    def passes_over(self, outcome: object) -> bool:
        """Tell whether a row with ``outcome`` gives no values when this stage's columns are read.

        Undoing leaves alone what the change did not touch: somebody else may have changed it meanwhile, which may be
        why it was not touched. Asking again leaves alone what has its values.
        """
        spared = _NOT_DONE if self is Stage.BEFORE else _DONE
        return isinstance(outcome, str) and outcome.strip().casefold() in spared


#: What is said of a number that had the wanted values already and was left alone.
LEFT_ALONE: Final = "unchanged"
_NOT_DONE: Final = frozenset({LEFT_ALONE, *(state.value for state in MISSED)})
_DONE: Final = frozenset({LEFT_ALONE, OperationState.VERIFIED.value})
#: Headings of what became of a number, or of what is going to: they decide whether a row gives values.
OUTCOMES: Final = frozenset({"outcome", "action"})

#: Columns of ``results.csv`` before and behind those of the settings.
RESULTS: Final = ("number", "id", "outcome", "reason_code", "reason", "pointer")
MOMENTS: Final = ("job", "sent_at_utc", "ended_at_utc", "read_back_at_utc")
#: Columns behind those, of a temporary change: what has become of the number at its end.
RESTORES: Final = ("restored", "restored_reason")
#: Columns of ``plan.csv`` before those of the settings.
PLAN: Final = ("number", "id", "action", "job")
#: Columns that such sheets had once; they lie in threads still.
_FORMER: Final = ("before", "after", "found", "sent_at", "settled_at", "read_back_at", "settled_at_utc")
#: Headings that are known and never read.
FOR_READING_ONLY: Final = frozenset({*RESULTS, *MOMENTS, *RESTORES, *PLAN, *_FORMER})


def heading(setting: Setting, stage: Stage) -> str:
    """Return the heading of a setting's values at ``stage``: ``Connection (before)``."""
    return f"{setting.label} ({stage.value})"


def staged(word: str, settings: Mapping[str, Setting]) -> tuple[Setting, Stage] | None:
    """Return which setting, and which stage of it, the heading ``word`` names; None when it is no such heading.

    ``settings`` has settings by their spellings, both without anything but letters and digits.
    """
    for stage in Stage:
        for base in (word.removesuffix(stage.value), word.removeprefix(stage.value)):
            if base != word and base in settings:
                return settings[base], stage
    return None


def stage_read(found: Sequence[tuple[Setting, Stage]], *, plain: bool) -> Stage | None:
    """Return the stage whose columns give the values of an uploaded sheet; None when none of them does.

    What a number had comes first, so that a sheet of results is its own undoing; where those columns were taken out,
    what it was to get. ``plain`` tells that a setting has a column under its name alone: somebody has said what is
    meant, and everything else is only for reading. What was found is always that.
    """
    stages = {stage for setting, stage in found if not setting.secret}
    return next((stage for stage in (Stage.BEFORE, Stage.AFTER) if stage in stages and not plain), None)
