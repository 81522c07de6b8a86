"""A plugin of pytest: what coverage sees while a test runs is recorded under the test's name."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from coverage import Coverage


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Record under the name of ``item``; a task that outlives the awaits of a test still belongs to it."""
    measured = Coverage.current()
    if measured is None:
        raise pytest.UsageError("nothing is measured: start pytest with coverage run -m pytest")
    measured.switch_context(item.nodeid)
    yield
    measured.switch_context("")
