"""The audit log of a trial in which all went right, made by hand: what happened, to which change, and who did it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from tests.acceptance.replicas.steps import ITSELF
from tests.acceptance.replicas.wishes import OPAL
from tests.acceptance.stories.staged import DANA, FIRST, MAX, MIA, SECOND

BEA, CLEO, ANA = "U0BEA", "U0CLEO", "U0ANA"
#: Whoever asks for each of the changes: as in ``pasts.py`` beside this.
_WHO: Final = {1: BEA, 2: CLEO, 3: ANA, 4: BEA, 5: CLEO, 6: ANA, 7: BEA, 8: CLEO}


@dataclass
class Event:
    """One event; ``change`` is None where it is about none."""

    change: int | None
    what: str
    actor: str = ITSELF
    digest: str = ""
    details: Mapping[str, str | int] = field(default_factory=dict)


def chronicle() -> list[Event]:
    """Return all events in their order."""
    return [
        Event(None, "frozen", OPAL),
        Event(None, "unfrozen", OPAL),
        *_plain(1),
        *_revised(2),
        *_plain(3),
        *_in_waves(4),
        *_in_stages(5),
        *_asked(6),
        Event(6, "cancelled", ANA),
        *_temporary(7, extension=9, restore=10),
        *_taken_back(8),
    ]


def _asked(change: int) -> Iterator[Event]:
    yield Event(change, "proposed", _WHO[change])
    yield Event(change, "planned", digest="plan")
    yield Event(change, "approval_requested", _WHO[change], "plan")


def _approved(change: int) -> Iterator[Event]:
    yield Event(change, "approved", MAX, "plan")
    yield Event(change, "started", digest="plan")


def _sent(change: int, *batches: int) -> Iterator[Event]:
    for what in ("batch_submitting", "batch_submitted", "batch_settled"):
        for batch in batches:
            yield Event(change, what, details={"batch": batch})
    yield Event(change, "verifying")
    yield Event(change, "read_back")


def _plain(change: int) -> Iterator[Event]:
    yield from _asked(change)
    yield from _approved(change)
    yield from _sent(change, 1, 2, 3)
    yield Event(change, "finished")


def _revised(change: int) -> Iterator[Event]:
    yield Event(change, "proposed", _WHO[change])
    yield Event(change, "planned", digest="former")
    yield Event(change, "approval_requested", _WHO[change], "former")
    yield Event(change, "changes_requested", MAX, "former")
    yield Event(change, "plan_replaced", _WHO[change], "plan")
    yield Event(change, "approval_requested", _WHO[change], "plan")
    yield from _approved(change)
    yield from _sent(change, 1, 2, 3)
    yield Event(change, "finished")


def _in_waves(change: int) -> Iterator[Event]:
    yield from _asked(change)
    yield from _approved(change)
    yield from _sent(change, 1)
    yield Event(change, "paused", digest="plan", details={"wave": 1})
    yield Event(change, "continued", _WHO[change], "plan", {"wave": 2})
    yield Event(change, "wave_started", digest="plan", details={"wave": 2})
    yield from _sent(change, 2, 3)
    yield Event(change, "continued", digest="plan", details={"wave": 3})
    yield Event(change, "rest_started", digest="plan", details={"wave": 3})
    yield from _sent(change, 4)
    yield Event(change, "finished")


def _in_stages(change: int) -> Iterator[Event]:
    yield from _asked(change)
    yield Event(change, "approved", MIA, "plan", {"stage": FIRST})
    yield Event(None, "delegated", DANA)
    yield Event(change, "approved", MAX, "plan", {"stage": SECOND, "on_behalf_of": DANA})
    yield Event(change, "started", digest="plan")
    yield Event(None, "delegation_ended", DANA)
    yield from _sent(change, 1, 2, 3)
    yield Event(change, "finished")


def _taken_back(change: int) -> Iterator[Event]:
    yield from _asked(change)
    yield Event(change, "approved", MIA, "plan", {"stage": FIRST})
    yield Event(None, "delegated", DANA)
    yield Event(change, "approved", MAX, "plan", {"stage": SECOND, "on_behalf_of": DANA})
    yield Event(change, "approval_lapsed", digest="plan")
    yield Event(change, "not_approved", digest="plan")
    yield Event(None, "delegation_ended", DANA)


def _temporary(change: int, *, extension: int, restore: int) -> Iterator[Event]:
    yield from _asked(change)
    yield from _approved(change)
    yield from _sent(change, 1, 2, 3)
    yield Event(change, "in_effect")
    yield Event(extension, "approved", MAX)
    yield Event(change, "extended")
    yield Event(change, "ending")
    yield Event(change, "ended_early", _WHO[change])
    yield Event(restore, "proposed")
    yield Event(restore, "planned")
    yield Event(restore, "started")
    yield Event(restore, "finished")
    yield Event(change, "ended")
