"""What is allowed in a world, and under which terms: in some, a policy file of a few rules, all from the seed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from random import Random
from typing import Final

from tests.simulation.nature import BEGINNING
from tests.simulation.script import Order

#: How often there is a policy file.
OFTEN: Final = 0.5
#: How often changes of settings are approved in stages, and who approves in which.
STAGED: Final = 0.4
IN_STAGES: Final[Mapping[str, Sequence[str]]] = {"safety": ("U0MIA", "U0ANA"), "network": ("U0MAX", "U0MIA")}
#: Who may approve in the last stage as well, and after how many minutes that it is open.
FALLBACK: Final = "U0ANA"
FALLBACK_MINUTES: Final = 2
#: Kinds for which there may be change windows.
WINDOWED: Final = ("telnyx.settings", "close.*", "*")


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule of the file."""

    name: str
    kinds: str
    #: What else the file says of it, as lines of TOML.
    terms: Sequence[str] = ()
    required: int | None = None
    self_approval: bool = False
    #: Name of a stage -> who approves in it, in their order; none where one approval is like another.
    stages: Mapping[str, Sequence[str]] = field(default_factory=dict)
    #: From when to when nothing may be started; None for at no time.
    shut: tuple[datetime, datetime] | None = None

    def toml(self) -> str:
        """Return the rule as it stands in the file."""
        lines = ["[[rule]]", f'name = "{self.name}"', f'kinds = ["{self.kinds}"]', *self.terms]
        if self.stages:
            stages = [f'name = "{name}", approvers = {json.dumps(ids)}' for name, ids in self.stages.items()]
            stages[-1] += f', fallback_approvers = ["{FALLBACK}"], fallback_after = "{FALLBACK_MINUTES}m"'
            lines.append(f"stages = [{', '.join(f'{{ {stage} }}' for stage in stages)}]")
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
            staged = Rule(name="in stages", kinds="telnyx.settings", required=len(IN_STAGES), stages=IN_STAGES)
            self._rules.append(staged)

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

    def stages(self, kind: str) -> Mapping[str, Sequence[str]]:
        """Return who approves in which stage, in their order; none where one approval is like another."""
        rule = self._governing(kind)
        return rule.stages if rule is not None else {}

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
