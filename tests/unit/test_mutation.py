"""The list of mutants of the invariants is of today's code."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from tests.mutation.invariants import INVARIANTS, Invariant

ROOT: Final = Path(__file__).parents[2]


@pytest.mark.parametrize("broken", INVARIANTS, ids=lambda broken: broken.promise)
def test_a_promise_can_still_be_broken_and_has_its_tests(broken: Invariant) -> None:
    """What the mutant changes stands in the code once, the outcome differs, and who has to notice is there."""
    trial = broken.trial()

    assert trial.mutant.source != (ROOT / broken.path).read_text(encoding="utf-8")
    for test in trial.tests:
        file, _, name = test.partition("::")
        assert not name or f"def {name}(" in (ROOT / file).read_text(encoding="utf-8")
