"""What Linesman promises, each checked against what the stand-ins saw; the bot's own database is not asked."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from bot.sandbox.bot_process import STOPS_WITHIN
from bot.sandbox.demo.evidence import Evidence
from bot.sandbox.telnyx import Call

#: Most numbers in one job (Telnyx).
LARGEST_JOB: Final = 1_000
#: Seconds that Slack waits for an answer.
ACK_WITHIN: Final = 3.0
#: Most lines in a thread, however many jobs there are.
LONGEST_THREAD: Final = 8

UPDATE: Final = "/phone_numbers/jobs/update_phone_numbers"
#: POST requests that read.
_HARMLESS: Final = frozenset({"/phone_numbers/actions/verify_ownership"})


@dataclass(frozen=True, kw_only=True)
class PromiseResult:
    """What became of a promise."""

    #: One sentence.
    promise: str
    #: What speaks against it; nothing when it was kept.
    problems: Sequence[str]

    @property
    def kept(self) -> bool:
        """Whether nothing speaks against it."""
        return not self.problems


def verdicts(evidence: Evidence) -> list[PromiseResult]:
    """Return a verdict on every promise."""
    return [check(evidence) for check in PROMISES]


def the_numbers(seen: Evidence) -> PromiseResult:
    """Judge that exactly the chosen numbers changed, and only in what was asked for."""

    def problems() -> Iterator[str]:
        if seen.before.keys() != seen.after.keys():
            yield "numbers came or went"
        changing = set(seen.chosen) - seen.failing.keys()
        for number in sorted(seen.before.keys() & seen.after.keys()):
            expected = {**seen.before[number], **seen.wanted} if number in changing else {**seen.before[number]}
            if (dropped := seen.dropped.get(number)) is not None:
                expected[dropped] = seen.before[number][dropped]
            different = [name for name, value in seen.after[number].items() if value != expected.get(name)]
            if different:
                yield f"{number} is not as it should be: {', '.join(different)}"

    bad, others = len(seen.failing), len(seen.before) - len(seen.chosen)
    good = len(seen.chosen) - bad - len(seen.dropped)
    sentence = f"{good:,} numbers have the new values, {bad} kept their old ones, {others} others were not touched"
    return PromiseResult(promise=sentence, problems=[*problems()])


def the_jobs(seen: Evidence) -> PromiseResult:
    """Judge that three jobs carried every chosen number once, and that nothing else was asked to change."""

    def problems() -> Iterator[str]:
        sizes = [len(job.keys) for job in seen.jobs]
        if len(sizes) != 3:
            yield f"there are {len(sizes)} jobs"
        if any(size > LARGEST_JOB for size in sizes):
            yield f"a job is too large: {sizes}"
        carried = Counter(operation.phone_number for job in seen.jobs for operation in job.operations)
        if carried != Counter(seen.chosen):
            yield "the jobs together are not the chosen numbers, each once"
        writes = [call.path for call in seen.provider_calls if call.method != "GET" and call.path not in _HARMLESS]
        if Counter(writes) != Counter([UPDATE] * 3):
            yield f"other requests that change something: {Counter(writes)}"

    sizes = " + ".join(f"{size:,}" for size in sorted((len(job.keys) for job in seen.jobs), reverse=True))
    return PromiseResult(
        promise=f"3 jobs ({sizes}), every number in one of them, no other write", problems=[*problems()]
    )


def the_approval(seen: Evidence) -> PromiseResult:
    """Judge that nothing was sent before Max approved, and that Ana's own click did nothing but answer her."""

    def problems() -> Iterator[str]:
        approved = seen.clicks.approved
        if approved.payload["user"]["id"] != seen.approver:
            yield "somebody else approved"
        early = [call for call in _jobs_created(seen) if call.at < approved.at]
        if early:
            yield f"{len(early)} jobs were created before the approval"
        if not seen.clicks.refused.at < approved.at:
            yield "the requester's own click did not come first"
        if not any("somebody else" in message.text for message in seen.whispers):
            yield "the requester was not told why her own click does not count"
        if any(f"<@{seen.requester}> approved" in str(card.blocks) for card in (*seen.cards, *seen.requests)):
            yield "the requester's approval was counted"

    sentence = "No job before Max approved; Ana's click on her own change was refused and did nothing"
    return PromiseResult(promise=sentence, problems=[*problems()])


def _jobs_created(seen: Evidence) -> list[Call]:
    return [call for call in seen.provider_calls if call.path == UPDATE]


def the_cards(seen: Evidence) -> PromiseResult:
    """Judge that there is one card and one request for approval, which names who decided and has no buttons left."""

    def problems() -> Iterator[str]:
        if len(seen.cards) != 1:
            yield f"there are {len(seen.cards)} messages beside the thread"
        if len(seen.requests) != 1:
            yield f"there are {len(seen.requests)} requests for approval"
        for request in seen.requests:
            if any(block["type"] == "actions" for block in request.blocks):
                yield "the request for approval still has buttons"
            if f"<@{seen.approver}> approved" not in str(request.blocks):
                yield "the request for approval does not say who approved"
        if len(seen.thread) > LONGEST_THREAD:
            yield f"the thread has {len(seen.thread)} messages"

    edits = sum(card.edited_count for card in seen.cards)
    sentence = f"One card (edited {edits} times), {len(seen.thread)} lines in its thread, one request without buttons"
    return PromiseResult(promise=sentence, problems=[*problems()])


def the_notice(seen: Evidence) -> PromiseResult:
    """Judge that the failure channel heard of it once, with a mention of who asked and a link to the card."""

    def problems() -> Iterator[str]:
        if len(seen.notices) != 1:
            yield f"there are {len(seen.notices)} notices"
        for notice in seen.notices:
            if notice.mentions.users != {seen.requester} or notice.mentions.groups or notice.mentions.broadcasts:
                yield f"it mentions {notice.mentions}"
            if not seen.link or seen.link not in notice.text + str(notice.blocks):
                yield "it does not link to the card"
            if not re.search(rf"\b{len(seen.failing)} of {len(seen.chosen):,}\b", notice.text):
                yield "it does not say how many failed"

    sentence = "One notice in #number-failures, which mentions Ana and links to the card"
    return PromiseResult(promise=sentence, problems=[*problems()])


def the_verification(seen: Evidence) -> PromiseResult:
    """Judge that the numbers were read back, and that what the provider did not do was found and told everywhere."""

    def problems() -> Iterator[str]:
        over = max((job.updated_at for job in seen.jobs), default=None)
        if over is None or not any(_reads_numbers(call) and call.at > over for call in seen.provider_calls):
            yield "no number was read after the jobs"
        good = len(seen.chosen) - len(seen.failing) - len(seen.dropped)
        for card in seen.cards:
            if f"{good:,} verified · {len(seen.dropped)} differs" not in str(card.blocks):
                yield "the card does not say how many are verified and how many differ"
        for place, messages in (("card", seen.cards), ("thread", seen.thread), ("failure channel", seen.notices)):
            told = "".join(str(message.blocks) for message in messages)
            # Where nothing was said at all, another promise is broken.
            yield from (
                f"{number} is not told in the {place}" for number in seen.dropped if told and number not in told
            )
            if messages and "Off instead of Flag calls" not in told:
                yield f"what was wanted and what was found is not told in the {place}"

    sentence = f"{len(seen.dropped)} number that Telnyx only said it changed was read back, found out and told"
    return PromiseResult(promise=sentence, problems=[*problems()])


def _reads_numbers(call: Call) -> bool:
    return call.method == "GET" and call.path.startswith("/phone_numbers") and "/jobs" not in call.path


def the_reason(seen: Evidence) -> PromiseResult:
    """Judge that what Ana typed was shown as typed, and called nobody."""
    messages = [*seen.cards, *seen.requests, *seen.thread, *seen.notices]
    return PromiseResult(
        promise="“<!channel>” in Ana's reason was shown as she typed it, and called nobody",
        problems=[f"a message calls @{', @'.join(m.mentions.broadcasts)}" for m in messages if m.mentions.broadcasts],
    )


def the_sheet(seen: Evidence) -> PromiseResult:
    """Judge that the sheet has a row for every number, with what really became of it."""

    def problems() -> Iterator[str]:
        if len(seen.sheets) != 1:
            yield f"there are {len(seen.sheets)} sheets"
            return
        rows = seen.rows()
        if Counter(row["number"] for row in rows) != Counter(seen.chosen):
            yield f"its {len(rows):,} rows are not the chosen numbers, each once"
        for row in rows:
            reason = seen.failing.get(row["number"])
            if row["outcome"] != ("failed" if reason else "differs" if row["number"] in seen.dropped else "verified"):
                yield f"{row['number']} is said to have {row['outcome']}"
            elif (reason or "") not in row["reason"]:
                yield f"{row['number']} failed for another reason than {row['reason']!r}"

    sentence = f"results.csv has {len(seen.rows()):,} rows, and each says what really became of its number"
    return PromiseResult(promise=sentence, problems=[*problems()])


def the_second_act(seen: Evidence) -> PromiseResult:
    """Judge that the second act added one colleague to exactly the chosen numbers, once each, and broke no limit."""
    team = seen.team

    def problems() -> Iterator[str]:
        for number, was in team.before.items():
            people = was["participants"]
            expected = {**was, "participants": sorted([*_people(people), team.colleague])}
            if team.after.get(number) != (expected if number in team.chosen else was):
                yield f"{number} is not as it should be"
        if Counter(update.number for update in team.updates) != Counter(team.chosen):
            yield "the updates are not the chosen numbers, each once"
        if any(update.at < team.approved.at for update in team.updates):
            yield "an update came before the approval"
        if too_fast := sum(call.status == 429 for call in team.calls):
            yield f"Close had to ask {too_fast} times to slow down"

    sentence = f"At Close {len(team.chosen)} numbers got one more colleague, each by one update, within the rate limit"
    return PromiseResult(promise=sentence, problems=[*problems()])


def _people(value: object) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list) else []


def the_answers(seen: Evidence) -> PromiseResult:
    """Judge that whatever a person did was answered in time, and that Slack had nothing to complain of."""

    def problems() -> Iterator[str]:
        for each in seen.deliveries:
            if each.error is not None or each.seconds >= ACK_WITHIN:
                yield f"{each.kind} was answered after {each.seconds:.1f} s: {each.error or 'too late'}"
        yield from seen.complaints
        yield from (f"{call.method} was refused: {call.error}" for call in seen.slack_calls if call.error)

    slowest = max((each.seconds for each in seen.deliveries), default=0.0)
    sentence = (
        f"{len(seen.deliveries)} clicks and forms answered within {ACK_WITHIN:g} s, the slowest after "
        f"{slowest * 1000:,.0f} ms; no complaint from Slack"
    )
    return PromiseResult(promise=sentence, problems=[*problems()])


def the_secrets(seen: Evidence) -> PromiseResult:
    """Judge that no secret stands in what Slack was sent, nor in the log."""
    found = [name for name, text in seen.said() if any(secret in text for secret in seen.secrets)]
    return PromiseResult(
        promise=f"None of {len(seen.secrets)} secrets is in any message, file or line of the log",
        problems=[f"a secret is in {name}" for name in found],
    )


def the_end(seen: Evidence) -> PromiseResult:
    """Judge that the bot stopped when it was asked to."""
    status, seconds = seen.ending.status, seen.ending.seconds
    return PromiseResult(
        promise=f"The bot stopped {seconds:.1f} s after SIGTERM, with exit status {status}",
        problems=[] if status == 0 and seconds <= STOPS_WITHIN else ["that is not a clean stop within 10 s"],
    )


PROMISES: Final[Sequence[Callable[[Evidence], PromiseResult]]] = (
    the_numbers,
    the_jobs,
    the_approval,
    the_cards,
    the_notice,
    the_verification,
    the_reason,
    the_sheet,
    the_second_act,
    the_answers,
    the_secrets,
    the_end,
)
