"""Phone numbers in E.164, by phonenumbers (Google's libphonenumber)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import phonenumbers

from etl.transforms.arguments import did_you_mean
from etl.transforms.columns import EDGES, Failure, convert
from etl.transforms.countries import find_country
from etl.transforms.registry import Example, Outcome, transform

_WRITTEN = re.compile("[0-9+()./\u2010-\u2015\u2212 -]+")
_IN_ONE_SPACE = re.compile("[" + re.escape(EDGES) + "]+")
_SHORTENED = re.compile(r"[0-9]+[.,][0-9]+[Ee]\+?[0-9]+")
_POSSIBLE = {
    phonenumbers.ValidationResult.TOO_SHORT: "it has too few digits",
    phonenumbers.ValidationResult.TOO_LONG: "it has too many digits",
    phonenumbers.ValidationResult.INVALID_LENGTH: "it has a wrong number of digits",
    phonenumbers.ValidationResult.INVALID_COUNTRY_CODE: "no country has its country code",
    phonenumbers.ValidationResult.IS_POSSIBLE_LOCAL_ONLY: "its area code is missing",
}
_UNREADABLE = {
    phonenumbers.NumberParseException.INVALID_COUNTRY_CODE: "no country has its country code",
    phonenumbers.NumberParseException.TOO_LONG: "it has too many digits",
}


def _check_phone(arguments: dict[str, Any], _base: Path) -> Iterator[str]:
    region = arguments.get("region")
    if region is None:
        return
    regions = phonenumbers.SUPPORTED_REGIONS
    arguments["region"] = region.upper()
    if region.upper() not in regions:
        country = find_country(region)
        meant = f" (did you mean '{country}'?)" if country in regions else did_you_mean(region, regions)
        fault = f"'{region}' is no region with phone numbers{meant}"
        yield f"`phone`, argument 'region': {fault}; write two letters, such as PL"


@transform(
    code="not-a-phone",
    check=_check_phone,
    example=(
        Example({"region": "PL"}, "600 123 456", "+48600123456"),
        Example({"region": "PL"}, "48600123456", "+48600123456"),
        Example({}, "+46 8 123 456 78", "+46812345678"),
    ),
)
def phone(text: pd.Series[str], *, region: str | None = None) -> Outcome:
    """Write a phone number in E.164: `+`, country code and number, no spaces.

    `region` (two letters) is where numbers without a country code belong; without it, every number must begin with
    `+` or 00. A number that begins with the region's own country code, the `+` forgotten, is taken for international
    where it is no valid number of the region as it stands. Fails, with the reason, where the numbering plan has no
    such number; letters and extensions are refused.
    """
    return convert(text, partial(_e164, region=region.upper() if region else None))


def _e164(value: str, region: str | None) -> str | Failure:
    written = _IN_ONE_SPACE.sub(" ", value).strip().removeprefix("tel:").strip()
    fault = _fault_of_writing(written)
    if fault:
        return Failure(fault)
    if region is None and written.startswith("00"):
        written = "+" + written[2:]
    if region is None and not written.startswith(("+", "(+")):
        return Failure("it has no country code, and the mapping's `phone` names no region")
    number = _parse(written, region)
    if not _is_valid(number):
        number = next(filter(_is_valid, _other_readings(written, region)), number)
    if isinstance(number, Failure):
        return number
    if not _is_valid(number):
        why = phonenumbers.is_possible_number_with_reason(number)
        return Failure(_POSSIBLE.get(why, "no such number is in use"))
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def _fault_of_writing(written: str) -> str:
    if _SHORTENED.fullmatch(written):
        return "the spreadsheet has shortened it: format its column as text"
    if not _WRITTEN.fullmatch(written):
        return "it holds other signs than digits, spaces and + ( ) . / -"
    if re.fullmatch(r"\+?[0-9]+\.0+", written):
        # Read on, the zero behind the point would become a digit of the number.
        return "it ends in .0: format its column as text"
    return ""


def _parse(written: str, region: str | None) -> Any:
    try:
        return phonenumbers.parse(written, region)
    except phonenumbers.NumberParseException as error:
        return Failure(_UNREADABLE.get(error.error_type, "it has too few digits"))


def _is_valid(number: Any) -> bool:
    return not isinstance(number, Failure) and bool(phonenumbers.is_valid_number(number))


def _other_readings(written: str, region: str | None) -> Iterator[Any]:
    """Yield what a number that is not valid as it stands may have been meant to be."""
    if "(0)" in written:
        # "+48 (0) 600 ...": the zero is for callers at home.
        yield _parse(written.replace("(0)", "", 1), region)
    digits = re.sub("[^0-9]", "", written)
    if region and digits.startswith(str(phonenumbers.country_code_for_region(region))) and "+" not in written:
        yield _parse("+" + digits, None)
