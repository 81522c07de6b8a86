"""One written number under the world's numbering plans: the numbers that it can mean, or why it means none.

Source of the plans: Google's metadata, as packaged in ``phonenumbers``. For the North American plan only the form is
checked (NXX-NXX-XXXX, N from 2 to 9), so that new area codes and the fictional 555 numbers can be written in national
form.
"""

from __future__ import annotations

import re
from typing import Final

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat, ValidationResult

#: Fewest and most digits of a number in E.164, including its country code.
SHORTEST: Final = 7
LONGEST: Final = 15

_NANP: Final = re.compile(r"[2-9]\d{2}[2-9]\d{6}", re.ASCII)
_PLAIN_NANP: Final = re.compile(r"\+1[2-9]\d{2}[2-9]\d{6}", re.ASCII)
_SHAPE: Final = re.compile(r"[( ]*\+?[\d ().\-/]+", re.ASCII)
_FIGURES: Final = re.compile(r"\d+", re.ASCII)
#: Punctuation that may be attached to a word without belonging to it.
EDGES: Final = " -./:!?"

#: ``1.97056E+10`` and ``19705555098.0``: numbers as spreadsheets distort them.
_ROUNDED: Final = re.compile(r"\+?[\d.]+e\+?\d+|\+?\d{7,}\.\d{1,2}", re.IGNORECASE | re.ASCII)
_EXTENSION: Final = re.compile(r"\d\W*(?:x|ext|extn|extension)\W*\d*$", re.IGNORECASE)
_RANGE: Final = re.compile(r"\W*\d{7,}\s*(?:-|\.\.|~)[\s().+\-]*\d+", re.ASCII)
#: A sign for "to" before the last figures of a number: ``303-555-0100 -> 0109``.
_ENDING: Final = re.compile(r"\d\s*~[\s().+\-]*\d", re.ASCII)
#: A switchboard and its last extension: ``+49 30 901820 0-99``.
_EXTENSIONS: Final = re.compile(r".*\d 0-\d{1,4}", re.ASCII)
_LIST_NUMBER: Final = re.compile(r"\d{1,4}[.)]+(?: .*)?", re.ASCII)
#: A full stop ends a sentence or a list number, and so does an unopened bracket: no number continues after it.
_ENDED: Final = re.compile(r"\. |^[^(]*\) ")

#: The problem of two numbers with a dash between them.
RANGE: Final = "looks like a range; list every number, with commas between"


def readings(written: str, region: str) -> tuple[str, ...]:
    """Return every number, in E.164, that ``written`` can mean: none, one, or two when it is ambiguous.

    All digits are used, in order; only a national prefix or the ``(0)`` after a country code is dropped. With a plus
    sign a number must be possible; without one it must be valid, abroad or in ``region``.
    """
    text = written.strip(EDGES)
    if _PLAIN_NANP.fullmatch(text):
        return (text,)
    figures = _figures(text)
    digits = "".join(figures)
    # The longest notation of a number is North America's international prefix before fifteen digits.
    if not SHORTEST <= len(digits) <= LONGEST + 3 or _is_misshapen(text):
        return ()
    if "+" in text:
        number = _international(digits, figures, spaced=" " in text)
        return (number,) if number else ()
    home, away = _national(digits, region), _away(digits, figures)
    if home and away and len(figures) > 1:
        return (home,) if _grouped(home, PhoneNumberFormat.NATIONAL) == figures else (away,)
    return tuple({home, away} - {""})


def explain(written: str, region: str) -> str:
    """Return why ``written`` is not a number, as the predicate of a sentence that begins with it."""
    text = written.strip()
    if _ROUNDED.fullmatch(text):
        return "was changed by a spreadsheet; format the column as text and paste it again"
    if any(character.isalpha() for character in text):
        return _explain_letters(text)
    if _LIST_NUMBER.fullmatch(text):
        return "looks like list numbering; remove it"
    if _RANGE.fullmatch(text) or _EXTENSIONS.fullmatch(text) or _ENDING.search(text):
        return RANGE
    text = text.strip(EDGES)
    if not _SHAPE.fullmatch(text) or not _figures(text):
        return "has characters that no phone number has"
    if _joins_two(text):
        return "may be two numbers; put a comma between them, or leave the slash out"
    if len(readings(text, region)) > 1:
        return "could be two different numbers; write it with + and the country code"
    digits = "".join(_figures(text))
    return _explain_international(digits) if "+" in text else _explain_national(digits, region)


def _figures(text: str) -> tuple[str, ...]:
    return tuple(_FIGURES.findall(text))


def _is_misshapen(text: str) -> bool:
    return (
        not _SHAPE.fullmatch(text)
        or bool(_ENDED.search(text) or _ROUNDED.fullmatch(text) or _EXTENSIONS.fullmatch(text))
        or _joins_two(text)
    )


def _joins_two(text: str) -> bool:
    """Tell whether too few digits follow a slash: "555-0100/01" is two numbers, "303/555-0100" is one."""
    _, slash, tail = text.rpartition("/")
    return bool(slash) and len("".join(_figures(tail))) < 5


def _parsed(digits: str, region: str | None = None) -> PhoneNumber | None:
    try:
        return phonenumbers.parse(digits if region else f"+{digits}", region)
    except NumberParseException:
        return None


def _e164(number: PhoneNumber) -> str:
    """Return ``number`` in E.164; empty when that has more or fewer digits than E.164 allows."""
    text = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    return text if SHORTEST < len(text) <= LONGEST + 1 else ""


def _international(digits: str, figures: tuple[str, ...], *, spaced: bool) -> str:
    """Return the meaning of ``digits`` after a plus sign: a possible number is enough unless spaces leave a doubt."""
    if valid := _valid_abroad(digits):
        return valid
    number = None if digits[0] == "1" else _parsed(digits)
    if number is None or _e164(number) != f"+{digits}":
        return ""
    if phonenumbers.is_possible_number_with_reason(number) != ValidationResult.IS_POSSIBLE:
        return ""
    return f"+{digits}" if not spaced or _grouped(f"+{digits}", PhoneNumberFormat.INTERNATIONAL) == figures else ""


def _valid_abroad(digits: str) -> str:
    """Return the valid number that ``digits`` form from the country code on; empty for none."""
    if digits[0] == "1":
        return f"+{digits}" if _NANP.fullmatch(digits[1:]) else ""
    number = _parsed(digits)
    if number is None or not phonenumbers.is_valid_number(number):
        return ""
    code, rest = str(number.country_code), phonenumbers.national_significant_number(number)
    # The library also rewrites old dialling formats; that must not produce a number that was not typed.
    return _e164(number) if digits in (code + rest, f"{code}0{rest}") else ""


def _national(digits: str, region: str) -> str:
    """Return the number that ``digits`` reach when dialled in ``region``; empty for none."""
    code = phonenumbers.country_code_for_region(region)
    if code == 1:
        ten = digits[1:] if len(digits) == 11 and digits[0] == "1" else digits
        if _NANP.fullmatch(ten):
            return f"+1{ten}"
        return _valid_abroad(digits[3:]) if digits.startswith("011") and len(digits) > 3 + SHORTEST else ""
    number = _parsed(digits, region) if code else None
    if number is None or not phonenumbers.is_valid_number(number):
        return ""
    return _e164(number) if digits.endswith(phonenumbers.national_significant_number(number)) else ""


def _away(digits: str, figures: tuple[str, ...]) -> str:
    """Return the valid number that ``digits`` without a plus sign form from the country code on; empty for none.

    If written in several figures, they must be grouped as usual there: the first might be a row's number.
    """
    if len(figures) > 1 and int(figures[0]) not in phonenumbers.COUNTRY_CODE_TO_REGION_CODE:
        return ""
    number = _valid_abroad(digits)
    grouped = len(figures) == 1 or (number and _grouped(number, PhoneNumberFormat.INTERNATIONAL) == figures)
    return number if grouped else ""


def _grouped(e164: str, style: int) -> tuple[str, ...]:
    return _figures(phonenumbers.format_number(phonenumbers.parse(e164), style))


def _explain_letters(text: str) -> str:
    if "@" in text:
        return "is an e-mail address or a mention, not a phone number"
    if "://" in text or text.lower().startswith("www."):
        return "is a link, not a phone number"
    if ";ext=" in text.lower() or _EXTENSION.search(text):
        return "has an extension; write the number without it"
    if "_" in text:
        return "is not an id of this provider"
    return "has letters in it; write every digit as a digit" if _figures(text) else "is not a phone number"


def _explain_international(digits: str) -> str:
    if len(digits) > LONGEST:
        return f"has {len(digits)} digits; a phone number has at most {LONGEST}"
    if digits[0] == "1":
        if len(digits) != 11:
            return f"needs 10 digits after +1 and has {len(digits) - 1}"
        return "cannot exist: area code and exchange after +1 each begin with 2 to 9"
    try:
        number = phonenumbers.parse(f"+{digits}")
    except NumberParseException as error:
        if error.error_type == NumberParseException.INVALID_COUNTRY_CODE:
            return "begins with a country code that does not exist"
        return "is too short for a phone number"
    match phonenumbers.is_possible_number_with_reason(number):
        case ValidationResult.TOO_SHORT | ValidationResult.IS_POSSIBLE_LOCAL_ONLY:
            return f"is too short for country code +{number.country_code}"
        case ValidationResult.TOO_LONG:
            return f"is too long for country code +{number.country_code}"
        case ValidationResult.IS_POSSIBLE if len(digits) >= SHORTEST:
            return "is not in international form; write + and all its digits, without spaces"
        case _:
            return f"has the wrong number of digits for country code +{number.country_code}"


def _explain_national(digits: str, region: str) -> str:
    if phonenumbers.is_emergency_number(digits, region):
        return "is an emergency number"
    if len(digits) < SHORTEST:
        return "is too short for a phone number"
    if len(digits) == 7 and phonenumbers.country_code_for_region(region) == 1:
        return "has no area code"
    if len(digits) > 19:
        return f"has {len(digits)} digits; a phone number has at most {LONGEST}"
    if len(digits) > LONGEST:
        return "is too long for a phone number and is not an id of this provider"
    if digits.startswith("00"):
        return "begins with 00; write + instead"
    return f"is not a complete number in {region}; write it with + and the country code"
