"""The tree of errors holds every error."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator

import bot
from bot import errors
from bot.errors import LinesmanError


def modules() -> Iterator[str]:
    """Yield every module of the product; the stand-ins have errors of their own, and a migration does work."""
    for found in pkgutil.walk_packages(bot.__path__, "bot."):
        if not found.name.startswith(("bot.sandbox", "bot.store.migrations", "bot.__main__")):
            yield found.name


def raised(kind: type[BaseException]) -> Iterator[type[BaseException]]:
    """Yield the classes below ``kind`` that the product declares; private ones never leave their module."""
    for below in kind.__subclasses__():
        if below.__module__.startswith("bot.") and not below.__module__.startswith("bot.sandbox"):
            yield below
        yield from raised(below)


def test_every_error_is_in_the_tree_and_in_its_picture() -> None:
    """Whoever catches LinesmanError catches everything that Linesman raises on purpose."""
    for name in modules():
        importlib.import_module(name)

    public = {kind for kind in raised(BaseException) if not kind.__name__.startswith("_")}

    assert [kind for kind in public if not issubclass(kind, LinesmanError)] == []
    assert sorted(kind.__name__ for kind in public if not re.search(rf"\b{kind.__name__}\b", str(errors.__doc__))) == []
