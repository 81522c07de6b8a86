"""What all tests have in common."""

from __future__ import annotations

import functools
import os
import ssl
from collections.abc import Iterator

import pytest
from hypothesis import settings

# How long an example takes depends on what else the machine does; timings live in benchmarks.
# Half of the usual examples: the properties are many, and every run draws others.
settings.register_profile("linesman", deadline=None, max_examples=50)
settings.load_profile("linesman")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Return how many processes share the tests: one more than there are cores, for a test waits half of its time."""
    return (os.cpu_count() or 1) + 1


@pytest.fixture(scope="session", autouse=True)
def _certificates_read_once() -> Iterator[None]:
    """Read the machine's certificates once: every client of every test reads them anew, and none needs them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ssl, "create_default_context", functools.cache(ssl.create_default_context))
        yield
