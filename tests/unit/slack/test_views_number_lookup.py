"""Lists, numbers, templates and Home tabs stay within Slack's limits and mention nobody but those they are about."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.changes.input.list_query import SORTS, ListQuery
from bot.changes.input.templates import Template
from bot.changes.model.batches import Operation, Tally
from bot.changes.model.draft import Draft
from bot.changes.model.lifecycle import ChangeState, OperationState, Outcome
from bot.changes.model.list_rows import Cursor, HistoryRow, ListPage, ListRow
from bot.changes.model.locks import Freeze, Held
from bot.changes.model.messages import MessageRef
from bot.changes.model.settings import Shape
from bot.changes.model.snapshots import Snapshot
from bot.changes.model.values import EditMode, Secret
from bot.providers.telnyx.kinds import kinds
from bot.sandbox.slack.blocks import message_problems, total_characters, view_problems
from bot.sandbox.slack.mrkdwn import mentions
from bot.slack.views.elements import paragraphs, with_notes
from bot.slack.views.fragments import read_turn
from bot.slack.views.help import help_text, list_help
from bot.slack.views.home import home
from bot.slack.views.number import number_details
from bot.slack.views.status import listing
from bot.slack.views.templates import naming, read_value, replacing, saved, template_list
from bot.workflow.planning.templates import TemplatePage, TemplatePreview
from bot.workflow.queries.home import HomeContents
from bot.workflow.queries.number_lookup import PAGE, CurrentValues, NumberDetails, ProviderNumber

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
KINDS = {kind.name: kind for kind in kinds(secrets=True)}
SETTINGS = KINDS["telnyx.settings"]
NASTY = "<!channel> <@U0EVIL> <!subteam^S0ALL> <https://evil.example|CHG-1 approved> *bold* `code` & </> \u202e"
ABOUT = {"U0ANA", "U0MIA"}
quick = settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])

nasty = st.one_of(st.text(max_size=600), st.sampled_from([NASTY, "&" * 600, "`" * 600, "<" * 600, "x" * 600]))
ENDS = dict.fromkeys(end for sort in SORTS for end in sort.ends)


def list_row(end: tuple[ChangeState, Outcome | None], **rest: Any) -> ListRow:
    """Return a change where it may be."""
    return ListRow(state=end[0], outcome=end[1], **rest)


list_rows = st.builds(
    list_row,
    end=st.sampled_from(list(ENDS)),
    id=st.integers(1, 10**12),
    kind=st.sampled_from(["telnyx.settings", "telnyx.gone"]),
    requester=st.sampled_from(sorted(ABOUT)),
    reason=nasty,
    numbers=st.integers(0, 100_000),
    settings=st.just(("tags",)),
    card=st.just(MessageRef(channel="C0OPS", ts="1.2")),
    created_at=st.just(NOW),
    started_at=st.none() | st.just(NOW),
    tally=st.builds(Tally, succeeded=st.integers(0, 100_000), failed=st.integers(0, 100_000)),
)


def value_of(shape: Shape) -> st.SearchStrategy[Any]:
    """Return values of a shape, as large as they may be."""
    if shape is Shape.BOOL:
        return st.booleans()
    if shape is Shape.TAGS:
        return st.lists(nasty, max_size=20).map(tuple)
    return nasty


values = st.fixed_dictionaries({s.name: value_of(s.shape) for s in SETTINGS.settings if not s.secret})
SECRET = {"external_pin": Secret(fingerprint="f" * 64, sealed="gAAAA-sealed")}


@st.composite
def pasts(draw: st.DrawFn) -> HistoryRow:
    """Return any line of a number's history."""
    operation = Operation(
        change=1,
        position=0,
        batch=1,
        number_id="1",
        e164="+13035550100",
        before={**draw(values), **SECRET, "gone": draw(nasty)},
        after={**draw(values), **SECRET, "gone": draw(nasty)},
        state=draw(st.sampled_from(OperationState)),
        code="1",
        reason=draw(nasty),
        pointer="",
        ended_at=None,
    )
    return HistoryRow(change=draw(list_rows), operation=operation, labels={"connection_id": {"1": draw(nasty)}})


def assert_harmless(text: str, blocks: list[dict[str, Any]]) -> None:
    """Fail unless the message is legal in Slack and mentions nobody but those it is about."""
    assert message_problems(blocks) == []
    assert total_characters(blocks) <= 13_200
    assert 0 < len(text) <= 4000
    fired = mentions(text, blocks)
    assert set(fired.users) <= ABOUT
    assert not fired.groups | fired.broadcasts
    assert "gAAAA-sealed" not in json.dumps(blocks)
    assert "f" * 64 not in json.dumps(blocks)


@quick
@given(st.lists(list_rows, max_size=8))
def test_a_page_of_changes_is_legal_and_harmless(shown: list[ListRow]) -> None:
    """Whatever people wrote as their reasons, and however much was asked for."""
    everything = ListQuery(
        sorts=SORTS, people=("U0ANA", "U0MIA"), kinds=tuple(KINDS), since=NOW.date(), until=NOW.date()
    )
    page = ListPage(shown, Cursor(10**12), Cursor(10**12, newer=True))
    for wanted in (ListQuery(), everything, ListQuery(people=("U0ANA",))):
        text, blocks = listing(page, wanted, KINDS, "U0ANA")

        assert_harmless(text, blocks)
        if shown:
            assert read_turn(blocks[-2]["elements"][1]["value"]) == (Cursor(10**12), str(wanted))


@quick
@given(values, st.lists(pasts(), max_size=PAGE), nasty, st.sampled_from(["", NASTY, "x" * 3000]))
def test_a_number_is_legal_and_harmless(
    now: dict[str, Any], history: list[HistoryRow], label: str, problem: str
) -> None:
    """All settings of all kinds at their longest, five changes of everything, and no secret."""
    snapshot = Snapshot(id="1" * 64, e164="+13035550100", status=label, editable=False)
    sheets = [
        CurrentValues(kind=SETTINGS, values=now, labels={"connection_id": {str(now["connection_id"]): label}}),
        CurrentValues(kind=KINDS["telnyx.emergency"], values={}),
    ]
    held = Held(change=41, requester="U0MIA", since=NOW, numbers=1)
    found = NumberDetails(
        asked="+13035550100",
        e164="+13035550100",
        holdings=[
            ProviderNumber(provider="Telnyx", snapshot=snapshot, sheets=sheets, held=held),
            ProviderNumber(provider="Close", problem=problem),
        ],
        history=ListPage(history, Cursor(1), Cursor(2, newer=True)),
        kinds=KINDS,
    )

    assert_harmless(
        *number_details(found, {MessageRef(channel="C0OPS", ts="1.2"): "https://example.slack.com/archives/C0OPS/p12"})
    )


@st.composite
def templates(draw: st.DrawFn) -> Template:
    """Return any template."""
    draft = Draft(
        kind=draw(st.sampled_from(["telnyx.settings", "telnyx.gone"])),
        pasted=("+13035550100",),
        chosen=(*(setting.name for setting in SETTINGS.settings), draw(nasty)),
        typed={name: str(value) for name, value in draw(values).items()},
        filters={"tag": draw(nasty), "gone": draw(nasty)},
        excluded=draw(nasty),
        until=draw(st.sampled_from(["", NASTY[:60]])),
        ways={"tags": draw(st.sampled_from(EditMode))},
        canary=draw(st.sampled_from(["", "10", "&" * 100])),
        pause=draw(st.sampled_from(["", NASTY[:100]])),
        threshold=draw(st.sampled_from(["", "<" * 100])),
    )
    return Template(
        id=draw(st.integers(1, 10**9)),
        name=draw(st.sampled_from([NASTY[:60], "&" * 60, "Denver"])),
        version=draw(st.integers(1, 9)),
        owner="U0ANA",
        draft=draft,
        left_out=("external_pin", "gone"),
        numbers=draw(st.integers(0, 5000)),
        saved_at=NOW,
    )


@quick
@given(st.lists(templates(), max_size=8, unique_by=lambda template: template.id))
def test_a_shelf_of_templates_is_legal_and_harmless(shown: list[Template]) -> None:
    """Eight of the largest, below what is to be said first."""
    text, blocks = template_list(TemplatePage(shown, earlier=True, later=True), KINDS, "`Denver` is deleted.")

    assert_harmless(text, blocks)
    for template in shown:
        row = next(block for block in blocks if block.get("block_id") == f"template:{template.id}")
        assert read_value(row["elements"][0]["value"]) == (template.id, template.version)


@quick
@given(templates())
def test_the_modals_of_templates_are_legal_and_harmless(template: Template) -> None:
    """What would be kept, and the question before something is replaced."""
    keeping = TemplatePreview(
        draft=template.draft,
        kind=SETTINGS,
        left_out=("external_pin",),
        numbers=template.numbers,
        original=template.draft,
    )
    for view in (naming(1, keeping), replacing(1, template.name, template), with_notes(naming(1, keeping), ["Mind."])):
        assert view_problems(view) == []
        assert not mentions("", view["blocks"]).users - ABOUT
        assert len(view["private_metadata"]) < 3000
    assert not mentions(saved(template), []).users


@quick
@given(st.lists(list_rows, max_size=5), st.none() | nasty)
def test_a_home_tab_is_legal_and_harmless(shown: list[ListRow], reason: str | None) -> None:
    """Full in every part, frozen for any reason."""
    view = home(
        HomeContents(
            waiting=[],
            more_waiting=45,
            running=shown,
            mine=shown,
            failures=shown,
            freeze=None if reason is None else Freeze(by="U0MIA", reason=reason, at=NOW),
            slack_waits={"chat.update": NOW},
            kinds=KINDS,
        )
    )

    assert view_problems(view) == []
    assert len(json.dumps(view)) < 250_000
    assert not mentions("", view["blocks"]).users - ABOUT
    assert not mentions("", view["blocks"]).broadcasts


@given(st.lists(st.text(min_size=1, max_size=400), min_size=1, max_size=60))
def test_paragraphs_leave_nothing_out(lines: list[str]) -> None:
    """All lines in order, none longer than Slack takes."""
    shown = [block["text"]["text"] for block in paragraphs(lines)]

    assert "\n".join(shown) == "\n".join(lines)
    assert all(len(text) <= 3000 for text in shown)


def test_help_names_every_word_and_stays_short_enough() -> None:
    """What can be said is in the help, and the help is one message."""
    told = help_text(tuple(KINDS.values()))

    assert all(f"`{sort.word}`" in list_help(tuple(KINDS.values())) for sort in SORTS)
    assert list_help(tuple(KINDS.values())) in told
    assert all(f"`/numbers {word}" in told for word in ("list", "find +1", "templates", "run NAME"))
    assert len(told) < 4000
