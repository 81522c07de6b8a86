"""A stand-in itself: a server on loopback, and the handles by which a test plays the rest of the world."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Generic, Self, TypeVar

from aiohttp import web

from bot.sandbox.provider.account import NumberT, ProviderAccount
from bot.sandbox.provider.calls import Call
from bot.sandbox.provider.clock import Clock
from bot.sandbox.provider.faults import ProviderFaults
from bot.sandbox.provider.middleware import ProviderMiddleware
from bot.sandbox.provider.rewrites import Rewrites

Found = TypeVar("Found")


class ProviderStandIn(Generic[NumberT]):
    """Serves a provider's API from memory; an async context manager, in which ``url`` is the base for clients.

    Args:
        clock: the time of the stand-in.
        account: the numbers that it holds.
        middleware: what every request passes.
        routes: the endpoints, without the API's version in front.
        port: the loopback port; 0 takes a free one.

    """

    def __init__(
        self,
        *,
        clock: Clock,
        account: ProviderAccount[NumberT],
        middleware: ProviderMiddleware,
        routes: Iterable[web.RouteDef],
        port: int,
    ) -> None:
        self._clock = clock
        self._numbers = account
        self._wire = middleware
        self._routes = routes
        self._port = port
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        app = web.Application(middlewares=[self._wire.middleware])
        app.on_response_prepare.append(self._wire.date)
        for route in self._routes:
            app.router.add_route(route.method, self._wire.prefix + route.path, route.handler)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await runner.setup()
        self._stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", self._port).start()
        self._port = runner.addresses[0][1]
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._stack.aclose()

    @property
    def url(self) -> str:
        """The base URL, the API's version included, without a slash at the end."""
        return f"http://127.0.0.1:{self._port}{self._wire.prefix}"

    def catch_up(self) -> None:
        """Let what is due happen before somebody looks; here nothing is."""

    @property
    def numbers(self) -> dict[str, NumberT]:
        """All numbers by id, as they are now."""
        self.catch_up()
        return self._numbers.numbers

    def number(self, key: str) -> NumberT:
        """Return a number by E.164 or id.

        Raises:
            KeyError: when the account does not have it (any more).

        """
        self.catch_up()
        number = self._numbers.find(key)
        if number is None:
            raise KeyError(key)
        return number

    def remove_number(self, key: str) -> None:
        """Take a number out of the account, as somebody in the provider's own pages would."""
        self._numbers.remove(self.number(key))

    @property
    def mistaken(self) -> dict[str, str]:
        """Id that is asked for by itself -> id of the number that is answered in its place; none by default."""
        return self._numbers.mistaken

    @property
    def read_lag(self) -> float:
        """For how many seconds after a change a number is still read as it was before; 0 by default."""
        return self._numbers.read_lag

    @read_lag.setter
    def read_lag(self, seconds: float) -> None:
        self._numbers.read_lag = seconds

    @property
    def calls(self) -> Sequence[Call]:
        """Every request so far, in order of arrival."""
        return self._wire.calls

    @property
    def rewrites(self) -> Rewrites:
        """What is made of the documents of answers; order with ``rewrites.add``."""
        return self._wire.rewrites

    @property
    def faults(self) -> ProviderFaults:
        """The faults on the wire; order one with ``faults.add``."""
        return self._wire.faults

    @faults.setter
    def faults(self, faults: ProviderFaults) -> None:
        self._wire.faults = faults

    @property
    def dated(self) -> bool:
        """Whether answers have a ``Date``, in the time of the stand-in; they do by default."""
        return self._wire.dated

    @dated.setter
    def dated(self, dated: bool) -> None:
        self._wire.dated = dated

    def advance(self, seconds: float) -> None:
        """Skip ``seconds`` ahead; what is due by then happens with the next look."""
        self._clock.advance(seconds)

    async def wait_for(
        self,
        predicate: Callable[[], Found],
        timeout: float = 45.0,  # noqa: ASYNC109 - the deadline is the point of this call
    ) -> Found:
        """Wait until ``predicate()`` is true and return what it gave.

        Raises:
            TimeoutError: after ``timeout`` seconds of real time.

        """
        async with asyncio.timeout(timeout):
            while not (found := predicate()):  # noqa: ASYNC110 - requests and time come when they come, and signal nobody
                await asyncio.sleep(0.01)
        return found
