"""The provider against the stand-in, over real HTTP on loopback."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator

import pytest
from cryptography.fernet import Fernet

from bot.changes.model.encryption import Encryption
from bot.changes.model.kinds import Kind
from bot.changes.model.snapshots import Snapshot, Target
from bot.providers.http import Bounds
from bot.providers.telnyx.provider import Telnyx
from bot.sandbox.telnyx import TelnyxStandIn
from bot.sandbox.telnyx.middleware import Middleware
from tests.integration.telnyx_schema import Recording

API_KEY = "KEY0123456789"


@pytest.fixture(autouse=True)
def known_requests(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whatever a test is about, nothing is asked that Telnyx's own description of its API does not have."""
    recording = Recording()
    monkeypatch.setattr(Middleware, "serve", recording.around(Middleware.serve))
    yield
    assert [fault for exchange in recording for fault in exchange.wrong_in_the_request()] == []


@pytest.fixture
async def account() -> AsyncIterator[TelnyxStandIn]:
    """Return an empty stand-in account; its jobs take a minute of its own time, which tests skip."""
    async with TelnyxStandIn(api_key=API_KEY, job_seconds=60.0) as standing_in:
        yield standing_in


@pytest.fixture
def encryption() -> Encryption:
    """Return a vault with a key of its own."""
    return Encryption([Fernet.generate_key().decode()])


@pytest.fixture
async def telnyx(account: TelnyxStandIn, encryption: Encryption) -> AsyncIterator[Telnyx]:
    """Return a provider on the account; it repeats in a hurry, and waits for answers as long as they may take."""
    bounds = Bounds(timeout=30.0, deadline=6.0, backoff=0.02, longest_backoff=0.1)
    async with Telnyx(api_key=API_KEY, api_url=account.url, encryption=encryption, bounds=bounds) as provider:
        yield provider


@pytest.fixture
def settings_kind(telnyx: Telnyx) -> Kind:
    """Return the kind that updates settings."""
    return telnyx.kinds[0]


@pytest.fixture
def emergency_kind(telnyx: Telnyx) -> Kind:
    """Return the kind that updates the emergency service."""
    return telnyx.kinds[1]


@pytest.fixture
def find(telnyx: Telnyx, settings_kind: Kind) -> Callable[..., object]:
    """Give a function that collects the snapshots of identifiers."""

    async def collect(identifiers: list[str], *names: str, kind: Kind | None = None) -> dict[str, Snapshot]:
        target = Target(identifiers=tuple(identifiers))
        found: dict[str, Snapshot] = {}
        async for snapshot in telnyx.find(target, names, kind or settings_kind):
            assert snapshot.e164 not in found, "a number was streamed twice"
            found[snapshot.e164] = snapshot
        return found

    return collect


@pytest.fixture
def counted(account: TelnyxStandIn) -> Callable[[], dict[str, int]]:
    """Give a function that counts the calls that the account received, single numbers together."""

    def count() -> dict[str, int]:
        shapes = (
            "/".join("{id}" if part.isdigit() else part for part in call.path.split("/")) for call in account.calls
        )
        return dict(Counter(shapes))

    return count
