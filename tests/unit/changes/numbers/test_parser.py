"""Reading pasted phone numbers and ids."""

from __future__ import annotations

import html
import re
import sys
import unicodedata
from collections.abc import Sequence

import phonenumbers
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from phonenumbers import PhoneNumberFormat

from bot.changes.numbers.parser import SHOWN, BadEntry, ParsedNumbers, read_numbers

E164 = re.compile(r"\+[1-9]\d{6,14}", re.ASCII)
ID = re.compile(r"\d{11,19}|phon_\w+", re.ASCII)

DENVER = "+13035550100"
BOULDER = "+13035550101"
ASPEN = "+19705555098"
LONDON = "+442079460958"

SPREADSHEET = "was changed by a spreadsheet; format the column as text and paste it again"
LETTERS = "has letters in it; write every digit as a digit"
EXTENSION = "has an extension; write the number without it"
NO_NUMBER = "is not a phone number"
NO_ADDRESS = "is an e-mail address or a mention, not a phone number"
NO_ID = "is not an id of this provider"
SIGNS = "has characters that no phone number has"
LIST_NUMBER = "looks like list numbering; remove it"
RANGE = "looks like a range; list every number, with commas between"
#: What people type between the first and the last number of a range.
RANGE_SIGNS = (
    *(
        "->",
        " -> ",
        " --> ",
        "=>",
        " => ",
        " ~> ",
        " <-> ",
        "\u2014>",
        " > ",
        "\u2192",
        " \u2192 ",
        " \u21d2 ",
        " \u27f6 ",
        " . . . ",
        "\u2024\u2024",
        " -\n",
        "\n-\n",
        "\n \u2013 \n",
        " \u2043 ",
        " \U0001f449 ",
        " \U0001f449\U0001f3fd ",
        " :point_right: ",
        "-\n",
        "\n.\n.\n.\n",
        "\n\u2022\n\u2022\n\u2022\n",
    ),
    *(
        " \u2b95 ",
        "\u2bc8",
        " \u23ed ",
        " \u2796 ",
        " :wavy_dash: ",
        " \U0001f51a ",
        " :soon: ",
        ">",
        "\uff1e",
    ),
    *(
        "\u203a",
        " \u276f ",
        " |> ",
        " = ",
        " :: ",
        " \u2236 ",
        " \\ ",
        " \u2264 ",
        " ^ ",
        " \u00f7 ",
        " \u00b0 ",
        " _ ",
    ),
    *(
        "\u3002\u3002\u3002",
        "\uff0e\uff0e\uff0e",
        "\u25cf\u25cf\u25cf",
        " \u25aa \u25aa \u25aa ",
        " @ ",
        " % ",
        ", =, ",
    ),
    *(" \u2794 ", " \u25b6 ", " \u27a1 ", " :arrow_right: ", " \u00bb ", " : ", " .. ", " ... ", "\u2026"),
    *("\u2025", " \u22ef ", " \u2022\u2022\u2022 ", " *** ", "~", " \u223c ", "\uff5e", "\n...\n", "\n\u22ee\n"),
    *(" to ", " through ", " thru ", " up to ", " until ", " bis ", "\nto\n"),
    *(" (to) ", " to: ", " and up to ", " bis zum ", " hasta el ", " jusqu\u2019\u00e0 ", " t/m ", " a "),
    *(" \u0434\u043e ", " \u81f3 ", " \u304b\u3089 ", " s/d "),
)
SLASH = "may be two numbers; put a comma between them, or leave the slash out"
TWO_READINGS = "could be two different numbers; write it with + and the country code"
TWO_PARTITIONS = "can be split into numbers in more than one way; put a comma or a new line between numbers"
NO_PARTITION = "cannot be split into whole numbers; put a comma or a new line between numbers"
MISLABELLED = "links to a different number than it shows; paste the number as plain text"
NO_AREA_CODE = "has no area code"
TOO_SHORT = "is too short for a phone number"
TOO_LONG = "is too long for a phone number and is not an id of this provider"
NO_COUNTRY = "begins with a country code that does not exist"
INCOMPLETE = "is not a complete number in US; write it with + and the country code"
FROM_ABROAD = "is not in international form; write + and all its digits, without spaces"


def is_id(text: str) -> bool:
    """Tell whether ``text`` looks like an id of Telnyx or Close."""
    return ID.fullmatch(text) is not None


def read(*texts: str, region: str = "US") -> ParsedNumbers:
    """Read ``texts`` as a modal would."""
    return read_numbers(texts, is_id=is_id, region=region)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", (), id="nothing"),
        pytest.param(" \n\t ,;| - • ", (), id="only-separators"),
        pytest.param(DENVER, (DENVER,), id="e164"),
        pytest.param("+442079460958", (LONDON,), id="e164-abroad"),
        pytest.param("+12115550100", ("+12115550100",), id="e164-area-code-without-a-place"),
        pytest.param("+33199001234", ("+33199001234",), id="e164-fictional-in-france"),
        pytest.param("+32873127836", ("+32873127836",), id="e164-possible-but-not-assigned"),
        pytest.param("1293384261075731499", ("1293384261075731499",), id="telnyx-id"),
        pytest.param("32873127836", ("32873127836",), id="short-telnyx-id"),
        pytest.param("phon_Ab12", ("phon_Ab12",), id="close-id"),
        pytest.param("(phon_Ab12).", ("phon_Ab12",), id="id-in-a-sentence"),
        pytest.param("(970) 555-5098", (ASPEN,), id="national-brackets"),
        pytest.param("970-555-5098", (ASPEN,), id="national-dashes"),
        pytest.param("970.555.5098", (ASPEN,), id="national-dots"),
        pytest.param("970·555·5098", (ASPEN,), id="national-middle-dots"),
        pytest.param("970/555-5098", (ASPEN,), id="national-slash"),
        pytest.param("970 555 5098", (ASPEN,), id="national-spaces"),
        pytest.param("970 - 555 - 5098", (ASPEN,), id="national-spaced-dashes"),
        pytest.param("97 05 55 50 98", (ASPEN,), id="national-in-pairs"),
        pytest.param("9705555098", (ASPEN,), id="national-bare"),
        pytest.param("303-555-0100", (DENVER,), id="fictional-national"),
        pytest.param("211-555-0100", ("+12115550100",), id="area-code-without-a-place"),
        pytest.param("+1 970 555 5098", (ASPEN,), id="international-spaces"),
        pytest.param("+ 1 970 555 5098", (ASPEN,), id="plus-apart"),
        pytest.param("(+1) 970 555 5098", (ASPEN,), id="plus-in-brackets"),
        pytest.param("+1.970.555.5098", (ASPEN,), id="international-dots"),
        pytest.param("1-970-555-5098", (ASPEN,), id="trunk-1"),
        pytest.param("19705555098", (ASPEN,), id="trunk-1-bare"),
        pytest.param("011 44 20 7946 0958", (LONDON,), id="dialled-from-north-america"),
        pytest.param("011442079460958", (LONDON,), id="dialled-from-north-america-bare"),
        pytest.param("442079460958", (LONDON,), id="country-code-without-plus"),
        pytest.param("44 20 7946 0958", (LONDON,), id="country-code-without-plus-spaces"),
        pytest.param("+44 (0)20 7946 0958", (LONDON,), id="bracketed-trunk-0"),
        pytest.param("+44 (0) 20 7946 0958", (LONDON,), id="bracketed-trunk-0-apart"),
        pytest.param("+4402079460958", (LONDON,), id="trunk-0-after-country-code"),
        pytest.param("+33 1 99 00 12 34", ("+33199001234",), id="fictional-in-france"),
        pytest.param("+39 06 1234 5678", ("+390612345678",), id="italian-zero-stays"),
        pytest.param("65 9555 0123", ("+6595550123",), id="grouping-settles-singapore"),
        pytest.param("659-555-0123", ("+16595550123",), id="grouping-settles-alabama"),
        pytest.param("239 991 2345", ("+12399912345",), id="grouping-prefers-home"),
        pytest.param("<tel:+13035550100|+1 303-555-0100>", (DENVER,), id="slack-link"),
        pytest.param("<tel:+13035550100|Front desk>", (DENVER,), id="slack-link-with-words"),
        pytest.param("<tel:3035550100|(303) 555-0100>", (DENVER,), id="slack-link-national"),
        pytest.param("<tel:+13035550100>", (DENVER,), id="slack-link-without-label"),
        pytest.param("<|303-555-0100>", (DENVER,), id="slack-link-without-target"),
        pytest.param("&lt;tel:+13035550100|+1 303-555-0100&gt;", (DENVER,), id="slack-link-escaped"),
        pytest.param("<tel:+13035550100|x> <tel:+13035550101|y>", (DENVER, BOULDER), id="slack-links-in-a-row"),
        pytest.param("tel:+1-303-555-0100", (DENVER,), id="tel-uri"),
        pytest.param("TEL: 303-555-0100", (DENVER,), id="tel-label"),
        pytest.param("\u200b\ufeff+1303\u200d5550100\u2060", (DENVER,), id="zero-width"),
        pytest.param("\u202a+1\u00a0303\u202f555\u20090100\u202c", (DENVER,), id="bidi-and-no-break-spaces"),
        pytest.param("\uff0b\uff11\uff13\uff10\uff13\uff15\uff15\uff15\uff10\uff11\uff10\uff10", (DENVER,), id="full"),
        pytest.param("\u0663\u0660\u0663\u0665\u0665\u0665\u0660\u0661\u0660\u0660", (DENVER,), id="arabic-digits"),
        pytest.param("303\u2011555\u20130100", (DENVER,), id="unicode-dashes"),
        pytest.param("303\u2212555\u22120100", (DENVER,), id="minus-signs"),
        pytest.param("'+13035550100", (DENVER,), id="spreadsheet-apostrophe"),
        pytest.param('["+13035550100", "+13035550101"]', (DENVER, BOULDER), id="json"),
        pytest.param("\u201c303-555-0100\u201d \u2018303-555-0101\u2019", (DENVER, BOULDER), id="typographic-quotes"),
        pytest.param("`+13035550100`", (DENVER,), id="code-ticks"),
        pytest.param("*303-555-0100* **303-555-0101**", (DENVER, BOULDER), id="bold"),
        pytest.param("_*303-555-0100*_ ***303-555-0101***", (DENVER, BOULDER), id="bold and italic"),
        pytest.param("1\ufe0f\u20e3+13035550100\n:two:. 303-555-0101", (DENVER, BOULDER), id="keycaps without a blank"),
        pytest.param("\u2460 303-555-0100\n\u2461 303-555-0101", (DENVER, BOULDER), id="figures in circles"),
        pytest.param("_303-555-0100_\n__303-555-0101__", (DENVER, BOULDER), id="italic"),
        pytest.param(
            "1\ufe0f\u20e3 303-555-0100\n1\ufe0f\u20e30\ufe0f\u20e3 303-555-0101", (DENVER, BOULDER), id="keycaps"
        ),
        pytest.param(":one: 303-555-0100\n:phone: 303-555-0101", (DENVER, BOULDER), id="names-of-pictures"),
        pytest.param("303-555-0100\u2800303-555-0101", (DENVER, BOULDER), id="braille-blank"),
        pytest.param("303-555-0100\ufe0f\u3164\n\u3164\n303-555-0101", (DENVER, BOULDER), id="unseen-letters"),
        pytest.param("-> 303-555-0100\n-> 303-555-0101", (DENVER, BOULDER), id="arrow-bullets"),
        pytest.param("> 303-555-0100\n> 303-555-0101", (DENVER, BOULDER), id="quoted-lines"),
        pytest.param("<+13035550100>, <+13035550101>", (DENVER, BOULDER), id="angle-brackets"),
        pytest.param(
            "303-555-0100\n- 303-555-0101\n- +442079460958", (DENVER, BOULDER, LONDON), id="first-bullet-lost"
        ),
        pytest.param("\U0001f4de 303-555-0100 \U0001f4de 303-555-0101", (DENVER, BOULDER), id="bullets-in-a-line"),
        pytest.param("303-555-0100 \u25aa 303-555-0101", (DENVER, BOULDER), id="square-between"),
        pytest.param("303-555-0100 :tada:, 303-555-0101 \u274c", (DENVER, BOULDER), id="pictures-beside-numbers"),
        pytest.param("\u201e303-555-0100\u201c, \u300c303-555-0101\u300d", (DENVER, BOULDER), id="quotes-of-elsewhere"),
        pytest.param("\u00bb303-555-0100\u00ab \u00bb303-555-0101\u00ab", (DENVER, BOULDER), id="quotes-turned-round"),
        pytest.param("o\t303-555-0100\n\u00a7 303-555-0101", (DENVER, BOULDER), id="bullets-of-Word"),
        pytest.param("a) 303-555-0100\nb) 303-555-0101", (DENVER, BOULDER), id="lettered"),
        pytest.param("- [ ] 303-555-0100\n- [x] 303-555-0101", (DENVER, BOULDER), id="boxes-to-tick"),
        pytest.param("- 303-555-0100\n* 303-555-0101", (DENVER, BOULDER), id="dash-and-star-bullets"),
        pytest.param("• 303-555-0100\n• 303-555-0101", (DENVER, BOULDER), id="bullets"),
        pytest.param("-3035550100\n-3035550101", (DENVER, BOULDER), id="tight-bullets"),
        pytest.param("✅ 303-555-0100 📞", (DENVER,), id="pictograms"),
        pytest.param("1. 303-555-0100\n2. 303-555-0101", (DENVER, BOULDER), id="numbered"),
        pytest.param("1) 303-555-0100\n2) +44 20 7946 0958", (DENVER, LONDON), id="numbered-with-brackets"),
        pytest.param("1. 303-555-0100\n1. 303-555-0101", (DENVER, BOULDER), id="numbered-with-ones"),
        pytest.param("49. 303 555 0100\n50. 303 555 0101", (DENVER, BOULDER), id="numbered-from-the-middle"),
        pytest.param("+13035550100,+13035550101;+442079460958", (DENVER, BOULDER, LONDON), id="commas-semicolons"),
        pytest.param("+13035550100|+13035550101\t+442079460958", (DENVER, BOULDER, LONDON), id="pipes-tabs"),
        pytest.param("+13035550100\r\n+13035550101\u2028+442079460958", (DENVER, BOULDER, LONDON), id="lines"),
        pytest.param("+13035550100 3035550101", (DENVER, BOULDER), id="words-complete-by-themselves"),
        pytest.param("+13035550100+13035550101", (DENVER, BOULDER), id="plus-begins-a-number"),
        pytest.param("303 555 0100 303 555 0101", (DENVER, BOULDER), id="one-partition"),
        pytest.param("303 555 0100 1 303 555 0101 +44 20 7946 0958", (DENVER, BOULDER, LONDON), id="mixed-partition"),
        pytest.param("+44 20 7946 0958 (303) 555-0100", (LONDON, DENVER), id="international-then-national"),
        pytest.param("303-555-0100 / 303-555-0101", (DENVER, BOULDER), id="slash-between"),
        pytest.param("303-555-0100 & 303-555-0101.", (DENVER, BOULDER), id="ampersand-and-full-stop"),
        pytest.param("phon_a 1293384261075731499 303 555 0100", ("phon_a", "1293384261075731499", DENVER), id="all"),
    ],
)
def test_reads(text: str, expected: tuple[str, ...]) -> None:
    """Whatever people paste, numbers come out in E.164 and ids as they are, in order."""
    assert ParsedNumbers(identifiers=expected, repeats=0, bad=()) == read(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("1-800-FLOWERS", [("1-800-FLOWERS", LETTERS)], id="vanity"),
        pytest.param("1 800 FLOWERS", [("1 800 FLOWERS", LETTERS)], id="vanity-spaced"),
        pytest.param("303-555-0100 x123", [("303-555-0100 x123", EXTENSION)], id="extension-x"),
        pytest.param("303-555-0100x123", [("303-555-0100x123", EXTENSION)], id="extension-tight"),
        pytest.param("(303) 555-0100 ext. 12", [("(303) 555-0100 ext. 12", EXTENSION)], id="extension-ext"),
        pytest.param("tel:+13035550100;ext=5", [("+13035550100;ext=5", EXTENSION)], id="extension-uri"),
        pytest.param("911", [("911", "is an emergency number")], id="emergency"),
        pytest.param("(911)", [("(911)", "is an emergency number")], id="emergency-in-brackets"),
        pytest.param("55555", [("55555", TOO_SHORT)], id="short-code"),
        pytest.param("555-0100", [("555-0100", NO_AREA_CODE)], id="no-area-code"),
        pytest.param("103-555-0100", [("103-555-0100", INCOMPLETE)], id="no-such-area-code-form"),
        pytest.param("12345678", [("12345678", INCOMPLETE)], id="eight-digits"),
        pytest.param("+1303555", [("+1303555", "needs 10 digits after +1 and has 6")], id="plus-1-short"),
        pytest.param("+130355501000", [("+130355501000", "needs 10 digits after +1 and has 11")], id="plus-1-long"),
        pytest.param(
            "+11115550100",
            [("+11115550100", "cannot exist: area code and exchange after +1 each begin with 2 to 9")],
            id="plus-1-impossible",
        ),
        pytest.param(
            "+999123456789", [("+999123456789", NO_COUNTRY)], id="no-country"
        ),
        pytest.param("+012345678", [("+012345678", NO_COUNTRY)], id="plus-zero"),
        pytest.param("+4420", [("+4420", "is too short for country code +44")], id="abroad-short"),
        pytest.param("+390", [("+390", TOO_SHORT)], id="hardly-anything"),
        pytest.param("+4420794609580", [("+4420794609580", "is too long for country code +44")], id="abroad-long"),
        pytest.param(
            "+80012345", [("+80012345", "is too short for country code +800")], id="international-freephone-short"
        ),
        pytest.param(
            "+49301234565550100",
            [("+49301234565550100", "has 17 digits; a phone number has at most 15")],
            id="longer-than-e164",
        ),
        pytest.param("+54 11 15-2345-6789", [("+54 11 15-2345-6789", FROM_ABROAD)], id="dialled-inside-argentina"),
        pytest.param("+7 000 000 00 00", [("+7 000 000 00 00", FROM_ABROAD)], id="unassigned-with-odd-spaces"),
        pytest.param(
            "+1293384261075731499",
            [("+1293384261075731499", "has 19 digits; a phone number has at most 15")],
            id="plus-is-never-an-id",
        ),
        pytest.param(
            "12345678901234567890",
            [("12345678901234567890", "has 20 digits; a phone number has at most 15")],
            id="twenty-digits",
        ),
        pytest.param("3035550100.0", [("3035550100.0", SPREADSHEET)], id="decimal"),
        pytest.param("+49301234567.0", [("+49301234567.0", SPREADSHEET)], id="decimal-that-would-be-a-number"),
        pytest.param("1.97056E+10", [("1.97056E+10", SPREADSHEET)], id="scientific"),
        pytest.param("1.97056e10", [("1.97056e10", SPREADSHEET)], id="scientific-lower-case"),
        pytest.param("ann@example.com", [("ann@example.com", NO_ADDRESS)], id="e-mail"),
        pytest.param("ann+1@example.com", [("ann+1@example.com", NO_ADDRESS)], id="e-mail-with-plus"),
        pytest.param(
            "<mailto:ann@example.com|ann@example.com>", [("mailto:ann@example.com", NO_ADDRESS)], id="e-mail-link"
        ),
        pytest.param("<@U012345>", [("@U012345", NO_ADDRESS)], id="mention"),
        pytest.param(
            "https://example.com/3035550100",
            [("https://example.com/3035550100", "is a link, not a phone number")],
            id="link",
        ),
        pytest.param("orga_12", [("orga_12", NO_ID)], id="id-of-something-else"),
        pytest.param("hello there", [("hello there", NO_NUMBER)], id="words"),
        pytest.param("*67", [("*67", SIGNS)], id="star-code"),
        pytest.param("303#555#0100", [("303#555#0100", SIGNS)], id="hashes"),
        pytest.param("3035550100²", [("3035550100²", SIGNS)], id="superscript"),
        pytest.param("①3035550100", [("①3035550100", SIGNS)], id="circled-figure"),
        pytest.param("+", [("+", SIGNS)], id="lone-plus"),
        pytest.param("7. 3035550100", [("7. 3035550100", LIST_NUMBER)], id="lone-list-number"),
        pytest.param("49. 3035550100", [("49. 3035550100", LIST_NUMBER)], id="list-number-or-germany"),
        pytest.param("49 3035550100", [("49 3035550100", INCOMPLETE)], id="row-number-or-germany"),
        pytest.param("0044 20 7946 0958", [("0044 20 7946 0958", "begins with 00; write + instead")], id="00"),
        pytest.param("0044 2079460958", [("0044 2079460958", "begins with 00; write + instead")], id="00-not-maine"),
        pytest.param("3035550100 - 3035550199", [("3035550100 - 3035550199", RANGE)], id="range"),
        pytest.param("3035550100-3035550199", [("3035550100-3035550199", RANGE)], id="range-tight"),
        pytest.param("+13035550100-+13035550199", [("+13035550100-+13035550199", RANGE)], id="range-tight-plus"),
        pytest.param("3035550100-199", [("3035550100-199", RANGE)], id="range-of-endings"),
        pytest.param("3035550100 \u2013 3035550199", [("3035550100 \u2013 3035550199", RANGE)], id="range-en-dash"),
        *(
            pytest.param(
                f"{left}{sign}{right}",
                [(" ".join(re.split(r"\s", f"{left}{sign}{right}")), RANGE)],
                id=f"range{sign!a}{left[0]}",
            )
            for left, right in (("202-555-0100", "202-555-0109"), ("+12025550100", "+12025550109"))
            for sign in RANGE_SIGNS
        ),
        pytest.param("202-555-0100 -&gt; 202-555-0109", [("202-555-0100 -> 202-555-0109", RANGE)], id="escaped"),
        pytest.param("+12025550100..+12025550109", [("+12025550100..+12025550109", RANGE)], id="dots-before-plus"),
        pytest.param(
            "<tel:+12025550100|+12025550100> -> <tel:+12025550109|+12025550109>",
            [("+12025550100|+12025550100> -> <tel:+120…", RANGE)],
            id="range-of-links",
        ),
        pytest.param('"202-555-0100" - "202-555-0109"', [('202-555-0100" - "202-555-0109', RANGE)], id="quotes"),
        pytest.param("202-555-0100, ..., 202-555-0109", [("202-555-0100, ..., 202-555-0109", RANGE)], id="list"),
        pytest.param("1,20256E+10", [("1,20256E+10", SPREADSHEET)], id="rounded-with-a-comma"),
        pytest.param("+1,20256E+10", [("+1,20256E+10", SPREADSHEET)], id="rounded-with-a-plus"),
        pytest.param("1\u066b20256E+10", [("1\u066b20256E+10", SPREADSHEET)], id="rounded-with-an-arabic-comma"),
        pytest.param("\u24603035550100", [("\u24603035550100", SIGNS)], id="a figure in a circle before digits"),
        pytest.param("3\ufe0f\u20e30\ufe0f\u20e33\ufe0f\u20e3", [("3\u20e30\u20e33\u20e3", SIGNS)], id="keys"),
        pytest.param("303-555-0100/01", [("303-555-0100/01", SLASH)], id="slash"),
        pytest.param("+49 30 1234567/68", [("+49 30 1234567/68", SLASH)], id="slash-that-would-be-a-number"),
        pytest.param("+49 30 1234567 / 68", [("+49 30 1234567 / 68", SLASH)], id="slash-apart"),
        pytest.param("6595550123", [("6595550123", TWO_READINGS)], id="alabama-or-singapore"),
        pytest.param("2399912345", [("2399912345", TWO_READINGS)], id="florida-or-sao-tome"),
        pytest.param("+999 3035550100", [("+999 3035550100", NO_COUNTRY)], id="+"),
        pytest.param("303 555 0100 555 0101", [("303 555 0100 555 0101", NO_PARTITION)], id="no-partition"),
        pytest.param("+49 30 123456 5550100", [("+49 30 123456 5550100", NO_PARTITION)], id="longer-than-e164-spaced"),
        pytest.param("303 555 0100 12", [("303 555 0100 12", INCOMPLETE)], id="something-left-over"),
        pytest.param("303-\n555-0100", [("303-", TOO_SHORT), ("555-0100", NO_AREA_CODE)], id="not-across-lines"),
        pytest.param("303,555-0100", [("303", TOO_SHORT), ("555-0100", NO_AREA_CODE)], id="not-across-commas"),
        pytest.param("303\t5550100", [("303", TOO_SHORT), ("5550100", NO_AREA_CODE)], id="not-across-tabs"),
        pytest.param("303;5550100", [("303", TOO_SHORT), ("5550100", NO_AREA_CODE)], id="not-across-semicolons"),
        pytest.param("12345678 +999 12", [("12345678", INCOMPLETE), ("+999 12", NO_COUNTRY)], id="apart"),
        pytest.param("3035550100 -3035550199", [("3035550100 -3035550199", RANGE)], id="range-half-tight"),
        pytest.param("<tel:+13035550100|303-555-0101>", [("+13035550100", MISLABELLED)], id="mislabelled-link"),
        pytest.param(
            "<tel:+13035550100|303-555-0100-0109>", [("+13035550100", MISLABELLED)], id="link-labelled-with-a-range"
        ),
        pytest.param("303-555-0100 to 0109", [("303-555-0100 to 0109", RANGE)], id="range-to-an-ending"),
        pytest.param("303-555-0100 -> 0109", [("303-555-0100 -> 0109", RANGE)], id="range-by-a-sign-to-an-ending"),
        pytest.param(
            "~303-555-0100~\n~303-555-0101~",
            [(f"303-555-010{end}", "is struck through; remove it, or the marks around it") for end in (0, 1)],
            id="struck",
        ),
        pytest.param("+49 30 901820 0-99", [("+49 30 901820 0-99", RANGE)], id="range-of-extensions"),
        pytest.param("<tel:911|303-555-0100>", [("911", "is an emergency number")], id="link-to-emergency"),
        pytest.param("\x00hello\x07", [("hello", NO_NUMBER)], id="control-characters"),
        pytest.param("hello\ud83d", [("hello?", NO_NUMBER)], id="half-a-surrogate-pair"),
        pytest.param("a" * 41, [("a" * 39 + "…", NO_NUMBER)], id="long"),
    ],
)  # fmt: skip
def test_refuses(text: str, expected: list[tuple[str, str]]) -> None:
    """Each thing that is no number is named as it was typed, with its own phrase; no number is made of it."""
    assert ParsedNumbers(identifiers=(), repeats=0, bad=tuple(BadEntry(*pair) for pair in expected)) == read(text)


@pytest.mark.parametrize("text", ["1293384261075731", "1293384261075731499"], ids=["16-digits", "19-digits"])
def test_long_figures_are_ids_only_by_form(text: str) -> None:
    """Sixteen to nineteen digits are an id only when the provider's ids look so."""
    reading = read_numbers([text], is_id=lambda _: False)

    assert ParsedNumbers(identifiers=(), repeats=0, bad=(BadEntry(text, TOO_LONG),)) == reading


@pytest.mark.parametrize("text", ["911", "123456", "0044207946095"], ids=["short-code", "six-digits", "leading-zero"])
def test_slips_are_never_ids(text: str) -> None:
    """A short code, or digits that begin with 0, are no ids however generous the provider's form is."""
    reading = read_numbers([text], is_id=lambda _: True)

    assert reading.identifiers == ()
    assert [text] == [entry.text for entry in reading.bad]


@pytest.mark.parametrize(
    ("text", "region", "expected"),
    [
        pytest.param("020 7946 0958", "GB", LONDON, id="trunk-0"),
        pytest.param("0044 20 7946 0958", "GB", LONDON, id="00-where-it-is-dialled"),
        pytest.param("00 1 303-555-0100", "GB", DENVER, id="america-from-britain"),
        pytest.param("13035550100", "GB", DENVER, id="america-without-plus"),
        pytest.param("01 99 00 12 34", "FR", "+33199001234", id="pairs"),
        pytest.param("303-555-0100", "CA", DENVER, id="canada-shares-the-plan"),
    ],
)
def test_region(text: str, region: str, expected: str) -> None:
    """Numbers without a country code are read as they are dialled in the region."""
    assert ParsedNumbers(identifiers=(expected,), repeats=0, bad=()) == read(text, region=region)


def test_unknown_region() -> None:
    """Without a known region national numbers are refused, and international ones are still read."""
    reading = read("(303) 555-0100, +44 20 7946 0958", region="ZZ")

    assert reading.identifiers == (LONDON,)
    assert [entry.text for entry in reading.bad] == ["(303) 555-0100"]


def test_repeats() -> None:
    """One number in several styles, in one box or in several, is one identifier; the other mentions are counted."""
    expected = ParsedNumbers(identifiers=(DENVER, "phon_a"), repeats=4, bad=())

    assert expected == read("(303) 555-0100\n+13035550100, phon_a", "<tel:+13035550100|Desk>\n1-303-555-0100; phon_a")


def test_boxes_are_apart() -> None:
    """Nothing is joined across two boxes."""
    expected = ParsedNumbers(
        identifiers=(), repeats=0, bad=(BadEntry("303", TOO_SHORT), BadEntry("555-0100", NO_AREA_CODE, box=1))
    )

    assert expected == read("303", "555-0100")


def test_bad_among_good() -> None:
    """Bad entries are named in order while the certain numbers around them are still read."""
    reading = read("call 303-555-0100 now, 12 3035550101\n+44 20 7946 0958\n3035550100 12345678 3035550101, phon_a 12")

    assert reading.identifiers == (DENVER, LONDON, BOULDER, "phon_a")
    assert [entry.text for entry in reading.bad] == ["call", "now", "12 3035550101", "12345678", "12"]


def test_two_partitions() -> None:
    """Where spaces could separate in two ways, exactly that stretch is refused, and the rest is read."""
    ambiguous = BadEntry("+49 30 123456 1 303 555 0101", TWO_PARTITIONS)
    expected = ParsedNumbers(identifiers=(LONDON, DENVER), repeats=0, bad=(ambiguous,))

    assert expected == read("+44 20 7946 0958 +49 30 123456 1 303 555 0101 +1 303 555 0100")


# --- what holds for any text -----------------------------------------------------------------------------------------

#: The library loads a country's plan when it is first asked, which may take longer than one example's deadline.
UNHURRIED = settings(deadline=None)

FRAGMENTS = st.sampled_from(
    [
        "303", "555", "0100", "0101", "5550100", "3035550100", "+1", "1", "+", "44", "+44", "20", "7946", "0958",
        "(0)", "(303)", "011", "00", "+49", "30", "123456", "65", "9555", "0123", "6595550123", "32873127836",
        "1293384261075731499", "phon_a", "x12", "ext.", "FLOWERS", "911", "1.97E+10", "a@b.c", "tel:", "<tel:",
        "|", ">", "<", "&lt;", "&gt;", "&#49;", " ", " ", " ", " - ", "-", ".", "/", ",", ";", "\n", "\t", "\n1. ",
        "\n2. ", "\n- ", "•", '"', "\u00a0", "\u200b", "\u202a", "\u0663", "\uff13", "²", "\ud800", "\x00", "\x85",
    ]
)  # fmt: skip
ANY_TEXT = st.text() | st.lists(FRAGMENTS, max_size=25).map("".join)


def digits_of(text: str) -> str:
    """Return every decimal digit of ``text``, in ASCII."""
    return "".join(str(unicodedata.decimal(c)) for c in html.unescape(text) if unicodedata.category(c) == "Nd")


def spellings(identifier: str) -> list[str]:
    """Return the digit strings that may be typed for ``identifier`` in the United States."""
    if not identifier.startswith("+"):
        return [digits_of(identifier)]
    digits = identifier[1:]
    bare = [digits, *(f"{digits[:at]}0{digits[at:]}" for at in (1, 2, 3))]
    return [*bare, *(f"011{text}" for text in bare), *([digits[1:]] if digits[0] == "1" else [])]


@UNHURRIED
@given(st.lists(ANY_TEXT, max_size=3))
@example(["&#x31;&#48;"])
@example(["2002000000>\t2002000000, 2002000000 ->\n2002000009"])
def test_output_is_well_formed(texts: list[str]) -> None:
    """Any text is read without an error into E.164 numbers and ids without repeats, and bad entries fit to show."""
    reading = read(*texts)

    assert all(E164.fullmatch(found) or is_id(found) for found in reading.identifiers)
    assert len(set(reading.identifiers)) == len(reading.identifiers)
    for entry in reading.bad:
        assert 0 < len(entry.text) <= SHOWN
        assert not any(unicodedata.category(character) in {"Cc", "Cs"} for character in entry.text)
        assert entry.why


@UNHURRIED
@given(ANY_TEXT)
def test_no_digit_is_invented(text: str) -> None:
    """The digits of every identifier stand in the text, in order and together."""
    typed = digits_of(text)

    for found in read(text).identifiers:
        assert any(spelling in typed for spelling in spellings(found))


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.sampled_from(["303 555 0100", "+1303", "5550101", "+44 20 7946 0958", "44", "12", "1", "0", "9705555098"])
        | st.sampled_from([" ", "  ", "-", " - ", ",", "\n", "(", ") ", "+", "7", "555"]),
        max_size=12,
    ).map("".join)
)
def test_no_digit_is_left_out(text: str) -> None:
    """When nothing is bad, the numbers in order are all that was typed, down to the last digit."""
    reading = read(text)
    assume(not reading.bad and not reading.repeats and not re.search(r"(?m)^\W*\d{1,4}[.)]", text))
    remaining = {digits_of(text)}
    for found in reading.identifiers:
        remaining = {rest.removeprefix(way) for rest in remaining for way in spellings(found) if rest.startswith(way)}

    assert "" in remaining


NANP = st.from_regex(r"\+1[2-9][0-9]{2}[2-9][0-9]{6}", fullmatch=True)
REGIONS = ["US", "GB", "FR", "DE", "JP", "AU", "IN", "BR", "ZA", "SG"]


@st.composite
def foreign_numbers(draw: st.DrawFn, regions: Sequence[str] = tuple(REGIONS)) -> str:
    """Draw a valid number of some country: one of the library's examples with other last digits."""
    sample = phonenumbers.example_number(draw(st.sampled_from(regions)))
    assert sample is not None
    text = phonenumbers.format_number(sample, PhoneNumberFormat.E164)[:-3] + f"{draw(st.integers(0, 999)):03}"
    assume(phonenumbers.is_valid_number(phonenumbers.parse(text)))
    return text


def dressed(number: str, style: str) -> str:
    """Return ``number`` as people write it."""
    parsed = phonenumbers.parse(number)
    match style:
        case "national" if number.startswith("+1"):
            return phonenumbers.format_number(parsed, PhoneNumberFormat.NATIONAL)
        case "dots" if number.startswith("+1"):
            return f"{number[2:5]}.{number[5:8]}.{number[8:]}"
        case "slack":
            return f"<tel:{number}|{phonenumbers.format_number(parsed, PhoneNumberFormat.INTERNATIONAL)}>"
        case "uri":
            return phonenumbers.format_number(parsed, PhoneNumberFormat.RFC3966)
        case "plain":
            return number
        case _:
            return phonenumbers.format_number(parsed, PhoneNumberFormat.INTERNATIONAL)


STYLES = st.sampled_from(["plain", "national", "international", "dots", "slack", "uri"])
HARD = st.sampled_from([",", ", ", ";", " ; ", "\n", "\r\n", "\t", " | ", "\n- ", "\n• ", ",\u200b", '", "'])


def joined(pieces: Sequence[str], separators: Sequence[str]) -> str:
    """Return ``pieces`` with the separators in turn between them."""
    return "".join(f"{piece}{separator}" for piece, separator in zip(pieces, separators, strict=True))


@UNHURRIED
@given(st.data(), st.lists(NANP | foreign_numbers() | st.just("1293384261075731499"), unique=True, max_size=8))
def test_styles_and_separators(data: st.DataObject, numbers: list[str]) -> None:
    """Numbers in any style between any separators come back exactly, in their order."""
    styles = data.draw(st.lists(STYLES, min_size=len(numbers), max_size=len(numbers)))
    separators = data.draw(st.lists(HARD, min_size=len(numbers), max_size=len(numbers)))
    written = [dressed(n, style) if n.startswith("+") else n for n, style in zip(numbers, styles, strict=True)]

    assert ParsedNumbers(identifiers=tuple(numbers), repeats=0, bad=()) == read(joined(written, separators))


@UNHURRIED
@given(st.data(), st.lists(NANP, unique=True, max_size=8))
def test_spaces_separate(data: st.DataObject, numbers: list[str]) -> None:
    """North American numbers come back exactly when only spaces are between them, whatever their style."""
    styles = data.draw(st.lists(STYLES, min_size=len(numbers), max_size=len(numbers)))
    written = " ".join(dressed(number, style) for number, style in zip(numbers, styles, strict=True))

    assert ParsedNumbers(identifiers=tuple(numbers), repeats=0, bad=()) == read(written)


@UNHURRIED
@given(st.sampled_from(REGIONS).flatmap(lambda region: st.tuples(st.just(region), foreign_numbers([region]))))
def test_national_style(drawn: tuple[str, str]) -> None:
    """A number in its own country's style is read as that number when the region is that country."""
    region, number = drawn
    written = phonenumbers.format_number(phonenumbers.parse(number), PhoneNumberFormat.NATIONAL)

    assert ParsedNumbers(identifiers=(number,), repeats=0, bad=()) == read(written, region=region)


PIECES = st.sampled_from(
    [DENVER, "(303) 555-0101", "970.555.5098", "+44 20 7946 0958", "phon_a", "911", "hello", "303 555 0100 x1", "555"]
)


@UNHURRIED
@given(st.lists(PIECES, max_size=10).flatmap(lambda given_: st.tuples(st.just(given_), st.permutations(given_))), HARD)
def test_order_does_not_matter(drawn: tuple[list[str], list[str]], separator: str) -> None:
    """The same entries in another order, with other separators, give the same numbers and the same bad entries."""
    first, second = read("\n".join(drawn[0])), read(separator.join(drawn[1]))

    assert set(first.identifiers) == set(second.identifiers)
    assert first.repeats == second.repeats
    assert sorted(entry.text for entry in first.bad) == sorted(entry.text for entry in second.bad)


@UNHURRIED
@given(ANY_TEXT)
def test_reading_is_idempotent(text: str) -> None:
    """What was read reads as itself."""
    identifiers = read(text).identifiers

    assert ParsedNumbers(identifiers=identifiers, repeats=0, bad=()) == read("\n".join(identifiers))


# --- how long it takes -----------------------------------------------------------------------------------------------


def steps(text: str) -> int:
    """Return how many functions are called while ``text`` is read: the same on every machine, however busy."""
    counted = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal counted
        counted += event in {"call", "c_call"}

    sys.setprofile(count)
    try:
        read(text)
    finally:
        sys.setprofile(None)
    return counted


@pytest.mark.parametrize(
    ("form", "separator"), [("+1303555{:04}", "\n"), ("(970) 555-{:04}", "\n"), ("(970) 555-{:04}", " ")]
)
def test_a_full_form_is_read(form: str, separator: str) -> None:
    """Five thousand numbers, a full form and more, are all read, and ten times as many need ten times the steps."""
    numbers = [form.format(at) for at in range(5000)]

    assert len(read(separator.join(numbers)).identifiers) == 5000
    assert steps(separator.join(numbers)) < 12 * steps(separator.join(numbers[:500]))


@pytest.mark.parametrize(
    "text", ["a ", "+1", "1-", "<a|", "(+", "1 x ", "1. 3\n", "- ", '"', "&lt;", "1", "-", "->", "~1"]
)
def test_nonsense_takes_linear_steps(text: str) -> None:
    """Eight times the nonsense takes about eight times the steps: no paste can hold up the bot."""
    short, long = steps(text * 2_000), steps(text * 16_000)

    assert long < 12 * short + 100
