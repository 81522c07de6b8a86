"""api.test and auth.test."""

from __future__ import annotations

from bot.sandbox.slack.records import Json
from bot.sandbox.slack.refusal import Refusal
from bot.sandbox.slack.webapi.arguments import Arguments
from bot.sandbox.slack.workspace import BOT, BOT_USER, TEAM, TEAM_DOMAIN, Workspace


def api_test(_: Workspace, arguments: Arguments) -> Json:
    """api.test: echoes its arguments, or the error that it was asked for."""
    error = arguments.text("error")
    if error:
        raise Refusal(error, args=arguments.raw)
    return {"args": arguments.raw}


def auth_test(ws: Workspace, _: Arguments) -> Json:
    """auth.test; the granted scopes ride in the x-oauth-scopes header."""
    return {
        "url": f"https://{TEAM_DOMAIN}.slack.com/",
        "team": "Linesman sandbox",
        "user": ws.people[BOT_USER].name,
        "team_id": TEAM,
        "user_id": BOT_USER,
        "bot_id": BOT,
        "is_enterprise_install": False,
    }
