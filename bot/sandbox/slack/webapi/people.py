"""users.*, usergroups.*, bots.info, team.info, reactions.add: who is who."""

from __future__ import annotations

from bot.sandbox.slack.records import Json, Profile, Usergroup
from bot.sandbox.slack.refusal import Refusal
from bot.sandbox.slack.webapi.arguments import Arguments, page
from bot.sandbox.slack.webapi.places import joined
from bot.sandbox.slack.workspace import APP, BOT, BOT_USER, ENTERPRISE, TEAM, TEAM_DOMAIN, Workspace


def user_json(ws: Workspace, profile: Profile) -> Json:
    """Return a person as Slack shows them; the address only with users:read.email."""
    home = profile.foreign_team or (profile.grid_teams[0] if profile.grid_teams else TEAM)
    shown: Json = {
        "id": profile.id,
        "name": profile.name.lower().replace(" ", "."),
        "deleted": profile.deleted,
        "profile": {"real_name": profile.name, "display_name": profile.name, "team": home},
        "is_bot": profile.is_bot,
        "is_app_user": False,
    }
    if profile.email and "users:read.email" in ws.scopes:
        shown["profile"]["email"] = profile.email
    if not profile.teamless:
        shown["team_id"] = home
    if profile.grid_teams is not None:
        shown["enterprise_user"] = {
            "id": profile.id,
            "enterprise_id": ENTERPRISE,
            "enterprise_name": "Linesman sandbox organisation",
            "is_admin": False,
            "is_owner": False,
            "teams": [*profile.grid_teams, TEAM],
        }
    if profile.foreign_team or profile.stranger:
        shown["is_stranger"] = True
    if profile.invited:
        shown["is_invited_user"] = True
    if profile.deleted:
        return shown
    return shown | {
        "real_name": profile.name,
        "tz": profile.tz,
        "is_admin": profile.admin,
        "is_owner": False,
        "is_primary_owner": False,
        "is_restricted": profile.guest,
        "is_ultra_restricted": False,
    }


def users_info(ws: Workspace, arguments: Arguments) -> Json:
    """users.info."""
    profile = ws.people.get(arguments.required("user"))
    if profile is None:
        raise Refusal("user_not_found")
    return {"user": user_json(ws, profile)}


def users_list(ws: Workspace, arguments: Arguments) -> Json:
    """users.list."""
    everyone = [user_json(ws, profile) for profile in ws.people.values()]
    shown, cursor = page(everyone, arguments, most=1000, default=1000)
    return {"members": shown, "cache_ts": ws.unix_now(), "response_metadata": {"next_cursor": cursor}}


def _active(ws: Workspace, group: Usergroup) -> list[str]:
    """Slack drops deactivated people from a group's list."""
    return [each for each in group.members if each in ws.people and not ws.people[each].deleted]


def usergroups_list(ws: Workspace, arguments: Arguments) -> Json:
    """usergroups.list."""
    shown = [
        {
            "id": group.id,
            "team_id": TEAM,
            "is_usergroup": True,
            "name": group.handle.title(),
            "handle": group.handle,
            "date_delete": ws.unix_now() if group.disabled else 0,
            **({"users": _active(ws, group)} if arguments.flag("include_users") else {}),
            **({"user_count": len(_active(ws, group))} if arguments.flag("include_count") else {}),
        }
        for group in ws.usergroups.values()
        if not group.disabled or arguments.flag("include_disabled")
    ]
    return {"usergroups": shown}


def usergroup_users(ws: Workspace, arguments: Arguments) -> Json:
    """usergroups.users.list."""
    group = ws.usergroups.get(arguments.required("usergroup"))
    if group is None:
        raise Refusal("no_such_subteam")
    if group.disabled and not arguments.flag("include_disabled"):
        raise Refusal("subteam_disabled")
    return {"users": _active(ws, group)}


def bots_info(ws: Workspace, arguments: Arguments) -> Json:
    """bots.info."""
    if arguments.text("bot") not in (None, BOT):
        raise Refusal("bot_not_found")
    return {
        "bot": {
            "id": BOT,
            "deleted": False,
            "name": ws.people[BOT_USER].name,
            "app_id": APP,
            "user_id": BOT_USER,
            "updated": ws.unix_now(),
        }
    }


def team_info(ws: Workspace, arguments: Arguments) -> Json:
    """team.info."""
    if arguments.text("team") not in (None, TEAM):
        raise Refusal("team_not_found")
    domain = f"{TEAM_DOMAIN}.slack.com" if ws.origin else TEAM_DOMAIN
    return {"team": {"id": TEAM, "name": "Linesman sandbox", "domain": TEAM_DOMAIN, "url": f"https://{domain}/"}}


def add_reaction(ws: Workspace, arguments: Arguments) -> Json:
    """reactions.add."""
    channel = joined(ws, arguments.required("channel"))
    message = ws.message(channel.id, arguments.required("timestamp"))
    if message is None:
        raise Refusal("message_not_found")
    users = message.reactions.setdefault(arguments.required("name"), [])
    if BOT_USER in users:
        raise Refusal("already_reacted")
    users.append(BOT_USER)
    ws.journal.touch()
    return {}
