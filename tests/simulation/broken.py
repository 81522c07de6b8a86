"""A promise of the bot, and the way in which it is broken in a copy."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Broken:
    """A promise that is broken by writing ``new`` where ``path`` has ``old``."""

    promise: str
    path: str
    old: str
    new: str

    def source(self) -> str:
        """Return the broken module; raises ValueError unless ``old`` is there exactly once."""
        source = (ROOT / self.path).read_text(encoding="utf-8")
        if source.count(self.old) != 1:
            raise ValueError(f"{self.path} has {source.count(self.old)} times: {self.old}")
        return source.replace(self.old, self.new)
