"""What an update may do to a number: whose number it is, who asks, and whether what it names is there.

Close's page has had four revisions (providers/close/API.md, "Revisions of the page"). Where they differ this is the
strictest of them: somebody else's personal number cannot be updated at all, group numbers need the permission, and
without it the only user on a number may change its label, voicemail greeting and forwarding, but nothing else. Members,
groups and further numbers belong to group numbers.
"""

from __future__ import annotations

from typing import Final

from bot.sandbox.close.account import Account
from bot.sandbox.close.errors import REQUIRED, invalid, not_permitted, not_yours
from bot.sandbox.close.records import Number
from bot.sandbox.provider.errors import JsonObject

#: What the only user on a number may change without the permission.
OWN: Final = frozenset({"label", "voicemail_greeting_url", "forward_to", "forward_to_enabled"})
OF_GROUP_NUMBERS: Final = ("participants", "participant_groups", "phone_numbers")
MOST_GROUPS: Final = 40


def check_update(number: Number, settings: JsonObject, account: Account) -> None:
    """Let an update pass, or refuse it.

    Raises:
        RefusedError: 403 when the acting user may not; 400 with field errors when the settings do not fit the number
            or name a user or group that is not there.

    """
    if number.owner not in (None, account.me.id):
        raise not_yours()
    own = account.sole_member(number) == account.me.id and settings.keys() <= OWN
    if not account.may_manage and not own:
        raise not_permitted(account.permission)
    errors = _misfits(number, settings) | _strangers(settings, account)
    if errors:
        raise invalid(errors)


def _misfits(number: Number, settings: JsonObject) -> JsonObject:
    """Return what is wrong between the settings and the number.

    That forwarding needs a target is our reading: the alternative is a number that forwards to nowhere.
    """
    errors: JsonObject = {}
    if not number.is_group_number:
        errors |= {name: "Only group numbers have this setting." for name in OF_GROUP_NUMBERS if name in settings}
    if settings.get("forward_to_enabled") and not settings.get("forward_to", number.forward_to):
        errors["forward_to"] = REQUIRED
    return errors


def _strangers(settings: JsonObject, account: Account) -> JsonObject:
    errors: JsonObject = {}
    users, groups = _ids(settings, "participants"), _ids(settings, "participant_groups")
    if (user := account.strange_user(users)) is not None:
        errors["participants"] = f"{user} is not a user of your organization."
    if len(set(groups)) > MOST_GROUPS:
        errors["participant_groups"] = f"List should have at most {MOST_GROUPS} items, not {len(set(groups))}"
    elif (group := account.strange_group(groups)) is not None:
        errors["participant_groups"] = f"{group} is not a Group of your organization."
    return errors


def _ids(settings: JsonObject, name: str) -> list[str]:
    value = settings.get(name, [])
    return list(value) if isinstance(value, list) else []
