"""The words after ``/numbers list``: which changes to list.

The grammar is a table of words for states, and four more things: whose, which kind, since, until. A new word for a
state is one more :class:`StateFilter`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from difflib import get_close_matches
from typing import Final

from bot.changes.model.kinds import Kind
from bot.changes.model.lifecycle import ChangeState, Outcome
from bot.errors import InputError

#: A state as a list asks for it, with the outcome of a finished change.
End = tuple[ChangeState, Outcome | None]


def _at(*states: ChangeState) -> tuple[End, ...]:
    """Return the ends for ``states``; a finished change has one for each outcome."""
    return tuple(
        (state, outcome)
        for state in states
        for outcome in (tuple(Outcome) if state is ChangeState.FINISHED else (None,))
    )


@dataclass(frozen=True, slots=True)
class StateFilter:
    """One word for some states."""

    word: str
    ends: tuple[End, ...]


_S = ChangeState
#: Every word, in the order of the help text.
SORTS: Final = (
    StateFilter(
        "open",
        _at(
            _S.AWAITING_APPROVAL,
            _S.CHANGES_REQUESTED,
            _S.APPROVED,
            _S.RUNNING,
            _S.VERIFYING,
            _S.PAUSED,
            _S.IN_EFFECT,
        ),
    ),
    StateFilter("waiting", _at(_S.AWAITING_APPROVAL)),
    StateFilter("revising", _at(_S.CHANGES_REQUESTED)),
    StateFilter("approved", _at(_S.APPROVED)),
    StateFilter("running", _at(_S.RUNNING, _S.VERIFYING, _S.PAUSED)),
    StateFilter("paused", _at(_S.PAUSED)),
    StateFilter("temporary", _at(_S.IN_EFFECT)),
    StateFilter("finished", _at(_S.FINISHED)),
    StateFilter("succeeded", ((_S.FINISHED, Outcome.SUCCEEDED),)),
    StateFilter("unverified", ((_S.FINISHED, Outcome.UNVERIFIED),)),
    StateFilter("failed", ((_S.FINISHED, Outcome.FAILED), (_S.FINISHED, Outcome.PARTLY_FAILED))),
    StateFilter("rejected", _at(_S.REJECTED)),
    StateFilter("expired", _at(_S.EXPIRED)),
    StateFilter("cancelled", _at(_S.CANCELLED)),
    StateFilter("stale", _at(_S.STALE)),
    StateFilter("planned", _at(_S.PLANNED)),
    StateFilter("discarded", _at(_S.DISCARDED)),
)
_BY_WORD: Final = {sort.word: sort for sort in SORTS}
#: Every word that an unknown word may have meant.
_WORDS: Final = (*_BY_WORD, "mine", "scheduled", "kind", "since", "until", "on")
#: Listed without any word: all changes that got a plan and were not given up before approval was requested.
USUAL: Final = _at(*(state for state in _S if state not in {_S.PLANNING, _S.DISCARDED}))

_TOKEN: Final = re.compile(r"<@[^>]*>|[^\s,]+")
#: A person as Slack sends them (the manifest asks for it), or a member id as it is copied from a profile.
_PERSON: Final = re.compile(r"<@([UW][A-Z0-9]{2,})(?:\|[^>]*)?>|([UW][A-Z0-9]{5,})")
_SHOWN: Final = 40
#: Longest list of words, in characters as :class:`ListQuery` writes them: the buttons of a page carry them.
_LONGEST: Final = 1500


@dataclass(frozen=True, kw_only=True, slots=True)
class ListQuery:
    """Which changes to list. An empty part sets no condition."""

    sorts: tuple[StateFilter, ...] = ()
    #: Slack user ids of requesters.
    people: tuple[str, ...] = ()
    #: Names of kinds.
    kinds: tuple[str, ...] = ()
    #: First and last day (UTC) of the request.
    since: date | None = None
    until: date | None = None

    @property
    def ends(self) -> tuple[End, ...]:
        """The states to list, each once."""
        return tuple(dict.fromkeys(end for sort in self.sorts for end in sort.ends)) or USUAL

    def __str__(self) -> str:
        """Return the words that :func:`read_listing` reads as this query; days are absolute, people are ids."""
        words = [sort.word for sort in self.sorts]
        words += [f"<@{user}>" for user in self.people]
        words += [f"kind {kind}" for kind in self.kinds]
        words += [f"since {self.since}"] if self.since else []
        words += [f"until {self.until}"] if self.until else []
        return " ".join(words)


def read_listing(text: str, *, me: str, kinds: Sequence[Kind], today: date) -> ListQuery:
    """Return the query in ``text``; ``me`` is the user id that "mine" means, ``today`` the day in UTC.

    Raises :class:`bot.errors.InputError` with every mistake at once, keyed by the wrong word.
    """
    reader = _QueryReader(me, kinds, today)
    reader.read(_TOKEN.findall(text))
    return reader.listing()


class _QueryReader:
    """Reads word by word and collects mistakes."""

    def __init__(self, me: str, kinds: Iterable[Kind], today: date) -> None:
        self._me = me
        self._kinds = {name: kind.name for kind in kinds for name in (kind.command, kind.name)}
        self._commands = [name for name in self._kinds if "." not in name]
        self._today = today
        self._sorts: dict[StateFilter, None] = {}
        self._people: dict[str, None] = {}
        self._asked: dict[str, None] = {}
        self._days: dict[str, date] = {}
        self._problems: dict[str, str] = {}

    def read(self, tokens: Sequence[str]) -> None:
        takers: dict[str, Callable[[str], None]] = {"kind": self._kind}
        takers |= {word: lambda given, word=word: self._day(word, given) for word in ("since", "until", "on")}  # type: ignore[misc]  # mypy cannot type a lambda's default
        rest = iter(tokens)
        for token in rest:
            word = token.lower()
            if (take := takers.get(word)) is None:
                self._word(token, word)
            elif (given := next(rest, "")) == "":
                self._problems[word] = f"“{word}” needs a value after it."
            else:
                take(given)

    def listing(self) -> ListQuery:
        since, until = self._days.get("since"), self._days.get("until")
        if since and until and since > until:
            self._problems["since"] = f"{since} is after {until}, so no day matches."
        if self._problems:
            raise InputError(self._problems)
        listing = ListQuery(
            sorts=tuple(self._sorts), people=tuple(self._people), kinds=tuple(self._asked), since=since, until=until
        )
        if len(str(listing)) > _LONGEST:
            raise InputError({"list": "The query is too long; use fewer words."})
        return listing

    def _word(self, token: str, word: str) -> None:
        if word in {"mine", "me"}:
            self._people[self._me] = None
        elif found := _PERSON.fullmatch(token):
            self._people[found[1] or found[2]] = None
        elif word.startswith(("@", "<@")):
            self._problems[word] = (
                f"“{token[:_SHOWN]}” is not a person: choose the name from the list that Slack shows "
                "while you type, or give the member id (U…) from the profile."
            )
        elif sort := _BY_WORD.get(word):
            self._sorts[sort] = None
        else:
            self._problems[word] = f"Unknown word “{token[:_SHOWN]}”.{_nearest(word, _WORDS)}"

    def _kind(self, given: str) -> None:
        if kind := self._kinds.get(given.lower()):
            self._asked[kind] = None
        else:
            self._problems[f"kind {given}"] = (
                f"There is no kind “{given[:_SHOWN]}”; there is {', '.join(self._commands)}."
                f"{_nearest(given.lower(), self._commands)}"
            )

    def _day(self, word: str, given: str) -> None:
        day = self._read_day(given.lower())
        if day is None:
            self._problems[f"{word} {given}"] = (
                f"“{given[:_SHOWN]}” is not a date; write it as {self._today}, or say today or yesterday."
            )
            return
        for end in ("since", "until") if word == "on" else (word,):
            if self._days.setdefault(end, day) != day:
                self._problems[word] = f"“{end}” is given twice with different values; remove one."

    def _read_day(self, word: str) -> date | None:
        if word in {"today", "yesterday"}:
            return self._today - timedelta(days=word == "yesterday")
        if not re.fullmatch(r"\d{4}-\d\d-\d\d", word, re.ASCII):
            return None
        try:
            return date.fromisoformat(word)
        except ValueError:
            return None


def _nearest(word: str, words: Sequence[str]) -> str:
    """Return a question for the one of ``words`` that was probably meant; empty when none is similar."""
    return "".join(f" Did you mean “{near}”?" for near in get_close_matches(word, words, n=1))
