"""What Slack makes of an acknowledgement's body: a reply to a command, a step of a modal, the options of a menu."""

from __future__ import annotations

from bot.sandbox.slack.blocks import option_problems
from bot.sandbox.slack.forms import all_options
from bot.sandbox.slack.modal import View
from bot.sandbox.slack.records import Delivery, Json
from bot.sandbox.slack.refusal import Refusal
from bot.sandbox.slack.responses import show
from bot.sandbox.slack.webapi.views import checked_view
from bot.sandbox.slack.workspace import Workspace

#: what a person reads in a modal whose app did not answer properly
TROUBLE = "We had some trouble connecting. Try again?"


def command_reply(ws: Workspace, delivery: Delivery) -> None:
    """Show the body of a command's acknowledgement: plain text or JSON, ephemeral unless it says otherwise."""
    if delivery.error is not None or not delivery.body:
        return
    link = ws.links[str(delivery.payload["response_url"]).rpartition("/")[2]]
    body = delivery.answer if delivery.answer is not None else {"text": delivery.body}
    try:
        show(ws, link, body, method="slash command reply")
    except Refusal as refusal:
        ws.journal.complain(f"the reply to {delivery.payload['command']} was refused: {refusal.body()}")


def no_body(ws: Workspace, delivery: Delivery) -> None:
    """Complain of a body where Slack ignores it."""
    if delivery.error is None and delivery.body not in ("", "{}"):
        ws.journal.complain(
            f"the acknowledgement of {delivery.kind} had a body, which Slack ignores: {delivery.body[:200]}"
        )


def submission_errors(ws: Workspace, view: View, delivery: Delivery) -> dict[str, str] | None:
    """Apply the acknowledgement of a submission; return the errors that it put on inputs.

    An unusable body is a complaint, and ``delivery.error`` becomes the sentence that the person reads.
    """
    if delivery.error is not None:
        return None
    body = delivery.answer
    if not delivery.body or body == {}:
        ws.views.pop(view)
        ws.journal.touch()
        return None
    try:
        return _respond(ws, view, body)
    except Refusal as refusal:
        delivery.error = TROUBLE
        ws.journal.complain(f"the acknowledgement of view_submission was refused: {refusal.body()}")
        return None


def _respond(ws: Workspace, view: View, body: Json | None) -> dict[str, str] | None:
    match (body or {}).get("response_action"):
        case "errors":
            view.errors = _errors(view, (body or {}).get("errors"))
            ws.journal.touch()
            return dict(view.errors)
        case "update":
            content = checked_view((body or {}).get("view"), "modal")
            ws.views.update(view, content)
        case "push":
            ws.views.push(view.user, checked_view((body or {}).get("view"), "modal"))
        case "clear":
            ws.views.clear(view.user)
        case other:
            raise Refusal(f"response_action {other!r} is not errors, update, push or clear")
    ws.journal.touch()
    return None


def _errors(view: View, raw: object) -> dict[str, str]:
    inputs = {block["block_id"] for block in view.blocks if block["type"] == "input"}
    if not isinstance(raw, dict) or not raw:
        raise Refusal("errors must be an object of block ids and sentences")
    strangers = sorted(set(raw) - inputs)
    if strangers:
        raise Refusal(f"errors name blocks that are not inputs of the view: {', '.join(strangers)}")
    if not all(isinstance(text, str) and text for text in raw.values()):
        raise Refusal("each error must be a sentence")
    return dict(raw)


def suggestions(ws: Workspace, delivery: Delivery) -> list[Json]:
    """Return the options that the app offers; an unusable answer offers none and is a complaint."""
    if delivery.error is not None:
        return []
    body = delivery.answer or {}
    problems = option_problems(body)
    if problems:
        ws.journal.complain(f"the answer to block_suggestion was refused: {'; '.join(map(str, problems))}")
        return []
    return all_options(body)
