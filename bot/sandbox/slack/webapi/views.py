"""views.*: modals and the Home tab."""

from __future__ import annotations

import json

from bot.sandbox.slack.blocks import view_problems
from bot.sandbox.slack.modal import View
from bot.sandbox.slack.payloads import view_json
from bot.sandbox.slack.records import Json
from bot.sandbox.slack.refusal import Refusal, invalid_arguments
from bot.sandbox.slack.triggers import Trigger
from bot.sandbox.slack.webapi.arguments import Arguments
from bot.sandbox.slack.workspace import Workspace

LARGEST_VIEW = 250_000


def checked_view(raw: object, kind: str) -> Json:
    """Return a view's content; raises Refusal for what Block Kit forbids."""
    if not isinstance(raw, dict):
        raise invalid_arguments("must be an object [json-pointer:/view]")
    if raw.get("type") != kind:
        raise invalid_arguments(f"must be of type {kind} [json-pointer:/view/type]")
    if len(json.dumps(raw, ensure_ascii=False).encode()) > LARGEST_VIEW:
        raise Refusal("view_too_large")
    problems = view_problems(raw)
    if problems:
        raise invalid_arguments(*(str(problem) for problem in problems))
    return raw


def _trigger(ws: Workspace, arguments: Arguments) -> Trigger:
    given = arguments.text("trigger_id") or arguments.text("interactivity_pointer")
    if not given:
        raise invalid_arguments("missing required field: trigger_id [json-pointer:/trigger_id]")
    return ws.triggers.check(given)


def _shown(ws: Workspace, view: View) -> Json:
    ws.journal.touch()
    return {"view": view_json(view)}


def open_view(ws: Workspace, arguments: Arguments) -> Json:
    """views.open."""
    trigger = _trigger(ws, arguments)
    view = checked_view(arguments.parsed("view"), "modal")
    if trigger.root_view is not None and ws.views.top(trigger.user) is not None:
        ws.journal.complain("views.open from inside an open modal; views.push or views.update is meant for that")
    shown = ws.views.open(trigger.user, view)
    trigger.used = True
    return _shown(ws, shown)


def push(ws: Workspace, arguments: Arguments) -> Json:
    """views.push: the trigger must come from inside the open modal."""
    trigger = _trigger(ws, arguments)
    view = checked_view(arguments.parsed("view"), "modal")
    top = ws.views.top(trigger.user)
    if trigger.root_view is None or top is None or top.root_id != trigger.root_view:
        raise Refusal("invalid_trigger_id")
    shown = ws.views.push(trigger.user, view)
    trigger.used = True
    return _shown(ws, shown)


def update(ws: Workspace, arguments: Arguments) -> Json:
    """views.update: by view_id or external_id; no deadline."""
    view_id, external_id = arguments.text("view_id"), arguments.text("external_id")
    if bool(view_id) == bool(external_id):
        raise invalid_arguments("exactly one of view_id and external_id is required [json-pointer:/view_id]")
    view = ws.views.find(view_id=view_id, external_id=external_id)
    content = checked_view(arguments.parsed("view"), view.kind)
    ws.views.update(view, content, arguments.text("hash"))
    return _shown(ws, view)


def publish(ws: Workspace, arguments: Arguments) -> Json:
    """views.publish: a person's Home tab."""
    user = arguments.required("user_id")
    if not ws.home_enabled:
        raise Refusal("not_enabled")
    if user not in ws.people:
        raise invalid_arguments("user_id is not a user of this workspace [json-pointer:/user_id]")
    content = checked_view(arguments.parsed("view"), "home")
    return _shown(ws, ws.views.publish(user, content, arguments.text("hash")))
