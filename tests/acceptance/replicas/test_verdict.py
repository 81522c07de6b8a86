"""The verdict notices whatever is wrong: one that lets everything pass would prove nothing."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.sandbox.close import CloseStandIn
from bot.sandbox.slack import SlackStandIn
from bot.sandbox.telnyx import TelnyxStandIn
from tests.acceptance.replicas import verdict
from tests.acceptance.replicas.cluster import Cluster
from tests.acceptance.replicas.forgeries import FORGERIES
from tests.acceptance.replicas.misdeeds import MISDEEDS
from tests.acceptance.replicas.pasts import Past
from tests.acceptance.replicas.wishes import Rules
from tests.acceptance.stage import API_KEY, APP_TOKEN, BOT_TOKEN, CLOSE_KEY, SIGNING_SECRET


@pytest.fixture
async def past(tmp_path: Path) -> AsyncIterator[Past]:
    """Give a past in which all went right, not written yet; no process was ever started."""
    slack = SlackStandIn(signing_secret=SIGNING_SECRET, bot_token=BOT_TOKEN, app_token=APP_TOKEN)
    async with slack, TelnyxStandIn(api_key=API_KEY) as telnyx, CloseStandIn(api_key=CLOSE_KEY) as close:
        yield Past(
            Cluster(
                slack=slack,
                telnyx=telnyx,
                close=close,
                story=Rules(),
                folder=tmp_path,
                transport="socket",
                address="",
                chance=random.Random(1),  # noqa: S311 - no secret
                each=0,
            )
        )


async def test_what_went_right_is_found_right(past: Past) -> None:
    """Changes of each course that ended as they should are found right."""
    past.write()

    verdict.assert_right(past.cluster)


@pytest.mark.parametrize("name", [*MISDEEDS, *FORGERIES])
async def test_whatever_is_wrong_is_noticed(past: Past, name: str) -> None:
    """Any one thing that is wrong about them is noticed, and by the judge that is there for it."""
    judge, make = {**MISDEEDS, **FORGERIES}[name]
    make(past)
    past.write()

    with pytest.raises((AssertionError, ValueError)) as noticed:  # ValueError: two of what there is one of
        verdict.assert_right(past.cluster)

    assert judge in [entry.name for entry in noticed.traceback]
