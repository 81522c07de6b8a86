"""Views: each person's stack of modals and their Home tab, with the rules of docs.slack.dev/surfaces/modals."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from bot.sandbox.slack.elements import with_ids
from bot.sandbox.slack.forms import Form
from bot.sandbox.slack.records import Json
from bot.sandbox.slack.refusal import Refusal

STACK_LIMIT = 3
#: what an app sends of a view; all else is Slack's
CONTENT = (
    "type",
    "blocks",
    "private_metadata",
    "callback_id",
    "title",
    "close",
    "submit",
    "clear_on_close",
    "notify_on_close",
    "submit_disabled",
    "external_id",
)


@dataclass(kw_only=True, eq=False)
class View:
    """A modal or a Home tab as it stands now; it changes in place when it is updated."""

    id: str
    user: str
    content: Json
    hash: str
    form: Form
    root_id: str
    previous_id: str | None = None
    closed: bool = False
    #: input block id -> what the app said is wrong, until the next submission or update
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """``modal`` or ``home``."""
        return str(self.content["type"])

    @property
    def blocks(self) -> list[Json]:
        """The blocks, each with its id."""
        blocks: list[Json] = self.content["blocks"]
        return blocks

    @property
    def title(self) -> str:
        """The title's text; empty for a Home tab."""
        return str((self.content.get("title") or {}).get("text", ""))

    @property
    def callback_id(self) -> str:
        """The app's name for the view."""
        return str(self.content.get("callback_id", ""))

    @property
    def private_metadata(self) -> str:
        """What the app keeps in the view."""
        return str(self.content.get("private_metadata", ""))

    @property
    def external_id(self) -> str:
        """The app's own unique id of the view; empty when it gave none."""
        return str(self.content.get("external_id", ""))

    @property
    def values(self) -> Json:
        """``state.values``: what the person typed and chose so far."""
        return self.form.values

    def replace(self, content: Json) -> None:
        """Show new content, keeping what was typed where block and action ids stayed."""
        self.content = normalised(content)
        self.form.rebuild(self.blocks)
        self.errors = {}
        self.hash = new_hash()


def new_hash() -> str:
    """Return the hash that marks one state of a view."""
    return f"{secrets.randbelow(10**10)}.{secrets.token_hex(4)}"


def normalised(content: Json) -> Json:
    """Return a view's content with every key that Slack fills in and every id that it gives."""
    view: Json = {
        "private_metadata": "",
        "callback_id": "",
        "external_id": "",
        "title": None,
        "close": None,
        "submit": None,
        "clear_on_close": False,
        "notify_on_close": False,
        **{key: content[key] for key in CONTENT if content.get(key) is not None},
    }
    view["blocks"] = with_ids(content.get("blocks", []))
    return view


class ViewBook:
    """Every open view of every person."""

    def __init__(self) -> None:
        self.stacks: dict[str, list[View]] = {}
        self.homes: dict[str, View] = {}
        self._by_id: dict[str, View] = {}
        self._external: dict[str, str] = {}

    def top(self, user: str) -> View | None:
        """Return the modal that the person sees, or None."""
        stack = self.stacks.get(user)
        return stack[-1] if stack else None

    def find(self, *, view_id: str | None = None, external_id: str | None = None) -> View:
        """Return an open view; raises Refusal ``not_found`` when it was closed or never was."""
        if view_id is None and external_id is not None:
            view_id = self._external.get(external_id)
        view = self._by_id.get(view_id or "")
        if view is None or view.closed:
            raise Refusal("not_found")
        return view

    def open(self, user: str, content: Json) -> View:
        """Show a modal as the first of a new stack."""
        self._claim(content, None)
        self.clear(user)
        return self._add(user, content, previous=None)

    def push(self, user: str, content: Json) -> View:
        """Show a modal on top of the open ones; raises Refusal at the limit of three."""
        stack = self.stacks.get(user, [])
        if not stack:
            raise Refusal("not_found")
        if len(stack) >= STACK_LIMIT:
            raise Refusal("push_limit_reached")
        self._claim(content, None)
        return self._add(user, content, previous=stack[-1])

    def update(self, view: View, content: Json, expected_hash: str | None = None) -> None:
        """Replace an open view's content; raises Refusal ``hash_conflict`` when it changed meanwhile."""
        if expected_hash is not None and expected_hash != view.hash:
            raise Refusal("hash_conflict")
        self._claim(content, view)
        view.replace(content)

    def publish(self, user: str, content: Json, expected_hash: str | None = None) -> View:
        """Show a Home tab."""
        home = self.homes.get(user)
        if home is None:
            self._claim(content, None)
            return self._add(user, content, previous=None)
        self.update(home, content, expected_hash)
        return home

    def pop(self, view: View) -> None:
        """Close one view; the one below shows again."""
        stack = self.stacks.get(view.user, [])
        if view in stack:
            stack.remove(view)
        view.closed = True

    def clear(self, user: str) -> None:
        """Close the person's whole stack."""
        for view in self.stacks.pop(user, []):
            view.closed = True

    def _add(self, user: str, content: Json, previous: View | None) -> View:
        ready = normalised(content)
        view_id = "V0" + secrets.token_hex(5).upper()
        view = View(
            id=view_id,
            user=user,
            content=ready,
            hash=new_hash(),
            form=Form(ready["blocks"]),
            root_id=previous.root_id if previous else view_id,
            previous_id=previous.id if previous else None,
        )
        if view.kind == "home":
            self.homes[user] = view
        else:
            self.stacks.setdefault(user, []).append(view)
        self._by_id[view.id] = view
        if view.external_id:
            self._external[view.external_id] = view.id
        return view

    def _claim(self, content: Json, owner: View | None) -> None:
        external_id = content.get("external_id")
        if not external_id:
            return
        holder = self._external.get(external_id)
        if holder is not None and (owner is None or holder != owner.id):
            raise Refusal("duplicate_external_id")
        if owner is not None:
            self._external[external_id] = owner.id
