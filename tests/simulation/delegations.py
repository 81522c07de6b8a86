"""Whether a lent right is worth what it may be: from its beginning to its end, and to whoever has it, and no longer."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from bot.sandbox.slack import SlackUser
from tests.simulation.people import key_of

if TYPE_CHECKING:
    from tests.simulation.world import World

#: How much later than it was typed it may begin, and with that end: a command waits, and an end is on a whole minute.
BEGUN: Final = timedelta(minutes=2)
#: What becomes of rights, and what is decided with them, in the order of the audit log.
STEPS: Final = (
    "SELECT change_id, what, actor, at, json_extract(details, '$.delegator'), json_extract(details, '$.delegate'), "
    "json_extract(details, '$.on_behalf_of') FROM events WHERE what IN ('delegated', 'delegation_changed', "
    "'delegation_ended', 'delegation_over', 'approved', 'rejected', 'changes_requested') ORDER BY id"
)
#: The latest approval of a change by somebody for somebody, and the latest step with which any of it began.
GIVEN: Final = (
    "SELECT max(id) FROM events WHERE change_id = ? AND what = 'approved' AND actor = ? "
    "AND json_extract(details, '$.on_behalf_of') = ?"
)
BEGAN: Final = (
    "SELECT max(id) FROM events WHERE change_id = ? AND (what IN ('started', 'wave_started', 'rest_started') "
    "OR (what = 'finished' AND NOT EXISTS (SELECT 1 FROM events s WHERE s.change_id = events.change_id "
    "AND s.what = 'started')))"
)
#: Ends of a right before its time, between two steps of the audit log.
ENDED: Final = (
    "SELECT 1 FROM events WHERE what = 'delegation_ended' AND json_extract(details, '$.delegator') = ? "
    "AND json_extract(details, '$.delegate') = ? AND id > ? AND id < ?"
)
#: What somebody lends somebody, and nobody has ended.
LENT: Final = "SELECT 1 FROM delegations WHERE delegator = ? AND delegate = ? AND ended_at IS NULL"
#: When each right ends that somebody lends.
UNTIL: Final = "SELECT delegator, delegate, ends_at FROM delegations ORDER BY id"
#: Each right that was ended before its time, of which people were to be told.
TO_TELL: Final = "SELECT id, version, delegator, delegate, ended_by FROM delegations WHERE ended_by <> ''"


@dataclass
class Lent:
    """What somebody typed that they lend."""

    delegator: str
    delegate: str
    since: datetime
    #: When it ends at the latest, as it was typed; and as things are now.
    typed: datetime
    until: datetime
    #: When it was answered; None when it was not, or not yet.
    answered: datetime | None = None


class Delegations:
    """Judges the lent rights of one world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._rows = world.judge.rows
        self._wrong = world.judge.wrong
        self._lent: list[Lent] = []
        #: Who has ended, or tried to end, whose right in whose hands.
        self._ending: set[tuple[str, str, str]] = set()

    # What people do

    def lending(self, delegator: SlackUser, delegate: SlackUser, minutes: int) -> Lent:
        """Note that somebody is about to lend their right for so many minutes; they note when that was answered."""
        now = self._world.nature.now()
        until = now + timedelta(minutes=minutes) + BEGUN
        lent = Lent(delegator.id, delegate.id, now, until, until)
        self._lent.append(lent)
        return lent

    def ending(self, by: SlackUser, delegator: str, delegate: str) -> None:
        """Note that somebody is about to end it."""
        self._ending.add((by.id, delegator, delegate))

    def ended(self, delegator: str, delegate: str, asked: datetime) -> None:
        """Note that whoever ``asked`` for its end at that time has just read that it has ended.

        If it is lent again by now they may have read of an earlier end, of which they hear late.
        """
        now = self._world.nature.now()
        if self._rows(LENT, delegator, delegate):
            return
        for each in self._lent:
            before = each.answered is not None and each.answered < asked
            if before and (each.delegator, each.delegate) == (delegator, delegate):
                each.until = min(each.until, now)

    # What comes of it

    def lends(self, delegator: str, delegate: str, at: datetime) -> bool:
        """Return whether somebody could decide then with somebody else's right; a clock that was set tells nothing."""
        return any(
            (each.delegator, each.delegate) == (delegator, delegate)
            and (each.since <= at <= each.until or self._world.judge.clock_set)
            for each in self._lent
        )

    def check(self, change: int, person: str, whose: str, job: str) -> None:
        """Want a lent right that approved what is sent not to have been taken back before that began."""
        [(given,)] = self._rows(GIVEN, change, person, whose)
        [(began,)] = self._rows(BEGAN, change)
        if given is None or began is None or self._rows(ENDED, whose, person, given, began):
            self._wrong(f"{job} is of CHG-{change}, which {person} approved for {whose}, who had taken the right back")

    def end(self) -> None:
        """Want each decision with a lent right to have been made while it was lent, and each end to be somebody's."""
        active: set[tuple[str, str]] = set()
        for change, what, actor, at, delegator, delegate, whose in self._rows(STEPS):
            pair = (delegator, delegate) if delegator else (actor, delegate)
            if what in ("delegated", "delegation_changed"):
                if (what == "delegated") == (pair in active) or not any(
                    (each.delegator, each.delegate) == pair for each in self._lent
                ):
                    self._wrong(f"{what}: {pair} at {at}; what was lent then: {sorted(active)}")
                active.add(pair)
            elif what in ("delegation_ended", "delegation_over"):
                if pair not in active:
                    self._wrong(f"{what}: {pair} at {at}; what was lent then: {sorted(active)}")
                active.discard(pair)
                may = actor in (*pair, self._world.otto.id) and (actor, *pair) in self._ending
                if what == "delegation_ended" and not may:
                    self._wrong(f"{actor} ended what {pair[0]} lends {pair[1]}, and has not pressed End, or may not")
            elif whose and ((whose, actor) not in active or not self.lends(whose, actor, _moment(at))):
                self._wrong(f"CHG-{change} was {what} by {actor} for {whose} at {at}, who did not lend that right then")
        self._each_ends_as_typed()
        self._everybody_was_told()

    def _each_ends_as_typed(self) -> None:
        """Want each right to end when somebody said; a clock that was set tells nothing."""
        for delegator, delegate, ends in self._rows(UNTIL) if not self._world.judge.clock_set else ():
            said = [each.typed for each in self._lent if (each.delegator, each.delegate) == (delegator, delegate)]
            if not any(typed - 2 * BEGUN <= _moment(ends) <= typed for typed in said):
                self._wrong(f"{delegator} lends {delegate} until {ends}, and typed, at the latest, {said}")

    def _everybody_was_told(self) -> None:
        """Want whom it concerns to have been told that a right ended before its time, once."""
        workspace = self._world.slack.workspace
        for id_, version, delegator, delegate, by in self._rows(TO_TELL):
            told = Counter(
                channel.im_with
                for channel in workspace.channels.values()
                for each in workspace.in_channel(channel.id)
                if key_of(each) == f"delegation:{id_}:{version}"
            )
            if told != Counter({delegate, *([delegator] if by != delegator else [])}):
                self._wrong(
                    f"{by} ended what {delegator} lends {delegate}, and of those whom it concerns {told} were told"
                )


def _moment(at: str) -> datetime:
    return datetime.fromisoformat(at).replace(tzinfo=UTC)
