"""The form as a person filled it in, and the earlier change that it may be based on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from bot.changes.model.values import EditMode, Secret, Value


@dataclass(frozen=True, kw_only=True, slots=True)
class Upload:
    """A file that somebody uploaded to Slack. Its content stays there and is fetched when needed."""

    #: Slack's id of the file. A file never changes under its id.
    id: str
    name: str


class FollowUp(Enum):
    """How a change is based on an earlier one."""

    RETRY = "retry"  #: gives the same to the numbers that did not get it
    UNDO = "undo"  #: gives the changed numbers their earlier values back
    EXTEND = "extend"  #: asks for a later end of a temporary change, and is a part of it
    RESTORE = "restore"  #: the same, at the end of a temporary change; it is part of that change


@dataclass(frozen=True, kw_only=True, slots=True)
class Base:
    """The earlier change that a change is based on; it supplies the numbers, with values of their own."""

    change: int
    what: FollowUp


@dataclass(frozen=True, kw_only=True, slots=True)
class Draft:
    """Exactly what a person typed into the form, kept so that nothing typed is ever lost."""

    kind: str
    #: The number boxes, as typed.
    pasted: tuple[str, ...] = ()
    #: Names of the settings chosen for change.
    chosen: tuple[str, ...] = ()
    #: Setting name -> what was typed or picked; secrets are sealed before they get here.
    typed: Mapping[str, Value] = field(default_factory=dict)
    #: Setting name -> the name of the picked id, to show the form again as it was.
    picked: Mapping[str, str] = field(default_factory=dict)
    #: Setting name -> what the typed entries do to a list, if they do not replace it.
    ways: Mapping[str, EditMode] = field(default_factory=dict)
    #: The uploaded sheet; None without one.
    sheet: Upload | None = None
    #: The change that this one is based on; None without one.
    base: Base | None = None
    reason: str = ""
    #: Filter, as ``name`` or ``name[operator]`` -> what was typed or picked. A chosen filter stays here when it is
    #: blank.
    filters: Mapping[str, str] = field(default_factory=dict)
    #: Numbers that the change is not to touch, as typed.
    excluded: str = ""
    #: Numbers and ids that the requester chose to leave out with one click, after seeing why they cannot be changed.
    left_out: tuple[str, ...] = ()
    #: Numbers and ids that could not be changed at the end of a temporary change: this restore leaves them to a later
    #: one.
    postponed: tuple[str, ...] = ()
    #: Headings of unknown columns in the sheet, which the requester chose to leave out.
    columns_left_out: tuple[str, ...] = ()
    #: When it is to start, as typed; empty for as soon as possible.
    start: str = ""
    #: The requester's time zone when they typed that; empty where neither start nor end was typed.
    zone: str = ""
    #: The canary, or the waves, as typed; empty for all numbers together.
    canary: str = ""
    #: What comes between two waves, and how much of one may go wrong before a pause, as typed.
    pause: str = ""
    threshold: str = ""
    #: When each number is to get its current values back, as typed, in the same zone; empty for never.
    until: str = ""

    @property
    def holds_secrets(self) -> bool:
        """Whether it holds a secret that can still be opened."""
        return any(isinstance(value, Secret) and value.sealed for value in self.typed.values())
