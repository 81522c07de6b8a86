"""What a provider says comes without what we sent in secret."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.changes.model.encryption import Encryption
from bot.changes.model.values import MASK
from bot.errors import DatabaseUnavailable
from bot.providers.masking import Masking

KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="


class Book:
    """What was sent, kept beside the process."""

    def __init__(self) -> None:
        self.rows: list[tuple[int, str, int | None]] = []
        self.lost = False
        #: How often it was looked into.
        self.looks = 0

    async def add(self, fingerprint: str, length: int) -> None:
        """Write one down."""
        self.rows.append((len(self.rows) + 1, fingerprint, length))

    async def since(self, last: int) -> Sequence[tuple[int, str, int | None]]:
        """Return what came later."""
        self.looks += 1
        if self.lost:
            raise DatabaseUnavailable
        return [row for row in self.rows if row[0] > last]


async def heard(masking: Masking, document: Any, *, refused: bool = False) -> Any:
    """Return what is left of an answer."""
    return await masking.heard(json.dumps(document).encode(), document, refused=refused)


def quoting(*texts: str) -> dict[str, Any]:
    """Return an answer whose errors say ``texts``."""
    return {"data": {"failed_operations": [{"errors": [{"detail": text}]} for text in texts]}}


def details(answer: Any) -> list[str]:
    """Return what the errors of an answer say."""
    return [each["errors"][0]["detail"] for each in answer["data"]["failed_operations"]]


@pytest.mark.parametrize(
    ("pin", "said", "told"),
    [
        ("4711", "PIN 4711.", f"PIN {MASK}."),
        ("4711", "x4711y", f"x{MASK}y"),
        ("4711", "47114711", f"{MASK}{MASK}"),
        ("4711", "471 1", "471 1"),
        ("12", "12 of 1200", f"{MASK} of 1200"),
        ("1111", "11111", MASK),
        ("p&ss w/", "p%26ss+w%2F", MASK),
        ("p&ss w/", "p%2526ss%2Bw%252F", MASK),
        ("<b>'1", "&lt;b&gt;&#x27;1", MASK),
        ('a"b1', 'say a\\"b1', f"say {MASK}"),
        ("ab71", "\\u0061b71", MASK),
        ("Abcd", "ABCD abcd", f"{MASK} {MASK}"),
        ("4711", "y" * 1990 + " 4711 4711 4711", "y" * 1990 + f" {MASK} …"),
    ],
)
async def test_a_secret_is_found_however_it_is_written(pin: str, said: str, told: str) -> None:
    """Quoted, glued, escaped, encoded or cut: what stands in a text is found, and nothing else is."""
    masking = Masking(Encryption([KEY]), words=["pending"])
    await masking.learn(pin)

    assert details(await heard(masking, quoting(said))) == [told]


@pytest.mark.parametrize("said", ["key API_0190_secret", "Basic QVBJXzAxOTBfc2VjcmV0Og==", "key%3DAPI_0190_secret"])
async def test_our_own_key_is_found(said: str) -> None:
    """Whether or not anything was ever sent in secret, and without a place to remember what was."""
    (told,) = details(await heard(Masking(api_key="API_0190_secret"), quoting(f"{said} was revoked")))

    assert MASK in told
    assert "0190" not in told
    assert "QVBJ" not in told


@given(st.text(min_size=4, max_size=12).filter(lambda pin: MASK not in pin), st.text(), st.text())
def test_any_secret_within_any_text_is_found(pin: str, before: str, after: str) -> None:
    """Whatever stands around it."""
    masking = Masking(Encryption([KEY]))
    masking._know(*Encryption([KEY]).trace(pin))

    assert pin not in masking.text(before[:40] + pin + after[:40]).replace(MASK, "\0")


async def test_another_process_sent_it() -> None:
    """What is kept beside the process is asked after each answer, so whoever sent it, it is known."""
    book = Book()
    reader = Masking(Encryption([KEY]), book)
    assert details(await heard(reader, quoting("4711"))) == ["4711"]

    await Masking(Encryption([KEY]), book).learn("4711")

    assert details(await heard(reader, quoting("4711"))) == [MASK]


async def test_what_was_sent_before_lengths_were_kept() -> None:
    """A fingerprint whose length nobody knows is tried at every usual one."""
    book = Book()
    book.rows = [(1, Encryption([KEY]).seal("Secret7").fingerprint, None)]

    assert details(await heard(Masking(Encryption([KEY]), book), quoting("is Secret7!"))) == [f"is {MASK}!"]


async def test_without_knowing_nothing_is_told() -> None:
    """When it cannot be found out what was sent, everything that is said is withheld, labels too; data is not."""
    book = Book()
    book.lost = True
    masking = Masking(Encryption([KEY]), book, words=["active"])

    assert details(await heard(masking, quoting("anything"))) == [MASK]
    assert (await masking.telling())("a name") == MASK
    assert await heard(masking, {"data": {"status": "active", "id": "4711"}}) == {
        "data": {"status": "active", "id": "4711"}
    }


async def test_only_what_is_said_is_changed() -> None:
    """Ids, numbers and documented states are compared by programs and stay as they are, whatever the PIN is."""
    masking = Masking(Encryption([KEY]), words=["active", "pending"])
    for pin in ("4711", "pending", "errors"):
        await masking.learn(pin)
    document = {
        "data": {"id": "4711", "status": "pending", "n": 4711, "failed_operations": [{"phone_number": "+14711"}]},
        "errors": [{"code": 4711, "status": "4711", "flag": True, "none": None}],
    }

    told = await heard(masking, document)

    assert told["data"] == document["data"]
    assert told["errors"] == [{"code": MASK, "status": MASK, "flag": True, "none": None}]
    assert await heard(masking, {"data": {"status": "is_4711"}}) == {"data": {"status": f"is_{MASK}"}}
    assert await heard(masking, {"detail": "4711"}, refused=True) == {"detail": MASK}


@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": "), (" , ", " : ")])
async def test_an_answer_that_says_nothing_costs_no_look(separators: tuple[str, str]) -> None:
    """Numbers in documented states are data, however the answer is spaced: nobody is asked what was sent."""
    book = Book()
    masking = Masking(Encryption([KEY]), book, words=["active"])
    page = {"data": [{"id": "4711", "status": "active"}, {"id": "4712", "status": None}]}

    assert await masking.heard(json.dumps(page, separators=separators).encode(), page, refused=False) is page
    assert book.looks == 0

    page["data"][1]["status"] = "is 4711"
    await masking.heard(json.dumps(page, separators=separators).encode(), page, refused=False)
    assert book.looks == 1


async def test_a_flood_of_words_is_withheld() -> None:
    """What is beyond all measure is not looked at, and not told either."""
    masking = Masking(Encryption([KEY]))
    await masking.learn("4711")

    told = details(await heard(masking, quoting(*["word " * 400] * 300)))

    assert ("word" in told[0], told[-1]) == (True, MASK)


@pytest.mark.parametrize(
    "written",
    [
        '"external_pin": "4711"',
        '"external_pin" :\n4711',
        r'"external\u005fpin":"4711"',
        '"external_pin":null,"x":{"external_pin":"4711"}',
    ],
)
async def test_a_pin_that_an_answer_repeats_is_masked_however_its_name_is_written(written: str) -> None:
    """What stands under the name of the secret is one, whoever sent it."""
    content = f'{{"data": {{{written}}}, "errors": [{{"detail": "4711 is too short"}}]}}'

    told = await Masking(Encryption([KEY])).heard(content.encode(), json.loads(content), refused=False)

    assert told["errors"] == [{"detail": f"{MASK} is too short"}]
