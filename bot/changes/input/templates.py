"""Changes saved under a name for reuse: what is kept, and what of it still fits when it is used."""

from __future__ import annotations

import html
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bot.changes.input.times import counts_from_now, end_time
from bot.changes.model.draft import Draft
from bot.changes.model.kinds import Kind
from bot.changes.model.values import Secret
from bot.changes.text.characters import is_blank
from bot.errors import InputError

#: Longest name, in characters.
NAME_LENGTH: Final = 60
#: The form's field with the name.
NAME: Final = "name"


@dataclass(frozen=True, kw_only=True, slots=True)
class TemplateContent:
    """A kind, settings and a target under a name that is unique in the workspace, ignoring case."""

    name: str
    #: Slack user id of the person who saved it last.
    owner: str
    #: The content of the form. Never a secret, and no reason: that is given again each time.
    draft: Draft
    #: Names of the secret settings that the change had and the template does not.
    left_out: tuple[str, ...]
    #: How many numbers the draft lists one by one.
    numbers: int
    saved_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Template(TemplateContent):
    """Saved content."""

    id: int
    #: Counts up when the template is replaced under the same name.
    version: int


def read_name(text: str) -> str:
    """Return the typed name; raises :class:`bot.errors.InputError` with what is wrong with it."""
    name = " ".join("".join(c if c.isprintable() else " " for c in html.unescape(text)).split())
    if is_blank(name):
        raise InputError({NAME: "Give it a name by which everybody can find it."})
    if len(name) > NAME_LENGTH:
        raise InputError({NAME: f"Keep the name under {NAME_LENGTH} characters; this has {len(name)}."})
    return name


def key_of(name: str) -> str:
    """Return a key that is equal for two names that differ only in case."""
    return name.casefold()


def kept(draft: Draft, kind: Kind | None) -> tuple[Draft, tuple[str, ...]]:
    """Return what a template keeps of ``draft``, and the names of the secret settings that it leaves out.

    Everything kept is named here, so that new parts of a draft stay out of templates by default. The end of a temporary
    change is kept only as a length: a time of day would mean another end, or have passed.
    """
    secret = {name for name, value in draft.typed.items() if isinstance(value, Secret)}
    if kind is not None:
        secret |= {name for name in draft.chosen if name in kind.by_name and kind.setting(name).secret}
    template = Draft(
        kind=draft.kind,
        pasted=tuple(box for box in draft.pasted if box.strip()),
        chosen=tuple(name for name in draft.chosen if name not in secret),
        typed={name: value for name, value in draft.typed.items() if name not in secret},
        picked={name: label for name, label in draft.picked.items() if name not in secret},
        ways={name: way for name, way in draft.ways.items() if name not in secret},
        filters=dict(draft.filters),
        excluded=draft.excluded,
        canary=draft.canary,
        pause=draft.pause,
        threshold=draft.threshold,
        until=draft.until if counts_from_now(end_time(draft.until)) else "",
    )
    return template, tuple(sorted(secret))


def fitted(template: Template, kind: Kind | None, ways: Collection[str]) -> tuple[Draft, list[str]]:
    """Return what can be filled in from the template today, and a sentence about each part that cannot.

    ``kind`` is None when the kind no longer exists; ``ways`` are the filters that its form offers. When one condition
    of a filter is no longer available, none is filled in: without it, the others would match more numbers.
    """
    draft = template.draft
    if kind is None:
        notes = [f"Changes of the kind {draft.kind} are no longer available; only the numbers are filled in."]
        return Draft(kind="", pasted=draft.pasted, excluded=draft.excluded), notes
    notes = []
    names = {*draft.chosen, *draft.typed}
    if gone := sorted(names - kind.by_name.keys()):
        notes.append(f"Settings that no longer exist are left out: {', '.join(gone)}.")
    if template.left_out:
        labels = [kind.setting(name).label if name in kind.by_name else name for name in template.left_out]
        notes.append(f"Secrets are never stored in a template; choose and enter them again: {', '.join(labels)}.")
    filters = dict(draft.filters)
    if lost := [key for key in draft.filters if key not in ways]:
        filters = {}
        notes.append(
            f"The filter is left out, because one of its conditions no longer exists ({', '.join(lost)}): "
            "without it, the filter would match more numbers than intended."
        )
    fitting = Draft(
        kind=kind.name,
        pasted=draft.pasted,
        chosen=tuple(name for name in draft.chosen if name in kind.by_name),
        typed={name: value for name, value in draft.typed.items() if name in kind.by_name},
        picked=dict(draft.picked),
        ways={name: way for name, way in draft.ways.items() if name in kind.by_name},
        filters=filters,
        excluded=draft.excluded,
        canary=draft.canary,
        pause=draft.pause,
        threshold=draft.threshold,
        until="" if kind.removes else draft.until,
    )
    return fitting, notes
