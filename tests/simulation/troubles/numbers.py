"""What happens to single numbers at their providers, mostly to those of a change that goes on."""

from __future__ import annotations

import json
from collections.abc import Collection
from random import Random
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from tests.simulation.world import World

#: Numbers of changes that are requested and not over, with what they are to have.
GOING_ON: Final = (
    "SELECT o.e164, o.after FROM operations o JOIN changes c ON c.id = o.change_id "
    "WHERE c.state IN ('awaiting_approval', 'approved', 'running') ORDER BY c.id, o.position"
)
#: Settings that people change in the provider's own pages.
TELNYX: Final = ("customer_reference", "hd_voice_enabled", "voice.caller_id_name_enabled", "voice.tech_prefix_enabled")
CLOSE: Final = ("label", "forward_to")


async def meddling(world: World, random: Random) -> None:
    """Change a number in the provider's own pages."""
    edit(world, random, *_wanted(world, random))


async def failing_number(world: World, random: Random) -> None:
    """Let Telnyx or Close refuse to change a number, once or more."""
    times = random.choice((1, 1, None))
    e164, _ = _wanted(world, random)
    provider: Any = world.close if e164 in world.close_numbers else world.telnyx
    provider.fail(e164, times=times)


def edit(world: World, random: Random, e164: str, wanted: Collection[str]) -> None:
    """Give a number another value in the provider's own pages, mostly of a setting that is ``wanted`` of it."""
    offered = CLOSE if e164 in world.close_numbers else TELNYX
    both = [name for name in offered if name in wanted]
    name = random.choice(both if both and random.random() < 0.8 else offered)
    if offered is CLOSE:
        setattr(world.close.number(e164), name, "Somebody else's" if name == "label" else "+13035550199")
    elif (number := world.telnyx._account.find(e164)) is not None:
        number.put(name, "Somebody else's" if name == "customer_reference" else not number.value(name))
    world.touch(e164)


def _wanted(world: World, random: Random) -> tuple[str, Collection[str]]:
    """Return a number, mostly one of a change that goes on, and what that sets."""
    going_on = world.judge.rows(GOING_ON)
    if going_on and random.random() < 0.7:
        e164, after = random.choice(going_on)
        return e164, json.loads(after)
    return random.choice([*world.telnyx_numbers, *world.close_numbers]), ()
