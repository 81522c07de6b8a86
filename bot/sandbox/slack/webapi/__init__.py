"""The Web API: one module for each family of methods, and the table of them all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from bot.sandbox.slack.records import Json
from bot.sandbox.slack.refusal import Refusal
from bot.sandbox.slack.webapi import basics, chat, conversations, files, people, views
from bot.sandbox.slack.webapi.arguments import Arguments
from bot.sandbox.slack.workspace import Workspace

__all__ = ["METHODS", "Arguments", "Method", "answer"]


@dataclass(frozen=True)
class Method:
    """How one method is served."""

    handler: Callable[[Workspace, Arguments], Json]
    #: one of these scopes is needed; empty when none is
    scopes: tuple[str, ...] = ()


READ = ("channels:read", "groups:read", "im:read")
HISTORY = ("channels:history", "groups:history", "im:history")

METHODS: Mapping[str, Method] = MappingProxyType(
    {
        "api.test": Method(basics.api_test),
        "auth.test": Method(basics.auth_test),
        "bots.info": Method(people.bots_info, ("users:read",)),
        "chat.delete": Method(chat.delete, ("chat:write",)),
        "chat.getPermalink": Method(chat.get_permalink),
        "chat.postEphemeral": Method(chat.post_ephemeral, ("chat:write",)),
        "chat.postMessage": Method(chat.post_message, ("chat:write",)),
        "chat.update": Method(chat.update, ("chat:write",)),
        "conversations.history": Method(conversations.history, HISTORY),
        "conversations.info": Method(conversations.info, READ),
        "conversations.members": Method(conversations.members, READ),
        "conversations.open": Method(conversations.open_dm, ("im:write",)),
        "conversations.replies": Method(conversations.replies, HISTORY),
        "files.completeUploadExternal": Method(files.complete_upload, ("files:write",)),
        "files.getUploadURLExternal": Method(files.get_upload_url, ("files:write",)),
        "files.info": Method(files.files_info, ("files:read",)),
        "reactions.add": Method(people.add_reaction, ("reactions:write",)),
        "team.info": Method(people.team_info, ("team:read",)),
        "usergroups.list": Method(people.usergroups_list, ("usergroups:read",)),
        "usergroups.users.list": Method(people.usergroup_users, ("usergroups:read",)),
        "users.info": Method(people.users_info, ("users:read",)),
        "users.list": Method(people.users_list, ("users:read",)),
        "views.open": Method(views.open_view),
        "views.publish": Method(views.publish),
        "views.push": Method(views.push),
        "views.update": Method(views.update),
    }
)


def answer(ws: Workspace, name: str, token: str, arguments: Arguments) -> Json:
    """Carry out a method of the bot token; raises Refusal as Slack does."""
    method = METHODS.get(name)
    if method is None:
        raise Refusal("unknown_method", req_method=name)
    if name != "api.test":
        _authorise(ws, method, token)
    return {"ok": True, **method.handler(ws, arguments)}


def _authorise(ws: Workspace, method: Method, token: str) -> None:
    if not token:
        raise Refusal("not_authed")
    if token == ws.app_token:
        raise Refusal("not_allowed_token_type")
    if token != ws.bot_token:
        raise Refusal("invalid_auth")
    if method.scopes and not ws.scopes.intersection(method.scopes):
        raise Refusal("missing_scope", needed=method.scopes[0], provided=",".join(sorted(ws.scopes)))
