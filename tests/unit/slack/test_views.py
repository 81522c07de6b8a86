"""What people see fits into Slack's limits and cannot do anything but be read, whatever people and providers say."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.changes.audit.events import Event
from bot.changes.input.waves import LENGTH as WAVES_LENGTH
from bot.changes.model.batches import Batch, FailureGroup, Tally
from bot.changes.model.change import Change
from bot.changes.model.decisions import Decision, DecisionVerb
from bot.changes.model.delegation import Delegation
from bot.changes.model.draft import Base, Draft, FollowUp
from bot.changes.model.kinds import Kind
from bot.changes.model.lifecycle import BatchState, ChangeState, Outcome
from bot.changes.model.locks import Freeze, Held, Lock
from bot.changes.model.messages import MessageRef
from bot.changes.model.rollout import Pause, PauseReason, Rollout, Threshold
from bot.changes.model.settings import Shape
from bot.changes.model.start import End, Start
from bot.changes.model.summary import Summary
from bot.changes.model.values import Secret
from bot.changes.policy import ApprovalStage, Audience, Grant, Policy, stage_progress
from bot.errors import in_one
from bot.providers.close.kinds import kinds as close_kinds
from bot.providers.telnyx.kinds import kinds
from bot.sandbox.slack.blocks.inspect import message_problems, view_problems
from bot.sandbox.slack.mrkdwn import mentions
from bot.slack.interactions import SentView
from bot.slack.listeners.opening import boxes_of
from bot.slack.views.answers import field_errors, full_boxes, read_form
from bot.slack.views.approval_card import (
    approval_card,
    approval_text,
    comment_form,
    read_ticket,
    rejection_form,
    ticket,
)
from bot.slack.views.card import card, card_text
from bot.slack.views.delegations import delegation_list
from bot.slack.views.elements import bar, clip, code, escape, listed, shortened
from bot.slack.views.form import MOST_BOXES, form, number_fields
from bot.slack.views.fragments import counts_text, failure_lines, trouble
from bot.slack.views.help import help_text
from bot.slack.views.inputs import BOX_LENGTH, ways_to_filter
from bot.slack.views.lines import failure, line, reminder
from bot.slack.views.locks import locks_list, unlock_question
from bot.slack.views.preview import in_the_way, notice, preview
from bot.slack.views.problems import problem_block, problem_lines
from bot.slack.views.questions import adoption_form
from bot.slack.views.revisions import changes_form
from bot.slack.views.status import details, schedule, status
from bot.workflow.ports import ChangeDetails, ScheduledChange

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
KINDS = kinds(secrets=True)
SETTINGS = KINDS[0]
FILTERED = (*KINDS, *close_kinds())
PEOPLE = ["U0ANA", "U0MAX", "U0MIA"]
LONG_ZONE = "America/Argentina/ComodRivadavia"
NASTY = "<!channel> <@U0EVIL> <!subteam^S0ALL> <https://evil.example|CHG-1 approved> *bold* `code` & </> \u202e"

nasty = st.one_of(st.text(max_size=600), st.just(NASTY), st.just("&" * 500), st.just("`" * 500), st.just("<" * 600))


def value_of(shape: Shape) -> st.SearchStrategy[Any]:
    """Return values of a shape, as large as they may be."""
    if shape is Shape.BOOL:
        return st.booleans()
    if shape is Shape.TAGS:
        return st.lists(nasty, max_size=20).map(tuple)
    if shape is Shape.SECRET:
        return st.just(Secret(fingerprint="f" * 64, sealed="gAAAA-sealed"))
    return nasty


ROLLOUTS = (
    Rollout(),
    Rollout(pause=Pause(asks=True), threshold=Threshold(share=150)),
    Rollout(pause=Pause(length=timedelta(minutes=90)), threshold=Threshold(count=5)),
)

wanted = st.sets(st.sampled_from(SETTINGS.settings), min_size=1).flatmap(
    lambda chosen: st.fixed_dictionaries({setting.name: value_of(setting.shape) for setting in chosen})
)
batches = st.lists(st.tuples(st.sampled_from(BatchState), st.integers(1, 3)), max_size=25).map(
    lambda states: [
        Batch(
            id=i,
            change=1,
            position=i + 1,
            state=state,
            size=1000,
            values={},
            wave=wave,
            job="job",
            attempted_at=NOW,
            attempts=1,
            submitted_at=NOW,
            settled_at=None,
            done_by=None,
            job_state="",
            polls=0,
            final_polls=0,
            absences=0,
            unanswered_since=NOW,
            escalated_at=NOW if i % 2 else None,
            doubt=NASTY * 20,
            candidates=("4e9d1bf8-9a3c-4b6e-9f0a-2d7c5e1b8f34",) * 20,
            progressed_at=NOW,
            overdue_at=NOW if i % 3 else None,
            slot_refused_at=NOW,
        )
        for i, (state, wave) in enumerate(states)
    ]
)
decisions = st.lists(
    st.tuples(st.sampled_from(PEOPLE), st.sampled_from(DecisionVerb), nasty, st.sampled_from(["", NASTY[:60], "b"])),
    max_size=3,
).map(
    lambda said: [
        Decision(change=1, person=who, verb=verb, digest="d", reason=why, rule="environment", at=NOW, stage=stage)
        for who, verb, why, stage in said
    ]
)
_ALONE: Final = ApprovalStage(approvers=Grant(users=frozenset({"U0MAX"})), approvals_required=1)
_LATE: Final = replace(_ALONE, fallback_approvers=Grant(users=frozenset({"U0MIA"})), fallback_after=timedelta(hours=1))
#: A rule without stages, one with fallback approvers whose time has come, and rules with stages.
STAGES: Final = [
    (_ALONE,),
    (replace(_LATE, fallback_after=timedelta(0)),),
    (replace(_ALONE, name=NASTY[:60]), replace(_LATE, name="b")),
    tuple(replace(_LATE, name=f"{place}{NASTY}"[:60]) for place in range(30)),
]
failures = st.lists(
    st.builds(
        FailureGroup,
        code=st.text(max_size=64),
        reason=nasty,
        pointer=nasty,
        count=st.integers(1, 100_000),
        examples=st.just(("+13035550100", "+13035550101", "+13035550102")),
    ),
    max_size=20,
)


@st.composite
def change_details(draw: st.DrawFn) -> ChangeDetails:
    """Return any story that could be told, the largest and the nastiest included."""
    state = draw(st.sampled_from(ChangeState))
    values = draw(wanted)
    names = {name: {str(value): draw(nasty)} for name, value in values.items() if SETTINGS.setting(name).lookup}
    summary = Summary(
        numbers=draw(st.integers(0, 100_000)),
        unchanged=0,
        batches=draw(st.integers(0, 100)),
        wanted=values,
        labels=names,
        repeats=draw(st.integers(0, 5)),
        canary=tuple(f"+1303555010{i}" for i in range(draw(st.integers(0, 5)))),
        rollout=draw(st.sampled_from(ROLLOUTS)),
        sample=tuple((f"+1303555010{i}", values, values) for i in range(draw(st.integers(0, 5)))),
        paid=dict.fromkeys(values, 3),
        losing=dict.fromkeys(values, 2),
        left_out=draw(st.integers(0, 2)),
        conditions=draw(st.sampled_from([(), (NASTY,) * 30])),
        locked=draw(st.sampled_from([(), (Held(change=41, requester="U0MIA", since=NOW, numbers=12),) * 40])),
    )
    began = {
        ChangeState.RUNNING,
        ChangeState.VERIFYING,
        ChangeState.PAUSED,
        ChangeState.IN_EFFECT,
        ChangeState.FINISHED,
    }
    started = NOW if state in began else None
    change = Change(
        id=draw(st.integers(1, 10**9)),
        kind=SETTINGS.name,
        state=state,
        outcome=draw(st.sampled_from(Outcome)) if state is ChangeState.FINISHED else None,
        requester="U0ANA",
        draft=Draft(kind=SETTINGS.name, reason=draw(nasty)[:500], canary=draw(st.sampled_from(["", "5"]))),
        origin="C0OPS",
        view="V1",
        summary=summary,
        digest="d" * 64,
        problem=draw(nasty) if state.over else "",
        unusable=draw(st.sampled_from([(), (("+13035550100", "1293384261075731499"),)])),
        foreign=draw(st.sampled_from([(), ("Zip", "City")])),
        replaced_by=draw(st.sampled_from([None, 43])),
        stopped_at=draw(st.sampled_from([None, NOW])),
        approvals_required=draw(st.integers(1, 3)),
        rule="environment",
        card=MessageRef(channel="C0OPS", ts="1.2"),
        approval_card=MessageRef(channel="C0APP", ts="1.3"),
        created_at=NOW,
        requested_at=NOW,
        expires_at=NOW + timedelta(days=1),
        started_at=started,
        finished_at=NOW if state.over else None,
        start=draw(st.sampled_from([None, *(Start(at=NOW + timedelta(days=d), zone=LONG_ZONE) for d in (-1, 2))])),
        wave=draw(st.integers(1, 3)),
        continued_at=draw(st.sampled_from([None, NOW])),
        paused_for=draw(st.sampled_from([None, *PauseReason])),
        resumes_at=draw(st.sampled_from([None, NOW])),
        waiting_for=draw(nasty),
        until=draw(st.sampled_from([None, End(at=NOW + timedelta(days=3), zone=LONG_ZONE)])),
    )
    said, ways = draw(decisions), draw(st.sampled_from(STAGES))
    story = ChangeDetails(
        change=change,
        kind=SETTINGS,
        provider="Telnyx",
        tally=Tally(**{f.name: draw(st.integers(0, 100_000)) for f in fields(Tally)}),
        batches=draw(batches),
        slots_taken=draw(st.booleans()),
        decisions=said,
        failures=draw(failures),
        differences=draw(failures),
        unverified=draw(failures),
        policy=Policy(
            requesters=Grant(),
            stages=ways,
            operators=Grant(),
            approval_channel="C0APPROVALS",
            mention=draw(st.sampled_from([None, Grant(), Grant(users=frozenset({"U0MIA"}))])),
            approval_ttl=timedelta(days=1),
            max_numbers=10,
            self_approval=draw(st.booleans()),
            name=draw(st.sampled_from(["environment", NASTY])),
        ),
        stages=stage_progress(ways, said, change.requested_at),
        opens_at=draw(st.sampled_from([None, NOW + timedelta(days=1), NOW + timedelta(days=3)])),
        audience=Audience(users=("U0MAX", "U0MIA"), groups=("S0MGRS",)),
        mentioned=draw(st.sampled_from([Audience(users=("U0MIA",), groups=()), Audience(users=(), groups=())])),
        fallback=draw(st.sampled_from([Audience(users=("U0MAX",), groups=()), Audience(users=(), groups=())])),
        outside_window=draw(st.sampled_from([0, 1, 4000])),
        in_flight=20,
        freeze=draw(st.sampled_from([None, Freeze(by="U0MAX", reason=NASTY, at=NOW)])),
        typical_seconds=draw(st.sampled_from([None, 0.4, 75.0, 4000.0, 90000.0])),
        expires_if_asked_now=NOW + timedelta(days=1),
        now=NOW,
    )
    part = replace(change, id=change.id + 1, part_of=change.id, summary=replace(summary, since=9, since_named=("+1",)))
    if change.until and draw(st.booleans()):
        return replace(story, restore=replace(story, change=part))
    later = replace(part, draft=replace(change.draft, base=Base(change=change.id, what=FollowUp.EXTEND)))
    return draw(st.sampled_from([replace(story, extension=later), replace(story, change=later, whole=change)]))


HISTORY = [
    Event(
        id=i, change=1, at=NOW, actor="U0MAX", what="click_refused", digest="d", details={"answer": NASTY, "batch": 3}
    )
    for i in range(40)
]
ONLY_US = {"U0ANA", "U0MAX", "U0MIA"}
few = settings(max_examples=3, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
quick = settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def assert_harmless(text: str, blocks: list[dict[str, Any]]) -> None:
    """Fail unless the message is legal in Slack and mentions nobody but the people of the change."""
    assert message_problems(blocks) == []
    assert 0 < len(text) <= 4000
    fired = mentions(text, blocks)
    assert set(fired.users) <= ONLY_US
    assert set(fired.groups) <= {"S0MGRS"}
    assert not fired.broadcasts


@quick
@given(change_details())
def test_messages_are_legal_and_harmless(story: ChangeDetails) -> None:
    """Card, request and status stay within every limit and mention only those whom they are about."""
    assert_harmless(card_text(story), card(story))
    assert_harmless(approval_text(story), approval_card(story))
    assert_harmless(*status(story, HISTORY))
    waiting = ScheduledChange(change=story.change, kind=story.kind, opens_at=story.opens_at, now=story.now)
    assert_harmless(*schedule([waiting] * 25))


@quick
@given(
    change_details(),
    st.sampled_from(
        [
            *("approved", "rejected", "expired", "cancelled", "submitted", "paused", "still_paused", "continued"),
            *("finished", "in_effect", "ends_soon", "ended_early", "ending", "ended", "asked", "extended"),
            *("began_late", "started_late", "outside_window"),
            *("changes_requested", "still_to_revise", "revised", "not_revised"),
        ]
    ),
)
def test_lines_and_notices_are_legal_and_harmless(story: ChangeDetails, what: str) -> None:
    """A thread's lines and the failure channel's notices as well."""
    data = {"what": what, "batches": 3, "verified": 1, "differs": 1, "unverified": 1, "failed": 2, "not_attempted": 3}
    data |= {"by": "U0MAX", "numbers": 7, "begins": int(NOW.timestamp()), "opens": int(NOW.timestamp())}
    stage = {"what": "stage", "stage": NASTY, "place": 2, "why": NASTY}
    data |= {"said": NASTY, "until": "Mon", "restore": 43, "restored": 5, "left": 1, "missing": 2}
    data |= {"seconds": 2400, **({"why": NASTY} if what.endswith("_late") else {}), "due": int(NOW.timestamp())}

    assert_harmless(*line(story, data))
    assert_harmless(*line(story, stage))
    assert_harmless(*reminder(story, {}))
    assert_harmless(*reminder(story, {"what": "revised"}))
    for name in (story.stages[0].stage.name, NASTY):
        assert_harmless(*reminder(story, {**stage, "stage": name}))
        assert_harmless(*reminder(story, {"what": "fallback", "stage": name}))
    assert_harmless(*failure(story, {**data, "what": "failed"}, "https://example.slack.com/archives/C1/p1"))
    assert_harmless(*failure(story, {**data, "what": "expired"}, ""))
    assert_harmless(*failure(story, {**data, "what": "paused"}, ""))
    assert_harmless(*failure(story, {"what": "question"}, "https://example.slack.com/archives/C1/p1"))
    assert_harmless(*failure(story, {**data, "what": "not_restored"}, ""))
    for late in ("began_late", "started_late"):
        assert_harmless(*failure(story, {**data, "what": late, "why": NASTY}, ""))
    for other in ("not_restored_yet", "rerouted", "unasked", "no_sheet"):
        assert_harmless(*failure(story, {"what": other, "each": "C0OPS", "why": NASTY}, ""))


@quick
@given(change_details())
def test_what_is_too_long_for_slack_has_a_short_form(story: ChangeDetails) -> None:
    """The short form of every message is legal, harmless and far below every limit, and keeps the buttons."""
    for text, blocks in ((card_text(story), card(story)), (approval_text(story), approval_card(story))):
        short_text, short = shortened(text, blocks)

        assert_harmless(short_text, short)
        assert len(json.dumps(short)) < 12_000
        assert [b for b in short if b["type"] == "actions"] == [b for b in blocks if b["type"] == "actions"]


@quick
@given(change_details())
def test_modals_are_legal(story: ChangeDetails) -> None:
    """Preview, details, rejection and adoption stay within every limit."""
    for view in (
        preview(story),
        details(story, HISTORY),
        rejection_form(story.change),
        comment_form(story),
        changes_form(story.change, "1:d"),
        in_the_way(1, NASTY),
        adoption_form("12:3:"),
    ):
        assert view_problems(view) == []


def test_a_page_of_delegations_is_legal() -> None:
    """However many there are, each page fits into a message, and the pages together have all of them."""
    end = End(at=NOW, zone="UTC")
    lent = [
        Delegation(id=number, delegator="U0MAX", delegate="U0MIA", until=end, created_at=NOW) for number in range(81)
    ]

    ends = []
    for skipped in (0, 40, 80):
        text, blocks = delegation_list(lent, "U0ANA", everybodys=True, first="⏹️ Ended.", skipped=skipped)
        assert_harmless(text, blocks)
        ends += [block["accessory"]["value"] for block in blocks if "accessory" in block]
    assert ends == [f"{number} {number // 40 * 40}" for number in range(81)]


def test_locks_are_shown_and_asked_about() -> None:
    """The list of locks, the empty one, and the question before a release are legal messages."""
    lock = Lock(
        change=41,
        provider="telnyx",
        numbers=12,
        since=NOW,
        requester="U0ANA",
        state=ChangeState.APPROVED,
        starts=NOW,
        until=NOW,
    )

    for text, blocks in (locks_list([lock] * 300), locks_list([lock] * 40), locks_list([]), unlock_question(lock)):
        assert_harmless(text, blocks)
    assert locks_list([lock])[0] == "1 change holds numbers"
    assert locks_list([lock] * 2)[0] == "2 changes hold numbers"


@quick
@given(change_details())
def test_a_secret_is_in_nothing_that_people_see(story: ChangeDetails) -> None:
    """Neither the sealed text nor the fingerprint of a PIN gets into any message or modal."""
    everything = json.dumps(
        [card(story), approval_card(story), preview(story), details(story, HISTORY), *status(story, HISTORY)]
    )

    assert "gAAAA-sealed" not in everything
    assert "f" * 64 not in everything


@pytest.mark.parametrize("kind", KINDS, ids=[kind.name for kind in KINDS])
@pytest.mark.parametrize("boxes", [1, MOST_BOXES])
def test_the_largest_form_is_legal(kind: Kind, boxes: int) -> None:
    """All settings chosen, all boxes full: still a legal modal below 250 kB."""
    draft = Draft(
        kind=kind.name,
        pasted=tuple("1" * BOX_LENGTH for _ in range(boxes)),
        chosen=tuple(setting.name for setting in kind.settings),
        typed={setting.name: "x" * 64 for setting in kind.settings},
        picked={setting.name: "y" * 200 for setting in kind.settings},
        reason="z" * 500,
        start="tomorrow 06:30",
        until="in 4 hours",
        canary="9" * WAVES_LENGTH,
        pause="9" * WAVES_LENGTH,
        threshold="9" * WAVES_LENGTH,
    )

    view = form(KINDS, kind, draft, origin="C0OPS", boxes=boxes, source=12)

    assert view_problems(view) == []
    assert len(json.dumps(view)) < 250_000


@pytest.mark.parametrize("kind", KINDS, ids=[kind.name for kind in KINDS])
def test_no_two_options_of_a_menu_look_alike(kind: Kind) -> None:
    """In every menu whose options are ours: kinds, filters, settings, choices, ways; whole, within Slack's 75."""
    draft = Draft(
        kind=kind.name, chosen=tuple(s.name for s in kind.settings), filters=dict.fromkeys(ways_to_filter(kind), "")
    )

    elements = [block.get("element", {}) for block in form(KINDS, kind, draft, origin="C0OPS")["blocks"]]
    menus = [[each["text"]["text"] for each in element["options"]] for element in elements if "options" in element]

    assert menus or kind.removes
    assert all(len({text.casefold() for text in texts}) == len(texts) for texts in menus)
    assert not any(text.endswith("…") for texts in menus for text in texts)


@pytest.mark.parametrize("kind", FILTERED, ids=[kind.name for kind in FILTERED])
def test_no_filter_can_be_taken_for_a_setting(kind: Kind) -> None:
    """A connection to find numbers by and a connection to give them are told apart by label, and stand apart."""
    draft = Draft(
        kind=kind.name, chosen=tuple(s.name for s in kind.settings), filters=dict.fromkeys(ways_to_filter(kind), "")
    )

    view = form(FILTERED, kind, draft, origin="C0OPS")

    assert view_problems(view) == []
    heading, labels = "", {}
    for block in view["blocks"]:
        if block["type"] == "header":
            heading = block["text"]["text"]
        elif block["type"] == "input":
            labels[block["block_id"]] = heading, block["label"]["text"]
    asked = [labels[f"filter:{key}"] for key in ways_to_filter(kind)]
    given = [labels[f"value:{setting.name}"] for setting in kind.settings]
    assert all(place == "Which numbers" and label.startswith("Only numbers ") for place, label in asked)
    assert all(place == "New values" and not label.startswith("Only ") for place, label in given)
    offered = next(block for block in view["blocks"] if block.get("block_id") == "filters")["element"]["options"]
    assert all(option["text"]["text"].startswith("Only numbers ") for option in offered)


def test_problems_are_a_list_in_which_nothing_typed_means_anything() -> None:
    """One problem is a sentence; several are a line each, those of one field set in; marks stay what was typed."""
    several = in_one(["2 entries cannot be read:\n• “*a*” is none\n• “<!here>” is none", "Say why."])

    lists = problem_block(f"The sheet is wrong.\n{several}\nUpload it again.")["elements"]

    shown = [
        (each["type"], each.get("indent"), [part["elements"][0]["text"] for part in each["elements"]])
        for each in lists
        if each["type"] == "rich_text_list"
    ]
    assert shown == [
        ("rich_text_list", 0, ["2 entries cannot be read:"]),
        ("rich_text_list", 1, ["“*a*” is none", "“<!here>” is none"]),
        ("rich_text_list", 0, ["Say why."]),
    ]
    assert [each["elements"][0]["text"] for each in (lists[0], lists[-1])] == [
        "The sheet is wrong.",
        "Upload it again.",
    ]
    assert problem_lines("Only this.", 100) == "`Only this.`"
    assert problem_lines("One.\n• Two <!here>.", 100) == "\n`One.`\n• `Two &lt;!here&gt;.`\n"


def test_the_form_gives_back_what_was_typed() -> None:
    """Reading the form's state gives the draft that was typed into it, secrets kept from before included."""
    pin = Secret(fingerprint="f", sealed="s")
    view = {
        "private_metadata": json.dumps({"boxes": 2, "kind": SETTINGS.name}),
        "state": {
            "values": {
                "kind": {"kind": {"selected_option": {"value": SETTINGS.name}}},
                "numbers:0": {"numbers": {"value": "+13035550100"}},
                "numbers:1": {"numbers": {"value": None}},
                "settings": {"settings": {"selected_options": [{"value": "connection_id"}, {"value": "external_pin"}]}},
                "value:connection_id": {
                    "value:": {"selected_option": {"value": "123", "text": {"text": "Denver PBX"}}}
                },
                "value:external_pin": {"value:": {"value": None}},
                "reason": {"reason": {"value": "why"}},
                "start": {"start": {"value": "tonight 22:00"}},
                "until": {"until": {"value": "Mon 08:00"}},
                "canary": {"canary": {"value": "5, 10 %"}},
                "pause": {"pause": {"value": "30 min"}},
                "threshold": {"threshold": {"value": "1 %"}},
            }
        },
    }

    assert read_form(SentView.of(view), {SETTINGS.name: SETTINGS}, {"external_pin": pin}) == Draft(
        kind=SETTINGS.name,
        pasted=("+13035550100", ""),
        chosen=("connection_id", "external_pin"),
        typed={"connection_id": "123", "external_pin": pin},
        picked={"connection_id": "Denver PBX"},
        reason="why",
        start="tonight 22:00",
        until="Mon 08:00",
        canary="5, 10 %",
        pause="30 min",
        threshold="1 %",
    )


def test_every_problem_lands_on_an_input_of_the_view() -> None:
    """Slack shows "trouble connecting" for an error on a block that the view does not have; that never happens."""
    view = form(KINDS, SETTINGS, Draft(kind=SETTINGS.name, chosen=("tags",)), origin="", boxes=2)

    errors = field_errors(
        {"numbers": "n", "numbers:1": "m", "tags": "t", "hd_voice_enabled": "h", "settings": "s"}, SentView.of(view)
    )

    assert errors == {"numbers:0": "n", "numbers:1": "m", "value:tags": "t", "reason": "h", "settings": "s"}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_full_box_is_never_trusted(kind: Kind) -> None:
    """Whatever is typed into, one that has its last character used may have lost its end, and one less is fine."""
    draft = Draft(kind=kind.name, chosen=tuple(kind.by_name), filters=dict.fromkeys(ways_to_filter(kind), ""))
    view = form(KINDS, kind, draft, origin="", boxes=2)
    most = {
        block["block_id"]: block["element"]["max_length"]
        for block in view["blocks"]
        if block.get("element", {}).get("type") == "plain_text_input"
    }

    def sent(less: int) -> SentView:
        typed = {block: {"any": {"value": "1" * (length - less)}} for block, length in most.items()}
        return SentView.of({**view, "state": {"values": typed}})

    assert {"numbers:1", "excluded", "reason", "start", "canary"} <= set(most)
    assert list(full_boxes(sent(0))) == list(most)
    assert full_boxes(sent(1)) == {}


def test_a_box_is_full_as_browsers_count() -> None:
    """A picture takes two characters in a browser, so the box is full before it has 3,000 of Python's."""
    view = form(KINDS, SETTINGS, Draft(kind=SETTINGS.name), origin="")
    pasted = "\U0001f4de 3035550100\n" * 215 + "3035550"
    sent = SentView.of({**view, "state": {"values": {"excluded": {"any": {"value": pasted}}}}})

    assert len(pasted) < BOX_LENGTH <= len(pasted.encode("utf-16-le")) // 2
    assert "Keep it under 3,000 characters" in full_boxes(sent)["excluded"]


@pytest.mark.parametrize("separator", [",", ";", ", ", "\n"])
def test_a_long_list_is_in_the_boxes_and_given_back_whole(separator: str) -> None:
    """Numbers that are typed behind a command reach the inputs and a refusal with no character cut off."""
    text = separator.join(f"+1303555{number:04}" for number in range(300))

    boxes = boxes_of(text)
    fields = number_fields(Draft(kind="", pasted=boxes), len(boxes), "")
    inputs = [block["element"]["initial_value"] for block in fields if block["type"] == "input"]
    refusal = notice("You may not.", typed=boxes)
    back = [block["elements"][0]["elements"][0]["text"] for block in refusal["blocks"][2:]]

    assert "".join(inputs) == "".join(back) == text
    assert max(map(len, inputs)) < BOX_LENGTH
    assert max(map(len, back)) <= BOX_LENGTH
    assert view_problems(refusal) == []


@given(st.text())
def test_code_and_escape_leave_no_markup(text: str) -> None:
    """No angle bracket survives, code has no backtick inside, and its length is bounded."""
    shown = code(text, 50)

    assert "<" not in escape(text)
    assert len(shown) <= 52
    assert "`" not in shown.strip("`") or shown == "_empty_"


@given(st.integers(0, 10**6), st.integers(1, 10**6))
def test_a_bar_is_full_only_at_the_end(done: int, total: int) -> None:
    """It is twenty wide, not full before everything is done, and not empty once anything is."""
    done = min(done, total)

    shown = bar(done, total)

    assert len(shown) == 20
    assert ("░" not in shown) == (done == total)
    assert ("█" in shown) == (done > 0)


def test_a_list_that_is_too_long_says_how_much_is_missing() -> None:
    """Whole lines only, and the rest is counted."""
    shown = listed([f"line {i} {'x' * 100}" for i in range(100)])

    assert len(shown) <= 2900
    assert shown.splitlines()[-1] == f"… and {100 - len(shown.splitlines()) + 1} more"
    assert clip("abc", 3) == "abc"


def test_a_button_carries_its_plan() -> None:
    """The change and the digest go into the button and come back out."""
    assert read_ticket("42:abc") == (42, "abc")
    assert all(word in help_text(KINDS) for word in ("/numbers update", "/numbers emergency", "status", "list", "help"))


@given(change_details())
@quick
def test_a_ticket_survives(story: ChangeDetails) -> None:
    """What :func:`ticket` writes, :func:`read_ticket` reads, within a button's 2000 characters."""
    assert read_ticket(ticket(story.change)) == (story.change.id, story.change.digest)


@quick
@given(change_details())
def test_every_number_of_a_group_is_counted(story: ChangeDetails) -> None:
    """What is not shown of the reasons is counted, however many reasons there are."""
    groups = [
        FailureGroup(code="1", reason=f"Reason {i}.", pointer="", count=2, examples=("+13035550100",))
        for i in range(20)
    ]
    shown = failure_lines(groups, total=100, limit=3)

    assert "• and 94 more, with other reasons" in shown
    headings = [heading for heading, _ in trouble(story, limit=3)]
    assert len(headings) == sum(bool(sort) for sort in (story.failures, story.differences, story.unverified))


@pytest.mark.parametrize(
    ("state", "tally", "said"),
    [
        (ChangeState.RUNNING, Tally(succeeded=3, failed=1, waiting=2), "3 succeeded · 1 failed · 2 pending"),
        (ChangeState.VERIFYING, Tally(succeeded=1, verified=2), "1 succeeded · 2 verified · 0 failed"),
        (ChangeState.FINISHED, Tally(verified=2493, differs=4, failed=3), "2,493 verified · 4 differ · 3 failed"),
        (
            ChangeState.FINISHED,
            Tally(differs=1, not_attempted=1),
            "0 verified · 1 differs · 0 failed · 1 not attempted",
        ),
        (ChangeState.FINISHED, Tally(unverified=2), "0 verified · 2 could not be verified · 0 failed"),
    ],
)
@few
@given(story=change_details())
def test_counts_say_what_is_known(story: ChangeDetails, state: ChangeState, tally: Tally, said: str) -> None:
    """Until it is read back a number has only succeeded; in the end it is verified, or what it is instead."""
    known = replace(story, tally=tally, change=replace(story.change, state=state))

    assert counts_text(known) == said


@few
@given(change_details())
def test_a_line_from_before_the_read_back_is_still_told(story: ChangeDetails) -> None:
    """A message that an older version decided on and this one delivers has the counts of its time."""
    story = replace(story, tally=Tally(succeeded=1, failed=2))
    data = {"what": "finished", "succeeded": 1, "failed": 2, "not_attempted": 0}

    assert "Done: 1 succeeded, 2 failed." in line(story, data)[0]
    assert "2 of 3 numbers failed. <@U0ANA>" in failure(story, {**data, "what": "failed"}, "")[0]
