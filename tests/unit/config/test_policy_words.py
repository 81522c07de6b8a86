"""What is said of a policy: in plain words, and where it is probably not meant."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.changes.policy import Grant, Policies, Policy
from bot.config.policy import explain, parse, rule_cautions, variable_cautions
from bot.config.policy.spans import spoken
from tests.unit.changes.policy.policies import FALLBACK, KINDS, OFF, approved_by


def over(text: str, fallback: Policy = FALLBACK) -> Policies:
    """Return the policies of a file that has no problems."""
    file = parse(text, "policy.toml", KINDS)

    assert file.problems == ()
    return Policies(file.rules, fallback, OFF)


class TestCautions:
    """What is allowed and probably not meant."""

    @pytest.mark.parametrize(
        ("lines", "said"),
        [
            ("requesters = []", "requesters is empty: nobody can request a change under this rule."),
            ("approvers = []", "approvers is empty: no change under this rule can be approved."),
            (
                "approvals_required = 3",
                "approvals_required is 3 and LINESMAN_APPROVERS names 2: no change under this rule can be approved.",
            ),
            (
                'approvers = ["U0REQ"]',
                (
                    "LINESMAN_APPROVALS_REQUIRED is 1 and approvers names 1: a change under this rule that an approver "
                    "requests cannot be approved, because nobody approves their own."
                ),
            ),
            (
                'kinds = ["telnyx.delete"]\nallow = true\napprovers = ["U0ANN"]',
                (
                    "approvals_required is 2 and approvers names 1: no change of the kind telnyx.delete under this "
                    "rule can be approved."
                ),
            ),
            (
                'kinds = ["telnyx.*"]\nallow = true\napprovers = ["U0ANN"]',
                (
                    "approvals_required is 2 and approvers names 1: no change of the kind telnyx.delete under this "
                    "rule can be approved."
                ),
            ),
            (
                'kinds = ["telnyx.delete"]',
                "telnyx.delete is off by default and stays off: set allow = true if the rule should allow it.",
            ),
            (
                'allow = false\nlargest = 3\ndeadline = "2h"',
                "with allow = false, deadline, largest has no effect: remove allow = false, or the rest.",
            ),
            (
                'allow = false\napproval_channel = "C0SAFETY"\nmention = []',
                "with allow = false, approval_channel, mention has no effect: remove allow = false, or the rest.",
            ),
            ('mention = ["U0KIM"]', "mention names none of the approvers: whoever is notified cannot approve."),
            ('why = "because"', "why has no effect without allow = false: nobody reads it."),
            ("min_numbers = 6\nlargest = 5", "min_numbers is 6 and largest is 5: every change is too large."),
            (
                "min_numbers = 20_001",
                "min_numbers is 20,001 and LINESMAN_MAX_NUMBERS is 20,000: every change is too large.",
            ),
            (
                'reminder = "4h"\ndeadline = "4h"',
                "no reminders: requests expire after 4 h. Set a shorter reminder.",
            ),
            (
                'fallback_approvers = ["S0NIGHT"]\nfallback_after = "4h"\ndeadline = "4h"',
                "no fallback approver ever may approve: requests expire after 4 h. Set a shorter fallback_after.",
            ),
            (
                (
                    'stages = [{name = "a", approvers = ["U0ANN"]}, '
                    '{name = "b", approvers = ["S0B"], fallback_approvers = ["U0BOB"], fallback_after = "2d"}]'
                ),
                (
                    "stage “b”: no fallback approver ever may approve: requests expire after 1 d. "
                    "Set a shorter fallback_after."
                ),
            ),
            (
                'stages = [{name = "a", approvers = ["U0ANN"]}, {name = "b", approvers = ["U0ANN"]}]',
                (
                    "stage “b” needs 1 approval and has too few people besides those whom earlier stages need, because "
                    "a person counts in one stage only: no change under this rule can be approved."
                ),
            ),
            (
                'stages = [{name = "a", approvers = []}, {name = "b", approvers = ["U0ANN"]}]',
                "stage “a”: approvers is empty: no change under this rule can be approved.",
            ),
            (
                'stages = [{name = "a", approvers = ["U0ANN"]}, {name = "b", approvers = ["U0REQ"]}]',
                (
                    "stage “b” has nobody left for what U0REQ requests: nobody approves their own, and a person counts "
                    "in one stage only."
                ),
            ),
            (
                (
                    'requesters = ["*"]\n'
                    'stages = [{name = "a", approvers = ["U0ANN"]}, {name = "b", approvers = ["S0LEADS"]}]'
                ),
                (
                    "stage “a” has nobody left for what U0ANN requests: nobody approves their own, and a person counts "
                    "in one stage only."
                ),
            ),
        ],
    )
    def test_one(self, lines: str, said: str) -> None:
        """It is said in one sentence, which names the file and the rule."""
        text = f'[[rule]]\nname = "x"\n{lines}'

        assert rule_cautions(parse(text, "etc/policy.toml", KINDS), over(text)) == (f"policy.toml, rule 1 “x”: {said}",)

    @pytest.mark.parametrize(
        "lines",
        [
            'approvers = ["S0LEADS"]\napprovals_required = 9',
            'approvers = ["U0REQ"]\nself_approval = true',
            "allow = false",
            "mention = []",
            'mention = ["U0KIM", "U0BOB"]',
            'mention = ["S0ONCALL"]',
            'kinds = ["telnyx.*"]',
            'fallback_approvers = ["U0NIGHT"]\nfallback_after = "2h"\napprovers = []',
            'stages = [{name = "a", approvers = ["U0ANN"]}, {name = "b", approvers = ["U0ANN", "U0BOB"]}]',
            (
                'kinds = ["telnyx.*"]\nallow = true\n'
                'stages = [{name = "a", approvers = ["S0LEADS"]}, {name = "b", approvers = ["U0ANN"]}]'
            ),
        ],
    )
    def test_fine(self, lines: str) -> None:
        """Groups may be large, own approvals allowed, nobody mentioned, and a pattern need not mean what is off."""
        text = f'[[rule]]\nname = "x"\n{lines}'

        assert rule_cautions(parse(text, "policy.toml", KINDS), over(text)) == ()

    def test_inherited(self) -> None:
        """What a rule inherits from empty variables is told under the variables' names."""
        text = '[[rule]]\nname = "x"\nkinds = ["telnyx.emergency"]'
        nobody = replace(approved_by(FALLBACK, Grant()), requesters=Grant(), operators=Grant())

        assert rule_cautions(parse(text, "policy.toml", KINDS), over(text, nobody)) == (
            "policy.toml, rule 1 “x”: LINESMAN_REQUESTERS is empty: nobody can request a change under this rule.",
            "policy.toml, rule 1 “x”: LINESMAN_APPROVERS is empty: no change under this rule can be approved.",
        )
        assert list(variable_cautions(over(text, nobody))) == [
            "LINESMAN_REQUESTERS is empty: nobody can request a change outside of the rules.",
            "LINESMAN_APPROVERS is empty: no change outside of the rules can be approved.",
            ("LINESMAN_OPERATORS is empty: nobody can unlock numbers, freeze submissions or resolve unknown jobs."),
        ]

    def test_variables_that_govern_nothing(self) -> None:
        """Empty variables are fine when a rule is for everything; only operators come from nowhere else."""
        text = '[[rule]]\nname = "x"\nrequesters = ["*"]\napprovers = ["S0LEADS"]'
        nobody = replace(approved_by(FALLBACK, Grant()), requesters=Grant())

        assert rule_cautions(parse(text, "policy.toml", KINDS), over(text, nobody)) == ()
        assert list(variable_cautions(over(text, nobody))) == []

    def test_shadowed(self) -> None:
        """A rule to which no change comes is named with the one that takes them all; nothing else is said of it."""
        text = '[[rule]]\nname = "all"\n[[rule]]\nname = "late"\nkinds = ["telnyx.settings"]\napprovers = []'

        assert rule_cautions(parse(text, "policy.toml", KINDS), over(text)) == (
            (
                "policy.toml, rule 2 “late”: no change reaches this rule, because rule 1 “all” governs "
                "all its changes: move it further up, or remove it."
            ),
        )

    def test_empty_file(self) -> None:
        """A file without rules decides nothing, and that is said."""
        assert rule_cautions(parse("# later", "policy.toml", KINDS), over("")) == (
            "policy.toml has no [[rule]]: the variables alone decide who may do what.",
        )


class TestExplain:
    """The policy in plain words."""

    @pytest.mark.parametrize(
        ("lines", "said"),
        [
            ('kinds = ["telnyx.*", "close.*"]', "telnyx.* and close.* changes of any size; may be"),
            ("min_numbers = 1\nmax_numbers = 1", "changes of every kind of at most 1 number; may be"),
            ("min_numbers = 2\nmax_numbers = 9", "changes of every kind of 2 to 9 numbers; may be"),
            ("min_numbers = 1_000\nmax_numbers = 1_000", "changes of every kind of 1,000 numbers; may be"),
            ('settings = ["tags", "label"]', "changes of every kind of any size that touch label or tags; may be"),
            ("allow = false", "changes of every kind of any size; nobody may make them."),
            ('reminder = "never"', "; no reminders; "),
            (
                'approval_channel = "C0SAFETY"',
                "; approval is requested in C0SAFETY; failures are reported in C0SAFETY.",
            ),
            ('failure_channel = "C0ALARMS"', "; sent at any time; failures are reported in C0ALARMS."),
            ('mention = ["U0BOB", "S0ONCALL"]', "; requests for approval mention U0BOB, S0ONCALL."),
            ("mention = []", "; requests for approval mention nobody."),
            (
                'kinds = ["telnyx.*"]\nallow = true',
                "; may be requested by U0REQ; 1 approval (2 for telnyx.delete) from U0ANN, U0BOB; ",
            ),
            (
                'kinds = ["telnyx.delete"]',
                (
                    "telnyx.delete changes of any size; nobody may make them, because they are off by default and the "
                    "rule does not say allow = true."
                ),
            ),
        ],
    )
    def test_rule(self, lines: str, said: str) -> None:
        """A rule says what it is for, and then what holds."""
        sentence = explain(over(f'[[rule]]\nname = "x"\n{lines}'))[0]

        assert sentence.startswith("1. x: ")
        assert said in sentence

    def test_no_file(self) -> None:
        """Without a file the variables govern everything but what is off by default."""
        assert explain(Policies((), FALLBACK, OFF)) == [
            (
                "1. environment: every change; may be requested by U0REQ; 1 approval from U0ANN, U0BOB; expires after "
                "1 d; first reminder after 15 min; refused above 20,000 numbers; sent at any time."
            ),
            "2. off by default: telnyx.delete changes; nobody may make them, because no rule allows it.",
        ]

    def test_rule_for_everything(self) -> None:
        """When a rule is for everything the variables are not told as if they governed anything."""
        sentences = explain(over('[[rule]]\nname = "x"'))

        assert [sentence.partition(":")[0] for sentence in sentences] == ["1. x", "2. off by default"]


@pytest.mark.parametrize(
    ("span", "said"),
    [
        (timedelta(seconds=90), "1 min 30 s"),
        (timedelta(hours=36), "1 d 12 h"),
        (timedelta(), "0 s"),
    ],
)
def test_spoken(span: timedelta, said: str) -> None:
    """Times are written in their largest units."""
    assert spoken(span) == said
