"""What the bot and the libraries say while a world is played: it goes into the trace, and errors are its faults."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Mapping, MutableMapping
from typing import TYPE_CHECKING, Any

import structlog

if TYPE_CHECKING:
    from tests.simulation.nature import Nature
    from tests.simulation.trace import Trace


class Hearing(logging.Handler):
    """Hears the logs and the loop of this process, which it changes for good."""

    def __init__(self, nature: Nature, trace: Trace, faults: list[str]) -> None:
        super().__init__(logging.ERROR)
        self._trace = trace
        self._faults = faults
        structlog.configure(processors=[self._said], wrapper_class=structlog.make_filtering_bound_logger(logging.INFO))
        logging.basicConfig(handlers=[self], level=logging.ERROR, force=True)
        nature.loop.set_exception_handler(self._lost)

    def _said(self, _: Any, level: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
        told = {name: value for name, value in event.items() if name not in ("exc_info", "event", "file", "port")}
        self._trace.add(f"log {level}: {event['event']} {told}")
        if event.get("exc_info"):
            self._unforeseen(f"{event['event']} {told}")
        raise structlog.DropEvent

    def emit(self, record: logging.LogRecord) -> None:
        """Note what a library complains of."""
        self._trace.add(f"log of {record.name}: {record.getMessage()[:200]}")
        if record.exc_info:
            self._unforeseen(f"{record.name}: {record.getMessage()}")

    def _unforeseen(self, what: str) -> None:
        """Note an error that nobody foresaw, with the traceback of this moment."""
        self._faults.append(f"unforeseen: {what}\n{traceback.format_exc()}")

    def _lost(self, _: Any, context: dict[str, Any]) -> None:
        self._faults.append(f"the loop was told: {context.get('message')} {context.get('exception')!r}")
