"""Drafting a mapping: which field a column is for, what the draft says of it, and that the draft loads as it stands."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from etl.contract import ACTIONS
from etl.errors import MappingError
from etl.mapping import Mapping, bind, parse_mapping
from etl.mapping.candidates import Column, candidates
from etl.mapping.draft import Draft, Use, quote
from etl.mapping.looks import look
from etl.mapping.suggest import looks_like_data, suggest
from etl.records import text_series
from etl.transforms import CATALOGUE, apply, check_arguments

CONTACT, DELETE, EVENT = "contact.upsert", "contact.delete", "event.create"
STREET, ZIP = "contact.address.streetAddress", "contact.address.zipCode"
CITY, COUNTRY = "contact.address.city", "contact.address.country"
E, N, P, F, C = "contact.email", "contact.name", "contact.phone", "contact.fax", "contact.company"

ENGLISH = {
    "E-mail": E, "Email Address": E, "EMAIL": E, "e_mail": E, "Customer email": E, "emailAddress": E, "Full Name": N,
    "First name": N, "Surname": N, "Phone": P, "Mobile phone": P, "Tel. no.": P, "Telephone Number": P, "Fax number": F,
    "Company": C, "Company Name": C, "Organisation": C, "Street address": STREET, "Address line 1": STREET, "Postcode": ZIP,
    "ZIP code": ZIP, "Postal Code": ZIP, "zip": ZIP, "Town": CITY, "Billing City": CITY, "Country": COUNTRY,
    "Tags": "tags", "Segments": "tags", "New e-mail": "newEmail",
}  # fmt: skip
ENGLISH_EVENT = {
    "Order total": "value", "Amount (EUR)": "value", "Order no.": "externalId", "Invoice Number": "externalId",
    "SKU": "products", "Products": "products", "Description": "description", "Store": "location", "Shop domain": "shopDomain",
    "Event type": "contactExtEventType", "Detail 1": "detail1", "e-mail": "email",
}  # fmt: skip
POLISH = {
    "Adres e-mail": E, "E-mail": E, "adres mailowy": E, "Poczta elektroniczna": E, "E-mail klienta": E, "Imię i nazwisko": N,
    "Imię": N, "NAZWISKO": N, "Telefon komórkowy": P, "Telefon": P, "Nr telefonu": P, "numer telefonu": P, "Tel. kom.": P,
    "Komórka": P, "Faks": F, "Firma": C, "Nazwa firmy": C, "Adres": STREET, "Ulica": STREET, "Ulica i nr domu": STREET,
    "Kod pocztowy": ZIP, "kod_pocztowy": ZIP, "Miasto": CITY, "Miejscowość": CITY, "Kraj": COUNTRY, "Państwo": COUNTRY,
    "Tagi": "tags", "Segmenty": "tags", "Nowy e-mail": "newEmail",
}  # fmt: skip
POLISH_EVENT = {
    "Kwota": "value", "Wartość zamówienia": "value", "Kwota [PLN]": "value", "Numer zamówienia": "externalId",
    "Nr faktury": "externalId", "Produkt": "products", "Kod produktu": "products", "Opis": "description", "Sklep": "location",
    "Domena sklepu": "shopDomain", "Typ zdarzenia": "contactExtEventType",
}  # fmt: skip
GERMAN = {
    "E-Mail-Adresse": E, "E-Mail": E, "Mailadresse": E, "Kunden-E-Mail": E, "Vorname": N, "Nachname": N, "Familienname": N,
    "Ansprechpartner": N, "Telefon": P, "Telefonnummer": P, "Handy": P, "Handynummer": P, "Mobiltelefon": P, "Rufnummer": P,
    "Telefax": F, "Firma": C, "Unternehmen": C, "Firmenname": C, "Straße": STREET, "Strasse und Hausnummer": STREET,
    "Anschrift": STREET, "PLZ": ZIP, "Postleitzahl": ZIP, "Ort": CITY, "Stadt": CITY, "Wohnort": CITY, "Land": COUNTRY,
    "Schlagworte": "tags", "Neue E-Mail": "newEmail",
}  # fmt: skip
GERMAN_EVENT = {
    "Umsatz": "value", "Betrag": "value", "Gesamtbetrag (€)": "value", "Bestellnummer": "externalId", "Rechnungs-Nr.": "externalId",
    "Artikelnummer": "products", "Beschreibung": "description", "Filiale": "location", "Ereignistyp": "contactExtEventType",
}  # fmt: skip
OTHERS = {"E-post": E, "Förnamn": N, "Postnummer": ZIP, "Ville": CITY, "Correo electrónico": E, "Cognome": N}
MISSPELT = {"Compnay name": C, "Telefonnumer": P, "Kod pocztowi": ZIP, "Postleitzal": ZIP, "Miejscowosc": CITY}
NO_FIELD = (
    "County", "Company size", "Customer ID", "E-mail sent", "E-mail consent", "Email opens", "Date of birth", "Gender", "Tytuł",
    "Website", "Nr klienta", "Kundennummer", "Geburtsdatum", "Geburtsort", "Województwo", "Płeć", "NIP", "Zgoda na newsletter",
    "Phone model", "Status", "Bundesland", "Anrede", "Job title", "Language", "Middle name", "Shoe size", "Start", "Forma", "Username",
)  # fmt: skip

LABELLED = [
    *(
        (header, CONTACT, path)
        for table in (ENGLISH, POLISH, GERMAN, OTHERS, MISSPELT)
        for header, path in table.items()
    ),
    *((header, EVENT, path) for table in (ENGLISH_EVENT, POLISH_EVENT, GERMAN_EVENT) for header, path in table.items()),
]
VALUES = {
    E: ["anna@example.com", "jan@example.com"], "email": ["anna@example.com"], "newEmail": ["anna.new@example.com"],
    N: ["Anna", "Jan"], P: ["+48 601 234 567", "+48 602 234 567"], F: ["+48 22 601 23 45"], C: ["Muster GmbH", "Wzór SA"],
    STREET: ["Long Street 5", "Krótka 7a"], ZIP: ["00-950", "10115"], CITY: ["Łódź", "Berlin"], COUNTRY: ["PL", "Niemcy"],
    "tags": ["VIP;NEW", "OLD"], "value": ["1 234,50", "12,00"], "externalId": ["A-1", "A-2"], "products": ["SKU1", "SKU2"],
    "description": ["spring sale"], "location": ["Warsaw 3"], "shopDomain": ["shop.example.com"], "detail1": ["x"],
    "contactExtEventType": ["PURCHASE", "VISIT"],
}  # fmt: skip


def sheet(text: str) -> tuple[list[str], pd.DataFrame]:
    """Return header and sample of rows written with `|` between the cells."""
    header, *rows = [line.split("|") for line in text.strip("\n").splitlines()]
    return header, pd.DataFrame({place: text_series([row[place] for row in rows]) for place in range(len(header))})


def draft(text: str, name: str = "sheet", action: str | None = None) -> Draft:
    return suggest(*sheet(text), name, action)


def load(text: str) -> Mapping:
    return parse_mapping(text, "draft.yaml", Path())


def active(found: Draft) -> dict[str, tuple[str, ...] | str]:
    return {line.path: line.columns or line.value for line in found.fields}


def calls(found: Draft) -> dict[str, tuple[object, ...]]:
    return {line.path: line.transforms for line in found.fields}


def test_the_labelled_headers_are_25_a_language_at_least() -> None:
    assert min(map(len, (ENGLISH, POLISH, GERMAN))) >= 25


@pytest.mark.parametrize(("header", "action", "path"), LABELLED, ids=[f"{a}-{h}" for h, a, _ in LABELLED])
def test_a_header_alone_finds_its_field(header: str, action: str, path: str) -> None:
    found = draft(header, action=action)

    assert found.suggestions[0].path == path
    assert found.suggestions[0].use is Use.FIELD


@pytest.mark.parametrize(("header", "action", "path"), LABELLED, ids=[f"{a}-{h}" for h, a, _ in LABELLED])
def test_fitting_values_make_a_header_surer(header: str, action: str, path: str) -> None:
    alone = draft(header, action=action).suggestions[0]
    seen = draft("\n".join([header, *VALUES[path]]), action=action).suggestions[0]

    assert seen.path == path
    assert seen.confidence > alone.confidence


@pytest.mark.parametrize("header", NO_FIELD)
@pytest.mark.parametrize("action", ACTIONS)
def test_a_header_that_names_no_field_gets_none(header: str, action: str) -> None:
    assert draft(header, action=action).suggestions[0].use is not Use.FIELD


def test_no_wrong_suggestion_is_surer_than_80_percent() -> None:
    looks = {kind: look(text_series(values)) for kind, values in VALUES.items()}
    headers = [*LABELLED, *((header, action, None) for header in NO_FIELD for action in ACTIONS)]
    wrong = [
        (header, kind, found)
        for (header, action, path), (kind, seen) in itertools.product(headers, looks.items())
        for found in candidates(Column(0, header, seen), action)
        if found.confidence > 0.8 and ACTIONS[action].field(found.target) and found.target != path
    ]

    assert wrong == []


@pytest.mark.parametrize("header", ["Telefn", "Emial", "Stadtt"])
def test_a_short_misspelt_name_without_values_is_offered_not_active(header: str) -> None:
    assert draft(header).suggestions[0].use is Use.OFFERED


def test_a_misspelt_name_is_active_when_the_values_agree() -> None:
    found = draft("Emial\nanna@example.com", action=CONTACT).suggestions[0]

    assert (found.path, found.use) == (E, Use.FIELD)
    assert found.reasons == ("name close to 'email'", "100 % of values are e-mail addresses")


def test_values_that_deny_a_name_win() -> None:
    assert draft("E-mail\nyes\nno", action=CONTACT).missing == (E,)


def test_addresses_under_a_name_that_says_nothing_are_found() -> None:
    found = draft("Login|City\nanna@example.com|Berlin\njan@example.com|Kiel")

    assert active(found)[E] == ("Login",)
    assert found.suggestions[0].confidence == 0.75


def test_each_field_gets_one_column_and_the_other_is_offered_as_a_property() -> None:
    found = draft("E-mail 2|E-mail\nx@example.com|a@example.com\n|b@example.com")

    assert active(found) == {E: ("E-mail",)}
    assert [line.path for line in found.offered] == ["properties.e_mail_2"]


# ---- names and streets in several columns


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("E-mail|Imię|Nazwisko\na@example.com|Anna|Nowak", ("Imię", "Nazwisko")),
        ("E-mail|Last name|First name\na@example.com|Nowak|Anna", ("First name", "Last name")),
        ("E-Mail|Name|Vorname\na@example.com|Schmidt|Anna", ("Vorname", "Name")),
        ("E-Mail|Name|Vorname", ("Vorname", "Name")),
        ("E-mail|Name|First name\na@example.com|Anna Nowak|Anna", ("Name",)),
        ("E-mail|Full name|First name|Last name\na@example.com|Anna Nowak|Anna|Nowak", ("Full name",)),
        ("E-mail|First name\na@example.com|Anna", ("First name",)),
    ],
    ids=["polish", "any order", "german surname", "german, no rows", "name is whole", "all three", "first alone"],
)
def test_a_name_is_made_of_the_columns_there_are(text: str, columns: tuple[str, ...]) -> None:
    assert active(draft(text, "kontakte"))[N] == columns


def test_a_street_is_joined_with_its_numbers() -> None:
    found = draft("E-mail|Nr mieszkania|Ulica|Nr domu\na@example.com|7|Długa|5")

    assert active(found)[STREET] == ("Ulica", "Nr domu", "Nr mieszkania")
    assert 'template: "{Ulica} {Nr domu} {Nr mieszkania}"' in found.yaml


# ---- transforms that fit the values


@pytest.mark.parametrize(
    ("values", "arguments"),
    [
        (["11.77", "9"], None),
        (["12,50", "3"], {"decimal": ","}),
        (["1 234,50", "12,00"], {"decimal": ",", "thousands": " "}),
        (["1\u00a0234,50", "12,00"], {"decimal": ",", "thousands": " "}),
        (["1.234,50", "12,00"], {"decimal": ",", "thousands": "."}),
        (["1,234.50", "12.00"], {"thousands": ","}),
        (["1.234.567", "5"], {"decimal": ",", "thousands": "."}),
        (["1'234.50"], {"thousands": "'"}),
        (["99,00 zł", "1 234,50 zł"], {"decimal": ",", "thousands": " ", "currency": "true"}),
        (["€12.50", "€3"], {"currency": "true"}),
        (["0.125"], None),
        (["-5,5"], {"decimal": ","}),
    ],
    ids=str,
)
def test_the_number_proposed_reads_every_value(values: list[str], arguments: dict[str, str] | None) -> None:
    found = draft("\n".join(["Umsatz", *values]), action=EVENT)

    assert calls(found)["value"] == (("number", arguments),)
    given, problems = check_arguments("number", arguments)
    assert problems == []
    failed = apply("number", text_series(values), given).failed
    assert failed is None or not failed.any()


def test_a_lone_sign_before_three_digits_is_said_to_be_unsure() -> None:
    reasons = draft("Umsatz\n1.234\n2.500", action=EVENT).fields[0].reasons

    assert reasons[-1] == "'1.234' and '1,234' can be read in two ways: check the signs"


@pytest.mark.parametrize(
    ("text", "call"),
    [
        ("Phone\n+48 601 234 567\n0049 30 901820", ("phone", None)),
        ("Telefon komórkowy\n601 234 567\n+48 602 234 567", ("phone", "PL")),
        ("Handy\n0151 23456789\n030 901820", ("phone", "DE")),
        ("Phone|Country\n601 234 567|Poland\n602 234 567|Poland", ("phone", "PL")),
        ("Phone|Currency\n601 234 567|PLN\n602 234 567|PLN", ("phone", "PL")),
        ("Phone|Email\n601 234 567|a@example.pl\n602 234 567|b@example.pl", ("phone", "PL")),
        ("Phone\n601 234 567\n602 234 567", ("strip", None)),
    ],
    ids=["international", "polish header", "german header", "country", "currency", "addresses", "no hint"],
)
def test_the_region_of_phones_is_guessed_from_what_the_sheet_says(text: str, call: tuple[str, str | None]) -> None:
    assert calls(draft(text, action=CONTACT))[P] == (call,)


@pytest.mark.parametrize(
    ("values", "transforms"),
    [
        (["a;b", "c"], (("split", ";"),)),
        (["a, b", "c"], (("split", ","),)),
        (["a|b".replace("|", "/"), "c"], (("squeeze", None),)),
        (["VIP", "old"], (("squeeze", None),)),
    ],
    ids=["semicolons", "commas", "no list sign", "single"],
)
def test_tags_are_split_by_the_sign_seen(values: list[str], transforms: tuple[object, ...]) -> None:
    assert calls(draft("\n".join(["Tags", *values])))["tags"] == transforms


@pytest.mark.parametrize(
    ("values", "transform"),
    [
        (["31.12.2024", "1.2.2024"], ("date", "DD.MM.YYYY")),
        (["12/31/2024"], ("date", "MM/DD/YYYY")),
        (["31-12-24"], ("date", "DD-MM-YY")),
        (["20241231"], ("date", "YYYYMMDD")),
        (["31.12.2024 10:30"], ("date", "DD.MM.YYYY HH:mm")),
        (["2024-12-31"], None),
    ],
    ids=str,
)
def test_a_date_worth_keeping_is_offered_in_iso_form(values: list[str], transform: tuple[str, str] | None) -> None:
    offered = draft("\n".join(["Birthday", *values]), action=CONTACT).offered[0]

    assert offered.transforms == (() if transform is None else (transform,))
    if transform is not None:
        given, problems = check_arguments(*transform)
        assert problems == []
        failed = apply(transform[0], text_series(values), given).failed
        assert failed is None or not failed.any()


@pytest.mark.parametrize(
    ("values", "transforms"),
    [
        (["1.234,50", "12,00"], (("number", {"decimal": ",", "thousands": "."}),)),
        (["12,50 €", "7,00 €"], (("number", {"decimal": ",", "currency": "true"}),)),
        (["12.50", "7.00"], (("number", None),)),
        (["42", "007"], ()),
    ],
    ids=["grouped", "currency", "plain", "whole"],
)
def test_an_amount_is_offered_as_a_number_and_a_whole_number_as_it_stands(
    values: list[str], transforms: tuple[object, ...]
) -> None:
    offered = draft("\n".join(["Budget left", *values]), action=CONTACT).offered[0]

    assert offered.transforms == transforms


def test_days_and_months_that_cannot_be_told_apart_are_said_to_be_unsure() -> None:
    offered = draft("Birthday\n01/02/2024", action=CONTACT).offered[0]

    assert offered.transforms == (("date", None),)
    assert offered.reasons[-1] == "days and months cannot be told apart here: the whole column will decide"


# ---- the action


@pytest.mark.parametrize(
    ("text", "name", "action"),
    [
        ("E-mail|Imię|Telefon\na@example.com|Anna|601234567", "kontakty", CONTACT),
        ("E-mail\na@example.com", "newsletter", CONTACT),
        ("E-mail\na@example.com", "Sheet1", DELETE),
        ("E-mail|Powód|Data\na@example.com|spam|2024-01-02", "Arkusz1", DELETE),
        ("E-mail|Imię|Telefon\na@example.com|Anna|601234567", "Wypisani 2026", DELETE),
        ("E-Mail|Vorname\na@example.com|Anna", "Abmeldungen", DELETE),
        ("email|name\na@example.com|Anna", "opt-outs", DELETE),
        ("E-Mail|Abgemeldet am\na@example.com|01.02.2024", "Tabelle1", DELETE),
        ("E-mail|Unsubscribed at\na@example.com|2024-01-02\nb@example.com|", "Sheet1", CONTACT),
        ("E-mail|Unsubscribed\na@example.com|yes\nb@example.com|no", "opt-outs", CONTACT),
        ("E-mail|Unsubscribed\na@example.com|no\nb@example.com|no", "Sheet1", CONTACT),
        ("E-mail|City|Unsubscribed\na@example.com|Berlin|yes", "Sheet1", CONTACT),
        ("E-mail|Date of birth\na@example.com|1980-01-02", "Sheet1", CONTACT),
        ("E-mail|Zgoda\na@example.com|tak", "Sheet1", CONTACT),
        ("E-mail|Kwota|Numer zamówienia\na@example.com|12,50|A-1", "Arkusz1", EVENT),
        ("customer|date|dollar_value\n1|19970101|11.77", "cdnow", EVENT),
        ("E-Mail|Umsatz|Artikel\na@example.com|12,50|SKU1", "Tabelle1", EVENT),
        ("E-mail|Event type\na@example.com|DOWNLOAD", "Sheet1", EVENT),
        ("E-mail|City|Phone|Company|Total|Date\na@example.com|Kiel|+49 30 901820|Muster GmbH|5|2024-01-02", "crm", CONTACT),
    ],
    ids=[
        "contacts", "newsletter", "e-mail alone", "with reason and date", "name says wypisani", "name says abmeldungen",
        "name says opt-outs", "header says abgemeldet", "some did not leave", "yes and no", "nobody left",
        "opt-out beside contact data", "birthdays", "consent", "amount and order", "amount and date", "amount and product",
        "event types", "contact data with a total",
    ],
)  # fmt: skip
def test_the_action_is_chosen_by_what_the_sheet_holds(text: str, name: str, action: str) -> None:
    assert draft(text, name).action == action


def test_an_action_that_was_asked_for_is_taken() -> None:
    found = draft("E-mail\na@example.com", "Sheet1", CONTACT)

    assert (found.action, found.why) == (CONTACT, ("contact.upsert, as asked.",))


def test_a_deletion_says_why_and_how_to_change_it() -> None:
    text = draft("E-mail\na@example.com", "Wypisani").yaml

    assert (
        "  # DELETION: contact.delete erases the contact of every row. Chosen because the name 'Wypisani' speaks of"
        " people who leave.\n"
        "  # If these people are to stay, write contact.upsert here, and contact.email instead of email below.\n"
        "  - action: contact.delete\n"
    ) in text


# ---- conditions


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("E-mail|Zgoda\na@example.com|tak\nb@example.com|nie", "{Zgoda} == 'tak'"),
        ("E-mail|Opt-in\na@example.com|Yes\nb@example.com|yes\nc@example.com|no", "lower({Opt-in}) == 'yes'"),
        ("E-mail|Consent\na@example.com|1\nb@example.com|yes\nc@example.com|0", "{Consent} in ['1', 'yes']"),
        ("E-mail|Unsubscribed|City\na@example.com|yes|Kiel\nb@example.com|no|Bonn", "{Unsubscribed} != 'yes'"),
    ],
    ids=["polish", "two cases", "two words", "opt-out"],
)
def test_consent_gives_a_condition_that_is_commented_out(text: str, condition: str) -> None:
    found = draft(text)

    assert [line.expression for line in found.conditions] == [condition]
    assert f"    #when: {quote(condition)}  # " in found.yaml
    assert load(found.yaml).records[0].when is None
    uncommented = found.yaml.replace("    #when: ", "    when: ")
    when = load(uncommented).records[0].when
    assert when is not None
    assert when.text == condition


@pytest.mark.parametrize(
    ("text", "keeps", "leaves_out"),
    [
        ("E-mail|Zgoda\na@example.com|tak\nb@example.com|nie\nc@example.com|\nd@example.com|tak ", True, 2),
        ("E-mail|Unsubscribed|City\na@example.com|yes|Kiel\nb@example.com|no|Bonn\nc@example.com||Bonn", False, 1),
    ],
    ids=["consent", "opt-out"],
)
def test_a_condition_tells_how_many_rows_it_would_leave_out_and_where_it_stands(
    text: str, keeps: bool, leaves_out: int
) -> None:
    found = draft(text)
    (condition,) = found.conditions

    assert (condition.keeps, condition.leaves_out) == (keeps, leaves_out)
    assert found.yaml.splitlines()[found.line_of(condition) - 1].startswith("    #when: ")


@pytest.mark.parametrize(
    ("header", "is_data"),
    [
        (["Anna", "anna@example.com", "Gdynia"], True),
        (["17", "3.5", "Gdynia"], True),
        (["+48 600 123 456", "2024-12-31", ""], True),
        (["E-mail", "Name", "2024"], False),
        (["", ""], False),
    ],
    ids=["address", "numbers", "phone and date", "names", "blank"],
)
def test_a_header_of_values_looks_like_data(header: list[str], is_data: bool) -> None:
    assert looks_like_data(header) is is_data


def test_a_column_of_yes_and_no_that_is_no_consent_gives_no_condition() -> None:
    assert draft("E-mail|Has a dog\na@example.com|yes\nb@example.com|no").conditions == ()


# ---- columns that no mapping can name, and those that no field fits


def test_a_header_that_occurs_twice_is_not_mapped_and_a_comment_says_so() -> None:
    found = draft("E-mail|Phone|Phone\na@example.com|+48601234567|+48602234567", "contacts")

    assert active(found) == {E: ("E-mail",)}
    assert (
        "# - 'Phone': stands more than once in the header (columns 2 and 3): rename, a mapping cannot tell them apart\n"
    ) in found.yaml


def test_a_column_without_a_name_is_not_mapped_and_a_comment_says_so() -> None:
    found = draft("E-mail| |City\na@example.com|x|Berlin", "contacts")

    assert active(found) == {E: ("E-mail",), CITY: ("City",)}
    assert "# - '': column 2 has no name: give it one in the header\n" in found.yaml


def test_a_sheet_without_addresses_is_said_to_be_incomplete() -> None:
    found = draft("City\nBerlin")

    assert found.missing == (E,)
    assert (
        "# INCOMPLETE: no column serves as contact.email, which every record needs. Add it under `fields`."
        in found.yaml
    )


def test_columns_of_events_that_no_field_fits_are_offered_as_details() -> None:
    found = draft("Kwota|Nr zamówienia|Data zakupu|Detail 1|Kolor\n5|A-1|01.02.2024|x|red", "zakupy")

    assert [line.path for line in found.offered] == ["detail2", "detail3"]
    assert found.offered[0].reasons[-1] == (
        "the endpoint stamps events with the time of import: a detail keeps this date"
    )


def test_a_source_that_is_pinned_stands_in_the_mapping() -> None:
    header, sample = sheet("E-mail\na@example.com")
    found = suggest(header, sample, "contacts", source={"sheet": "No", "header_row": 3})

    mapping = load(found.yaml)
    assert (mapping.source.sheets, mapping.source.header_row) == (("No",), 3)


# ---- whole sheets

POLISH_CONTACTS = """
E-mail|Imię|Nazwisko|Telefon komórkowy|Ulica|Nr domu|Kod pocztowy|Miejscowość|Kraj|Zgoda|Tagi|Rozmiar buta|Puste
anna@example.com|Anna|Nowak|601 234 567|Długa|5|00-950|Warszawa|Polska|tak|VIP;Nowy|38|
jan@example.com|Jan|Kowalski|+48 602 234 567|Krótka|7a|31-001|Kraków|Niemcy|nie|VIP|42|
"""
GERMAN_CONTACTS = """
E-Mail-Adresse|Vorname|Name|Telefon|PLZ|Ort|Firma|Interessen|Geburtsdatum
anna@example.de|Anna|Schmidt|0151 23456789|10115|Berlin|Muster GmbH|Sport, Musik|31.01.1980
jan@example.de|Jan|Meier|030 901820|80331|München|Beispiel AG|Kunst|01.02.1990
"""
PURCHASES = """
Bestellnummer|Datum|Umsatz|Artikel|E-Mail|Filiale
A-1|01.02.2024|1.234,50 €|SKU1|a@example.com|Kiel
A-2|28.02.2024|99,00 €|SKU3|b@example.com|Bonn
"""
OPT_OUTS = """
adres e-mail|powód|data
anna@example.com|za dużo wiadomości|2026-01-02
jan@example.com||2026-01-03
"""
AWKWARD = """
NO|12:30|a: b|#tag|{brace}|'quoted|"double|yes|[list]|- dash|*star|&anchor|%pct|@at|`tick|null|~|Straße: Nr. #5|ąę|!
a@example.com|1|2|3|4|5|6|7|8|9|10|11|12|13|14|15|16|17|18|19
"""
SHEETS = {
    "polish contacts": (POLISH_CONTACTS, "Kontakty: maj #5"),
    "german contacts": (GERMAN_CONTACTS, "Kunden"),
    "purchases": (PURCHASES, "Bestellungen"),
    "opt-outs": (OPT_OUTS, "yes"),
    "awkward names": (AWKWARD, "12:30"),
}


@pytest.mark.parametrize(("text", "name"), SHEETS.values(), ids=SHEETS)
def test_a_draft_loads_and_finds_all_its_columns(text: str, name: str) -> None:
    found = draft(text, name)

    mapping = load(found.yaml)
    bind(mapping, tuple(sheet(text)[0]), "draft")
    assert tuple(field.path for field in mapping.records[0].fields) == tuple(line.path for line in found.fields)


def without_signs(text: str) -> str:
    """Take away the first # of each line that can be used, and nothing else."""
    return re.sub(r"^( +)#(?=[^ ])(?!when)", r"\1", text, flags=re.MULTILINE)


@pytest.mark.parametrize(("text", "name"), SHEETS.values(), ids=SHEETS)
def test_lines_that_are_offered_load_when_uncommented(text: str, name: str) -> None:
    found = draft(text, name)
    mapping = load(without_signs(found.yaml))

    bind(mapping, tuple(sheet(text)[0]), "draft")
    assert len(mapping.records[0].fields) == len(found.fields) + len(found.offered)


def test_polish_contacts_are_drafted_whole() -> None:
    found = draft(*SHEETS["polish contacts"])

    assert active(found) == {
        E: ("E-mail",), N: ("Imię", "Nazwisko"), P: ("Telefon komórkowy",), STREET: ("Ulica", "Nr domu"),
        ZIP: ("Kod pocztowy",), CITY: ("Miejscowość",), COUNTRY: ("Kraj",), "tags": ("Tagi",),
    }  # fmt: skip
    assert [line.path for line in found.offered] == ["properties.zgoda", "properties.rozmiar_buta"]
    assert found.notes == ("'Puste': holds no values",)


def test_german_purchases_are_drafted_whole() -> None:
    found = draft(*SHEETS["purchases"])

    assert active(found) == {
        "email": ("E-Mail",), "products": ("Artikel",), "location": ("Filiale",), "value": ("Umsatz",),
        "contactExtEventType": "PURCHASE", "externalId": ("Bestellnummer",),
    }  # fmt: skip


def test_every_transform_proposed_exists() -> None:
    drafts = [draft(*given) for given in SHEETS.values()]
    named = {call[0] for found in drafts for line in (*found.fields, *found.offered) for call in line.transforms}

    assert named <= set(CATALOGUE)


def test_each_line_says_how_sure_it_is_and_why() -> None:
    text = draft(*SHEETS["polish contacts"]).yaml

    assert (
        "      contact.email: {column: E-mail, transform: [strip, lower], required: true}"
        "  # 99 %: name like 'email'; 100 % of values are e-mail addresses\n"
    ) in text
    assert "      contact.phone: {column: Telefon komórkowy, transform: [{phone: PL}]}  # 99 %: name like " in text


# ---- quoting


@pytest.mark.parametrize(
    "text",
    [
        "NO",
        "yes",
        "12:30",
        "null",
        "~",
        "010",
        "a: b",
        "a #b",
        "- a",
        "",
        " x ",
        "'",
        '"',
        "\u2028",
        "\ufeff",
        "a\nb",
        "\\",
    ],
)
def test_a_text_that_yaml_would_bend_is_quoted(text: str) -> None:
    assert quote(text).startswith('"')


@given(st.text())
@settings(deadline=None)
def test_any_text_comes_back_as_it_was(text: str) -> None:
    written = quote(text)

    loaded = YAML(typ="safe", pure=True).load(
        f"plain: {written}\nflow: {{a: {written}, b: [{written}, {written}]}}  # x\n"
    )

    assert loaded == {"plain": text, "flow": {"a": text, "b": [text, text]}}


@given(st.lists(st.text(min_size=1), max_size=6), st.text())
@settings(deadline=None, max_examples=60)
def test_any_header_gives_a_draft_that_loads(names: list[str], name: str) -> None:
    header = ["E-mail", *names]
    sample = pd.DataFrame({place: text_series(["a@example.com" if not place else "x"]) for place in range(len(header))})
    found = suggest(header, sample, name)

    try:
        mapping = load(found.yaml)
    except MappingError:
        assert found.missing
        return
    bind(mapping, tuple(column.strip() for column in header), "draft")
    assert not found.missing


@given(st.lists(st.text(min_size=1), max_size=6))
@settings(deadline=None, max_examples=40)
def test_each_column_is_told_of_once(names: list[str]) -> None:
    sample = pd.DataFrame({place: text_series(["x"]) for place in range(len(names))})

    assert [said.position for said in suggest(names, sample, "sheet").suggestions] == list(range(len(names)))
