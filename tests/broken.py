"""A promise of the bot, and the way in which it is broken in a copy: for tests, or for a judge, to notice."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Broken:
    """A promise that is broken by writing ``new`` where ``path`` has ``old``."""

    promise: str
    path: str
    old: str
    new: str

    def source(self) -> str:
        """Return the broken module; raises ValueError unless ``old`` is there exactly once."""
        return self._whole().replace(self.old, self.new)

    def line(self) -> int:
        """Return the line in which it is broken; raises ValueError as :meth:`source` does."""
        whole = self._whole()
        return whole[: whole.index(self.old)].count("\n") + 1

    def _whole(self) -> str:
        whole = (ROOT / self.path).read_text(encoding="utf-8")
        if whole.count(self.old) != 1:
            raise ValueError(f"{self.path} has {whole.count(self.old)} times: {self.old}")
        return whole
