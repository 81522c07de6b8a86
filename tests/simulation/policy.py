"""What is allowed in a world, and under which terms: in some, a policy file of a few rules, all from the seed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from random import Random
from typing import Final

from tests.simulation.nature import BEGINNING
from tests.simulation.script import Order

#: How often there is a policy file.
OFTEN: Final = 0.5
#: How often changes of settings are approved in stages, and how many minutes later their fallback approvers may, too.
STAGED: Final = 0.4
FALLBACK_MINUTES: Final = 2
#: Kinds for which there may be change windows.
WINDOWED: Final = ("telnyx.settings", "close.*", "*")


@dataclass(frozen=True)
class Stage:
    """Who approves in one stage, and who does when it has waited."""

    approvers: Sequence[str]
    fallback: Sequence[str]


#: The stages: whoever is to approve later may do so early, as a fallback, and somebody who is no approver otherwise.
IN_STAGES: Final[Mapping[str, Stage]] = {
    "safety": Stage(("U0MIA", "U0ANA"), ("U0MAX",)),
    "network": Stage(("U0MAX", "U0MIA"), ("U0OTTO",)),
}


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule of the file."""

    name: str
    kinds: str
    #: What else the file says of it, as lines of TOML.
    terms: Sequence[str] = ()
    required: int | None = None
    self_approval: bool = False
    #: By name, in their order; none where one approval is like another.
    stages: Mapping[str, Stage] = field(default_factory=dict)
    #: From when to when nothing may be started; None for at no time.
    shut: tuple[datetime, datetime] | None = None

    def toml(self) -> str:
        """Return the rule as it stands in the file."""
        lines = ["[[rule]]", f'name = "{self.name}"', f'kinds = ["{self.kinds}"]', *self.terms]
        if self.stages:
            stages = (
                f'{{ name = "{name}", approvers = {json.dumps(stage.approvers)}, '
                f'fallback_approvers = {json.dumps(stage.fallback)}, fallback_after = "{FALLBACK_MINUTES}m" }}'
                for name, stage in self.stages.items()
            )
            lines.append(f"stages = [{', '.join(stages)}]")
        elif self.required is not None:
            lines.append(f"approvals_required = {self.required}")
        if self.self_approval:
            lines.append("self_approval = true")
        if self.shut is not None:
            begin, end = (f"{each:%H:%M}" for each in self.shut)
            hours = (("00:00", begin), (end, "24:00"))
            windows = ", ".join(f'{{ from = "{one}", to = "{other}", zone = "UTC" }}' for one, other in hours)
            lines.append(f"windows = [{windows}]")
        return "\n".join(lines) + "\n"


class Policy:
    """The rules of one world, and what the variables say where no rule does."""

    def __init__(self, order: Order) -> None:
        random = Random(f"policy {order.seed}")
        self._required = random.choice((1, 1, 2))
        self._ttl = random.choice((90, 300, 900, 86_400))
        self._rules = _rules(random, order.minutes) if random.random() < OFTEN else []
        if self._rules and Random(f"stages {order.seed}").random() < STAGED:
            self._rules.insert(0, _staged(self._governing("telnyx.settings")))

    def environment(self, folder: Path) -> dict[str, str]:
        """Write the file, if there is one, and return the variables."""
        found = {"LINESMAN_APPROVALS_REQUIRED": str(self._required), "LINESMAN_APPROVAL_TTL": str(self._ttl)}
        if self._rules:
            file = folder / "policy.toml"
            file.write_text("\n".join(rule.toml() for rule in self._rules), encoding="utf-8")
            found["LINESMAN_POLICY_FILE"] = str(file)
        return found

    def required(self, kind: str) -> int:
        """Return how many have to approve a change of this kind."""
        rule = self._governing(kind)
        return self._required if rule is None or rule.required is None else rule.required

    @property
    def staged(self) -> bool:
        """Whether anything is approved in stages."""
        return any(rule.stages for rule in self._rules)

    def stages(self, kind: str) -> Mapping[str, Stage]:
        """Return who approves in which stage, in their order; none where one approval is like another."""
        rule = self._governing(kind)
        return rule.stages if rule is not None else {}

    def fallback_approvers(self, kind: str) -> frozenset[str]:
        """Return who may approve a change of this kind when it has waited, in any stage."""
        return frozenset(person for stage in self.stages(kind).values() for person in stage.fallback)

    def self_approval(self, kind: str) -> bool:
        """Return whether a requester's own approval counts."""
        rule = self._governing(kind)
        return rule is not None and rule.self_approval

    def shut(self, kind: str, since: datetime, until: datetime) -> bool:
        """Return whether no change of this kind may be started at any time from ``since`` to ``until``."""
        rule = self._governing(kind)
        return rule is not None and rule.shut is not None and rule.shut[0] <= since and until < rule.shut[1]

    def _governing(self, kind: str) -> Rule | None:
        return next((rule for rule in self._rules if fnmatchcase(kind, rule.kinds)), None)


def _staged(otherwise: Rule | None) -> Rule:
    """Return the rule of what is approved in stages, with the hours of the rule that would govern it ``otherwise``."""
    staged = Rule(name="in stages", kinds="telnyx.settings", required=len(IN_STAGES), stages=IN_STAGES)
    return staged if otherwise is None else replace(staged, terms=otherwise.terms, shut=otherwise.shut)


def _rules(random: Random, minutes: float) -> list[Rule]:
    rules = [Rule(name="deletions", kinds="telnyx.delete", terms=["allow = true"], required=2)]
    if random.random() < 0.5:
        rules.append(Rule(name="emergency", kinds="telnyx.emergency", required=random.choice((1, 2))))
    if random.random() < 0.3:
        rules.append(Rule(name="their own", kinds="close.*", self_approval=True))
    if random.random() < 0.7:
        begin = BEGINNING + timedelta(minutes=random.randint(1, max(1, round(minutes) - 2)))
        shut = begin, begin + timedelta(minutes=random.randint(5, 20))
        terms = [f'on_stale = "{random.choice(("stop", "continue"))}"']
        rules.append(Rule(name="hours", kinds=random.choice(WINDOWED), terms=terms, shut=shut))
    return rules
