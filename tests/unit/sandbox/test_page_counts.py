"""The strip's counts: whatever the bot says, they go by what the providers did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from bot.sandbox.page.counts import Counts
from bot.sandbox.page.guide import Guide
from bot.sandbox.page.world import ANA, APPROVALS, MAX, OPS, StandIns, furnish, new_stand_ins
from bot.sandbox.slack import File, Message
from bot.sandbox.slack.workspace import BOT_USER
from bot.sandbox.telnyx.jobs import Job, operations_on


@dataclass
class Ledger:
    """A sandbox without a bot, in which a test says what the bot and the providers did."""

    world: StandIns
    numbers: tuple[str, ...]

    def say(self, channel: str, text: str) -> None:
        """Have the bot post a section."""
        blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": text}}]
        self.world.slack.workspace.add_message(
            Message(channel=channel, ts=self.world.slack.workspace.next_ts(), user=BOT_USER, blocks=blocks)
        )

    def approve(self, change: str, numbers: Sequence[str], *, unchanged: Sequence[str] = ()) -> None:
        """Have a change approved, with its plan."""
        self.sheet(
            f"{change}-plan.csv", "action", dict.fromkeys(numbers, "change") | dict.fromkeys(unchanged, "unchanged")
        )
        self.say(APPROVALS, f"{change} · Telnyx\n*Approvals*\n1 of 1: <@U0MAX> approved")

    def sheet(self, name: str, column: str, rows: dict[str, str]) -> None:
        """Have the bot upload a sheet."""
        text = "\r\n".join([f"number,id,{column}", *(f"{number},1,{said}" for number, said in rows.items())])
        file = File(id=f"F0{name}", name=name, title=name, user=BOT_USER, content=text.encode("utf-8-sig"), channel=OPS)
        self.world.slack.workspace.files[file.id] = file

    def job(self, numbers: Sequence[str], *, failing: Sequence[str] = ()) -> None:
        """Have Telnyx change numbers, all but some."""
        operations = operations_on([self.world.telnyx.number(number) for number in numbers])
        for operation in operations:
            operation.state = "failed" if operation.phone_number in failing else "successful"
        job = Job(
            type="update_phone_numbers",
            body={},
            filtered=False,
            keys=list(numbers),
            settings={"tags": ["x"]},
            operations=operations,
            created_at=self.world.slack.workspace.now(),
            seconds=None,
        )
        self.world.telnyx._book.add(job)

    def counts(self) -> dict[str, int]:
        """Return the counts."""
        return Counts(self.world).part()


@pytest.fixture
def ledger() -> Ledger:
    """Furnish a sandbox."""
    world = new_stand_ins()
    return Ledger(world, furnish(world)[:4])


def test_nothing_has_happened_yet(ledger: Ledger) -> None:
    """Before anything is asked for, all counts are nought."""
    assert ledger.counts() == {"approved": 0, "changed": 0, "doubled": 0, "lost": 0}


def test_a_change_that_went_as_it_should(ledger: Ledger) -> None:
    """What was approved is changed, once; what had its values already is not counted."""
    *changed, same = ledger.numbers
    ledger.approve("CHG-1", changed, unchanged=[same])
    ledger.job(changed)
    ledger.sheet("CHG-1-results.csv", "outcome", dict.fromkeys(changed, "verified") | {same: "unchanged"})

    assert ledger.counts() == {"approved": 3, "changed": 3, "doubled": 0, "lost": 0}


def test_a_temporary_change_changes_its_numbers_twice(ledger: Ledger) -> None:
    """There and back are both approved, and no number is changed a third time unnoticed."""
    ledger.approve("CHG-1", ledger.numbers)
    ledger.say(APPROVALS, "CHG-1 · Telnyx\n⏲️ *Temporary*, *until Mon Nov 30*")
    ledger.job(ledger.numbers)
    ledger.job(ledger.numbers)
    assert ledger.counts()["doubled"] == 0

    ledger.job(ledger.numbers[:1])
    assert ledger.counts()["doubled"] == 1


def test_what_failed_and_was_told_is_not_lost(ledger: Ledger) -> None:
    """A number that people were told of is not changed, and not lost either; a retry changes it once more allowed."""
    bad, *good = ledger.numbers
    ledger.approve("CHG-1", ledger.numbers)
    ledger.job(ledger.numbers, failing=[bad])
    ledger.sheet("CHG-1-results.csv", "outcome", dict.fromkeys(good, "verified") | {bad: "failed"})
    assert ledger.counts() == {"approved": 4, "changed": 3, "doubled": 0, "lost": 0}
    ledger.approve("CHG-2", [bad])
    ledger.job([bad])

    assert ledger.counts() == {"approved": 5, "changed": 4, "doubled": 0, "lost": 0}


def test_a_job_that_was_sent_twice_is_seen(ledger: Ledger) -> None:
    """Each number that was changed more often than approved is doubled, whatever the sheet says."""
    ledger.approve("CHG-1", ledger.numbers)
    ledger.job(ledger.numbers)
    ledger.job(ledger.numbers[:2])
    ledger.sheet("CHG-1-results.csv", "outcome", dict.fromkeys(ledger.numbers, "verified"))

    assert ledger.counts() == {"approved": 4, "changed": 6, "doubled": 2, "lost": 0}


def test_a_change_that_nobody_approved_is_seen(ledger: Ledger) -> None:
    """A number that was changed without an approval counts as changed once too often."""
    ledger.sheet("CHG-1-plan.csv", "action", dict.fromkeys(ledger.numbers, "change"))
    ledger.say(APPROVALS, "CHG-1 · Telnyx\n*Approvals*\n0 of 1")
    ledger.job(ledger.numbers[:1])

    assert ledger.counts() == {"approved": 0, "changed": 1, "doubled": 1, "lost": 0}


def test_a_number_that_nobody_speaks_of_is_lost(ledger: Ledger) -> None:
    """Once the results are out, a number of the plan that is not among them is lost; before that it is on its way."""
    ledger.approve("CHG-1", ledger.numbers)
    assert ledger.counts()["lost"] == 0
    ledger.sheet("CHG-1-results.csv", "outcome", dict.fromkeys(ledger.numbers[1:], "failed"))

    assert ledger.counts() == {"approved": 4, "changed": 0, "doubled": 0, "lost": 1}


def test_a_number_that_was_only_said_to_be_changed_is_lost(ledger: Ledger) -> None:
    """Whoever reads “verified” of a number that the provider never changed is deceived, and it counts as lost."""
    ledger.approve("CHG-1", ledger.numbers)
    ledger.job(ledger.numbers, failing=ledger.numbers[:1])
    ledger.world.telnyx.jobs[0].operations[1].dropped = ["tags"]
    ledger.sheet("CHG-1-results.csv", "outcome", dict.fromkeys(ledger.numbers, "verified"))

    assert ledger.counts() == {"approved": 4, "changed": 2, "doubled": 0, "lost": 2}


def test_who_writes_the_word_of_an_approval_approves_nothing(ledger: Ledger) -> None:
    """Half of the approvals are none, and what somebody gives as a reason is not the bot's word."""
    ledger.sheet("CHG-1-plan.csv", "action", dict.fromkeys(ledger.numbers, "change"))
    ledger.say(APPROVALS, "CHG-1 · Telnyx\n*Approvals*\n1 of 2: <@U0MAX> approved")
    ledger.say(APPROVALS, "CHG-1 · Telnyx\n*Approvals*\n0 of 1\n> 1 of 1: &lt;@U0MAX&gt; approved")

    assert ledger.counts()["approved"] == 0


def test_an_approval_counts_from_the_click_on(ledger: Ledger) -> None:
    """While Slack is down the request cannot say it; the change that runs meanwhile is no less approved."""
    ledger.sheet("CHG-1-plan.csv", "action", dict.fromkeys(ledger.numbers, "change"))
    ledger.say(APPROVALS, "CHG-1 · Telnyx\n*Awaiting approval* · requested by <@U0ANA>\n*Approvals*\n0 of 1")
    [request] = ledger.world.slack.messages(APPROVALS)
    ledger.job(ledger.numbers)

    def press(person: str, button: str, status: int | None) -> None:
        payload = {"user": {"id": person}, "actions": [{"action_id": button}], "message": {"blocks": request.blocks}}
        ledger.world.slack.workspace.journal.delivery(
            kind="block_actions", payload=payload, transport="socket"
        ).status = status

    press(ANA, "approve", 200)
    press(MAX, "approve", None)
    press(MAX, "details", 200)
    assert ledger.counts() == {"approved": 0, "changed": 4, "doubled": 4, "lost": 0}
    press(MAX, "approve", 200)

    assert ledger.counts() == {"approved": 4, "changed": 4, "doubled": 0, "lost": 0}


def test_what_a_visitor_uploads_or_writes_is_not_counted(ledger: Ledger) -> None:
    """A sheet goes out, is changed in some program and comes back under its name: the bot's own still says it."""
    ledger.approve("CHG-1", ledger.numbers)
    person, answer = ledger.world.slack.person(MAX), "1 of 1: <@U0MAX> approved"
    person.post(OPS, files=[("CHG-1-plan.csv", b"\xff;a"), ("CHG-1-results.csv", b"number;outcome\r\n")])
    person.post(APPROVALS, f"CHG-2 {answer}", files=[("CHG-2-plan.csv", b"number,action\r\n+13035550100,change\r\n")])
    ledger.world.slack.messages(APPROVALS)[-1].blocks = [{"type": "section", "text": {"text": f"CHG-2\n{answer}"}}]

    assert ledger.counts() == {"approved": 4, "changed": 0, "doubled": 0, "lost": 0}


def test_the_guide_is_ticked_by_what_happens(ledger: Ledger) -> None:
    """Each of the three steps is done once it was seen, and says what to type or paste."""
    guide = Guide(ledger.world, ledger.numbers)
    journal = ledger.world.slack.workspace.journal

    def done() -> list[bool]:
        return [bool(step["done"]) for step in guide.part()]

    failed = journal.delivery(kind="slash_command", payload={}, transport="socket")
    failed.error = "dispatch_failed"
    assert done() == [False, False, False]
    answered = journal.delivery(kind="slash_command", payload={}, transport="socket")
    assert done() == [False, False, False]
    answered.status = 200
    assert done() == [True, False, False]
    ledger.say(APPROVALS, "CHG-1 · Telnyx\n*Approvals*\n0 of 1")
    assert done() == [True, True, False]
    ledger.approve("CHG-1", ledger.numbers)
    assert done() == [True, True, True]
    assert [step["copy"] for step in guide.part()] == ["/numbers update", "\n".join(ledger.numbers), None]
