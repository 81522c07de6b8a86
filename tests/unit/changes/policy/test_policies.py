"""Who may request, approve and operate."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.changes.policy import (
    Audience,
    Grant,
    Membership,
    Person,
    Policy,
    Reason,
    UnknownGroup,
    Verdict,
    forbidden,
    kind_off,
    may_approve,
    may_operate,
    may_read,
    may_request,
    who_may_approve,
    whom_to_mention,
)
from tests.unit.changes.policy.policies import GROUPS, POLICY, approved_by, person


def approve(
    user: str, *, policy: Policy = POLICY, groups: Membership = GROUPS, already: tuple[str, ...] = ()
) -> Verdict:
    """Ask whether ``user`` may approve what U0REQ requested."""
    return may_approve(policy, person(user), groups, "U0REQ", already)


class TestGrant:
    """Lists of people, as they are written."""

    def test_parse(self) -> None:
        """A comma list of ids becomes users and groups; spaces, repetitions and empty entries do not matter."""
        expected = Grant(users=frozenset({"U0ANN", "W0BOB"}), groups=frozenset({"S0LEADS"}))

        assert Grant.parse(" U0ANN,W0BOB ,,S0LEADS,U0ANN,") == expected

    def test_everyone(self) -> None:
        """A star is everybody, where that is allowed, and can stand beside names."""
        expected = Grant(users=frozenset({"U0ANN"}), everyone=True)

        assert Grant.parse("*,U0ANN", everyone_allowed=True) == expected

    def test_everyone_refused(self) -> None:
        """Elsewhere a star is refused rather than read as nobody or everybody."""
        with pytest.raises(ValueError, match="may not be \\*"):
            Grant.parse("*")

    def test_every_bad_entry_is_named(self) -> None:
        """All entries that are no ids are named together; one that is long enough for a secret is only counted."""
        with pytest.raises(ValueError, match="has '#ops', 'ann', an entry of 30 characters, which is no"):
            Grant.parse("ann,#ops,U0ANN," + "x" * 30)

    @given(st.text())
    def test_parse_never_invents(self, text: str) -> None:
        """Whatever the text, a grant holds only entries of it, or the text is refused."""
        try:
            grant = Grant.parse(text, everyone_allowed=True)
        except ValueError:
            return
        entries = {entry.strip() for entry in text.split(",")}

        assert grant.users | grant.groups <= entries
        assert grant.everyone == ("*" in entries)

    def test_text(self) -> None:
        """A grant reads as the list that it came from, or says that it names nobody or everyone."""
        assert [str(Grant.parse(text, everyone_allowed=True)) for text in ("S0B,U0A", "", "*")] == [
            "U0A, S0B",
            "nobody",
            "everyone",
        ]


class TestRequest:
    """Who may ask for a change."""

    def test_listed(self) -> None:
        """Who is on the list may request, up to the largest size."""
        verdict = may_request(POLICY, person("U0REQ"), GROUPS, "telnyx.settings", 20_000)

        assert verdict == Verdict(
            allowed=True, reason=Reason.LISTED, sentence="You may request changes.", rule="environment"
        )

    def test_too_large(self) -> None:
        """A change that is too large is refused with both figures."""
        verdict = may_request(POLICY, person("U0REQ"), GROUPS, "telnyx.settings", 20_001)

        assert (verdict.allowed, verdict.reason) == (False, Reason.TOO_LARGE)
        assert "20,001 numbers" in verdict.sentence
        assert "at most 20,000" in verdict.sentence

    def test_size_is_no_answer_to_strangers(self) -> None:
        """Who may not request at all hears that, not that the change is too large."""
        verdict = may_request(POLICY, person("U0ELSE"), GROUPS, "telnyx.settings", 99_999)

        assert (verdict.allowed, verdict.reason) == (False, Reason.NOT_LISTED)

    def test_everyone(self) -> None:
        """A star lets every active full member request, and nobody else."""
        policy = replace(POLICY, requesters=Grant(everyone=True))
        member, guest = person("U0ANY"), replace(person("U0ANY"), guest=True)

        assert may_request(policy, member, {}, "telnyx.settings", 1).allowed
        assert not may_request(policy, guest, {}, "telnyx.settings", 1).allowed


class TestApprove:
    """Who may decide about a change."""

    @pytest.mark.parametrize("user", ["U0BOSS", "U0LEAD"])
    def test_listed(self, user: str) -> None:
        """Who is named, or is in a named group, may approve."""
        assert approve(user).reason is Reason.LISTED
        assert approve(user).allowed

    def test_not_listed(self) -> None:
        """Anybody else may not, and hears why."""
        verdict = approve("U0ELSE")

        assert (verdict.allowed, verdict.reason) == (False, Reason.NOT_LISTED)
        assert verdict.sentence.startswith("You may not approve or reject changes: you are not one of the approvers.")

    def test_own_change(self) -> None:
        """A requester never approves their own change, although the list names them (invariant 2)."""
        verdict = approve("U0REQ")

        assert (verdict.allowed, verdict.reason) == (False, Reason.OWN_CHANGE)
        assert verdict.sentence == "You requested this change, so somebody else must approve it."

    def test_own_change_by_rule(self) -> None:
        """A rule may permit it; the verdict says so, names the rule, and still needs the list."""
        policy = replace(POLICY, self_approval=True, name="small changes")
        verdict = approve("U0REQ", policy=policy)
        stranger = may_approve(policy, person("U0ELSE"), GROUPS, "U0ELSE", ())

        assert (verdict.allowed, verdict.reason, verdict.rule) == (True, Reason.SELF_APPROVAL, "small changes")
        assert "small changes" in verdict.sentence
        assert stranger.reason is Reason.NOT_LISTED

    def test_twice(self) -> None:
        """One person counts once."""
        assert approve("U0BOSS", already=("U0LEAD", "U0BOSS")).reason is Reason.ALREADY_APPROVED
        assert not approve("U0BOSS", already=("U0BOSS",)).allowed
        assert approve("U0BOSS", already=("U0LEAD",)).allowed

    def test_twice_by_rule(self) -> None:
        """Somebody who may approve their own change counts once all the same."""
        verdict = approve("U0REQ", policy=replace(POLICY, self_approval=True), already=("U0REQ",))

        assert (verdict.allowed, verdict.reason) == (False, Reason.ALREADY_APPROVED)

    def test_nobody(self) -> None:
        """An empty list approves nothing (invariant 3)."""
        verdict = approve("U0BOSS", policy=approved_by(POLICY, Grant()))

        assert (verdict.allowed, verdict.reason) == (False, Reason.NOBODY_LISTED)

    @pytest.mark.parametrize(
        "groups", [{"S0LEADS": UnknownGroup(), "S0NIGHT": frozenset()}, {"S0NIGHT": frozenset()}, {}]
    )
    def test_unreadable_group(self, groups: Membership) -> None:
        """A group that could not be read, or was not, approves nothing and is given as the reason (invariant 3)."""
        verdict = approve("U0LEAD", groups=groups)

        assert (verdict.allowed, verdict.reason) == (False, Reason.GROUP_UNREADABLE)
        assert verdict.sentence.startswith("Slack did not say who is in the user groups of the approvers")

    def test_unreadable_for_longer(self) -> None:
        """When Slack keeps us out for longer than a minute, that is what is said."""
        verdict = approve("U0ELSE", groups={"S0LEADS": UnknownGroup(wait=3600), "S0NIGHT": frozenset()})

        assert verdict.sentence.endswith("Try again in 60 minutes.")

    def test_group_that_is_gone(self) -> None:
        """A group that is gone for good is told as that, and who can mend it; another minute would change nothing."""
        gone = UnknownGroup(trouble="which Slack does not know: take the id from the group's page in Slack")
        verdict = approve("U0ELSE", groups={"S0LEADS": gone, "S0NIGHT": frozenset()})

        assert (verdict.allowed, verdict.reason) == (False, Reason.GROUP_GONE)
        assert verdict.sentence == (
            "You may not approve or reject changes right now. The list of approvers names the user group S0LEADS, "
            "which "
            "Slack does not know: take the id from the group's page in Slack. Only whoever runs Linesman can fix that."
        )
        assert approve("U0BOSS", groups={"S0LEADS": gone}).allowed

    def test_group_that_is_gone_beside_one_that_is_silent(self) -> None:
        """While another group may still have the person, the better answer is to try again."""
        verdict = approve("U0ELSE", groups={"S0LEADS": UnknownGroup(trouble="which is gone")})

        assert verdict.reason is Reason.GROUP_UNREADABLE

    def test_unreadable_group_beside_a_readable_one(self) -> None:
        """What could be read still counts: a group that names the person, or the list itself."""
        groups: Membership = {"S0LEADS": UnknownGroup(), "S0NIGHT": frozenset({"U0OWL"})}

        assert approve("U0OWL", groups=groups).allowed
        assert approve("U0BOSS", groups=groups).allowed

    def test_members_of_other_groups(self) -> None:
        """A group that the policy does not name gives no right."""
        assert approve("U0ELSE", groups={**GROUPS, "S0OTHER": frozenset({"U0ELSE"})}).reason is Reason.NOT_LISTED


class TestStanding:
    """Who never may do anything."""

    @pytest.mark.parametrize(
        ("somebody", "reason"),
        [
            pytest.param(replace(person("U0X"), active=False), Reason.DEACTIVATED, id="deactivated"),
            pytest.param(replace(person("U0X"), guest=True), Reason.GUEST, id="guest"),
            pytest.param(replace(person("U0X"), foreign=True), Reason.FOREIGN, id="foreign"),
            pytest.param(replace(person("U0X"), bot=True), Reason.BOT, id="bot"),
        ],
    )
    def test_never_counts(self, somebody: Person, reason: Reason) -> None:
        """Deactivated users, guests, foreigners and bots have no right at all, even when a list names them."""
        everybody = Grant(users=frozenset({"U0X"}), groups=frozenset({"S0X"}), everyone=True)
        policy = replace(approved_by(POLICY, everybody), requesters=everybody, operators=everybody, self_approval=True)
        groups = {"S0X": frozenset({"U0X"})}

        verdicts = [
            may_request(policy, somebody, groups, "telnyx.settings", 1),
            may_approve(policy, somebody, groups, "U0X", ()),
            may_operate(policy, somebody, groups),
        ]

        assert [(verdict.allowed, verdict.reason) for verdict in verdicts] == [(False, reason)] * 3


class TestOperate:
    """Who may act as an operator."""

    def test_listed(self) -> None:
        """Operators are a list of their own: an approver is not one by that."""
        assert may_operate(POLICY, person("U0ROOT"), GROUPS).allowed
        assert may_operate(POLICY, person("U0BOSS"), GROUPS).reason is Reason.NOT_LISTED


class TestAudience:
    """Whom a request for approval addresses."""

    def test_without_the_requester(self) -> None:
        """A request for approval addresses the approvers and their groups, but not who asked for it."""
        assert who_may_approve(POLICY, "U0REQ") == Audience(users=("U0BOSS",), groups=("S0LEADS", "S0NIGHT"))

    def test_with_the_requester(self) -> None:
        """Unless the rule lets them approve."""
        policy = replace(POLICY, self_approval=True)

        assert who_may_approve(policy, "U0REQ").users == ("U0BOSS", "U0REQ")

    @pytest.mark.parametrize(
        ("mention", "mentioned"),
        [
            (None, Audience(users=("U0BOSS",), groups=("S0LEADS", "S0NIGHT"))),
            (Grant(), Audience(users=(), groups=())),
            (
                Grant(users=frozenset({"U0KIM"}), groups=frozenset({"S0ONCALL"})),
                Audience(users=("U0KIM",), groups=("S0ONCALL",)),
            ),
        ],
    )
    def test_mentioned(self, mention: Grant | None, mentioned: Audience) -> None:
        """The policy may name whom to mention, or nobody; who may approve stays the same."""
        policy = replace(POLICY, mention=mention)

        assert whom_to_mention(policy, "U0REQ") == mentioned
        assert who_may_approve(policy, "U0REQ") == who_may_approve(POLICY, "U0REQ")


class TestForbidden:
    """A rule under which nobody may do anything."""

    FORBIDDEN = replace(POLICY, name="hands off", allowed=False, why="the network team moves them.")

    def test_request_and_approve(self) -> None:
        """Who is listed may not either, and hears the rule and its reason."""
        requested = may_request(self.FORBIDDEN, person("U0REQ"), GROUPS, "telnyx.settings", 1)
        decided = approve("U0BOSS", policy=self.FORBIDDEN)

        assert requested == Verdict(
            allowed=False,
            reason=Reason.FORBIDDEN,
            sentence="Nobody may request changes under the rule “hands off”: the network team moves them.",
            rule="hands off",
        )
        assert (decided.allowed, decided.reason, decided.rule) == (False, Reason.FORBIDDEN, "hands off")

    def test_without_a_reason(self) -> None:
        """A rule need not give one."""
        verdict = may_request(replace(self.FORBIDDEN, why=""), person("U0REQ"), GROUPS, "telnyx.settings", 1)

        assert verdict.sentence == "Nobody may request changes under the rule “hands off”."

    @pytest.mark.parametrize("why", ["it is changed by the network team", "it is changed by the network team."])
    def test_the_reason_ends_with_one_full_stop(self, why: str) -> None:
        """Another sentence may follow, whether the operator ended the reason with a full stop or not."""
        policy = replace(self.FORBIDDEN, why=why)
        refused = may_request(policy, person("U0REQ"), GROUPS, "telnyx.settings", 1)

        assert forbidden(policy, "telnyx.settings", 1, unseen=False) == (
            "The rule hands off does not allow this change: it is changed by the network team."
        )
        assert refused.sentence == (
            "Nobody may request changes under the rule “hands off”: it is changed by the network team."
        )

    def test_nobody_is_asked(self) -> None:
        """Nobody is shown as somebody who could approve."""
        assert who_may_approve(self.FORBIDDEN, "U0REQ") == Audience(users=(), groups=())

    def test_operators(self) -> None:
        """Operators work as ever: what is forbidden is the change."""
        assert may_operate(self.FORBIDDEN, person("U0ROOT"), GROUPS).allowed

    def test_kind_off(self) -> None:
        """A kind that is off by default is refused with what would switch it on."""
        assert kind_off("telnyx.delete") == Verdict(
            allowed=False,
            reason=Reason.KIND_OFF,
            sentence=(
                "Changes of the kind telnyx.delete are off unless a rule of the policy file allows them, and none "
                "allows this one. Whoever runs Linesman can add a rule."
            ),
            rule="off by default",
        )


@pytest.mark.parametrize(
    ("approvers", "groups", "sentence"),
    [
        (
            Grant(users=frozenset({"U0BOSS"})),
            {},
            (
                "You may not approve or reject changes under the rule “night”: you are not one of the approvers. "
                "Whoever runs Linesman can add you."
            ),
        ),
        (
            Grant(),
            {},
            (
                "Nobody may approve or reject changes under the rule “night”: the list of approvers is empty. "
                "Whoever runs Linesman can fill it."
            ),
        ),
        (
            Grant(groups=frozenset({"S0LEADS"})),
            {"S0LEADS": UnknownGroup()},
            (
                "Slack did not say who is in the user groups of the approvers, so you may not approve or reject "
                "changes under the rule “night” right now. Try again in a minute."
            ),
        ),
    ],
)
def test_refusals_name_the_rule(approvers: Grant, groups: Membership, sentence: str) -> None:
    """Under a rule of the policy file a refusal says which, for another change could have another answer."""
    verdict = approve("U0ELSE", policy=replace(approved_by(POLICY, approvers), name="night"), groups=groups)

    assert verdict.sentence == sentence


class TestRead:
    """Looking at changes and numbers."""

    READERS = Grant(users=frozenset({"U0REQ"}), groups=frozenset({"S0LEADS"}))

    @pytest.mark.parametrize(("user", "allowed"), [("U0REQ", True), ("U0LEAD", True), ("U0ELSE", False)])
    def test_listed(self, user: str, allowed: bool) -> None:  # noqa: FBT001 - a column of the table
        """Whoever the list names may look, by name or by group, and nobody else."""
        verdict = may_read(POLICY, self.READERS, person(user), GROUPS)

        assert verdict.allowed is allowed

    @pytest.mark.parametrize("what", ["guest", "foreign", "bot", "invited"])
    def test_never(self, what: str) -> None:
        """A list of everybody is one of full members: guests, strangers, bots and who has not come yet never look."""
        somebody = replace(person("U0REQ"), **{what: True})

        assert not may_read(POLICY, Grant(users=frozenset({"U0REQ"}), everyone=True), somebody, GROUPS).allowed
