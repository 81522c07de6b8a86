"""Our clock and the provider's differ: nothing is done twice because of it, and it is told."""

from __future__ import annotations

import pytest

from tests.integration.scenarios.stage import Stage


@pytest.mark.parametrize("ahead", [360.0, -3600.0])
async def test_clocks_that_differ_are_told_and_work_goes_on(idle: Stage, ahead: float) -> None:
    """The bot stays ready, as nothing is unsafe, and says whose clock is how far from its own."""
    idle.clock.advance(ahead)
    idle.telnyx.add_number("+13035550000")
    await idle.start()
    await idle.run(["+13035550000"])

    status, text = await idle.get("/readyz")
    ready, *warnings = text.splitlines()
    assert (status, ready) == (200, "ready")
    assert any("Telnyx" in warning and ("ahead of" if ahead > 0 else "behind") in warning for warning in warnings)
    told = [line for line in (await idle.get("/metrics"))[1].splitlines() if 'skew_seconds{service="telnyx"}' in line]
    assert float(told[0].split()[-1]) == pytest.approx(ahead, abs=120)  # the stage's clock runs fast
