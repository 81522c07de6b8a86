"""Every way to get the policy file wrong, and what is said of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.config.policy import parse
from bot.config.policy.keys import KEYS
from tests.unit.changes.policy.policies import KINDS


def problems(text: str) -> list[str]:
    """Return what is wrong with the file ``text``, which has no rules then."""
    file = parse(text, "etc/policy.toml", KINDS)

    assert not (file.rules and file.problems)
    return list(file.problems)


#: How a stage is shown that is none.
STAGE = '{name="safety", approvers=["S0SAFETY"], approvals_required=1}'
#: Lines of a rule called x -> what is wrong with them, after the rule's place.
WRONG: list[tuple[str, str]] = [
    ('name = ""', "name must be a text on one line, of 1 to 60 characters, not “”."),
    ("name = 3", "name must be a text on one line, of 1 to 60 characters, not 3."),
    (f'name = "{"n" * 61}"', "name must be a text on one line, of 1 to 60 characters, not a text of 61 characters."),
    ('name = "a\\nb"', "name must be a text on one line, of 1 to 60 characters, not a text of 3 characters."),
    ('name = "environment"', "name may not be “environment”: that is what decisions call the variables."),
    ('kind = "telnyx.delete"', "“kind” is not a key of a rule: did you mean kinds?"),
    (
        "zzz = 1",
        (
            "“zzz” is not a key of a rule: the keys are name, kinds, min_numbers, max_numbers, settings, allow, why, "
            "requesters, approvers, approvals_required, fallback_approvers, fallback_after, self_approval, "
            "approval_channel, failure_channel, mention, deadline, reminder, largest, unpreviewable_filters, on_stale, "
            "stages, windows."
        ),
    ),
    ("kinds = 3", "kinds must be a list of kinds such as telnyx.emergency or telnyx.*, not 3."),
    ("kinds = [3]", "kinds must be a list of kinds such as telnyx.emergency or telnyx.*, and has 3 in it."),
    (
        'kinds = ["Telnyx settings"]',
        "kinds must be a list of kinds such as telnyx.emergency or telnyx.*, and has “Telnyx settings” in it.",
    ),
    ("kinds = []", "kinds is an empty list, which matches no change: remove it if the rule is for every kind."),
    (
        'kinds = ["telnyx.emergancy"]',
        "kinds has telnyx.emergancy, which is not a kind of change: did you mean telnyx.emergency?",
    ),
    (
        'kinds = ["acme.*"]',
        (
            "kinds has acme.*, which is not a kind of change: there are close.settings, "
            "telnyx.delete, telnyx.emergency, telnyx.settings."
        ),
    ),
    (
        'fallback_approvers = ["U0BOB"]',
        'fallback_approvers stands without fallback_after: say after what time they may approve, such as "2h".',
    ),
    (
        'fallback_after = "2h"',
        "fallback_after stands without fallback_approvers: say who may approve after that time.",
    ),
    (
        'fallback_approvers = []\nfallback_after = "2h"',
        "fallback_approvers is an empty list: name somebody, or remove it and fallback_after.",
    ),
    ("stages = 3", f"stages must be a list of tables, each like {STAGE}, not 3."),
    ("stages = [3]", f"stages must be a list of tables, each like {STAGE}, not 3."),
    (
        'stages = [{name = "a", approvers = ["U0ANN"]}]',
        ("stages has 1 in it, and there have to be at least 2: give the rule itself approvers and approvals_required."),
    ),
    (
        f"stages = [{', '.join(['{}'] * 11)}]",
        "stages has 11 in it, and there can be 10 at most.",
    ),
    (
        'approvals_required = 2\nstages = [{name = "a", approvers = ["U0ANN"]}, {name = "b", approvers = ["U0BOB"]}]',
        "stages stands in place of approvals_required: say that in each stage, or remove stages.",
    ),
    ("min_numbers = 0", "min_numbers must be a whole number of at least 1, not 0."),
    ("max_numbers = true", "max_numbers must be a whole number of at least 1, not true."),
    (
        "max_numbers = 0x10000000000000000",
        "max_numbers must be a whole number of at most 1,000,000,000, not a number as large as that.",
    ),
    ("min_numbers = 6\nmax_numbers = 5", "min_numbers is 6 and max_numbers is 5, which matches no change."),
    ("settings = 2026-01-01", "settings must be a list of names of settings, not a date or a time."),
    ('settings = [" "]', "settings must be a list of names of settings, and has “ ” in it."),
    ("settings = []", "settings is an empty list, which matches no change: remove it if settings do not matter."),
    ('settings = ["tag"]', "settings has tag, which is not a setting of the rule's kinds: did you mean tags?"),
    (
        'kinds = ["close.*"]\nsettings = ["tags"]',
        "settings has tags, which is not a setting of the rule's kinds: there are label.",
    ),
    ('allow = "yes"', "allow must be true or false, not “yes”."),
    ("why = ''", "why must be a text on one line, of 1 to 300 characters, not “”."),
    ('requesters = "U0ANN"', "requesters must be a list of ids, not “U0ANN”: put it in brackets."),
    ("requesters = {}", "requesters must be a list of ids, not a table."),
    ('requesters = ["U0ANN,U0BOB"]', "requesters must be a list of ids, each in its own quotes."),
    (
        'requesters = ["ann"]',
        (
            "requesters has 'ann', which is not a Slack id: give user ids (U… or W…) and user group ids (S…), "
            "separated by commas."
        ),
    ),
    ("approvers = [[]]", "approvers must be a list of ids, and has an empty list in it."),
    ('approvers = ["*"]', "approvers may not be * (everybody): name the people or their user groups."),
    ('approvals_required = "two"', "approvals_required must be a whole number of at least 1, not “two”."),
    ("approvals_required = 1.5", "approvals_required must be a whole number of at least 1, not 1.5."),
    ("self_approval = 1", "self_approval must be true or false, not 1."),
    (
        'approval_channel = "#safety"',
        (
            "approval_channel must be a channel id (C… or G…), not “#safety”: copy the id from the bottom of the "
            "channel's details."
        ),
    ),
    (
        "failure_channel = []",
        (
            "failure_channel must be a channel id (C… or G…), not an empty list: copy the id from the bottom of the "
            "channel's details."
        ),
    ),
    ('mention = ["*"]', "mention may not be * (everybody): name the people or their user groups."),
    ('mention = "S0ONCALL"', "mention must be a list of ids, not “S0ONCALL”: put it in brackets."),
    ("deadline = 3600", 'deadline must be a time such as "90s", "15m", "4h" or "2d", not 3600.'),
    ('deadline = "4 hours"', 'deadline must be a time such as "90s", "15m", "4h" or "2d", not “4 hours”.'),
    ('deadline = "never"', 'deadline must be a time such as "90s", "15m", "4h" or "2d", not “never”.'),
    ('deadline = "59s"', "deadline must be a time from 1m to 365d, not “59s”."),
    ('deadline = "999999999d"', "deadline must be a time from 1m to 365d, not “999999999d”."),
    ('reminder = "soon"', 'reminder must be a time such as "90s", "15m", "4h" or "2d" or "never", not “soon”.'),
    ('reminder = "0s"', 'reminder must be a time from 1m to 365d or "never", not “0s”.'),
    ("largest = -1", "largest must be a whole number of at least 1, not -1."),
    ('on_stale = "go on"', 'on_stale must be "stop" or "continue", not “go on”.'),
    ("on_stale = true", 'on_stale must be "stop" or "continue", not true.'),
    ("unpreviewable_filters = []", "unpreviewable_filters must be true or false, not an empty list."),
    (
        'windows = "at night"',
        (
            'windows must be a list of tables, each like {days="mon-fri", from="20:00", to="06:00", '
            'zone="Europe/Berlin"}, not “at night”.'
        ),
    ),
    (
        "windows = [1]",
        (
            'windows must be a list of tables, each like {days="mon-fri", from="20:00", to="06:00", '
            'zone="Europe/Berlin"}, not 1.'
        ),
    ),
    (
        "windows = []",
        ("windows is an empty list: remove it if changes may be sent at any time, or forbid them with allow = false."),
    ),
]
#: Replaced parts of a good window -> what is wrong with it, after the window's place.
WRONG_WINDOWS: list[tuple[dict[str, str], str]] = [
    ({"days": '"weekdays"'}, 'days must be days such as "mon-fri", "mon, wed, sat-sun" or "daily", not “weekdays”.'),
    (
        {"days": '"mon-wed-fri"'},
        'days must be days such as "mon-fri", "mon, wed, sat-sun" or "daily", not “mon-wed-fri”.',
    ),
    ({"days": "[]"}, 'days must be days such as "mon-fri", "mon, wed, sat-sun" or "daily", not an empty list.'),
    ({"from": '"8:00"'}, 'from must be a time such as "20:00", not “8:00”.'),
    ({"from": '"24:00"'}, 'from must be a time such as "20:00", not “24:00”.'),
    ({"to": "18:00:00"}, 'to must be a time such as "20:00", not a date or a time.'),
    ({"to": '"18:60"'}, 'to must be a time such as "20:00", not “18:60”.'),
    ({"from": ""}, 'from is missing: give the time of day at which it opens, such as "20:00".'),
    ({"to": ""}, 'to is missing: give the time of day at which it closes, such as "06:00".'),
    ({"zone": ""}, 'zone is missing: give the time zone of its hours, such as "Europe/Berlin".'),
    ({"zone": "1"}, 'zone must be a time zone such as "Europe/Berlin" or "UTC", not 1.'),
    ({"zone": '"Europe/Berlyn"'}, "zone is “Europe/Berlyn”, which is not a time zone: did you mean Europe/Berlin?"),
    ({"zone": '"Europe"'}, "zone is “Europe”, which is not a time zone: "),
    ({"zone": '""'}, 'zone is “”, which is not a time zone: give one such as "Europe/Berlin" or "UTC".'),
    (
        {"zone": '"../../etc/passwd"'},
        ('zone is “../../etc/passwd”, which is not a time zone: give one such as "Europe/Berlin" or "UTC".'),
    ),
    (
        {"to": '"08:00"'},
        (
            'from and to are both 08:00, which leaves no time between them: for the whole day write from = "00:00" and '
            'to = "24:00".'
        ),
    ),
    ({"until": '"18:00"'}, "“until” is not a key of a window: they are days, from, to and zone."),
]


class TestBad:
    """What a policy file may not say."""

    @pytest.mark.parametrize(("lines", "said"), WRONG)
    def test_rule(self, lines: str, said: str) -> None:
        """A problem names the file, the rule and the key, and says what to write."""
        name = "" if lines.startswith("name") else 'name = "x"\n'
        # A name that cannot be used is not repeated, but one that is only not allowed is.
        called = " “x”" if name else " “environment”" if "environment" in lines else ""

        found = problems(f'[[rule]]\nname = "first"\n[[rule]]\n{name}{lines}')

        assert found == [f"policy.toml, rule 2{called}: {said}"]

    @pytest.mark.parametrize(("change", "said"), WRONG_WINDOWS)
    def test_window(self, change: dict[str, str], said: str) -> None:
        """A problem of a window names it by its place in the rule."""
        good = {"days": '"daily"', "from": '"08:00"', "to": '"18:00"', "zone": '"UTC"'}
        tables = [", ".join(f"{key}={value}" for key, value in each.items() if value) for each in (good, good | change)]

        found = problems(f'[[rule]]\nname = "x"\nwindows = [{{{tables[0]}}}, {{{tables[1]}}}]')

        assert len(found) == 1
        assert found[0].startswith(f"policy.toml, rule 1 “x”, window 2: {said}")
        assert found[0] == f"policy.toml, rule 1 “x”, window 2: {said}" or said.endswith(": ")

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("[[rule]]\nkinds = [", "policy.toml, at its end: this is not TOML: Invalid value."),
            ("\nname x", "policy.toml, line 2: this is not TOML: Expected '=' after a key in a key/value pair."),
            ("a = " + "[" * 9000, "policy.toml is not readable TOML: a value in it is too large."),
            ("a = " + "9" * 9000, "policy.toml is not readable TOML: a value in it is too large."),
            (
                "[rule]\nname = 'x'",
                "policy.toml: rule must be tables, each beginning with [[rule]] in double brackets.",
            ),
            ("rule = [1]", "policy.toml: rule must be tables, each beginning with [[rule]] in double brackets."),
            ("[[rules]]", "policy.toml: “rules” is not a key that can stand outside of a [[rule]]."),
            ("readers = 'S0ALL'", "policy.toml: readers must be a list of ids, not “S0ALL”: put it in brackets."),
            (
                '[[rule]]\nname = "x"\nreaders = ["*"]',
                (
                    "policy.toml, rule 1 “x”: “readers” is not a key of a rule: readers stands at the top of the file, "
                    "above the first [[rule]]."
                ),
            ),
            ("[[rule]]", "policy.toml, rule 1: name is missing: decisions name the rule that allowed them."),
            (
                '[[rule]]\nname = "x"\n[[rule]]\nname = " x "',
                "policy.toml, rule 2 “ x ”: name is that of rule 1 already: give it another.",
            ),
        ],
    )
    def test_file(self, text: str, said: str) -> None:
        """A file that is no policy is one problem, with the line if there is one."""
        assert problems(text) == [said]

    def test_all_at_once(self) -> None:
        """Every problem of every rule is told in the same run, in the order of the file."""
        found = problems(
            """
            version = 1
            [[rule]]
            kinds = ["telnyx.setings"]
            largest = "big"
            [[rule]]
            name = "night"
            windows = [{from = "8", zone = "Mars"}]
            allow = 1
            """
        )

        assert [problem.partition(" must")[0].partition(" is ")[0].partition(" has")[0] for problem in found] == [
            "policy.toml: “version”",
            "policy.toml, rule 1: largest",
            "policy.toml, rule 1: name",
            "policy.toml, rule 1: kinds",
            "policy.toml, rule 2 “night”, window 1: from",
            "policy.toml, rule 2 “night”, window 1: zone",
            "policy.toml, rule 2 “night”, window 1: to",
            "policy.toml, rule 2 “night”: allow",
        ]

    def test_stages(self) -> None:
        """Every problem of every stage is told, with its place."""
        found = problems(
            """
            [[rule]]
            name = "x"
            stages = [
              { approvers = ["*"], approvals_required = 0, fallback_after = "soon" },
              { name = "b", approver = ["U0ANN"] },
              { name = "c", approvers = ["U0ANN"], fallback_approvers = ["U0BOB"] },
              { name = "d", approvers = ["U0ANN"] },
              { name = "d", approvers = ["U0BOB"] },
            ]
            """
        )

        assert [problem.removeprefix("policy.toml, rule 1 “x”, ") for problem in found] == [
            "stage 1: approvers may not be * (everybody): name the people or their user groups.",
            "stage 1: approvals_required must be a whole number of at least 1, not 0.",
            'stage 1: fallback_after must be a time such as "90s", "15m", "4h" or "2d", not “soon”.',
            "stage 1: name is missing: people and decisions call the stage by it.",
            "stage 1: fallback_after stands without fallback_approvers: say who may approve after that time.",
            (
                "stage 2 “b”: “approver” is not a key of a stage: they are name, approvers, approvals_required, "
                "fallback_approvers, fallback_after."
            ),
            "stage 2 “b”: approvers is missing: say who may approve in this stage.",
            (
                "stage 3 “c”: fallback_approvers stands without fallback_after: say after what time they may approve, "
                'such as "2h".'
            ),
            "stage 5 “d”: name is that of an earlier stage: give it another.",
        ]

    def test_no_time_zones(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """On a machine without time zones the problem is the machine, and it says what to install."""
        monkeypatch.setattr("bot.config.policy.hours.available_timezones", set)

        found = problems('[[rule]]\nname = "x"\nwindows = [{from = "08:00", to = "18:00", zone = "Nowhere/Atall"}]')

        assert found == [
            (
                "policy.toml, rule 1 “x”, window 1: zone cannot be looked up, for no time zones are installed here: "
                "install the package tzdata."
            )
        ]

    @given(st.text())
    def test_any_text(self, text: str) -> None:
        """Whatever the text, there is an answer: rules or problems."""
        file = parse(text, "policy.toml", KINDS)

        assert not (file.rules and file.problems)

    @given(
        key=st.sampled_from([*KEYS, "stages", "windows"]),
        value=st.recursive(
            st.one_of(st.booleans(), st.integers(), st.text("az.*-:", max_size=6).map(repr)),
            lambda inner: st.lists(inner, max_size=3),
        ),
    )
    def test_any_value(self, key: str, value: object) -> None:
        """Whatever value is given to whatever key, it is read, or refused in a sentence that names the key."""
        written = str(value).replace("True", "true").replace("False", "false").replace('"', "").replace("''''", "''")
        name = "" if key == "name" else 'name = "x"\n'

        found = problems(f"[[rule]]\n{name}{key} = {written}")

        assert all(f": {key} " in problem for problem in found)

    @given(
        key=st.sampled_from([*KEYS, "windows", "other"]),
        secret=st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=62, max_size=80),
    )
    def test_no_secret_is_repeated(self, key: str, secret: str) -> None:
        """A text that is long enough for a secret is not repeated, wherever it was pasted."""
        pasted = [f'{key} = "{secret}"', f'{key} = ["{secret}"]', f'{secret} = "{key}"']

        assert [text for text in pasted if secret in " ".join(problems(f"[[rule]]\n{text}"))] == []
