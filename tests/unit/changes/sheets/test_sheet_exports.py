"""Templates and exports: what goes out comes back."""

from __future__ import annotations

import csv
import io

import pytest

from bot.changes.model.encryption import Encryption
from bot.changes.model.kinds import Kind
from bot.changes.model.snapshots import Snapshot
from bot.changes.model.values import Value
from bot.changes.planning.plan import same
from bot.changes.sheets import empty_sheet, export, read_sheet
from bot.providers.telnyx.kinds import kinds
from tests.unit.changes.sheets.conftest import Read, is_id

CONNECTION = "1293384261075731499"
LABELS = {"connection_id": {CONNECTION: "Denver\ntrunk\x00(old)"}}


def cells(content: bytes) -> list[dict[str, str]]:
    """Return the rows of an export."""
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


def number(position: int = 0, **values: Value) -> Snapshot:
    """Return a number with ``values``; a double underline stands for a dot."""
    named = {name.replace("__", "."): value for name, value in values.items()}
    return Snapshot(id=str(CONNECTION), e164=f"+1303555{position:04}", values=named)


@pytest.mark.parametrize("kind", kinds(secrets=True), ids=lambda kind: kind.name)
def test_a_template_reads_back_clean(kind: Kind) -> None:
    """It has a heading for the number and for every setting that is no secret, and no rows."""
    sheet = read_sheet("empty.csv", empty_sheet(kind), kind, is_id=is_id)

    assert sheet.columns == tuple(setting.name for setting in kind.settings if not setting.secret)
    assert (sheet.rows, sheet.problems, sheet.ignored) == ((), (), ())


def test_an_export_shows_what_people_read(settings_kind: Kind, encryption: Encryption) -> None:
    """Names beside ids, on and off, labels of choices, and nothing of a secret."""
    pin = encryption.seal("4711")
    snapshot = number(
        tags=("a", "b"),
        external_pin=pin,
        customer_reference="00123",
        connection_id=CONNECTION,
        billing_group_id="f5586561-8ff0",
        hd_voice_enabled=False,
        voice__usage_payment_method="channel",
        voice__call_forwarding__forwards_to="",
    )

    content = export(settings_kind, [snapshot], LABELS)
    (row,) = cells(content)

    assert {heading: cell for heading, cell in row.items() if cell} == {
        "number": "+13035550000",
        "Tags": "a, b",
        "Customer reference": "'00123",
        "Connection": f"Denver trunk (old) ({CONNECTION})",
        "Billing group": "f5586561-8ff0 (name unknown)",
        "HD voice": "off",
        "Usage billing": "Channels",
        "Forward to": "(empty)",
    }
    for secret in ("External PIN", "4711", pin.sealed, pin.fingerprint):
        assert secret not in content.decode()


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("=1+1", ""),
        ("-5", "'-5"),
        ("@x", "'@x"),
        ("+1 303", "'+1 303"),
        ("'tis", "''tis"),
        ("(empty)", "'(empty)"),
        ("TRUE", "'TRUE"),
        ("MAR1", "'MAR1"),
        ("1-2", "'1-2"),
        ("1.97056E+10", ""),
        (" edges ", ""),
        ("two\nlines", ""),
        ("nul\x00", ""),
        ("half\ud800", ""),
        ("x" * 251, ""),
        ("Zürich", "Zürich"),
    ],
)
def test_a_text_is_safe_in_a_spreadsheet_and_comes_back(settings_kind: Kind, read: Read, value: str, cell: str) -> None:
    """Nothing computes, nothing turns into a date; what no cell can say is left empty, which keeps it."""
    content = export(settings_kind, [number(customer_reference=value)], {})

    assert cells(content)[0]["Customer reference"] == cell
    assert read(content).problems == ()
    assert read(content).rows[0].values == ({"customer_reference": value} if cell else {})


@pytest.mark.parametrize(
    ("tags", "cell"),
    [
        (("007",), "'007"),
        (("3-4",), "'3-4"),
        (("TRUE",), "'TRUE"),
        (("Mar 1", "2026"), "'Mar 1, 2026"),
        (("'tis",), "''tis"),
        (("(empty)",), "'(empty)"),
        (("a", "007"), "a, 007"),
    ],
)
def test_tags_are_safe_in_a_spreadsheet_and_come_back(
    settings_kind: Kind, read: Read, tags: tuple[str, ...], cell: str
) -> None:
    """Nobody's tag 007 is saved as 7, nor 3-4 as a date."""
    content = export(settings_kind, [number(tags=tags)], {})

    assert cells(content)[0]["Tags"] == cell
    assert read(content).problems == ()
    assert read(content).rows[0].values == {"tags": tags}


@pytest.mark.parametrize("tags", [("a, b",), ("a;b",), ("x\ny",), ("\x00",), ("\ud800",), (" a",), ("=cmd",)])
def test_tags_that_no_cell_can_say_are_left_out(settings_kind: Kind, read: Read, tags: tuple[str, ...]) -> None:
    """A tag with a comma in it would come back as two."""
    sheet = read(export(settings_kind, [number(tags=tags)], {}))

    assert sheet.problems == ()
    assert sheet.rows[0].values == {}


def test_values_that_the_rule_refuses_are_left_out(settings_kind: Kind, emergency_kind: Kind, read: Read) -> None:
    """Numbers may be in states that nobody could ask for; their sheet is clean all the same."""
    odd = number(voice__call_forwarding__call_forwarding_enabled=True, voice__call_forwarding__forwards_to="")
    off = number(emergency_enabled=False, emergency_address_id="53829456729313")
    unknown = number(emergency_enabled=None, emergency_address_id="53829456729313")

    first = read(export(settings_kind, [odd], {}))
    second = read(export(emergency_kind, [off], {}), kind=emergency_kind)
    third = read(export(emergency_kind, [unknown], {}), kind=emergency_kind)

    assert (first.problems, second.problems, third.problems) == ((), (), ())
    assert first.rows[0].values == {"voice.call_forwarding.call_forwarding_enabled": True}
    assert second.rows[0].values == {"emergency_enabled": False}
    assert third.rows[0].values == {}


def test_an_export_uploaded_again_changes_nothing(settings_kind: Kind, read: Read) -> None:
    """For every number, every value that is read equals the value of today."""
    snapshots = [
        number(i, tags=(f"t{i % 3}",), customer_reference=f"{i:05}", hd_voice_enabled=i % 2 == 0) for i in range(500)
    ]

    sheet = read(export(settings_kind, snapshots, {}))

    assert sheet.problems == ()
    assert [row.identifier for row in sheet.rows] == [snapshot.e164 for snapshot in snapshots]
    for row, snapshot in zip(sheet.rows, snapshots, strict=True):
        assert set(row.values) == set(snapshot.values)
        assert all(same(settings_kind.setting(n), v, snapshot.values[n]) for n, v in row.values.items())
