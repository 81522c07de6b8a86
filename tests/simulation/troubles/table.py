"""Every trouble by its name; with the calm of the world all of it ends."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from random import Random
from typing import TYPE_CHECKING, Final

from tests.simulation.troubles import (
    account,
    brakes,
    clicks,
    machine,
    meanwhile,
    numbers,
    providers,
    slack,
    undecidable,
)

if TYPE_CHECKING:
    from tests.simulation.world import World

Trouble = Callable[["World", Random], Awaitable[None]]

TROUBLES: Final[Mapping[str, Trouble]] = {
    each.__name__: each
    for each in (
        brakes.freeze,
        brakes.cancel,
        brakes.unlock,
        brakes.unconfirmed,
        clicks.late_click,
        clicks.last_moment,
        clicks.stranger,
        machine.kill,
        machine.kill_at_commit,
        machine.cut_off,
        machine.overtaken,
        machine.sigterm,
        machine.clock_step,
        machine.full_disk,
        meanwhile.unanswered,
        meanwhile.put_off,
        numbers.meddling,
        numbers.failing_number,
        providers.provider_fault,
        providers.lying_job,
        providers.lagging_list,
        providers.lost_pages,
        providers.slow_telnyx,
        slack.slack_fault,
        slack.slack_down,
        slack.late_acks,
        slack.redelivery,
        account.crowded,
        account.refused,
        account.turned_down,
        undecidable.unproven,
        undecidable.unreadable,
    )
}


def calm(world: World) -> None:
    """End every trouble."""
    world.slack.faults.clear()
    world.telnyx.faults.clear()
    world.close.faults.clear()
    world.nature.ahead = 0.0
    world.disk.full, world.disk.watch = False, None
    world.telnyx.list_lag = world.telnyx.read_lag = 0.0
    world.telnyx.job_seconds = 20.0
    world.slack.workspace.ack_lag = 0.0
    providers.whole_pages(world)
    providers.whole_downloads(world)
    account.allowing(world)
