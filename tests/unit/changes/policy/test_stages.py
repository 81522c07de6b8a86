"""The stages of an approval: which one is open, since when, and whose turn it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.changes.policy import (
    ApprovalStage,
    Grant,
    Membership,
    Reason,
    UnknownGroup,
    Verdict,
    may_approve_now,
    open_stage,
    stage_progress,
    unsatisfiable,
)
from tests.unit.changes.policy.policies import POLICY, person

NOON = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Given:
    """An approval, as the stages look at it."""

    person: str
    stage: str
    at: datetime
    lapsed_at: datetime | None = None

    @property
    def counts(self) -> bool:
        """Whether it has not lapsed."""
        return self.lapsed_at is None


def grant(*ids: str) -> Grant:
    """Return the list of these people and groups."""
    return Grant.parse(",".join(ids))


SAFETY = ApprovalStage(name="safety", approvers=grant("U0SAM", "U0ANN"), approvals_required=1)
NETWORK = ApprovalStage(
    name="network",
    approvers=grant("U0NED", "U0ANN"),
    approvals_required=2,
    fallback_approvers=grant("U0FAY"),
    fallback_after=2 * HOUR,
)
POLICIES = replace(POLICY, name="emergency", stages=(SAFETY, NETWORK))


def ask(
    user: str,
    *given_so_far: Given,
    hours: float = 0,
    stages: Sequence[ApprovalStage] = (SAFETY, NETWORK),
    groups: Membership | None = None,
    mention: Grant | None = None,
) -> Verdict:
    """Ask whether ``user`` may approve ``hours`` after the request of noon."""
    policy = replace(POLICIES, stages=tuple(stages), mention=mention)
    progress = stage_progress(stages, given_so_far, NOON)
    return may_approve_now(policy, progress, person(user), groups or {}, "U0REQ", now=NOON + hours * HOUR)


class TestOpenStage:
    """Where a request stands."""

    def test_in_order(self) -> None:
        """A stage opens when the one before it is complete, at the approval that made it so."""
        progress = stage_progress((SAFETY, NETWORK), [Given("U0SAM", "safety", NOON + HOUR)], NOON)

        assert [each.complete for each in progress] == [True, False]
        assert [each.opened_at for each in progress] == [NOON, NOON + HOUR]
        assert open_stage(progress).stage is NETWORK
        assert open_stage(progress).missing == 2
        assert open_stage(progress).fallback_at == NOON + 3 * HOUR

    def test_the_first_is_open_at_once(self) -> None:
        """What follows has not been open yet, and nobody can say from when its fallback approvers may approve."""
        progress = stage_progress((SAFETY, NETWORK), (), NOON)

        assert open_stage(progress).stage is SAFETY
        assert (progress[1].opened_at, progress[1].fallback_at) == (None, None)

    def test_not_requested(self) -> None:
        """Before approval is requested no stage has been open."""
        assert [each.opened_at for each in stage_progress((SAFETY, NETWORK), (), None)] == [None, None]

    def test_one_that_lapses_reopens_its_stage(self) -> None:
        """The stage is open again since then; approvals of later stages stay, and wait."""
        lapsed = Given("U0SAM", "safety", NOON, lapsed_at=NOON + 5 * HOUR)
        progress = stage_progress((SAFETY, NETWORK), [lapsed, Given("U0NED", "network", NOON + HOUR)], NOON)

        assert open_stage(progress).stage is SAFETY
        assert open_stage(progress).opened_at == NOON + 5 * HOUR
        assert [each.person for each in progress[1].approvals] == ["U0NED"]
        assert progress[1].opened_at is None

    def test_one_that_lapses_before_its_stage_was_complete_opens_nothing_again(self) -> None:
        """The stage has been open all the time, and so has waited all the time."""
        lapsed = Given("U0NED", "network", NOON + HOUR, lapsed_at=NOON + 2 * HOUR)
        progress = stage_progress((SAFETY, NETWORK), [Given("U0SAM", "safety", NOON), lapsed], NOON)

        assert open_stage(progress).opened_at == NOON

    @pytest.mark.parametrize("names", [("security", "network"), ("network",), ("",), ("before", "safety", "network")])
    def test_another_order_of_stages(self, names: Sequence[str]) -> None:
        """Renamed, removed or added: an approval counts in the stage of its name and in no other."""
        stages = [replace(SAFETY, name=name) for name in names]
        progress = stage_progress(stages, [Given("U0SAM", "safety", NOON)], NOON)

        assert sum(len(each.approvals) for each in progress) == ("safety" in names)
        assert not all(each.complete for each in progress)

    def test_all_complete(self) -> None:
        """A rule that wants fewer by now leaves the last stage open, for the next approval to end the request."""
        progress = stage_progress((SAFETY,), [Given("U0SAM", "safety", NOON)], NOON)

        assert open_stage(progress).stage is SAFETY
        assert open_stage(progress).complete


class TestTurns:
    """Who may approve now, and what the others hear."""

    def test_of_the_open_stage(self) -> None:
        """The verdict says in which stage the approval counts."""
        assert (ask("U0SAM").allowed, ask("U0SAM").stage, ask("U0SAM").fallback) == (True, "safety", False)
        assert ask("U0NED", Given("U0SAM", "safety", NOON)).stage == "network"

    def test_too_early(self) -> None:
        """Whoever comes later hears for what the change waits, and that they will be called."""
        verdict = ask("U0NED")

        assert (verdict.allowed, verdict.reason) == (False, Reason.LATER_STAGE)
        assert verdict.sentence == (
            "This change waits for the stage “safety” first. Yours, “network”, comes after it: you will be mentioned "
            "when it is open."
        )

    @pytest.mark.parametrize("mention", [Grant(), Grant(users=frozenset({"U0SAM"}))])
    def test_too_early_where_somebody_else_is_mentioned(self, mention: Grant) -> None:
        """Nobody is promised a mention under a rule that says itself whom requests mention."""
        assert ask("U0NED", mention=mention).sentence.endswith("Yours, “network”, comes after it.")

    def test_too_late(self) -> None:
        """Whoever's stage is complete hears for what the change waits now."""
        stages = (replace(SAFETY, approvers=grant("U0SAM", "U0SUE")), NETWORK)
        verdict = ask("U0SUE", Given("U0SAM", "safety", NOON), stages=stages)

        assert (verdict.allowed, verdict.reason) == (False, Reason.COMPLETE_STAGE)
        assert "The stage “safety” is complete. This change now waits for the stage “network”" in verdict.sentence

    def test_once_only(self) -> None:
        """One person counts in one stage only, although two stages name them: two stages are two people at least."""
        verdict = ask("U0ANN", Given("U0ANN", "safety", NOON))

        assert (verdict.allowed, verdict.reason) == (False, Reason.COUNTS_ELSEWHERE)
        assert verdict.sentence.startswith("You have already approved this change in the stage “safety”.")
        assert ask("U0SAM", Given("U0SAM", "safety", NOON)).reason is Reason.COUNTS_ELSEWHERE

    def test_twice_in_one(self) -> None:
        """In one stage a person counts once, too."""
        so_far = (Given("U0SAM", "safety", NOON), Given("U0NED", "network", NOON))

        assert ask("U0NED", *so_far).reason is Reason.ALREADY_APPROVED

    def test_a_fallback_approver_before_anything_was_requested(self) -> None:
        """Where nobody can say since when a stage is open, no fallback approver may approve in it."""
        stages = (replace(NETWORK, name=""),)
        progress = stage_progress(stages, (), None)
        policy = replace(POLICIES, stages=stages)

        verdict = may_approve_now(policy, progress, person("U0FAY"), {}, "U0REQ", now=NOON)

        assert verdict.reason is Reason.NOT_LISTED

    def test_strangers(self) -> None:
        """Who is in no stage is told that, and nothing about stages."""
        assert ask("U0ELSE").reason is Reason.NOT_LISTED

    def test_an_approval_of_a_stage_that_is_gone(self) -> None:
        """It does not keep its person from approving in one that there is."""
        assert ask("U0SAM", Given("U0SAM", "security", NOON)).stage == "safety"

    def test_requester(self) -> None:
        """Neither a stage nor a time lets a requester approve, unless the rule does (invariant 2)."""
        stages = (replace(SAFETY, approvers=grant("U0REQ"), fallback_approvers=grant("U0REQ"), fallback_after=HOUR),)

        assert ask("U0REQ", stages=stages).reason is Reason.OWN_CHANGE
        assert ask("U0REQ", stages=stages, hours=5).reason is Reason.OWN_CHANGE

    def test_unread(self) -> None:
        """A group that could not be read lets nobody of it approve, whatever another stage says (invariant 3)."""
        stages = (replace(SAFETY, approvers=grant("S0SAFE")), NETWORK)

        assert ask("U0NED", stages=stages, groups={"S0SAFE": UnknownGroup()}).reason is Reason.GROUP_UNREADABLE
        assert ask("U0NED", stages=stages, groups={"S0SAFE": frozenset({"U0NED"})}).allowed


class TestFallback:
    """Who may approve as well after a while."""

    COMPLETE = Given("U0SAM", "safety", NOON + HOUR)

    def test_before(self) -> None:
        """Until the stage has waited long enough they may not, and hear from when they may."""
        verdict = ask("U0FAY", self.COMPLETE, hours=2.99)

        assert (verdict.allowed, verdict.reason) == (False, Reason.FALLBACK_LATER)
        assert "You are a fallback approver of the stage “network”: you may approve from " in verdict.sentence
        assert "15:00 (UTC)" in verdict.sentence

    def test_at_the_time(self) -> None:
        """It counts from when the stage opened, to the instant; the verdict says that they are one."""
        verdict = ask("U0FAY", self.COMPLETE, hours=3)

        assert (verdict.allowed, verdict.stage, verdict.fallback) == (True, "network", True)

    def test_approvers_stay_approvers(self) -> None:
        """Whoever is named as an approver is no fallback approver, then or later."""
        assert not ask("U0NED", self.COMPLETE, hours=9).fallback

    def test_while_another_stage_is_open(self) -> None:
        """However long the change waits for an earlier stage, it is not their turn."""
        verdict = ask("U0FAY", hours=99)

        assert (verdict.allowed, verdict.reason) == (False, Reason.LATER_STAGE)
        assert verdict.sentence.endswith("you will be mentioned when you may approve.")

    def test_without_stages(self) -> None:
        """A rule without stages has fallback approvers in the same way, and no stage is told of."""
        stages = [replace(NETWORK, name="")]

        assert ask("U0FAY", hours=1, stages=stages).sentence.startswith("You are a fallback approver: you may approve")
        assert ask("U0FAY", hours=2, stages=stages).fallback


class TestUnsatisfiable:
    """Stages that can never be complete."""

    @pytest.mark.parametrize(
        ("people", "besides", "short"),
        [
            ([("U0A", "U0B"), ("U0B",)], (), None),
            ([("U0B",), ("U0A", "U0B")], (), None),
            ([("U0A",), ("U0A",)], (), 1),
            ([("U0A", "U0B"), ("U0B",)], ("U0A",), 1),
            ([("U0A",), ("S0LEADS",)], (), None),
            ([(), ("U0B",)], (), 0),
            ([("U0A", "U0B"), ("U0A", "U0C"), ("U0A",)], (), None),
        ],
    )
    def test_people_for_all(self, people: Sequence[Sequence[str]], besides: Sequence[str], short: int | None) -> None:
        """Everybody counts once, so each stage needs people of its own; of a group nobody can say."""
        stages = [
            ApprovalStage(name=str(place), approvers=grant(*ids), approvals_required=1)
            for place, ids in enumerate(people)
        ]

        assert unsatisfiable(stages, besides) == (None if short is None else stages[short])


USERS = [f"U0{letter}" for letter in "ABCDE"]
users = st.sets(st.sampled_from(USERS), max_size=5).map(lambda ids: grant(*ids))
stage_lists = st.lists(
    st.builds(
        ApprovalStage,
        approvers=users,
        approvals_required=st.integers(1, 3),
        fallback_approvers=users,
        fallback_after=st.sampled_from([None, HOUR, 3 * HOUR]),
    ),
    min_size=1,
    max_size=3,
).map(lambda found: [replace(each, name=f"s{place}") for place, each in enumerate(found)])
clicks = st.lists(st.tuples(st.sampled_from(USERS), st.integers(0, 120)), max_size=12)


@given(stage_lists, clicks)
def test_whatever_is_clicked(stages: list[ApprovalStage], clicked: list[tuple[str, int]]) -> None:
    """Approvals are given in the order of the stages, by people of each, once each; the end is reached or not at all.

    However people click: no stage has an approval while an earlier one lacks one, nobody counts twice, the requester
    never, and a fallback approver only after the stage has waited.
    """
    policy = replace(POLICY, stages=tuple(stages))
    approvals: list[Given] = []
    now = NOON
    for user, minutes in clicked:
        now += timedelta(minutes=minutes)
        progress = stage_progress(stages, approvals, NOON)
        if all(each.complete for each in progress):
            break
        opened = open_stage(progress)
        verdict = may_approve_now(policy, progress, person(user), {}, "U0A", now=now)
        if not verdict.allowed:
            continue
        assert verdict.stage == opened.stage.name
        assert opened.opened_at is not None
        assert verdict.fallback or opened.stage.approvers.names(user)
        assert not verdict.fallback or opened.stage.fallback_approvers.names(user)
        assert not verdict.fallback or now >= opened.opened_at + (opened.stage.fallback_after or timedelta.max)
        approvals.append(Given(user, verdict.stage, now))

    given_by = [each.person for each in approvals]
    assert len(set(given_by)) == len(given_by)
    assert "U0A" not in given_by
    assert [each.stage for each in approvals] == sorted(each.stage for each in approvals)
    progress = stage_progress(stages, approvals, NOON)
    assert all(each.complete for each in progress) == (
        len(approvals) == sum(stage.approvals_required for stage in stages)
    )
    if all(each.complete for each in progress):
        assert unsatisfiable(stages, {"U0A"}) is None


@given(stage_lists, clicks, st.sets(st.sampled_from(USERS)), st.integers(0, 500))
def test_fewer_approvals_never_complete_more(
    stages: list[ApprovalStage], clicked: list[tuple[str, int]], lapsed: set[str], minutes: int
) -> None:
    """An approval that lapses completes nothing, and a stage that it opens again was not open before it lapsed."""
    at = NOON + timedelta(days=1, minutes=minutes)
    approvals = [
        Given(user, f"s{place % len(stages)}", NOON + timedelta(minutes=place))
        for place, user in enumerate(dict(clicked))
    ]
    before = stage_progress(stages, approvals, NOON)
    fewer = [replace(each, lapsed_at=at) if each.person in lapsed else each for each in approvals]
    after = stage_progress(stages, fewer, NOON)

    assert [now for then, now in zip(before, after, strict=True) if now.complete and not then.complete] == []
    opened = open_stage(after)
    if opened.place < open_stage(before).place:
        assert opened.opened_at == at
