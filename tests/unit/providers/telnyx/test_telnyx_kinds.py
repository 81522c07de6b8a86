"""The table of what can be changed at Telnyx, and the rules between values."""

from __future__ import annotations

import pytest

from bot.changes.model.kinds import Kind
from bot.changes.model.settings import Shape, read_value
from bot.changes.model.values import Values
from bot.errors import InvalidValue
from bot.providers.telnyx.kinds import kinds

#: Every field that the update request takes, typed in from its documentation
#: (providers/telnyx/API.md, "Settings of a number").
UPDATABLE = {
    "tags",
    "external_pin",
    "customer_reference",
    "connection_id",
    "billing_group_id",
    "hd_voice_enabled",
    "deletion_lock_enabled",
    "voice.tech_prefix_enabled",
    "voice.translated_number",
    "voice.caller_id_name_enabled",
    "voice.call_forwarding.call_forwarding_enabled",
    "voice.call_forwarding.forwards_to",
    "voice.call_forwarding.forwarding_type",
    "voice.cnam_listing.cnam_listing_enabled",
    "voice.cnam_listing.cnam_listing_details",
    "voice.usage_payment_method",
    "voice.media_features.rtp_auto_adjust_enabled",
    "voice.media_features.accept_any_rtp_packets_enabled",
    "voice.media_features.t38_fax_gateway_enabled",
    "voice.call_recording.inbound_call_recording_enabled",
    "voice.call_recording.inbound_call_recording_format",
    "voice.call_recording.inbound_call_recording_channels",
    "voice.inbound_call_screening",
}
FORWARDING = "voice.call_forwarding.call_forwarding_enabled"
FORWARDS_TO = "voice.call_forwarding.forwards_to"
FORWARDING_TYPE = "voice.call_forwarding.forwarding_type"
CNAM = "voice.cnam_listing.cnam_listing_enabled"
CNAM_NAME = "voice.cnam_listing.cnam_listing_details"


def test_every_updatable_field_is_a_setting(settings_kind: Kind) -> None:
    """The kind's table holds every field of the update request, and nothing else."""
    assert {setting.name for setting in settings_kind.settings} == UPDATABLE


def test_without_a_key_no_secret_is_offered() -> None:
    """When secrets cannot be sealed, the external PIN is not among the settings; the rest is."""
    names = {setting.name for kind in kinds(secrets=False) for setting in kind.settings}

    assert UPDATABLE - {"external_pin"} == names - {"emergency_enabled", "emergency_address_id"}


def test_limits_are_telnyx_own(settings_kind: Kind, emergency_kind: Kind) -> None:
    """A call takes 1000 numbers; 20 update jobs and 500 emergency jobs may be in flight."""
    assert (settings_kind.batch_size, settings_kind.jobs_in_flight) == (1000, 20)
    assert (emergency_kind.batch_size, emergency_kind.jobs_in_flight) == (1000, 500)


def test_nested_objects_are_groups(settings_kind: Kind) -> None:
    """Whoever changes one leaf of a nested object touches all of it, and nothing beside it."""
    for name in UPDATABLE:
        parent, _, _ = name.rpartition(".")
        siblings = {other for other in UPDATABLE if parent.count(".") == 1 and other.startswith(f"{parent}.")}

        assert {setting.name for setting in settings_kind.touched([name])} == siblings | {name}


def test_labels_fit_a_modal(settings_kind: Kind, emergency_kind: Kind) -> None:
    """Labels are short and unique, and every setting explains itself in a sentence."""
    for kind in (settings_kind, emergency_kind):
        labels = [setting.label for setting in kind.settings]

        assert len(set(labels)) == len(labels)
        assert all(len(label) <= 40 for label in labels)
        assert all(setting.help.endswith(".") and len(setting.help) <= 150 for setting in kind.settings)


def test_only_what_is_documented_can_be_emptied(settings_kind: Kind, emergency_kind: Kind) -> None:
    """Only a blank "forwards to" is documented; every other empty input is refused."""
    table = (*settings_kind.settings, *emergency_kind.settings)

    assert [setting.name for setting in table if setting.clearable] == [FORWARDS_TO]
    for setting in table:
        if not setting.clearable:
            with pytest.raises(InvalidValue):
                read_value(setting, "")


def test_shapes_say_what_is_secret_and_what_has_a_name(settings_kind: Kind) -> None:
    """The PIN is secret; connection and billing group are ids whose names are shown."""
    shapes = {setting.name: setting.shape for setting in settings_kind.settings}

    assert {name for name, shape in shapes.items() if shape is Shape.SECRET} == {"external_pin"}
    assert {name for name, shape in shapes.items() if shape is Shape.LOOKUP} == {"connection_id", "billing_group_id"}


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        pytest.param(CNAM_NAME, "Sixteen letters!", id="cnam-too-long"),
        pytest.param(CNAM_NAME, "A&B", id="cnam-punctuation"),
        pytest.param(FORWARDS_TO, "3035550100", id="forward-to-no-plus"),
        pytest.param(FORWARDING_TYPE, "sometimes", id="unknown-choice"),
        pytest.param("voice.translated_number", "1 303", id="translated-with-space"),
    ],
)
def test_values_outside_the_documented_form_are_refused(settings_kind: Kind, name: str, typed: str) -> None:
    """What Telnyx would refuse is refused while typing."""
    with pytest.raises(InvalidValue):
        read_value(settings_kind.setting(name), typed)


@pytest.mark.parametrize(
    ("values", "where"),
    [
        pytest.param({"tags": ("vip",)}, None, id="unrelated"),
        pytest.param({FORWARDS_TO: "+13035550100", FORWARDING_TYPE: "always", FORWARDING: True}, None, id="complete"),
        pytest.param({FORWARDING_TYPE: "always"}, None, id="type-alone-the-number-may-have-a-target"),
        pytest.param({FORWARDS_TO: ""}, None, id="blank-alone"),
        pytest.param({FORWARDS_TO: "", FORWARDING: False}, None, id="blank-and-off"),
        pytest.param({FORWARDS_TO: "", FORWARDING_TYPE: "always"}, FORWARDS_TO, id="type-to-nowhere"),
        pytest.param({FORWARDS_TO: "", FORWARDING: True}, FORWARDS_TO, id="on-to-nowhere"),
        pytest.param({CNAM: True, CNAM_NAME: "Acme"}, None, id="listed"),
        pytest.param({CNAM_NAME: "Acme"}, None, id="name-alone-the-listing-may-be-on"),
        pytest.param({CNAM: False, CNAM_NAME: "Acme"}, CNAM_NAME, id="name-without-listing"),
        pytest.param({CNAM: True, CNAM_NAME: ""}, CNAM_NAME, id="listing-without-name"),
    ],
)
def test_settings_that_contradict_each_other_are_named(settings_kind: Kind, values: Values, where: str | None) -> None:
    """A contradiction between values is reported at the setting that has to change, in a sentence."""
    problems = settings_kind.rule(values)

    assert set(problems) == ({where} if where else set())
    assert all(problem.endswith(".") for problem in problems.values())


@pytest.mark.parametrize(
    ("values", "where"),
    [
        pytest.param({"emergency_enabled": True, "emergency_address_id": "53829456729313"}, None, id="on"),
        pytest.param({"emergency_enabled": False}, None, id="off"),
        pytest.param({"emergency_enabled": False, "emergency_address_id": None}, None, id="off-null"),
        pytest.param({"emergency_enabled": False, "emergency_address_id": ""}, None, id="off-blank"),
        pytest.param({"emergency_enabled": True}, "emergency_address_id", id="on-nowhere"),
        pytest.param({"emergency_enabled": True, "emergency_address_id": ""}, "emergency_address_id", id="on-blank"),
        pytest.param({"emergency_enabled": False, "emergency_address_id": "5"}, "emergency_address_id", id="off-at"),
        pytest.param({"emergency_address_id": "5"}, "emergency_enabled", id="neither-on-nor-off"),
    ],
)
def test_the_emergency_address_rule(emergency_kind: Kind, values: Values, where: str | None) -> None:
    """An address is needed to switch the emergency service on and must be absent to switch it off."""
    assert set(emergency_kind.rule(values)) == ({where} if where else set())
