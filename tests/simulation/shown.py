"""Whether what people are shown when they look is so, and nobody is shown what they may not see."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from bot.sandbox.slack import Message, SlackUser

if TYPE_CHECKING:
    from tests.simulation.world import World

#: Changes of a number that stand on the first page of its history, newest first; and those that hold it.
CHANGES: Final = (
    "SELECT c.id FROM changes c JOIN operations o ON o.change_id = c.id WHERE o.e164 = ? "
    "AND c.state NOT IN ('planning', 'planned', 'discarded') ORDER BY c.id DESC LIMIT 5"
)
HOLDS: Final = (
    "SELECT DISTINCT l.change_id FROM locks l JOIN operations o ON o.change_id = l.change_id "
    "AND o.number_id = l.number_id WHERE o.e164 = ?"
)
HOLDING: Final = "SELECT DISTINCT change_id FROM locks"
NEWEST: Final = (
    "SELECT id FROM changes WHERE state NOT IN ('planning', 'planned', 'discarded') ORDER BY id DESC LIMIT 3"
)
EVENTS: Final = "SELECT count(*) FROM events"
#: Whoever was lent a right may see what they decide on.
BORROWED: Final = "SELECT 1 FROM delegations WHERE delegate = ?"
#: What stands in an answer to a command that is no refusal.
ANSWER: Final = {"find": "Changes of this number", "locks": "Locked numbers", "list": "Changes, newest first"}
#: What stands in the reasons of changes that people want.
REASON: Final = "Moving to the new"
_NAME: Final = re.compile(r"CHG-(\d+)")


class Shown:
    """Judges what the people of one world are shown."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def typed(self, by: SlackUser, text: str) -> Sequence[Message]:
        """Have somebody type a command that shows something, and judge and return what they are told."""
        before = self._to_name(text)
        told = await self._world.operating.told(by, text)
        read = "\n".join(self._world.people.read(each) for each in told)
        if by is self._world.sam:
            self._check_stranger(by, text, read)
        elif (marker := ANSWER.get(text.split(maxsplit=1)[0])) and len(told) == 1 and marker in read:
            named = {int(name) for name in _NAME.findall(read)}
            if missing := before & self._to_name(text) - named:
                self._wrong(f"{by.profile.name} typed {text!r} and is told of {named}, and not of {missing}")
        return told

    def _to_name(self, text: str) -> set[int]:
        """Return the changes that the answer has to name at this moment."""
        word, _, rest = text.partition(" ")
        queries = {"find": ((CHANGES, rest), (HOLDS, rest)), "locks": ((HOLDING,),), "list": ((NEWEST,),)}
        asked = queries.get(word, ()) if word == "find" or not rest else ()
        return {change for query in asked for (change,) in self._world.judge.rows(*query)}

    def _check_stranger(self, by: SlackUser, text: str, read: str) -> None:
        """Want somebody who may see nothing to be told of no change but the one that they named."""
        if text == "help" or self._world.judge.rows(BORROWED, by.id):
            return
        told = set(_NAME.findall(read)) - set(_NAME.findall(text))
        if told or REASON in read:
            self._wrong(f"{by.profile.name} may see nothing, typed {text!r} and is told {read[:200]!r}")

    async def exported(self, by: SlackUser, text: str) -> None:
        """Have somebody ask for the audit log, and want the file to have all of it that there was when they asked."""
        files = self._world.slack.files
        [(before,)], shared = self._world.judge.rows(EVENTS), len(files)
        await self._world.operating.told(by, text)
        [(after,)] = self._world.judge.rows(EVENTS)
        for file in (each for each in files[shared:] if each.name.startswith("linesman-audit")):
            if by is not self._world.otto:
                self._wrong(f"{by.profile.name} is no operator, and {file.name} was made for them")
            lines = file.content.count(b"\n") - file.name.endswith(".csv")  # which has a line of headings
            if not before <= lines <= after and not self._world.judge.clock_set:
                self._wrong(f"{file.name} has {lines} events; there were {before} when it was asked for, then {after}")

    def _wrong(self, what: str) -> None:
        self._world.judge.wrong(what)
