"""What a person typed into the form, and the earlier change that it may stand on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from bot.changes.model.values import EditMode, Secret, Value


@dataclass(frozen=True, kw_only=True, slots=True)
class Upload:
    """A file that somebody uploaded to Slack. Its content stays there and is fetched when it is needed."""

    #: Slack's id of the file. A file never changes under its id.
    id: str
    name: str


class FollowUp(Enum):
    """In which way a change stands on an earlier one."""

    RETRY = "retry"  #: gives the same to the numbers that did not get it
    UNDO = "undo"  #: gives back what the changed numbers had before
    EXTEND = "extend"  #: asks for a later end of a temporary change, of which it is a part
    RESTORE = "restore"  #: the same, at the end of a temporary change; it is part of that change


@dataclass(frozen=True, kw_only=True, slots=True)
class Base:
    """The earlier change that a change stands on; its numbers are meant, with values of their own."""

    change: int
    what: FollowUp


@dataclass(frozen=True, kw_only=True, slots=True)
class Draft:
    """What a person typed into the form, exactly; kept so that nothing typed is ever lost."""

    kind: str
    #: The number boxes, as typed.
    pasted: tuple[str, ...] = ()
    #: Names of the settings chosen for change.
    chosen: tuple[str, ...] = ()
    #: Setting name -> what was typed or picked; secrets are sealed before they get here.
    typed: Mapping[str, Value] = field(default_factory=dict)
    #: Setting name -> what the picked id was called, to show the form again as it was.
    picked: Mapping[str, str] = field(default_factory=dict)
    #: Setting name -> what the typed entries do to a list, where they do not replace it.
    ways: Mapping[str, EditMode] = field(default_factory=dict)
    #: The sheet that was uploaded; None when there is none.
    sheet: Upload | None = None
    #: The change that this one stands on; None when it stands on none.
    base: Base | None = None
    reason: str = ""
    #: Filter, as ``name`` or ``name[operator]`` -> what was typed or picked. A chosen one stays here when it is blank.
    filters: Mapping[str, str] = field(default_factory=dict)
    #: Numbers that the change is not to touch, as typed.
    excluded: str = ""
    #: Numbers and ids that the requester chose to leave out with one click, after seeing why they cannot be changed.
    left_out: tuple[str, ...] = ()
    #: Numbers and ids that could not be changed at the end of a temporary change: what restores the others leaves them
    #: to another restore.
    postponed: tuple[str, ...] = ()
    #: Headings of the sheet's columns that are not known, which the requester chose to leave out after seeing them.
    columns_left_out: tuple[str, ...] = ()
    #: When it is to start, as typed; empty for as soon as it may.
    start: str = ""
    #: The requester's time zone when they typed that; empty where neither start nor end was typed.
    zone: str = ""
    #: The canary, or the waves, as typed; empty for all numbers together.
    canary: str = ""
    #: What comes between two waves, and how much of one may go wrong before it pauses, as typed.
    pause: str = ""
    threshold: str = ""
    #: When each number is to get back what it has now, as typed, in the same zone; empty for never.
    until: str = ""

    @property
    def holds_secrets(self) -> bool:
        """Whether a secret rests in it that can still be opened."""
        return any(isinstance(value, Secret) and value.sealed for value in self.typed.values())
