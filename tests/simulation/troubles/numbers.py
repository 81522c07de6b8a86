"""What happens to single numbers at their providers, mostly to those of a change that goes on."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from tests.simulation.world import World

#: Numbers of changes that are requested and not over.
GOING_ON: Final = (
    "SELECT o.e164 FROM operations o JOIN changes c ON c.id = o.change_id "
    "WHERE c.state IN ('awaiting_approval', 'approved', 'running') ORDER BY c.id, o.position"
)


async def meddling(world: World, random: Random) -> None:
    """Change a number in the provider's own pages."""
    e164 = _wanted(world, random)
    if e164 in world.close_numbers:
        other = world.close.number(e164)
        if random.random() < 0.7:
            other.label = "Somebody else's"
        else:
            other.forward_to = "+13035550199"
    elif (number := world.telnyx._account.find(e164)) is not None:
        if random.random() < 0.7:
            number.customer_reference = "Somebody else's"
        else:
            number.hd_voice_enabled = not number.hd_voice_enabled
    world.touch(e164)


async def failing_number(world: World, random: Random) -> None:
    """Let Telnyx or Close refuse to change a number, once or more."""
    times = random.choice((1, 1, None))
    e164 = _wanted(world, random)
    provider: Any = world.close if e164 in world.close_numbers else world.telnyx
    provider.fail(e164, times=times)


def _wanted(world: World, random: Random) -> str:
    """Return a number, mostly one of a change that goes on."""
    going_on = [e164 for (e164,) in world.judge.rows(GOING_ON)]
    everything = [*world.telnyx_numbers, *world.close_numbers]
    return random.choice(going_on if going_on and random.random() < 0.7 else everything)
