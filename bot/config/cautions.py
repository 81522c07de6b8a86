"""Settings that are allowed but probably not meant."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import make_url

from bot.config.fields import MAKE_A_KEY, SIGNING_SECRET
from bot.config.policy import rule_cautions, variable_cautions
from bot.config.settings import Settings

#: Seconds below which a variable is allowed, for example in tests, but probably not meant -> the effect.
_SHORT = {
    "poll_min": (1, "the provider is asked about each job more than once a second, and slows everything down for that"),
    "provider_timeout": (5, "slower responses count as lost, and Linesman must find out what they were about"),
    "reconcile_seconds": (20, "a job creation without a response may be given up before the provider lists its job"),
    "stuck_after": (60, "operators are told of jobs that are only slow"),
    "card_seconds": (1, "Slack takes about one edit a second in a channel, and lets everything else wait for that"),
}


def cautions_of(settings: Settings) -> tuple[str, ...]:
    """Return one sentence for each setting that is allowed but probably not meant."""
    policies = settings.policies
    of_rules = () if settings.policy_file is None else rule_cautions(settings.policy_file, policies)
    return (*variable_cautions(policies), *of_rules, *_risks(settings), *_odd_values(settings))


def _risks(settings: Settings) -> Iterator[str]:
    if not settings.secret_keys:
        yield (
            f"LINESMAN_SECRET_KEY is not set: secret settings (the external PIN) are not offered. "
            f"Make a key with `{MAKE_A_KEY}`."
        )
    if make_url(settings.database_url.get_secret_value()).database in {None, "", ":memory:"}:
        yield "DATABASE_URL names no file and no database: everything is forgotten when Linesman stops."
    if settings.socket_mode and settings.host not in {"127.0.0.1", "::1", "localhost"}:
        yield (
            f"HOST is {settings.host} in Socket Mode: whoever reaches this port can read health and metrics. "
            "Unset HOST unless a probe or a scraper needs it."
        )
    if settings.close_access_token is not None:
        yield (
            "CLOSE_ACCESS_TOKEN is not renewed by Linesman: when Close revokes it, changes stop half-way. "
            "Use an API key (CLOSE_API_KEY) where you can."
        )
    if settings.slack_bot_token.get_secret_value().startswith("xoxe."):
        yield (
            "SLACK_BOT_TOKEN is a rotating token, which expires after 12 hours: "
            "use the token of an app without token rotation."
        )


def _odd_values(settings: Settings) -> Iterator[str]:
    for name, (least, consequence) in _SHORT.items():
        if (seconds := getattr(settings, name)) < least:
            yield f"{type(settings).model_fields[name].alias} is {seconds:g} s: {consequence}."
    secret = settings.slack_signing_secret
    if secret is not None and (length := len(secret.get_secret_value())) < SIGNING_SECRET:
        yield (
            f"SLACK_SIGNING_SECRET has {length} characters and Slack's have {SIGNING_SECRET}: check whether all of "
            "it was pasted."
        )
