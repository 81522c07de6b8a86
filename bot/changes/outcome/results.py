"""``results.csv``, ``plan.csv`` and the workbook: a row for every number of a change, safe to open in a spreadsheet.

Each setting that any number touches has three columns: before, after, found. They have the names that templates use, so
such a sheet can be filtered, counted, and uploaded again (:mod:`bot.changes.sheets.stages` says what is read of it
then).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, TypeAlias

from bot.changes.model.batches import Batch, Operation
from bot.changes.model.file_format import FileFormat, TableCell, table_file
from bot.changes.model.kinds import Kind
from bot.changes.model.lifecycle import OperationState
from bot.changes.model.settings import Setting
from bot.changes.model.summary import Summary
from bot.changes.model.values import Values
from bot.changes.outcome.outcomes import UNCHANGED
from bot.changes.outcome.readback import SentBatch, also_changed, comparable, differing
from bot.changes.sheets.cells import guarded
from bot.changes.sheets.stages import LEFT_ALONE, MOMENTS, PLAN, RESTORES, RESULTS, Stage, heading
from bot.changes.sheets.writing import CellWriter
from bot.changes.text.cells import guard
from bot.changes.text.characters import visible

#: Stands for the values of a number that was no longer there.
ABSENT: Final = "(not in the account)"

#: The columns of the settings, in their order.
Columns: TypeAlias = tuple[tuple[Setting, Stage], ...]


_TOGETHER: Final[Mapping[int, int]] = {}


class PlanSheet:
    """``plan.csv``: what will happen to every number, guarded and written in portions as in :class:`ResultsSheet`.

    ``columns`` are those found by :class:`Touched`; ``waves`` has the wave of each batch, by its position, and is empty
    when all are sent together.
    """

    def __init__(
        self, kind: Kind, summary: Summary | None, columns: Columns, waves: Mapping[int, int] = _TOGETHER
    ) -> None:
        self._kind = kind
        self._columns = columns
        self._waves = waves
        self._several = max(waves.values(), default=1) > 2
        self._verb = "delete" if kind.removes else "change"
        self._write = CellWriter(summary.labels if summary else {})
        self._shared = _RepeatedCells(self._common)
        self._file = table_file(FileFormat.CSV, "plan")
        self._file.add([(*PLAN, *(heading(*column) for column in columns))])

    def add(self, operations: Iterable[Operation]) -> None:
        """Write a row for each of ``operations``, the next ones in the plan's order."""
        self._file.add((guarded(each.e164), guard(each.number_id), *self._shared.of(each)) for each in operations)

    def content(self) -> bytes:
        """End the sheet and return the file."""
        return self._file.content()

    def _common(self, operation: Operation) -> tuple[TableCell, ...]:
        wave = self._waves.get(operation.batch or 0)
        when = " first" if wave == 1 else f" in wave {wave}" if wave and self._several else ""
        action = f"{self._verb}{when}"
        told = _cells(self._write, self._columns, _told(self._kind, operation, None))
        return (action if operation.batch is not None else LEFT_ALONE, str(operation.batch or ""), *told)


class ResultsSheet:
    """The outcome of every number, written portion by portion.

    ``batches`` is keyed by position; ``columns`` are those found by :class:`Touched`; ``restores`` has, by id, the text
    about the restore of each number of a temporary change. A number keeps its ``+`` as written: its cell has only
    digits after the sign, so it can compute nothing, and a leading apostrophe would have to be removed before the sheet
    can be used again.
    """

    def __init__(
        self,
        kind: Kind,
        batches: Mapping[int, Batch],
        summary: Summary | None,
        columns: Columns,
        form: FileFormat = FileFormat.CSV,
        *,
        restores: Mapping[str, tuple[str, str]] | None = None,
    ) -> None:
        self._kind = kind
        self._batches = batches
        self._columns = columns
        self._write = CellWriter(summary.labels if summary else {})
        self._sent = {position: comparable(kind, batch.values) for position, batch in batches.items()}
        self._shared = _RepeatedCells(self._common)
        self._restores = restores
        more = RESTORES if restores is not None else ()
        self._file = table_file(form, "results")
        self._file.add([(*RESULTS, *(heading(*column) for column in self._columns), *MOMENTS, *more)])

    def add(self, operations: Iterable[Operation]) -> None:
        """Write a row for each of ``operations``, the next ones in the plan's order."""
        self._file.add(self._row(operation) for operation in operations)

    def content(self) -> bytes:
        """End the sheet and return the file."""
        return self._file.content()

    def _row(self, operation: Operation) -> tuple[TableCell, ...]:
        return (
            guarded(operation.e164),
            guard(operation.number_id),
            *self._shared.of(operation),
            operation.ended_at,
            operation.found_at,
            *(self._restores[operation.number_id] if self._restores is not None else ()),
        )

    def _common(self, operation: Operation) -> tuple[TableCell, ...]:
        batch = self._batches.get(operation.batch) if operation.batch is not None else None
        told = _told(self._kind, operation, self._sent.get(operation.batch or 0))
        return (
            LEFT_ALONE if operation.code == UNCHANGED else operation.state.value,
            guard(operation.code),
            guard(visible(operation.reason)),
            guard(operation.pointer),
            *_cells(self._write, self._columns, told),
            guard(batch.job) if batch else None,
            batch.submitted_at if batch else None,
        )


class _RepeatedCells:
    """The cells that neighbours share: most rows are like the previous one, so their cells are made only once."""

    def __init__(self, common: Callable[[Operation], tuple[TableCell, ...]]) -> None:
        self._common = common
        self._last: tuple[object, ...] = ()
        self._cells: tuple[TableCell, ...] = ()

    def of(self, operation: Operation) -> tuple[TableCell, ...]:
        """Return the cells of ``operation``."""
        if (alike := _alike(operation)) != self._last:
            self._last, self._cells = alike, self._common(operation)
        return self._cells


def _alike(operation: Operation) -> tuple[object, ...]:
    """Return a key that is equal for numbers with the same cells, apart from names and times."""
    return (
        operation.batch,
        operation.state,
        operation.code,
        operation.reason,
        operation.pointer,
        operation.before,
        operation.after,
        operation.beside,
        operation.found,
        operation.found_at is None,
    )


class Touched:
    """Finds the columns that a sheet needs besides the fixed ones; ``batches`` is keyed by position."""

    def __init__(self, kind: Kind, batches: Mapping[int, Batch]) -> None:
        self._kind = kind
        self._sent = {position: comparable(kind, batch.values) for position, batch in batches.items()}
        self._found: set[tuple[str, Stage]] = set()
        self._last: tuple[object, ...] = ()

    def note(self, operations: Iterable[Operation]) -> None:
        """Take in some of the numbers. A number that was left alone needs no column of its own."""
        for operation in operations:
            if operation.batch is not None and (alike := _alike(operation)) != self._last:
                self._last = alike
                told = _told(self._kind, operation, self._sent.get(operation.batch))
                for stage, values in told.items():
                    names = operation.after if values is None else values
                    self._found.update((name, stage) for name in names)

    @property
    def columns(self) -> Columns:
        """The columns of the settings. Fields unknown to the kind, such as a secret whose key is gone, have none."""
        each = ((setting, stage) for setting in self._kind.by_name.values() for stage in Stage)
        return tuple((setting, stage) for setting, stage in each if (setting.name, stage) in self._found)


def _told(kind: Kind, operation: Operation, sent: SentBatch | None) -> Mapping[Stage, Values | None]:
    """Return a number's values before, after and found; None where the number was no longer there.

    Besides the changed values, these are values that a kind always sends, values that go with a switch, and values that
    changed although they should not. Leaves out fields that the provider clears itself, so the "before" values can be
    uploaded again. For a number that is removed from the account, or left alone, they are all values that were read.
    """
    lost = _lost(kind, operation, sent)
    if not operation.after:
        return {Stage.BEFORE: {**operation.before, **lost}, Stage.AFTER: {}, Stage.FOUND: _found(kind, operation, sent)}
    names = dict.fromkeys(
        (*operation.after, *kind.always, *kind.taken_away(operation.before, operation.after)),
    )
    wanted = {**operation.before, **operation.after}
    before, after = (
        {name: values[name] for name in names if name in values and name not in kind.left_out(values)}
        for values in (operation.before, wanted)
    )
    return {Stage.BEFORE: {**before, **lost}, Stage.AFTER: after, Stage.FOUND: _found(kind, operation, sent)}


def _found(kind: Kind, operation: Operation, sent: SentBatch | None) -> Values | None:
    """Return the found values: of fields that were to change, of fields that changed besides, and of statuses."""
    found = operation.found
    if found is None:
        return None if operation.found_at else {}
    names = dict.fromkeys(
        (
            *operation.after,
            *(differing(kind, sent.values, found) if sent else ()),
            *_lost(kind, operation, sent),
            *(each.name for each in kind.statuses),
        )
    )
    return {name: found[name] for name in names if name in found}


def _lost(kind: Kind, operation: Operation, sent: SentBatch | None) -> Values:
    """Return the earlier values of fields that changed although they should not; a verified number has none."""
    if sent is None or not operation.found or operation.state is OperationState.VERIFIED:
        return {}
    known = {**operation.beside, **operation.before}
    return {name: known[name] for name in also_changed(kind, sent, known, operation.found)}


def _cells(write: CellWriter, columns: Columns, told: Mapping[Stage, Values | None]) -> Iterator[str]:
    for setting, stage in columns:
        values = told[stage]
        if values is None:
            yield ABSENT
        else:
            yield write.told(setting, values[setting.name]) if setting.name in values else ""
