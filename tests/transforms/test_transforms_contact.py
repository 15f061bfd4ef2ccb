"""E-mail addresses, phone numbers and countries."""

from __future__ import annotations

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import given, settings
from hypothesis import strategies as st

from etl.records import text_series
from etl.transforms import apply, check_arguments
from etl.transforms.contact import _plain_addresses
from etl.transforms.countries import find_country


def _one(name: str, value: str, given: object = None) -> tuple[str | None, str]:
    arguments, problems = check_arguments(name, given)
    assert problems == []
    outcome = apply(name, text_series([value]), arguments)
    return (None, outcome.details_at([0])[0]) if outcome.failed is not None else (str(outcome.values.iloc[0]), "")


EMAILS = [
    ("A.B@X.Example.COM", None, "A.B@x.example.com"),
    ("\u00a0a@example.com\u200b", None, "a@example.com"),
    ("Anna@Example.com", {"lower": "true"}, "anna@example.com"),
    ("mailto:a@example.com?subject=x", None, "a@example.com"),
    ("MAILTO:a@example.com", None, "a@example.com"),
    ("Anna Nowak <a@example.com>", None, "a@example.com"),
    ("'a@example.com' <a@example.com>", None, "a@example.com"),
    ("a@ŻÓŁW.pl", None, "a@xn--w-uga1v8h.pl"),
    ("a@xn--w-uga1v8h.pl", None, "a@xn--w-uga1v8h.pl"),
    ("o'neill+tag@example.ie", None, "o'neill+tag@example.ie"),
]


@pytest.mark.parametrize(("value", "given", "expected"), EMAILS, ids=[value for value, _, _ in EMAILS])
def test_an_address_is_written_in_one_spelling(value: str, given: object, expected: str) -> None:
    assert _one("email", value, given) == (expected, "")


NO_EMAILS = [
    ("nobody", "an email address must have an @-sign"),
    ("a@b", "the part after the @-sign is not valid. It should have a period"),
    ("a..b@example.com", "an email address cannot have two periods in a row"),
    ("x@example.com <a@example.com>", "it holds two addresses"),
    ("é@example.com", "internationalized characters before the @-sign are not supported: 'é'"),
    ("a@example.test", "the part after the @-sign is a special-use or reserved name that cannot be used with email"),
    ("a@example.com;b@example.com", "the part after the @-sign contains invalid characters: ';', '@'"),
]


@pytest.mark.parametrize(("value", "why"), NO_EMAILS, ids=[value for value, _ in NO_EMAILS])
def test_what_is_no_address_fails_with_the_reason(value: str, why: str) -> None:
    assert _one("email", value) == (None, why)


@settings(max_examples=200, deadline=None)
@given(st.from_regex(r"\A[A-Za-z0-9_+'.-]{1,70}@[A-Za-z0-9.-]{1,70}(\.[A-Za-z0-9]{1,12}|\.test|\.Local)\Z"))
def test_what_the_quick_look_takes_email_validator_takes_alike(address: str) -> None:
    values, plain = _plain_addresses(text_series([address]))
    if plain[0]:
        try:
            found = validate_email(address, check_deliverability=False, allow_smtputf8=False)
        except EmailNotValidError as error:
            pytest.fail(f"{address}: {error}")
        assert values.tolist() == [f"{found.local_part}@{found.ascii_domain}"]


PHONES = [
    ("600 123 456", "PL", "+48600123456"),
    ("48600123456", "PL", "+48600123456"),
    ("48 22 123 45 67", "PL", "+48221234567"),
    ("0048 600-123-456", "PL", "+48600123456"),
    ("0048600123456", None, "+48600123456"),
    ("(22) 123.45.67", "PL", "+48221234567"),
    ("+48\u00a0600\u200b 123 456", None, "+48600123456"),
    ("tel:+48600123456", None, "+48600123456"),
    ("+48 (0) 600 123 456", "PL", "+48600123456"),
    ("+44 (0)20 7946 0958", "PL", "+442079460958"),
    ("0171 2345678", "DE", "+491712345678"),
    ("08-123 456 78", "SE", "+46812345678"),
]


@pytest.mark.parametrize(("value", "region", "expected"), PHONES, ids=[value for value, _, _ in PHONES])
def test_a_phone_number_is_written_in_e164(value: str, region: str | None, expected: str) -> None:
    assert _one("phone", value, region) == (expected, "")


NO_PHONES = [
    ("12", "PL", "it has too few digits"),
    ("600123456/601123456", "PL", "it has too many digits"),
    ("6012345670123", "PL", "it has too many digits"),
    ("000000000", "PL", "no such number is in use"),
    ("+999123456", "PL", "no country has its country code"),
    ("600123456", None, "it has no country code, and the mapping's `phone` names no region"),
    ("600123456 ext 5", "PL", "it holds other signs than digits, spaces and + ( ) . / -"),
    ("٦٠٠١٢٣٤٥٦", "PL", "it holds other signs than digits, spaces and + ( ) . / -"),
    ("6.01E+08", "PL", "the spreadsheet has shortened it: format its column as text"),
    ("600123456.0", "DE", "it ends in .0: format its column as text"),
]


@pytest.mark.parametrize(("value", "region", "why"), NO_PHONES, ids=[value for value, _, _ in NO_PHONES])
def test_what_is_no_phone_number_fails_with_the_reason(value: str, region: str | None, why: str) -> None:
    assert _one("phone", value, region) == (None, why)


COUNTRIES = {
    "PL": ["Poland", "Polska", "polen", "pl", "POL", "Rzeczpospolita Polska"],
    "DE": ["Germany", "NIEMCY", "Deutschland", "Tyskland", "deu"],
    "SE": ["Szwecja", "Schweden", "Sverige"],
    "GB": ["UK", "U.K.", "England", "Wielka Brytania", "Großbritannien", "grossbritannien", "Storbritannien"],
    "US": ["USA", "U.S.A.", "Stany Zjednoczone", "Vereinigte Staaten", "Förenta staterna"],
    "CZ": ["Czechy", "Tschechien", "Czech Republic", "Tjeckien"],
    "NL": ["Holandia", "Niederlande", "Nederländerna", "The Netherlands"],
    "CH": ["Szwajcaria", "Schweiz", "Switzerland"],
    "NE": ["Niger"],
    "NG": ["Nigeria"],
    "KR": ["Korea Południowa", "Südkorea"],
    "XK": ["Kosovo"],
}


@pytest.mark.parametrize(
    ("code", "name"), [(code, name) for code, names in COUNTRIES.items() for name in names], ids=str
)
def test_a_country_is_found_by_name_in_four_languages(code: str, name: str) -> None:
    assert find_country(name) == code


@pytest.mark.parametrize("name", ["xx", "Atlantis", "Korea", "-", "Polsk"])
def test_what_is_no_country_is_not_guessed(name: str) -> None:
    assert find_country(name) is None


OUTPUTS = [("alpha2", "SE"), ("alpha3", "SWE"), ("name", "Sweden")]


@pytest.mark.parametrize(("output", "expected"), OUTPUTS, ids=[output for output, _ in OUTPUTS])
def test_a_country_is_written_as_asked_for(output: str, expected: str) -> None:
    assert _one("country", "Szwecja", {"output": output}) == (expected, "")
