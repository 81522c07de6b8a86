"""Drafts and summaries as stored JSON documents. A field missing from an older document is empty."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from bot.changes.model.draft import Base, Draft, FollowUp, Upload
from bot.changes.model.locks import Held
from bot.changes.model.rollout import Pause, Rollout, Threshold
from bot.changes.model.summary import Summary
from bot.changes.model.values import JSON, EditMode, values_from_json, values_to_json, wanted_values_from_json


def draft_to_json(draft: Draft) -> dict[str, JSON]:
    """Return ``draft`` ready to be stored."""
    return {
        "kind": draft.kind,
        "pasted": list(draft.pasted),
        "chosen": list(draft.chosen),
        "typed": values_to_json(draft.typed),
        "picked": dict(draft.picked),
        "ways": {name: way.value for name, way in draft.ways.items()},
        "base": {"change": draft.base.change, "what": draft.base.what.value} if draft.base else None,
        "sheet": {"id": draft.sheet.id, "name": draft.sheet.name} if draft.sheet else None,
        "reason": draft.reason,
        "filters": dict(draft.filters),
        "excluded": draft.excluded,
        "left_out": list(draft.left_out),
        "postponed": list(draft.postponed),
        "columns_left_out": list(draft.columns_left_out),
        "start": draft.start,
        "zone": draft.zone,
        "canary": draft.canary,
        "pause": draft.pause,
        "threshold": draft.threshold,
        "until": draft.until,
    }


def draft_from_json(stored: Mapping[str, Any]) -> Draft:
    """Return the draft that :func:`draft_to_json` stored."""
    return Draft(
        kind=stored["kind"],
        pasted=tuple(stored["pasted"]),
        chosen=tuple(stored["chosen"]),
        typed=values_from_json(stored["typed"]),
        picked=stored["picked"],
        ways={name: EditMode(way) for name, way in stored.get("ways", {}).items()},
        base=_base(stored.get("base")),
        sheet=Upload(**stored["sheet"]) if stored.get("sheet") else None,
        reason=stored["reason"],
        filters=stored.get("filters", {}),
        excluded=stored.get("excluded", ""),
        left_out=tuple(stored.get("left_out", ())),
        postponed=tuple(stored.get("postponed", ())),
        columns_left_out=tuple(stored.get("columns_left_out", ())),
        start=stored.get("start", ""),
        zone=stored.get("zone", ""),
        canary=stored.get("canary", ""),
        pause=stored.get("pause", ""),
        threshold=stored.get("threshold", ""),
        until=stored.get("until", ""),
    )


def _base(stored: Mapping[str, Any] | None) -> Base | None:
    return Base(change=stored["change"], what=FollowUp(stored["what"])) if stored else None


def _rollout_to_json(rollout: Rollout) -> dict[str, JSON]:
    pause, threshold = rollout.pause, rollout.threshold
    between: dict[str, JSON] = {"asks": pause.asks, "seconds": int(pause.length.total_seconds())}
    return {**between, "count": threshold.count, "share": threshold.share}


def _rollout(stored: Mapping[str, Any] | None) -> Rollout:
    """Return the stored rollout; that of a canary if an earlier version stored none."""
    if stored is None:
        return Rollout()
    return Rollout(
        pause=Pause(asks=stored["asks"], length=timedelta(seconds=stored["seconds"])),
        threshold=Threshold(count=stored["count"], share=stored["share"]),
    )


def summary_to_json(summary: Summary) -> dict[str, Any]:
    """Return ``summary`` ready to be stored."""
    return {
        "numbers": summary.numbers,
        "unchanged": summary.unchanged,
        "batches": summary.batches,
        "wanted": values_to_json(summary.wanted, sealed=False),
        "varied": dict(summary.varied),
        "overridden": list(summary.overridden),
        "labels": {name: dict(labels) for name, labels in summary.labels.items()},
        "repeats": summary.repeats,
        "sample": [
            [e164, values_to_json(old, sealed=False), values_to_json(new, sealed=False)]
            for e164, old, new in summary.sample
        ],
        "paid": dict(summary.paid),
        "losing": dict(summary.losing),
        "lost": dict(summary.lost),
        "since": summary.since,
        "since_named": list(summary.since_named),
        "unknown": summary.unknown,
        "having": dict(summary.having),
        "cautions": dict(summary.cautions),
        "cautioned": {caution: list(named) for caution, named in summary.cautioned.items()},
        "canary": list(summary.canary),
        "rollout": _rollout_to_json(summary.rollout),
        "ends_at": summary.ends_at.isoformat() if summary.ends_at else None,
        "left_out": summary.left_out,
        "left_out_named": list(summary.left_out_named),
        "without_effect": list(summary.without_effect),
        "conditions": list(summary.conditions),
        "locked": [[h.change, h.requester, h.since.isoformat(), h.numbers] for h in summary.locked],
    }


def summary_from_json(stored: Mapping[str, Any]) -> Summary:
    """Return the summary that :func:`summary_to_json` stored."""
    return Summary(
        numbers=stored["numbers"],
        unchanged=stored["unchanged"],
        batches=stored["batches"],
        wanted=wanted_values_from_json(stored["wanted"]),
        varied=stored.get("varied", {}),
        overridden=tuple(stored.get("overridden", ())),
        labels=stored["labels"],
        repeats=stored["repeats"],
        sample=tuple((e164, values_from_json(old), values_from_json(new)) for e164, old, new in stored["sample"]),
        paid=stored["paid"],
        losing=stored.get("losing", {}),
        lost=stored.get("lost", {}),
        since=stored.get("since", 0),
        since_named=tuple(stored.get("since_named", ())),
        unknown=stored.get("unknown", 0),
        having=stored.get("having", {}),
        cautions=stored.get("cautions", {}),
        cautioned={caution: tuple(named) for caution, named in stored.get("cautioned", {}).items()},
        canary=tuple(stored.get("canary", ())),
        rollout=_rollout(stored.get("rollout")),
        ends_at=datetime.fromisoformat(stored["ends_at"]) if stored.get("ends_at") else None,
        left_out=stored.get("left_out", 0),
        left_out_named=tuple(stored.get("left_out_named", ())),
        without_effect=tuple(stored.get("without_effect", ())),
        conditions=tuple(stored.get("conditions", ())),
        locked=tuple(
            Held(change=change, requester=requester, since=datetime.fromisoformat(since), numbers=numbers)
            for change, requester, since, numbers in stored.get("locked", ())
        ),
    )
