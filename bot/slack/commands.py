"""The commands after ``/numbers``: the one table behind dispatch, help and the app's usage hint."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from bot.changes.model.kinds import Kind

#: The one slash command.
COMMAND: Final = "/numbers"


@dataclass(frozen=True, slots=True)
class Command:
    """One word after ``/numbers``. ``arguments`` is the text after it, as an example that works."""

    word: str
    arguments: str
    help: str
    #: Words that mean the same and are no longer offered.
    former: tuple[str, ...] = ()
    #: Whether only operators may use it; others are refused.
    operators: bool = False

    @property
    def usage(self) -> str:
        """The word with its arguments."""
        return f"{self.word} {self.arguments}".strip()


#: In the order of a change's life; the kinds of change, whose words come from the providers, come before them.
COMMANDS: Final = (
    Command("new", "", "open the form; `/numbers` alone does the same"),
    Command("status", "CHG-42", "show a change; add `xlsx` to get its results as a workbook"),
    Command("cancel", "CHG-42", "stop what is not sent yet; for its requester and operators"),
    Command("end", "CHG-42", "end a temporary change now and restore its numbers; for its requester and operators"),
    Command("extend", "CHG-42 until Tue 08:00", "request approval that a temporary change ends later"),
    Command("retry", "CHG-42", "open the form for the numbers that failed or were not attempted"),
    Command("undo", "CHG-42", "plan a change back to the earlier values"),
    Command("list", "mine failed", "list changes, newest first; `list scheduled` shows what starts later"),
    Command("find", "+13035550100", "show one number: its current values, its lock, and every change of it"),
    Command("sheet", "update", "send an empty sheet to fill in and upload in the form", former=("template",)),
    Command("values", "", "send the current values of numbers as a sheet to edit and upload"),
    Command("templates", "", "list templates, which are saved changes, to run or delete them"),
    Command("run", "NAME", "open the form with a template"),
    Command(
        "delegate",
        "@max until Mon 08:00",
        "let somebody approve for you until a time; without arguments, list and end delegations",
    ),
    Command("locks", "", "show which changes hold which numbers"),
    Command("unlock", "CHG-42", "stop a change and release its numbers", operators=True),
    Command("freeze", "REASON", "send nothing more to the providers", operators=True),
    Command("unfreeze", "", "lift the freeze; what waits continues", operators=True),
    Command(
        "resolve",
        "CHG-42",
        "resolve a job creation without a response, a stalled job, or a read-back that does not end",
        former=("settle",),
        operators=True,
    ),
    Command("export", "2026-11-01 2026-12-01 csv", "send the audit log of these days as a file", operators=True),
    Command("help", "", "show this"),
)


def command_for(word: str) -> Command | None:
    """Return the command for ``word``, in lower case, by its current name or an earlier one."""
    return next((command for command in COMMANDS if word == command.word or word in command.former), None)


def nearest(word: str, kinds: Sequence[Kind]) -> str | None:
    """Return the word probably meant by the unknown ``word``; None if none is similar."""
    known = [*(command.word for command in COMMANDS), *(kind.command for kind in kinds)]
    return next(iter(get_close_matches(word, known, n=1, cutoff=0.6)), None)


def usage_hint(kinds: Sequence[str] = ("update", "emergency", "delete", "close")) -> str:
    """Return Slack's hint while somebody types the command: at most 1,000 characters."""
    return " | ".join([*kinds, *(command.usage for command in COMMANDS)])
