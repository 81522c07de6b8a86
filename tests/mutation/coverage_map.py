"""Which tests run which lines: recorded once by coverage with a context for every test, then only read."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice, zip_longest
from pathlib import Path
from typing import Final

from coverage import CoverageData

#: Most tests for one mutant that need nothing but the domain, and most of the others, which start the whole bot.
UNIT_TESTS: Final = 60
OTHER_TESTS: Final = 8


@dataclass(frozen=True, slots=True)
class CoverageMap:
    """For each module the tests of its lines; ``breadth`` is how many lines of the product a test runs.

    The test "" stands for what happens without one: a module is imported.
    """

    modules: Mapping[Path, Mapping[int, Sequence[str]]]
    breadth: Mapping[str, int]

    @classmethod
    def read(cls, file: Path, root: Path) -> CoverageMap:
        """Read ``file``, which a run with ``-p tests.mutation.recording`` has written for the tree at ``root``."""
        data = CoverageData(str(file))
        data.read()
        modules = {
            Path(name).relative_to(root): data.contexts_by_lineno(name)
            for name in data.measured_files()
            if Path(name).is_relative_to(root)
        }
        breadth = Counter(test for lines in modules.values() for tests in lines.values() for test in tests)
        return cls(modules, breadth)

    def tests_of(self, path: Path, line: int) -> Sequence[str]:
        """Return the tests that run ``line``, unit tests first, and the most particular to the module before others.

        What is run when the module is imported belongs to every test of the module. A line in the midst of a
        statement may not be recorded as its own; then the nearest one above counts.
        """
        lines = self.modules.get(path, {})
        nearest = max((each for each, tests in lines.items() if each <= line and tests), default=None)
        tests = set(lines.get(nearest, ())) if nearest is not None else set()
        here = Counter(test for each in lines.values() for test in each)
        if "" in tests:
            tests = set(here)
        tests.discard("")
        ranked = sorted(tests, key=lambda test: (-here[test] / self.breadth[test], test))
        unit = [test for test in ranked if test.startswith("tests/unit/")]
        others = [test for test in ranked if not test.startswith("tests/unit/")]
        return [*islice(_in_turns(unit), UNIT_TESTS), *islice(_in_turns(others), OTHER_TESTS)]


def _in_turns(tests: Iterable[str]) -> Iterator[str]:
    """Yield one case of every test function, then the second of each: many cases of one function say much the same."""
    functions: defaultdict[str, list[str]] = defaultdict(list)
    for test in tests:
        functions[test.partition("[")[0]].append(test)
    return (test for test in chain.from_iterable(zip_longest(*functions.values())) if test is not None)
