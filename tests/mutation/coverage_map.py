"""Which tests run which lines: recorded once by coverage with a context for every test, then only read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from coverage import CoverageData


@dataclass(frozen=True, slots=True)
class CoverageMap:
    """The recorded contexts; ``breadth`` is how many lines of the product a test runs."""

    data: CoverageData
    root: Path
    breadth: Counter[str]

    @classmethod
    def read(cls, file: Path, root: Path) -> CoverageMap:
        """Read ``file``, which ``pytest --cov=bot --cov-context=test`` has written for the tree at ``root``."""
        data = CoverageData(str(file))
        data.read()
        breadth: Counter[str] = Counter()
        for measured in data.measured_files():
            for contexts in data.contexts_by_lineno(measured).values():
                breadth.update(context.partition("|")[0] for context in contexts)
        return cls(data, root, breadth)

    def tests_of(self, path: Path, line: int) -> Sequence[str]:
        """Return the tests that run ``line``, the most particular ones first."""
        contexts = self.data.contexts_by_lineno(str((self.root / path).resolve())).get(line, [])
        tests = {context.partition("|")[0] for context in contexts} - {""}
        return sorted(tests, key=lambda test: (self.breadth[test], test))
