"""A plan in lines: wanted values, a sample, warnings, and obstacles."""

from __future__ import annotations

from collections.abc import Sequence

from bot.changes.model.draft import Draft, FollowUp
from bot.changes.model.kinds import Kind
from bot.changes.model.list_edits import show_wanted
from bot.changes.model.public_ids import public_id
from bot.changes.model.settings import Shape, show_value
from bot.changes.model.summary import Summary
from bot.changes.model.values import Values, WantedValue
from bot.changes.planning.plan import same
from bot.changes.planning.summary import NAMED, UNSET
from bot.changes.text.counts import counted, examples, first_few
from bot.slack.views.elements import before_and_after, code, listed, person, when

#: Most differences of one number that a sample shows.
DIFFERENCES = 3
#: Most characters of a value in a sample.
LONGEST = 60


def shown(kind: Kind, name: str, wanted: WantedValue, summary: Summary, limit: int = 200) -> str:
    """Return a value, or an edit of a list, with names beside ids, safe inside mrkdwn."""
    return code(show_wanted(kind.setting(name), wanted, summary.labels.get(name)), limit)


def wanted_lines(kind: Kind, summary: Summary, draft: Draft) -> str:
    """Return a line for every setting that ``draft`` changes; for a kind that removes numbers, what that means."""
    if kind.removes:
        return (
            f"🗑️ These numbers will be *deleted from the {kind.provider.title()} account*. This cannot be "
            "undone, and a deleted number may not be for sale again."
        )
    names = [name for name in summary.names if name in summary.varied or name not in summary.overridden]
    return listed([f"• *{kind.setting(name).label}* → {_wanted(kind, name, summary, draft)}" for name in names])


def _wanted(kind: Kind, name: str, summary: Summary, draft: Draft) -> str:
    """Return the wanted value of a setting, for all numbers or for those without a value of their own."""
    common = shown(kind, name, summary.wanted[name], summary) if name in summary.wanted else ""
    own = summary.varied.get(name, 0)
    if not own:
        return common
    rows = f"{own:,} different values, number by number" if own > 1 else _own_value(draft)
    return f"{rows}; {common} for the rest" if common and name not in summary.overridden else rows


def _own_value(draft: Draft) -> str:
    """Return the source of the one value that numbers have of their own."""
    if not draft.base:
        return "the value in the sheet"
    before = public_id(draft.base.change)
    value = f"the value of {before}" if draft.base.what is FollowUp.RETRY else f"the value from before {before}"
    return f"{value}, or in the sheet" if draft.sheet else value


def sample_lines(kind: Kind, summary: Summary, limit: int) -> str:
    """Return the values before and after of a few numbers."""
    lines = []
    for e164, before, after in summary.sample[:limit]:
        if kind.removes:
            had = [
                f"{kind.setting(name).label}: {shown(kind, name, value, summary, limit=60)}"
                for name, value in before.items()
                if value not in UNSET
            ]
            lines.append(f"`{e164}`  {'; '.join(had) or 'nothing set'}")
            continue
        first = [_difference(kind, name, before, after, summary) for name in list(after)[:DIFFERENCES]]
        named = first_few(first, DIFFERENCES, between="; ", more=len(after) - len(first))
        lines.append(f"`{e164}`  {named}")
    return listed(lines)


def _difference(kind: Kind, name: str, before: Values, after: Values, summary: Summary) -> str:
    setting, told = kind.setting(name), name in before
    old, new = before.get(name), after.get(name)
    if not told:
        return f"{setting.label}: (not shown by the provider) → {shown(kind, name, new, summary, limit=LONGEST)}"
    was, now = (show_value(setting, value, summary.labels.get(name)) for value in (old, new))
    tags = setting.shape is Shape.TAGS and was != now and max(len(was), len(now)) <= LONGEST
    if isinstance(new, tuple) and not tags:
        return f"{setting.label}: {_gains_and_losses(kind, name, old if isinstance(old, tuple) else (), new, summary)}"
    return f"{setting.label}: {before_and_after(was, now, LONGEST, stays=same(setting, old, new))}"


def _gains_and_losses(kind: Kind, name: str, old: tuple[str, ...], new: tuple[str, ...], summary: Summary) -> str:
    """Return what a list gains and loses: two long lists side by side, cut to a line, would look the same."""
    gained = tuple(entry for entry in new if entry not in old)
    lost = tuple(entry for entry in old if entry not in new)
    signs = (("+", gained), ("-", lost))
    return " ".join(f"{sign} {shown(kind, name, entries, summary, limit=80)}" for sign, entries in signs if entries)


def warning_lines(kind: Kind, summary: Summary) -> str:
    """Return warnings that a careful person wants before approving; empty without any."""
    lines = [
        f"• {counted(count, 'number gets', 'numbers get')} *{kind.setting(name).label}* switched on, which costs money."
        for name, count in summary.paid.items()
    ]
    lines += [
        (
            f"• {counted(count, 'number loses', 'numbers lose')} current "
            f"*{kind.setting(name).label.lower()}*: the list is replaced."
        )
        for name, count in summary.losing.items()
    ]
    lines += [
        (
            f"• {counted(count, 'number keeps', 'numbers keep')} *{kind.setting(name).label}* as "
            f"it is: {kind.provider.title()} documents no way to restore the earlier value."
        )
        for name, count in summary.lost.items()
    ]
    lines += [
        f"• {counted(count, 'number')}: {caution}{_which(summary.cautioned.get(caution, ()), count)}."
        for caution, count in summary.cautions.items()
    ]
    if count := summary.since:
        left = counted(
            count,
            "number has changed since and is left as it is",
            "numbers have changed since and are left as they are",
        )
        lines.append(f"• {left}: {examples(summary.since_named, count)}.")
    if summary.unknown:
        lines.append(
            f"• *Nobody can see which numbers these are.* {kind.provider.title()} refused to list them for this "
            "account, and finds them only when the job is created. There are no earlier values to compare or to "
            "restore. Until "
            f"this change is over, no other change of {kind.provider.title()} numbers can be requested."
        )
    lines += [
        f"• {counted(count, 'number has', 'numbers have')} *{kind.setting(name).label.lower()}*."
        for name, count in summary.having.items()
    ]
    if count := summary.unchanged:
        alone = counted(count, "number already has these values and is", "numbers already have these values and are")
        lines.append(f"• {alone} left alone.")
    if count := summary.left_out:
        excluded = f"{counted(count, 'number is', 'numbers are')} excluded"
        lines.append(f"• {excluded}{_which(summary.left_out_named, count)}.")
    if count := len(summary.without_effect):
        idle = counted(count, "exclusion leaves no number out", "exclusions leave no number out")
        lines.append(f"• {idle}{_which(summary.without_effect[:NAMED], count)}. Check for typing errors.")
    if count := summary.repeats:
        lines.append(f"• {counted(count, 'repeated entry was', 'repeated entries were')} dropped.")
    return "\n".join(lines)


def _which(named: Sequence[str], count: int) -> str:
    """Return the first few of ``count`` numbers in brackets; empty if none is known, as in older plans."""
    return f" ({examples(named, count)})" if named else ""


def numbers_text(summary: Summary) -> str:
    """Return how many numbers there are, and how many of them change if not all do."""
    if summary.unknown:
        return f"unknown until the job runs, at most {summary.unknown:,}"
    changing = summary.numbers - summary.unchanged
    return f"{summary.numbers:,}" + (f", of which {changing:,} change" if summary.unchanged else "")


def locked_lines(summary: Summary) -> str:
    """Return which changes hold numbers of the plan, and since when."""
    return listed(
        [
            f"{held.numbers:,} of the numbers {'is' if held.numbers == 1 else 'are'} locked by "
            f"*{public_id(held.change)}*, requested by {person(held.requester)}, since {when(held.since)}."
            for held in summary.locked
        ]
    )


def filter_lines(summary: Summary) -> str:
    """Return the filter that found the numbers, one condition per line."""
    return listed([f"• {code(condition)}" for condition in summary.conditions])
