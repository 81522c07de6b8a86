"""Checking that Socket Mode can be opened."""

from __future__ import annotations

from collections.abc import Sequence

from slack_sdk.web.async_client import AsyncWebClient

from bot.checks.asking import patiently
from bot.checks.findings import Finding, fail, ok
from bot.errors import DeliveryError, DeliveryRefused
from bot.slack.web_api import call


async def socket_mode(client: AsyncWebClient, token: str) -> Sequence[Finding]:
    """Request the address of a connection without using it: it expires by itself and receives no events.

    ``token`` is the app-level one; the method needs it in the Authorization header, where the SDK puts it
    (docs.slack.dev, apps.connections.open).
    """
    try:
        await patiently(lambda: call(client.apps_connections_open(app_token=token)))
    except DeliveryRefused as error:
        return [
            fail(
                f"Slack does not open Socket Mode ({error.code}): turn it on in your Slack app's settings, create an "
                f"app-level token with the scope connections:write there, and set SLACK_APP_TOKEN to it."
            )
        ]
    except DeliveryError as error:
        return [fail(f"Socket Mode could not be checked. {error.message} Run `linesman check` again.")]
    return [ok("SLACK_APP_TOKEN opens Socket Mode.")]
