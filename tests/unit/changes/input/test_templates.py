"""What a template keeps of a change, and what of it still fits."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.changes.input.templates import NAME_LENGTH, Template, fitted, kept, key_of, read_name
from bot.changes.model.draft import Draft
from bot.changes.model.values import Secret, values_to_json
from bot.errors import InputError
from bot.providers.telnyx.kinds import kinds

SETTINGS = kinds(secrets=True)[0]
PIN = Secret(fingerprint="f" * 64, sealed="gAAAA-sealed")
DRAFT = Draft(
    kind=SETTINGS.name,
    pasted=("+13035550100", " "),
    chosen=("tags", "external_pin", "connection_id"),
    typed={"tags": "denver", "external_pin": PIN, "connection_id": "12"},
    picked={"connection_id": "Denver PBX", "filter:tag": "denver"},
    reason="Friday",
    filters={"tag": "denver"},
    excluded="+13035550101",
    left_out=("+13035550102",),
)


def template(draft: Draft, left_out: tuple[str, ...] = ()) -> Template:
    """Return a template of ``draft``."""
    return Template(
        id=1,
        name="Denver",
        version=1,
        owner="U0ANA",
        draft=draft,
        left_out=left_out,
        numbers=1,
        saved_at=datetime(2026, 11, 21, tzinfo=UTC),
    )


def test_kind_settings_and_target_are_kept_and_nothing_else() -> None:
    """No secret, sealed or not, no reason, and nobody whom somebody left out on one day."""
    draft, left_out = kept(DRAFT, SETTINGS)

    assert draft == Draft(
        kind=SETTINGS.name,
        pasted=("+13035550100",),
        chosen=("tags", "connection_id"),
        typed={"tags": "denver", "connection_id": "12"},
        picked=DRAFT.picked,
        filters={"tag": "denver"},
        excluded="+13035550101",
    )
    assert left_out == ("external_pin",)
    assert "sealed" not in json.dumps(values_to_json(draft.typed))


@pytest.mark.parametrize(
    ("until", "of_it"), [("in 4 hours", "in 4 hours"), (" In 90 min", " In 90 min"), ("Mon 08:00", ""), ("", "")]
)
def test_an_end_is_kept_where_it_is_a_length(until: str, of_it: str) -> None:
    """What was Monday then is another Monday when the template is run; four hours are four hours."""
    draft, _ = kept(replace(DRAFT, until=until), SETTINGS)

    assert draft.until == of_it
    assert fitted(template(draft), SETTINGS, {"tag"})[0].until == of_it


@pytest.mark.parametrize("kind", [SETTINGS, None], ids=["known kind", "kind that is gone"])
def test_a_secret_is_known_by_its_value_or_by_its_setting(kind: object) -> None:
    """A sealed value is left out even when nobody knows its setting any more, a typed one because of its setting."""
    known = SETTINGS if kind is not None else None
    typed = PIN if known is None else "1234"

    draft, left_out = kept(Draft(kind="k", chosen=("external_pin",), typed={"external_pin": typed}), known)

    assert (draft.chosen, dict(draft.typed), left_out) == ((), {}, ("external_pin",))


def test_what_still_fits_is_filled_in_and_the_rest_is_said() -> None:
    """A setting that is gone is named, the others are filled in, and a secret has to be typed anew."""
    draft = Draft(
        kind=SETTINGS.name, pasted=("+13035550100",), chosen=("tags", "fax"), typed={"tags": "a", "fax": "on"}
    )

    filled, notes = fitted(template(draft, ("external_pin",)), SETTINGS, ())

    assert (filled.pasted, filled.chosen, dict(filled.typed)) == (("+13035550100",), ("tags",), {"tags": "a"})
    assert notes == [
        "Settings that no longer exist are left out: fax.",
        "Secrets are never stored in a template; choose and enter them again: External PIN.",
    ]


def test_a_filter_that_lost_a_condition_is_not_filled_in_at_all() -> None:
    """The rest of a filter would find more numbers than were meant; what is excluded stays so."""
    draft = Draft(kind=SETTINGS.name, filters={"tag": "denver", "moon": "full"}, excluded="+13035550100")

    filled, notes = fitted(template(draft), SETTINGS, {"tag"})

    assert (dict(filled.filters), filled.excluded) == ({}, draft.excluded)
    assert "(moon)" in notes[0]
    assert fitted(template(draft), SETTINGS, {"tag", "moon"})[0].filters == draft.filters


def test_of_a_kind_that_is_gone_the_numbers_stay() -> None:
    """They can be used for another kind, without those that were excluded; its settings cannot."""
    filled, notes = fitted(template(replace(DRAFT, excluded="+13035550100")), None, ())

    assert filled == Draft(kind="", pasted=DRAFT.pasted, excluded="+13035550100")
    assert notes == ["Changes of the kind telnyx.settings are no longer available; only the numbers are filled in."]


@given(st.text(max_size=90))
def test_a_name_is_one_printable_line_or_refused(text: str) -> None:
    """Whatever is typed, a name is readable and short, and reading it again changes nothing but escapes."""
    try:
        name = read_name(text)
    except InputError:
        name = "refused"
    assert 0 < len(name) <= NAME_LENGTH
    assert name.isprintable()
    assert len(key_of(name)) <= 240


def test_names_are_equal_without_regard_to_case() -> None:
    """Nobody has to remember who wrote Denver with a capital."""
    assert key_of(read_name("  Denver   MOVE ")) == key_of(read_name("denver move"))
    assert key_of("STRASSE") == key_of("Straße")
    assert read_name("R&amp;D") == "R&D"
