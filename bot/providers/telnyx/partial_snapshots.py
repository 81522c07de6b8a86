"""Numbers while their values arrive, from one list or from two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from sys import intern
from typing import Final, TypeAlias

from bot.changes.model.encryption import Encryption
from bot.changes.model.snapshots import Snapshot
from bot.changes.model.values import Value
from bot.providers.answers import unasked
from bot.providers.telnyx.pages import Row
from bot.providers.telnyx.values import Field, Source, values

#: Final states of a number, including their names from before April 2025 (API.md, "Filters").
_FINAL: Final = frozenset({"deleted", "ported-out", "purchase-failed"})


@dataclass(slots=True)
class PartialSnapshot:
    """One number while its values arrive."""

    e164: str = ""
    status: str = ""
    values: dict[str, Value] = field(default_factory=dict)
    #: None until an ownership check has told.
    editable: bool | None = None
    #: The lists that are still to be read.
    lacks: frozenset[Source] = frozenset()
    #: Whether the filter found it.
    matched: bool = False

    def take(self, row: Row, source: Source, fields: Sequence[Field], encryption: Encryption | None) -> None:
        """Take in the ``fields`` of a row of ``source``."""
        e164 = str(row.get("phone_number") or self.e164)
        if self.e164 and e164 != self.e164:
            raise unasked("Telnyx", e164)
        # Of equal texts one is kept: there are a hundred thousand numbers and few statuses.
        self.e164 = self.e164 or e164
        self.values |= values(row, fields, encryption)
        if source is Source.DETAIL:
            self.status = intern(str(row.get("status") or ""))
        self.lacks = _without(self.lacks, source)

    def snapshot(self, id_: str, *, editable: bool) -> Snapshot:
        """Return the complete number, and keep none of its values: the caller may need them no longer."""
        read, self.values = self.values, {}
        return Snapshot(
            id=id_,
            e164=self.e164,
            status=self.status,
            editable=editable,
            final=not editable and self.status.replace("_", "-") in _FINAL,
            values=read,
        )


#: Id -> the number.
PartialSnapshots: TypeAlias = dict[str, PartialSnapshot]


def lacking(source: Source, drafts: PartialSnapshots) -> PartialSnapshots:
    """Return those of ``drafts`` that are still to be read from ``source``."""
    return {id_: draft for id_, draft in drafts.items() if source in draft.lacks}


def parted(drafts: Mapping[str, PartialSnapshot]) -> tuple[set[str], set[str]]:
    """Return the ids of numbers that the filter found, and of the others."""
    matched = {id_ for id_, draft in drafts.items() if draft.matched}
    return matched, drafts.keys() - matched


@cache
def _without(lacks: frozenset[Source], source: Source) -> frozenset[Source]:
    """Return ``lacks`` without ``source``; one set object for all, as there are as many as numbers."""
    return lacks - {source}
