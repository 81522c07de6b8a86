"""Values, their stored form, and secrets."""

from __future__ import annotations

import json

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st

from bot.changes.model.encryption import Encryption
from bot.changes.model.values import MASK, Secret, Value, canonical, from_json, to_json
from bot.errors import SecretError

plain_values = st.one_of(st.none(), st.booleans(), st.integers(), st.text(), st.lists(st.text(), max_size=5).map(tuple))


@given(plain_values)
def test_a_value_survives_being_stored(value: Value) -> None:
    """What is written as JSON comes back equal, and of the same type."""
    back = from_json(json.loads(json.dumps(to_json(value))))

    assert back == value
    assert type(back) is type(value)


def test_a_secret_survives_being_stored_sealed(encryption: Encryption) -> None:
    """A stored secret can be opened again, and its clear text is nowhere in what is stored."""
    stored = json.dumps(to_json(encryption.seal("4711-secret")))

    assert "4711-secret" not in stored
    back = from_json(json.loads(stored))
    assert isinstance(back, Secret)
    assert encryption.open(back) == "4711-secret"


@given(st.dictionaries(st.text(), plain_values, max_size=6))
def test_the_canonical_text_does_not_depend_on_order(document: dict[str, Value]) -> None:
    """Two documents that are equal have one canonical text, in whatever order they were built."""
    backwards = dict(reversed(document.items()))

    assert canonical(backwards) == canonical(document)


@given(st.text(), st.text())
def test_secrets_are_equal_when_their_clear_texts_are(one: str, other: str) -> None:
    """Sealing twice gives different texts but equal secrets, and different clear texts give different ones."""
    encryption = Encryption([Fernet.generate_key().decode()])

    assert encryption.seal(one) == encryption.seal(one)
    assert encryption.seal(one).sealed != encryption.seal(one).sealed
    assert (encryption.seal(one) == encryption.seal(other)) is (one == other)


def test_a_secret_never_shows_itself(encryption: Encryption) -> None:
    """Printing or formatting a secret shows a mask: not the clear text, and not the sealed one either."""
    secret = encryption.seal("4711")

    for shown in (str(secret), repr(secret), f"{secret}", f"{[secret]}"):
        assert MASK in shown
        assert secret.sealed not in shown
        assert secret.fingerprint not in shown


def test_an_older_key_still_opens_and_fingerprints_stay() -> None:
    """With a new key in front, old secrets open and compare equal to newly sealed ones; without the old key neither."""
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    secret = Encryption([old]).seal("4711")

    both = Encryption([new, old])
    assert both.open(secret) == "4711"
    assert both.seal("4711") == secret
    with pytest.raises(SecretError, match="None of the keys"):
        Encryption([new]).open(secret)


def test_a_wiped_secret_says_so(encryption: Encryption) -> None:
    """A secret whose sealed text is gone still compares, but cannot be used."""
    wiped = Secret(fingerprint=encryption.seal("4711").fingerprint)

    assert wiped == encryption.seal("4711")
    with pytest.raises(SecretError, match="wiped"):
        encryption.open(wiped)


@pytest.mark.parametrize("keys", [[], ["not a key"]], ids=["none", "malformed"])
def test_a_vault_without_a_usable_key_is_refused(keys: list[str]) -> None:
    """A vault that could not seal is never built."""
    with pytest.raises(SecretError):
        Encryption(keys)
