"""From values to request bodies."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st

from bot.changes.model.encryption import Encryption
from bot.changes.model.values import JSON, Values
from bot.errors import SecretError
from bot.providers.base import BatchRequest
from bot.providers.telnyx.kinds import kinds
from bot.providers.telnyx.values import body, flat, nested

Make = Callable[..., BatchRequest]
IDS = ["1293384261075731499", "1293384261075731500"]

SETTINGS = kinds(secrets=True)[0].settings
LEAVES: st.SearchStrategy[JSON] = st.one_of(
    st.booleans(), st.text(max_size=9), st.lists(st.text(max_size=5), max_size=3)
)


@pytest.mark.parametrize(
    ("values", "document"),
    [
        pytest.param({"tags": ("vip", "east")}, {"tags": ["vip", "east"]}, id="tags-as-list"),
        pytest.param(
            {
                "voice.call_forwarding.call_forwarding_enabled": True,
                "voice.call_forwarding.forwards_to": "+13035559123",
                "voice.call_forwarding.forwarding_type": "always",
                "hd_voice_enabled": False,
            },
            {
                "hd_voice_enabled": False,
                "voice": {
                    "call_forwarding": {
                        "call_forwarding_enabled": True,
                        "forwards_to": "+13035559123",
                        "forwarding_type": "always",
                    }
                },
            },
            id="nested",
        ),
        pytest.param(
            {
                "voice.call_forwarding.call_forwarding_enabled": False,
                "voice.call_forwarding.forwards_to": "",
                "voice.call_forwarding.forwarding_type": None,
            },
            {"voice": {"call_forwarding": {"call_forwarding_enabled": False, "forwards_to": ""}}},
            id="a-sibling-that-is-not-set-is-left-out",
        ),
        pytest.param(
            {"voice.cnam_listing.cnam_listing_enabled": False, "voice.cnam_listing.cnam_listing_details": "Acme"},
            {"voice": {"cnam_listing": {"cnam_listing_enabled": False}}},
            id="no-listed-name-without-listing",
        ),
        pytest.param(
            {"emergency_enabled": True, "emergency_address_id": "53829456729313"},
            {"emergency_enabled": True, "emergency_address_id": "53829456729313"},
            id="emergency-on",
        ),
        pytest.param(
            {"emergency_enabled": False, "emergency_address_id": "53829456729313"},
            {"emergency_enabled": False},
            id="emergency-off-has-no-address",
        ),
        pytest.param(
            {"emergency_enabled": False, "emergency_address_id": None}, {"emergency_enabled": False}, id="off-null"
        ),
    ],
)
def test_values_become_the_documented_body(batch: Make, values: Values, document: dict[str, JSON]) -> None:
    """Dotted names become nested objects, and the numbers go by id."""
    assert body(batch(values), None) == {"phone_numbers": IDS, **document}


def test_a_secret_is_opened_only_for_the_body(batch: Make, encryption: Encryption) -> None:
    """The body has the PIN in clear; the batch never shows it."""
    wanted = batch({"external_pin": encryption.seal("4711")})

    assert body(wanted, encryption)["external_pin"] == "4711"
    assert "4711" not in repr(wanted)


@pytest.mark.parametrize("other", [None, Encryption([Fernet.generate_key().decode()])], ids=["no-key", "another-key"])
def test_a_secret_that_cannot_be_opened_is_never_sent(
    batch: Make, encryption: Encryption, other: Encryption | None
) -> None:
    """Without the key the sealed text does not take the secret's place."""
    with pytest.raises(SecretError):
        body(batch({"external_pin": encryption.seal("4711")}), other)


@given(st.dictionaries(st.sampled_from([setting.name for setting in SETTINGS]), LEAVES))
def test_nesting_loses_nothing(leaves: dict[str, JSON]) -> None:
    """Whatever settings a body holds, its leaves are those that went in, under the same names."""
    assert flat(nested(leaves)) == leaves


def test_names_that_are_leaf_and_object_at_once_are_a_mistake() -> None:
    """A table with both ``voice`` and ``voice.x`` fails loudly instead of losing one of them."""
    with pytest.raises(TypeError):
        nested({"voice": True, "voice.x": True})
