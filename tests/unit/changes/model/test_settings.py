"""Reading what people type into a setting, and showing values."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.changes.model.encryption import Encryption
from bot.changes.model.kinds import Kind
from bot.changes.model.settings import Setting, Shape, read_value, show_value
from bot.changes.model.values import MASK, Value
from bot.errors import InvalidValue


@pytest.mark.parametrize(
    ("name", "typed", "value"),
    [
        pytest.param("hd_voice_enabled", "true", True, id="bool-true"),
        pytest.param("hd_voice_enabled", " Off ", False, id="bool-off"),
        pytest.param("hd_voice_enabled", "YES", True, id="bool-yes"),
        pytest.param("tags", "a, b ;c\nd", ("a", "b", "c", "d"), id="tags-separators"),
        pytest.param("tags", "Sales,sales , SALES", ("Sales",), id="tags-one-casing"),
        pytest.param("tags", "two  words", ("two words",), id="tags-inner-spaces"),
        pytest.param("voice.usage_payment_method", "channel", "channel", id="choice-value"),
        pytest.param("voice.usage_payment_method", "per minute", "pay-per-minute", id="choice-label"),
        pytest.param("voice.call_forwarding.forwards_to", "+13035550100", "+13035550100", id="phone"),
        pytest.param("voice.call_forwarding.forwards_to", "", "", id="phone-cleared"),
        pytest.param("connection_id", "12345", "12345", id="lookup"),
        pytest.param("customer_reference", "  MY REF 001 ", "MY REF 001", id="text-trimmed"),
        pytest.param("voice.translated_number", "+13035559999", "+13035559999", id="translated"),
    ],
)
def test_a_typed_value_is_read(settings_kind: Kind, name: str, typed: str, value: Value) -> None:
    """What a person types becomes the value that they meant."""
    assert read_value(settings_kind.setting(name), typed) == value


@pytest.mark.parametrize(
    ("name", "typed", "problem"),
    [
        ("hd_voice_enabled", "maybe", "HD voice must be on or off."),
        (
            "voice.usage_payment_method",
            "cash",
            "Usage billing must be one of: pay-per-minute, channel.",
        ),
        (
            "voice.call_forwarding.forwards_to",
            "303 555 0100",
            "Forward to must be one number in international form, such as +13035550100.",
        ),
        (
            "customer_reference",
            "x" * 251,
            "Customer reference may have at most 250 characters; this has 251.",
        ),
        ("customer_reference", "a\x00b", "Customer reference contains a control character; type it on one line."),
        ("customer_reference", "a\x7fb", "Customer reference contains a control character; type it on one line."),
        ("customer_reference", "a\x9bb", "Customer reference contains a control character; type it on one line."),
        ("tags", "vip, a\x07b", "Tags contains a control character; type it on one line."),
        (
            "customer_reference",
            "  ",
            "Customer reference needs a value; leave it out of the settings to keep the current value.",
        ),
        (
            "voice.cnam_listing.cnam_listing_details",
            "Señor & Co",
            "CNAM listed name may hold only letters, digits and spaces.",
        ),
        ("tags", " , ;,", "Tags needs at least one entry between the commas."),
        ("tags", "x" * 300, f"The tag “{'x' * 30}…” is longer than 250 characters."),
    ],
)
def test_a_bad_value_is_answered_with_what_would_be_right(
    settings_kind: Kind, name: str, typed: str, problem: str
) -> None:
    """The sentence names the setting and says what to type instead."""
    with pytest.raises(InvalidValue) as refusal:
        read_value(settings_kind.setting(name), typed)

    assert str(refusal.value) == problem


#: What addresses are made of, and what they stumble over.
ADDRESSES = st.text("[]@:/?#.%9a\u2100", max_size=12).map(lambda text: f"https://{text}")


@given(st.text() | ADDRESSES, st.sampled_from(Shape))
@example("https://[x", Shape.URL)
@example("https://a:99999/", Shape.URL)
def test_reading_never_breaks(text: str, shape: Shape) -> None:
    """Whatever is typed, there is a value or a sentence, and never another error."""
    setting = Setting(name="x", label="X", shape=shape)

    try:
        outcome: object = read_value(setting, text)
    except InvalidValue as refusal:
        outcome = str(refusal)

    assert outcome is not None
    assert outcome != ""


@pytest.mark.parametrize(
    ("name", "value", "label", "shown"),
    [
        ("hd_voice_enabled", True, None, "on"),
        ("hd_voice_enabled", False, None, "off"),
        ("tags", ("a", "b"), None, "a, b"),
        ("tags", (), None, "(empty)"),
        ("customer_reference", None, None, "(empty)"),
        ("connection_id", "123", "Denver PBX", "Denver PBX (123)"),
        ("connection_id", "123", None, "123 (name unknown)"),
        ("voice.usage_payment_method", "channel", None, "Channels"),
    ],
)
def test_a_value_is_shown_as_people_read_it(
    settings_kind: Kind, name: str, value: Value, label: str | None, shown: str
) -> None:
    """Ids stand beside their names, switches say on or off, nothing says "(empty)"."""
    assert show_value(settings_kind.setting(name), value, {str(value): label} if label else None) == shown


def test_a_secret_is_shown_masked(settings_kind: Kind, encryption: Encryption) -> None:
    """Nobody reads a PIN back."""
    assert show_value(settings_kind.setting("external_pin"), encryption.seal("4711")) == MASK


def test_every_setting_of_the_documented_request_is_there(settings_kind: Kind) -> None:
    """``telnyx.settings`` has every updatable field of the update job, under the field's own path."""
    documented = {
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
        "voice.usage_payment_method",
        "voice.inbound_call_screening",
        "voice.call_forwarding.call_forwarding_enabled",
        "voice.call_forwarding.forwards_to",
        "voice.call_forwarding.forwarding_type",
        "voice.cnam_listing.cnam_listing_enabled",
        "voice.cnam_listing.cnam_listing_details",
        "voice.media_features.rtp_auto_adjust_enabled",
        "voice.media_features.accept_any_rtp_packets_enabled",
        "voice.media_features.t38_fax_gateway_enabled",
        "voice.call_recording.inbound_call_recording_enabled",
        "voice.call_recording.inbound_call_recording_format",
        "voice.call_recording.inbound_call_recording_channels",
    }

    assert set(settings_kind.by_name) == documented


INTEGER = Setting(name="ring", label="Ring for", shape=Shape.INTEGER, bounds=(15, 90))
ADDRESS = Setting(name="url", label="Greeting", shape=Shape.URL, clearable=True)
LIST = Setting(name="to", label="Ring also", shape=Shape.NUMBERS, clearable=True)


@pytest.mark.parametrize(
    ("setting", "typed", "value"),
    [
        (INTEGER, " 15 ", 15),
        (INTEGER, "90", 90),
        (ADDRESS, "https://example.com/a.mp3", "https://example.com/a.mp3"),
        (ADDRESS, "", ""),
        (LIST, "+13035550100, +13035550101", ("+13035550100", "+13035550101")),
        (LIST, "", ()),
    ],
)
def test_whole_numbers_addresses_and_lists_are_read(setting: Setting, typed: str, value: object) -> None:
    """What fits the shape becomes its value."""
    assert read_value(setting, typed) == value


@pytest.mark.parametrize(
    ("setting", "typed", "why"),
    [
        (INTEGER, "14", "Ring for must be a whole number from 15 to 90."),
        (INTEGER, "91", "Ring for must be a whole number from 15 to 90."),
        (INTEGER, "20.5", "Ring for must be a whole number from 15 to 90."),
        (INTEGER, "٢٠", "Ring for must be a whole number from 15 to 90."),
        (ADDRESS, "http://example.com/a.mp3", "Greeting must be an address that begins with https://."),
        (ADDRESS, "https://", "Greeting must be an address that begins with https://."),
        (ADDRESS, "https://exa mple.com", "Greeting must be an address that begins with https://."),
        (
            LIST,
            "+13035550100, 303",
            "“303” in Ring also is not a number in international form, such as +13035550100.",
        ),
    ],
)
def test_what_does_not_fit_the_shape_is_refused_in_words(setting: Setting, typed: str, why: str) -> None:
    """The sentence says what would be right."""
    with pytest.raises(InvalidValue) as caught:
        read_value(setting, typed)
    assert str(caught.value) == why
