"""Which rule governs a change, and who may begin one."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.changes.policy import (
    ApprovalStage,
    Grant,
    Membership,
    OnStale,
    Policies,
    Policy,
    Reason,
    Rule,
    UnknownGroup,
    kind_off,
    may_approve,
    may_request,
)
from tests.unit.changes.policy.policies import GROUPS, OFF, POLICY, approved_by, person

KINDS = ("telnyx.settings", "telnyx.emergency", "telnyx.delete", "close.settings")
SETTINGS = ("tags", "connection_id", "label")


def policies(*rules: Rule) -> Policies:
    """Return ``rules`` over POLICY."""
    return Policies(rules, POLICY, OFF)


def governor(found: Policy | None) -> str:
    """Return the name of the rule that governs."""
    return "" if found is None else found.name


class TestGoverning:
    """Which rule governs a change."""

    def test_no_rules(self) -> None:
        """Without rules the variables govern everything but what is off by default."""
        assert policies().governing("telnyx.settings", 1, ()) == POLICY
        assert policies().governing("telnyx.delete", 1, ()) is None

    @pytest.mark.parametrize(
        ("rule", "size", "touched", "governs"),
        [
            pytest.param(Rule(name="x", kinds=("telnyx.settings",)), 1, (), True, id="its kind"),
            pytest.param(Rule(name="x", kinds=("a.b", "telnyx.settings")), 1, (), True, id="one of its kinds"),
            pytest.param(Rule(name="x", kinds=("telnyx.*",)), 1, (), True, id="a pattern"),
            pytest.param(Rule(name="x", kinds=("*.settings",)), 1, (), True, id="a pattern that begins with a star"),
            pytest.param(Rule(name="x"), 1, (), True, id="every kind"),
            pytest.param(Rule(name="x", kinds=("telnyx.setting",)), 1, (), False, id="part of the name"),
            pytest.param(Rule(name="x", kinds=("telnyx?settings",)), 1, (), False, id="only the star is a pattern"),
            pytest.param(Rule(name="x", kinds=("close.*",)), 1, (), False, id="another provider"),
            pytest.param(Rule(name="x", min_numbers=10), 9, (), False, id="too small"),
            pytest.param(Rule(name="x", min_numbers=10), 10, (), True, id="large enough"),
            pytest.param(Rule(name="x", max_numbers=10), 10, (), True, id="small enough"),
            pytest.param(Rule(name="x", max_numbers=10), 11, (), False, id="too large"),
            pytest.param(Rule(name="x", settings=frozenset({"tags", "label"})), 1, ("a", "tags"), True, id="a setting"),
            pytest.param(Rule(name="x", settings=frozenset({"tags"})), 1, ("a",), False, id="other settings"),
            pytest.param(Rule(name="x", settings=frozenset({"tags"})), 1, (), False, id="no settings"),
        ],
    )
    def test_conditions(self, rule: Rule, size: int, touched: tuple[str, ...], governs: bool) -> None:  # noqa: FBT001 - a column of the table
        """A rule governs a change that meets all of its conditions; the variables govern the rest."""
        found = policies(rule).governing("telnyx.settings", size, touched)

        assert governor(found) == ("x" if governs else "environment")

    def test_the_limit_is_no_condition(self) -> None:
        """A change above a rule's limit is not passed on to the next rule: it is refused."""
        rules = policies(Rule(name="small", largest=5), Rule(name="large"))

        found = rules.governing("telnyx.settings", 6, ())

        assert found is not None
        assert found.name == "small"
        assert may_request(found, person("U0REQ"), GROUPS, "telnyx.settings", 6).reason is Reason.TOO_LARGE

    def test_inheritance(self) -> None:
        """What a rule does not say it takes from the variables."""
        assert policies(Rule(name="x")).governing("telnyx.settings", 1, ()) == replace(POLICY, name="x")

    def test_terms(self) -> None:
        """What it says holds."""
        rule = Rule(
            name="x",
            requesters=Grant(),
            approvers=Grant(users=frozenset({"U0ANN"})),
            approval_channel="C0SAFETY",
            failure_channel="C0ALARMS",
            mention=Grant(),
            approvals_required=3,
            self_approval=True,
            approval_ttl=timedelta(hours=1),
            reminder=timedelta(minutes=5),
            largest=7,
            windows=(),
            unpreviewable=True,
            on_stale=OnStale.CONTINUE,
        )

        assert policies(rule).governing("telnyx.settings", 1, ()) == Policy(
            name="x",
            requesters=Grant(),
            stages=(ApprovalStage(approvers=Grant(users=frozenset({"U0ANN"})), approvals_required=3),),
            operators=POLICY.operators,
            approval_channel="C0SAFETY",
            own_failure_channel="C0ALARMS",
            mention=Grant(),
            self_approval=True,
            approval_ttl=timedelta(hours=1),
            reminder=timedelta(minutes=5),
            max_numbers=7,
            unpreviewable=True,
            on_stale=OnStale.CONTINUE,
        )

    def test_reminders(self) -> None:
        """Reminders begin after a quarter of an hour unless a rule says something else, or never."""
        said = [Rule(name="x"), Rule(name="x", reminder=timedelta(hours=1)), Rule(name="x", reminder=timedelta())]

        reminders = [policies(rule).under(rule, "telnyx.settings").reminder for rule in said]

        assert reminders == [timedelta(minutes=15), timedelta(hours=1), None]


class TestFailureChannel:
    """Where failures are told under a rule."""

    @pytest.mark.parametrize(
        ("rule", "usual", "told"),
        [
            (Rule(name="x", approval_channel="C0OWN", failure_channel="C0ALARMS"), "C0FAILURES", "C0ALARMS"),
            (Rule(name="x", approval_channel="C0OWN"), "C0FAILURES", "C0FAILURES"),
            (Rule(name="x", approval_channel="C0OWN"), None, "C0OWN"),
            (Rule(name="x"), None, POLICY.approval_channel),
        ],
    )
    def test_order(self, rule: Rule, usual: str | None, told: str) -> None:
        """In the rule's channel, else in that of the variables, else where approval is requested."""
        over = Policies((rule,), replace(POLICY, own_failure_channel=usual))

        assert over.under(rule, "telnyx.settings").failure_channel == told


class TestOffByDefault:
    """Kinds that need a rule of their own."""

    @pytest.mark.parametrize(
        ("rule", "name"),
        [
            pytest.param(Rule(name="x", kinds=("telnyx.delete",), allow=True), "x", id="named and allowed"),
            pytest.param(Rule(name="x", kinds=("telnyx.*",), allow=True), "x", id="a pattern, allowed"),
            pytest.param(Rule(name="x", kinds=("telnyx.delete",)), "", id="named only"),
            pytest.param(Rule(name="x", kinds=("telnyx.*",)), "", id="a pattern only"),
            pytest.param(Rule(name="x", allow=True), "", id="every kind allowed"),
            pytest.param(Rule(name="x", allow=False), "x", id="every kind forbidden"),
        ],
    )
    def test_rules(self, rule: Rule, name: str) -> None:
        """Only a rule that names the kind and says that it allows it can allow it; any rule can forbid it."""
        assert governor(policies(rule).governing("telnyx.delete", 1, ())) == name

    @pytest.mark.parametrize(("said", "variables", "approvals"), [(None, 1, 2), (None, 3, 3), (1, 1, 1), (5, 1, 5)])
    def test_approvals(self, said: int | None, variables: int, approvals: int) -> None:
        """It takes two approvals, or what the variables say if that is more, unless the rule says how many."""
        rule = Rule(name="x", kinds=("telnyx.*",), allow=True, approvals_required=said)
        found = Policies((rule,), approved_by(POLICY, required=variables), OFF)

        assert found.under(rule, "telnyx.delete").approvals_required == approvals
        assert found.under(rule, "telnyx.settings").approvals_required == (said or variables)

    def test_earlier_rule_that_does_not_name_it(self) -> None:
        """A rule for every kind lets it pass to the rule that is for it."""
        rules = policies(Rule(name="all"), Rule(name="x", kinds=("telnyx.delete",), allow=True))

        assert governor(rules.governing("telnyx.delete", 1, ())) == "x"
        assert governor(rules.governing("telnyx.settings", 1, ())) == "all"


class TestStart:
    """Who may begin a change, before its size and settings are known."""

    LARGE = Rule(name="large", min_numbers=100, requesters=Grant(users=frozenset({"U0BIG"})))
    ONLY_ANN = Rule(name="ann", requesters=Grant(users=frozenset({"U0ANN"})))

    def test_any_rule_is_enough(self) -> None:
        """Who could request some change of the kind may begin; the verdict names the rule."""
        verdicts = [
            policies(self.LARGE).may_start("telnyx.settings", person(who), GROUPS) for who in ("U0BIG", "U0REQ")
        ]

        assert [(verdict.allowed, verdict.rule) for verdict in verdicts] == [(True, "large"), (True, "environment")]

    def test_nobody_else(self) -> None:
        """Who could request none may not, by the most general rule."""
        verdict = policies(self.LARGE).may_start("telnyx.settings", person("U0ELSE"), GROUPS)

        assert (verdict.allowed, verdict.reason, verdict.rule) == (False, Reason.NOT_LISTED, "environment")

    def test_rules_that_cannot_be_reached(self) -> None:
        """What stands after a rule for everything lets nobody in."""
        found = policies(self.ONLY_ANN, Rule(name="late", requesters=Grant(everyone=True)))

        assert found.may_start("telnyx.settings", person("U0REQ"), GROUPS).rule == "ann"
        assert not found.may_start("telnyx.settings", person("U0REQ"), GROUPS).allowed

    def test_unreadable_group(self) -> None:
        """When a group that could let them in cannot be read, that is the answer."""
        grouped = replace(self.LARGE, requesters=Grant(groups=frozenset({"S0BIG"})))

        verdict = policies(grouped).may_start("telnyx.settings", person("U0ELSE"), {"S0BIG": UnknownGroup()})

        assert (verdict.allowed, verdict.reason, verdict.rule) == (False, Reason.GROUP_UNREADABLE, "large")

    def test_kind_off(self) -> None:
        """Nobody begins what is off."""
        assert policies(Rule(name="all")).may_start("telnyx.delete", person("U0REQ"), GROUPS) == kind_off(
            "telnyx.delete"
        )

    def test_groups(self) -> None:
        """The groups to read are those of the requesters of every rule that could govern the kind and lets somebody."""
        found = policies(
            Rule(name="a", kinds=("close.*",), requesters=Grant(groups=frozenset({"S0CLOSE"}))),
            Rule(name="never", max_numbers=1, allow=False, requesters=Grant(groups=frozenset({"S0NEVER"}))),
            Rule(name="b", max_numbers=5, requesters=Grant(groups=frozenset({"S0SMALL"}))),
            Rule(name="c", requesters=Grant(groups=frozenset({"S0ALL"}))),
            Rule(name="d", requesters=Grant(groups=frozenset({"S0LATE"}))),
        )

        assert found.all_requesters("telnyx.settings").groups == {"S0SMALL", "S0ALL"}
        assert found.all_requesters("telnyx.delete").groups == frozenset()

    def test_readers(self) -> None:
        """Whoever has a part in any rule may look, and whom the file names besides."""
        rules = (
            Rule(name="a", requesters=Grant(groups=frozenset({"S0REQ"}))),
            Rule(name="b", approvers=Grant(users=frozenset({"U0APP"}))),
        )
        fallback = policies().fallback
        found = Policies(rules=rules, fallback=fallback, readers=Grant(users=frozenset({"U0READ"}))).all_readers

        own = fallback.requesters.users | fallback.approvers.users | fallback.operators.users
        assert found.users == {"U0APP", "U0READ", *own}
        assert "S0REQ" in found.groups
        assert not found.everyone

    def test_largest(self) -> None:
        """The most numbers that a change of a kind can have is the most that any rule lets through."""
        found = policies(
            Rule(name="a", kinds=("telnyx.*",), max_numbers=100, largest=90_000),
            Rule(name="b", kinds=("telnyx.settings",), largest=300),
            Rule(name="c", kinds=("close.*",), allow=False),
        )

        assert [found.largest(kind) for kind in KINDS] == [300, 20_000, 0, 0]


class TestShadowed:
    """Rules to which no change comes."""

    @pytest.mark.parametrize(
        ("earlier", "later", "shadowed"),
        [
            pytest.param(Rule(name="a"), Rule(name="b", kinds=("telnyx.settings",)), True, id="every kind"),
            pytest.param(
                Rule(name="a", kinds=("telnyx.*",)), Rule(name="b", kinds=("telnyx.e*",)), True, id="a wider pattern"
            ),
            pytest.param(
                Rule(name="a", kinds=("telnyx.e*",)), Rule(name="b", kinds=("telnyx.*",)), False, id="a narrower one"
            ),
            pytest.param(Rule(name="a", min_numbers=5), Rule(name="b", min_numbers=9), True, id="larger changes"),
            pytest.param(Rule(name="a", min_numbers=1), Rule(name="b"), True, id="at least one number is all"),
            pytest.param(Rule(name="a", min_numbers=5), Rule(name="b"), False, id="smaller ones are left"),
            pytest.param(Rule(name="a", max_numbers=9), Rule(name="b", max_numbers=5), True, id="smaller changes"),
            pytest.param(Rule(name="a", max_numbers=9), Rule(name="b"), False, id="larger ones are left"),
            pytest.param(
                Rule(name="a", settings=frozenset({"tags", "label"})),
                Rule(name="b", settings=frozenset({"tags"})),
                True,
                id="fewer settings",
            ),
            pytest.param(Rule(name="a", settings=frozenset({"tags"})), Rule(name="b"), False, id="others are left"),
            pytest.param(
                Rule(name="a"), Rule(name="b", kinds=("telnyx.*",), allow=True), False, id="what is off is left"
            ),
            pytest.param(
                Rule(name="a", kinds=("*",), allow=True),
                Rule(name="b", kinds=("telnyx.delete",), allow=True),
                True,
                id="what is off is taken",
            ),
        ],
    )
    def test_pairs(self, earlier: Rule, later: Rule, shadowed: bool) -> None:  # noqa: FBT001 - a column of the table
        """A rule is shadowed by an earlier one that governs all that it would."""
        assert list(policies(earlier, later).shadowed()) == ([(later, earlier)] if shadowed else [])

    def test_one_number_or_more_is_everything(self) -> None:
        """A rule from one number on governs every change, so what stands below it allows nobody anything."""
        first = Rule(name="a", min_numbers=1, largest=5)

        assert policies(first, Rule(name="b", largest=900)).largest("telnyx.settings") == 5

    def test_fallback(self) -> None:
        """A rule for everything leaves nothing to the variables."""
        assert policies(Rule(name="a", min_numbers=2)).fallback_governs
        assert not policies(Rule(name="a")).fallback_governs


PEOPLE = ("U0ANN", "U0BOB", "U0CID")
grants = st.builds(
    Grant,
    users=st.frozensets(st.sampled_from(PEOPLE)),
    groups=st.frozensets(st.sampled_from(["S0LEADS", "S0NIGHT"])),
    everyone=st.booleans(),
)
memberships = st.dictionaries(
    st.sampled_from(["S0LEADS", "S0NIGHT"]), st.just(UnknownGroup()) | st.frozensets(st.sampled_from(PEOPLE))
)
bare_rules = st.builds(
    Rule,
    name=st.just(""),
    kinds=st.lists(st.sampled_from([*KINDS, "*", "telnyx.*", "*.settings", "telnyx.e*"]), max_size=2).map(tuple),
    min_numbers=st.integers(0, 4),
    max_numbers=st.none() | st.integers(1, 4),
    settings=st.frozensets(st.sampled_from(SETTINGS), max_size=2),
    allow=st.none() | st.booleans(),
    requesters=st.none() | grants,
    approvers=st.none() | grants.map(lambda grant: replace(grant, everyone=False)),
    self_approval=st.none() | st.booleans(),
    largest=st.none() | st.integers(1, 5),
)
rule_lists = st.lists(bare_rules, max_size=4).map(
    lambda rules: tuple(replace(rule, name=f"rule {place}") for place, rule in enumerate(rules))
)
changes = st.tuples(
    st.sampled_from(KINDS), st.integers(1, 6), st.frozensets(st.sampled_from(SETTINGS)).map(frozenset[str])
)


class TestRules:
    """What holds for any rules."""

    @given(rule_lists, changes)
    def test_first_that_fits(self, rules: tuple[Rule, ...], change: tuple[str, int, frozenset[str]]) -> None:
        """The governing rule fits, none before it does, and without one it is the variables or nobody."""
        kind, size, touched = change

        name = governor(policies(*rules).governing(kind, size, touched))

        alone = [governor(policies(rule).governing(kind, size, touched)) for rule in rules]
        fallback = "" if kind in OFF else "environment"
        assert name == next((own for own in alone if own.startswith("rule")), fallback)

    @given(rule_lists, changes)
    def test_shadowed_rules_never_govern(
        self, rules: tuple[Rule, ...], change: tuple[str, int, frozenset[str]]
    ) -> None:
        """A rule that is said to be shadowed governs nothing; nor do the variables when nothing is left to them."""
        found = policies(*rules)

        name = governor(found.governing(*change))

        assert name not in {rule.name for rule, _ in found.shadowed()}
        assert name != "environment" or found.fallback_governs

    @given(rule_lists, changes, st.sampled_from(PEOPLE), memberships)
    def test_allowed_by_a_rule(
        self, rules: tuple[Rule, ...], change: tuple[str, int, frozenset[str]], user: str, groups: Membership
    ) -> None:
        """Whatever is allowed was allowed by a rule that has a name; who may request may also begin."""
        found = policies(*rules)
        kind, size, touched = change
        policy = found.governing(kind, size, touched)
        start = found.may_start(kind, person(user), groups)
        request = may_request(policy, person(user), groups, kind, size) if policy else kind_off(kind)
        decide = may_approve(policy, person(user), groups, "U0ANN", ()) if policy else kind_off(kind)
        names = {"environment"} - ({"environment"} if kind in OFF else set()) | {
            rule.name for rule in rules if rule.allow is not False
        }

        assert all(verdict.rule in names for verdict in (start, request, decide) if verdict.allowed)
        assert start.allowed or not request.allowed
        assert size <= found.largest(kind) or not request.allowed

    @given(rule_lists, changes, st.sampled_from(PEOPLE), memberships)
    def test_fewer_lists_never_allow_more(
        self, rules: tuple[Rule, ...], change: tuple[str, int, frozenset[str]], user: str, groups: Membership
    ) -> None:
        """Taking somebody out of every list and group allows them nothing that they could not do before."""

        def answers(found: Policies, membership: Membership) -> list[bool]:
            kind, size, touched = change
            policy = found.governing(kind, size, touched)
            verdicts = [found.may_start(kind, person(user), membership)]
            if policy is not None:
                verdicts.append(may_request(policy, person(user), membership, kind, size))
                verdicts.append(may_approve(policy, person(user), membership, "U0ANN", ()))
            return [verdict.allowed for verdict in verdicts]

        def without(grant: Grant | None) -> Grant | None:
            return None if grant is None else replace(grant, users=grant.users - {user})

        before = answers(policies(*rules), groups)
        fewer = [
            replace(rule, requesters=without(rule.requesters), approvers=without(rule.approvers)) for rule in rules
        ]
        smaller = {
            group: users if isinstance(users, UnknownGroup) else users - {user} for group, users in groups.items()
        }
        after = answers(policies(*fewer), smaller)

        assert [now for then, now in zip(before, after, strict=True) if now and not then] == []
