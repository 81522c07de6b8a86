"""A stand-in Slack on loopback: strict as the real one, with people to play and a log of everything.

Usage::

    async with SlackStandIn(signing_secret="…", bot_token="xoxb-…", app_token="xapp-…") as slack:
        ana = slack.add_person("U0ANA", name="Ana")
        slack.add_channel("C0OPS", name="ops", members=["U0ANA"])
        slack.deliver_http("http://127.0.0.1:3000/slack/events")  # or let the bot connect by Socket Mode
        await ana.command("/numbers", "update", channel="C0OPS")
        view = await ana.wait_for_view()
        await ana.type("numbers", "+19705550100")
        result = await ana.submit()

The bot's Web API client takes ``base_url=slack.api_url``. What a person could not do in a real client raises
``StandInRefused``; what Slack lets pass and people suffer from is in ``slack.complaints``.
"""

from bot.sandbox.slack.acks import TROUBLE
from bot.sandbox.slack.faults import Fault, FaultKind, Faults
from bot.sandbox.slack.modal import View
from bot.sandbox.slack.mrkdwn import Mentions, escape, render_text
from bot.sandbox.slack.person import SlackUser
from bot.sandbox.slack.records import (
    Call,
    Channel,
    Deadlines,
    Delivery,
    File,
    Message,
    Profile,
    StandInRefused,
    SubmittedView,
    Usergroup,
)
from bot.sandbox.slack.standin import SlackStandIn

__all__ = [
    "TROUBLE",
    "Call",
    "Channel",
    "Deadlines",
    "Delivery",
    "Fault",
    "FaultKind",
    "Faults",
    "File",
    "Mentions",
    "Message",
    "Profile",
    "SlackStandIn",
    "SlackUser",
    "StandInRefused",
    "SubmittedView",
    "Usergroup",
    "View",
    "escape",
    "render_text",
]
