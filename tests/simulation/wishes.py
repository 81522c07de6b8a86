"""What people want to change: any kind, with or without a canary or waves, a start and values of any shape."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tests.simulation.world import World

#: Numbers of one change at most: few, so that two changes often want the same.
MOST: Final = 9
REFERENCES: Final = ("Denver", "Boulder", "Aspen", "Pueblo")
ADDRESS: Final = "1293384261075731499"
#: Settings whose value can be any text.
TEXTS: Final = ("customer_reference", "label")
#: How often a change is temporary, and for how many minutes then; what cannot be set again cannot be given back.
TEMPORARY: Final = 0.3
LASTS: Final = (11, 30)
FOR_GOOD: Final = ("external_pin",)
#: How often a filter says which numbers are meant: those with a bundle, which no list shows.
BUNDLED: Final = 0.15
#: How often numbers and values come in a sheet.
SHEETS: Final = 0.2
#: How often a change with a canary has more waves than that.
WAVES: Final = 0.5


@dataclass(frozen=True, kw_only=True)
class Wish:
    """A change that somebody wants."""

    #: The word behind ``/numbers``.
    command: str
    #: Empty when a filter says which.
    numbers: Sequence[str]
    #: By setting: typed or chosen.
    values: Mapping[str, str]
    #: What else is typed into the form, by block.
    besides: Mapping[str, str] = field(default_factory=dict)
    #: Part of the numbers that are meant; empty when they are listed.
    part: str = ""
    #: Whether only those of them are meant that have a bundle.
    bundled: bool = False
    #: Whether numbers and values come in a sheet.
    sheet: bool = False

    @property
    def minutes(self) -> int:
        """For how many minutes from now it is to be in effect; 0 for one that lasts."""
        return _minutes(self.besides.get("until", ""))

    def as_sheet(self) -> bytes:
        """Return its numbers and values as CSV."""
        rows = [",".join(("number", *self.values)), *(",".join((each, *self.values.values())) for each in self.numbers)]
        return "\n".join(rows).encode()

    def other(self, random: Random) -> Wish:
        """Return it with another text for a setting that takes any."""
        return replace(self, values={**self.values, **{name: text(random) for name in TEXTS if name in self.values}})


def text(random: Random) -> str:
    """Return a text that is hardly ever the same."""
    return f"{random.choice(REFERENCES)} {random.randrange(1000)}"


def further(wanted: Wish, random: Random) -> Wish:
    """Return a wish, now and then for a while, in waves, or for numbers with a bundle; ``random`` is for this alone."""
    temporary, bundled, lasts = random.random() < TEMPORARY, random.random() < BUNDLED, random.randint(*LASTS)
    if temporary and wanted.command != "delete" and not set(FOR_GOOD) & set(wanted.values):
        until = f"in {_minutes(wanted.besides.get('start', '')) + lasts} minutes"
        wanted = replace(wanted, besides={**wanted.besides, "until": until})
    if bundled and wanted.command == "update":
        part = wanted.part or wanted.numbers[0][2:-1]  # ten numbers in a row
        wanted = replace(wanted, numbers=(), part=part, bundled=True)
    if "canary" in wanted.besides and random.random() < WAVES:
        wanted = replace(wanted, besides={**wanted.besides, **_waves(wanted.besides["canary"], random)})
    in_sheet = Random(f"sheet {wanted}").random() < SHEETS
    if in_sheet and wanted.numbers and wanted.command in ("update", "close") and not set(FOR_GOOD) & set(wanted.values):
        wanted = replace(wanted, sheet=True)
    return wanted


def _waves(first: str, random: Random) -> dict[str, str]:
    """Return a rollout that begins like a canary of ``first`` numbers, with or without a pause and a threshold."""
    typed = {"canary": f"{first}, {random.choice(('1', '30 %', '50 %'))}, rest"}
    if pause := random.choice(("", "ask", "ask", "5 min", "20 min")):
        typed["pause"] = pause
    if threshold := random.choice(("", "", "1", "25 %")):
        typed["threshold"] = threshold
    return typed


def _minutes(typed: str) -> int:
    return int(typed.split()[1]) if typed else 0


def settings(random: Random) -> dict[str, str]:
    """Return settings of Telnyx numbers and what they are to be."""
    offered: dict[str, Callable[[], str]] = {
        "customer_reference": lambda: text(random),
        "external_pin": lambda: str(random.randrange(10**9, 10**10)),
        "hd_voice_enabled": lambda: random.choice(("true", "true", "false")),
        "voice.caller_id_name_enabled": lambda: random.choice(("true", "true", "false")),
        "voice.tech_prefix_enabled": lambda: random.choice(("true", "true", "false")),
    }
    return {name: offered[name]() for name in random.sample(sorted(offered), random.randint(1, 2))}


def wish(world: World, random: Random) -> Wish:
    """Invent one."""
    command = random.choices(("update", "emergency", "delete", "close"), (8, 2, 1, 5))[0]
    match command:
        case "update":
            values = settings(random)
        case "emergency":
            values = {"emergency_enabled": "true", "emergency_address_id": ADDRESS}
        case "delete":
            values = {}
        case _:
            name = random.choice(("label", "forward_to"))
            values = {name: text(random) if name == "label" else f"+1303555{random.randrange(10**4):04}"}
    pool = world.close_numbers if command == "close" else world.telnyx_numbers
    count = random.randint(1, 3 if command == "delete" else MOST)
    begin = random.randrange(len(pool) - count)
    besides = {}
    if count > 1 and random.random() < 0.3:
        besides["canary"] = str(random.randint(1, count - 1))
    if random.random() < 0.15:
        besides["start"] = f"in {random.randint(5, 40)} minutes"
    wanted = Wish(command=command, numbers=pool[begin : begin + count], values=values, besides=besides)
    if command == "update" and random.random() < 0.2:
        return replace(wanted, numbers=(), part=pool[begin][2:-1])  # ten numbers in a row
    return wanted
