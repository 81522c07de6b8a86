"""A change under a rule of its own: approved in stages and with a lent right, asked for and told in its channels."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, ClassVar, Final

from tests.acceptance import ledger
from tests.acceptance.stories.telnyx import Settings
from tests.acceptance.workspace import ALARMS, SAFETY

if TYPE_CHECKING:
    from tests.acceptance.stage import Stage

#: Who approves in the first stage, who may when she has not for a while, who approves in the second, who is called.
MIA: Final = "U0MIA"
OTTO: Final = "U0OTTO"
DANA: Final = "U0DANA"
PIA: Final = "U0PIA"
#: Who decides for Dana, because she lends him her right.
MAX: Final = "U0MAX"
#: The stages.
FIRST: Final = "safety"
SECOND: Final = "network"
#: A part of each notice by which people learn that they may approve.
FALLBACK_ASKED: Final = "@Otto: nobody has approved"
STAGE_OPEN: Final = f"waits for the stage {SECOND} now"
STAGE_OPEN_AGAIN: Final = f"waits for the stage {FIRST} again"
#: How the words begin that Max reads in his direct message, from the first to the last.
LENT: Final = "Dana lends you the right to approve changes until"
ENDED: Final = "Dana ended the delegation: you can no longer approve changes for Dana."


class Lending(Settings):
    """The same with a right that Dana lends to Max, and ends."""

    def __init__(self) -> None:
        #: How Dana says until when: on a day of its own, so that the same command means the same whenever it is typed.
        self.lent_until = f"until {(datetime.now(UTC) + timedelta(days=5)):%Y-%m-%d} 17:00"

    def _assert_the_right_was_lent_once(self, stage: Stage, *, taken_back: int) -> None:
        """Check that it was written down once, that it was listed while it lasted, and who was told of it.

        At its end so many approvals with it were ``taken_back``.
        """
        query = "SELECT delegator, delegate, ended_by FROM delegations"
        assert ledger.rows(stage.database, query) == [(DANA, MAX, DANA)]
        query = "SELECT what, actor, details FROM events WHERE change_id IS NULL AND what LIKE 'delegat%' ORDER BY id"
        lent, ended = [
            (what, actor, json.loads(str(details))) for what, actor, details in ledger.rows(stage.database, query)
        ]
        assert (*lent[:2], lent[2]["delegate"]) == ("delegated", DANA, MAX)
        assert (*ended[:2], ended[2]["delegate"], ended[2]["approvals"]) == ("delegation_ended", DANA, MAX, taken_back)
        assert [line.count("can approve for you until") for line in stage.listed] == [1, 0]
        for person in (*self.others, "U0ANA", MAX):
            told = [stage.read(message) for message in stage.slack.messages(stage.slack.direct_message(person))]
            expected = (LENT, ENDED) if person == MAX else ()
            assert len(told) == len(expected)
            assert all(text.startswith(beginning) for text, beginning in zip(told, expected, strict=True))


class Staged(Lending):
    """The same in two stages: in the first one Otto has to come in for Mia, in the second one Max decides for Dana."""

    others: ClassVar = {MIA: "Mia", OTTO: "Otto", DANA: "Dana", PIA: "Pia"}
    policy = f"""
[[rule]]
name = "in stages"
kinds = ["telnyx.settings"]
stages = [
  {{ name = "{FIRST}", approvers = ["{MIA}"], fallback_approvers = ["{OTTO}"], fallback_after = "1s" }},
  {{ name = "{SECOND}", approvers = ["{DANA}"] }},
]
approval_channel = "{SAFETY}"
failure_channel = "{ALARMS}"
mention = ["{PIA}"]
"""
    approval_channel = SAFETY
    failure_channel = ALARMS
    approval = ("fallback_asked", "approved", "stage_opened", "approved")
    approved = f"2 of 2: @Otto approved as a fallback approver in {FIRST}, @Max for @Dana approved in {SECOND}"
    before_approval = ("Stage",)
    below_the_request = (FALLBACK_ASKED, STAGE_OPEN)

    def assert_approval(self, stage: Stage, change: int) -> None:
        """Check who approved in which stage and by which right, and that Otto and who is on call were called once.

        Nothing was sent before the last of them had approved, and the right was lent once.
        """
        assert ledger.approvals(stage.database, change) == [(OTTO, FIRST, 1, ""), (MAX, SECOND, 0, DANA)]
        assert stage.jobs_before_approval == 0
        [request] = stage.slack.messages(self.approval_channel)
        notices = stage.slack.thread(self.approval_channel, request.ts)[1:]
        assert stage.named == {PIA, "U0ANA"}  # who is called, and who requests it
        assert [notice.mentions.users for notice in notices] == [{OTTO}, {PIA}]
        self._assert_the_right_was_lent_once(stage, taken_back=0)


class TakenBack(Lending):
    """The same when Max has approved in the first stage for Dana, and she takes the right back before the second."""

    others: ClassVar = {DANA: "Dana"}
    policy = f"""
[[rule]]
name = "in stages"
kinds = ["telnyx.settings"]
stages = [
  {{ name = "{FIRST}", approvers = ["{DANA}"] }},
  {{ name = "{SECOND}", approvers = ["{MAX}"] }},
]
"""
    approval = (
        *("approved", "stage_opened", "approval_lapsed", "stage_reopened"),
        *("approved", "stage_opened", "approved"),
    )
    approved = f"@Dana approved in {FIRST}, @Max approved in {SECOND}"
    before_approval = ("Stage", "The", "Stage")
    below_the_request = (STAGE_OPEN, STAGE_OPEN_AGAIN, STAGE_OPEN)

    def assert_approval(self, stage: Stage, change: int) -> None:
        """Check who approved in which stage after all, and that everybody was called once each time it was their turn.

        Nothing was sent before the last of them had approved, and the right was lent once.
        """
        assert ledger.approvals(stage.database, change) == [(DANA, FIRST, 0, ""), (MAX, SECOND, 0, "")]
        assert stage.jobs_before_approval == 0
        [request] = stage.slack.messages(self.approval_channel)
        notices = stage.slack.thread(self.approval_channel, request.ts)[1:]
        assert stage.named == {DANA, "U0ANA"}  # whose turn it is, and who requests it
        assert [notice.mentions.users for notice in notices] == [{MAX}, {DANA}, {MAX}]
        self._assert_the_right_was_lent_once(stage, taken_back=1)
