"""What values say under headers that say nothing, and headers that mean different things by language."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from etl.mapping import bind, parse_mapping
from etl.mapping.candidates import Column, Context, candidates
from etl.mapping.draft import Draft
from etl.mapping.header_names import is_generic
from etl.mapping.looks import look
from etl.mapping.suggest import suggest
from etl.records import text_series

CONTACT, EVENT = "contact.upsert", "event.create"
ZIP, CITY = "contact.address.zipCode", "contact.address.city"


def sheet(text: str) -> tuple[list[str], pd.DataFrame]:
    header, *rows = [line.split("|") for line in text.strip("\n").splitlines()]
    return header, pd.DataFrame({place: text_series([row[place] for row in rows]) for place in range(len(header))})


def drafted(text: str, name: str = "sheet", action: str | None = None) -> Draft:
    return suggest(*sheet(text), name, action)


def columns_of(found: Draft) -> dict[str, tuple[str, ...] | str]:
    return {line.path: line.columns or line.value for line in found.fields}


@pytest.mark.parametrize(
    ("values", "action", "target", "reason"),
    [
        (["a@example.com", "b@example.com"], CONTACT, "contact.email", "100 % of values are e-mail addresses"),
        (
            ["601 234 567", "602 234 567"],
            CONTACT,
            "contact.phone",
            "100 % of values are telephone numbers without a country code",
        ),
        (
            ["0151 23456789", "030 9018201"],
            CONTACT,
            "contact.phone",
            "100 % of values are telephone numbers without a country code",
        ),
        (["00-950", "31-001"], CONTACT, ZIP, "100 % of values are postcodes"),
        (["111 22", "411 19"], CONTACT, ZIP, "100 % of values are postcodes"),
        (["Polska", "Niemcy", "DE"], CONTACT, "contact.address.country", "100 % of values are countries"),
        (["Kraków", "Łódź", "Wieś Mała"], CONTACT, CITY, "66 % of values are well-known towns"),
        (["Anna Nowak", "Jan Lis", "Bo Ek"], CONTACT, "contact.name", "100 % of values hold a well-known given name"),
        (["Anna", "Jan", "Lucía"], CONTACT, "<first_name>", "100 % of values hold a well-known given name"),
        (
            ["Muster GmbH", "Wzór S.A.", "Acme Ltd"],
            CONTACT,
            "contact.company",
            "100 % of values end as companies' names do (GmbH, S.A., Ltd)",
        ),
        (
            ["Calle Mayor 5", "12 Long Road", "Długa 7a/3"],
            CONTACT,
            "contact.address.streetAddress",
            "100 % of values look like a street with a number",
        ),
        (["12,50", "1 234,00", "7,99"], EVENT, "value", "100 % of values are amounts"),
        (["12 €", "7 €"], EVENT, "value", "100 % of values are amounts"),
        (["2024-01-02", "2024-02-28"], EVENT, "<date>", "100 % of values are dates"),
        (["PLN", "EUR"], EVENT, "<currency>", "100 % of values are currencies"),
        (["PURCHASE", "VISIT"], EVENT, "contactExtEventType", "100 % of values are event types"),
    ],
    ids=[
        "e-mail", "polish phones", "german phones", "polish postcodes", "swedish postcodes", "countries", "towns", "names",
        "given names", "companies", "streets", "amounts", "amounts with a currency", "dates", "currencies", "event types",
    ],
)  # fmt: skip
def test_values_alone_name_a_target_under_a_header_that_says_nothing(
    values: list[str], action: str, target: str, reason: str
) -> None:
    column = Column(0, "Column1", look(text_series(values)))
    top = max(candidates(column, action), key=lambda found: found.confidence)

    assert (top.target, top.reasons) == (target, (reason,))
    assert 0.6 <= top.confidence <= 0.8


@pytest.mark.parametrize(
    ("values", "action"),
    [
        (["1", "2", "3"], EVENT),
        (["2021", "2022", "2023"], CONTACT),
        (["601234567", "602234567", "603234567"], EVENT),
        (["10115", "80331", "20095"], CONTACT),
        (["red", "green", "blue"], CONTACT),
        (["A-1", "B-2", "C-3"], CONTACT),
        (["tak", "nie"], CONTACT),
        (["10 000", "25 500", "1 000"], CONTACT),
    ],
    ids=["counts", "years", "long numbers", "five digits, no country", "words", "codes", "flags", "grouped numbers"],
)
def test_values_that_may_be_anything_name_nothing(values: list[str], action: str) -> None:
    column = Column(0, "Column1", look(text_series(values)))

    assert [found for found in candidates(column, action) if found.confidence >= 0.6] == []


def test_postcodes_of_digits_alone_are_told_by_the_country_of_the_sheet() -> None:
    found = drafted("A|B|C\na@example.com|10115|Niemcy\nb@example.com|80331|Niemcy\nc@example.com|20095|Niemcy")

    assert columns_of(found)[ZIP] == ("B",)


def test_a_header_that_says_something_unknown_is_believed_less_than_one_that_says_nothing() -> None:
    seen = look(text_series(["00-950", "31-001"]))
    known = {name: candidates(Column(0, name, seen), CONTACT)[0].confidence for name in ("Column1", "Irányítószám")}

    assert known == {"Column1": 0.7, "Irányítószám": 0.49}


def test_a_name_of_another_thing_silences_what_values_merely_may_be() -> None:
    seen = look(text_series(["1980-01-02", "1990-02-28"]))

    assert [one.target for one in candidates(Column(0, "Date of birth", seen), EVENT)] == ["<other>"]


@pytest.mark.parametrize(
    ("header", "says_nothing"),
    [
        ("Column1", True), ("Field 7", True), ("Spalte 3", True), ("Unnamed: 2", True), ("B", True), ("AC", True), ("12", True),
        ("", True), ("Fält_4", True), ("City", False), ("Field of work", False), ("Address 2", False), ("kod", False),
    ],
)  # fmt: skip
def test_a_header_says_nothing_or_something(header: str, says_nothing: bool) -> None:
    assert is_generic(header) is says_nothing


@pytest.mark.parametrize(
    ("others", "header", "target"),
    [
        (["Cognome", "Città", "Indirizzo"], "Nome", "<first_name>"),
        (["Nombre de pila", "Apellidos", "Correo"], "Firma", "<other>"),
        (["Nazwisko", "Ulica", "Miasto"], "Firma", "contact.company"),
        (["Prénom", "Ville", "Quantité"], "Nombre", "<other>"),
        (["Apellidos", "Ciudad", "Teléfono"], "Nombre", "<first_name>"),
        (["Förnamn", "Postnr", "Efternamn"], "Kommun", "<other>"),
        (["Vorname", "Nachname", "Straße"], "Tag", "<date>"),
        (["First name", "Surname", "City"], "Tag", "tags"),
        (["Cognome", "Città", "Indirizzo"], "Stato", "contact.address.country"),
    ],
    ids=str,
)
def test_a_name_of_two_languages_means_what_the_sheet_s_language_means(
    others: list[str], header: str, target: str
) -> None:
    unseen = look(text_series([]))
    columns = [Column(place, name, unseen) for place, name in enumerate([*others, header])]
    found = candidates(columns[-1], CONTACT, Context.of(columns, CONTACT))

    assert max(found, key=lambda one: one.confidence).target == target


def test_a_short_name_of_a_language_that_the_sheet_does_not_speak_is_doubted() -> None:
    unseen = look(text_series([]))
    german = [Column(n, name, unseen) for n, name in enumerate(["Vorname", "Nachname", "Straße", "Wohnort", "CAP"])]
    italian = [Column(n, name, unseen) for n, name in enumerate(["Nome", "Cognome", "Indirizzo", "Città", "CAP"])]

    sure = {
        language: candidates(columns[-1], CONTACT, Context.of(columns, CONTACT))[0].confidence
        for language, columns in (("de", german), ("it", italian))
    }
    assert sure == {"de": 0.68, "it": 0.85}


def test_a_column_that_another_serves_better_says_so() -> None:
    found = drafted("E-mail|Login\na@example.com|b@example.com\nc@example.com|d@example.com")

    assert found.suggestions[1].reasons[-1] == ("looks like contact.email too (75 %), which 'E-mail' serves (99 %)")


def test_two_columns_are_paired_so_that_both_serve() -> None:
    found = drafted("Telefon|Telefon 2|Fax\n+48601234567|x|+48221234567\n+48602234567|y|+48221234568", action=CONTACT)

    assert columns_of(found) == {"contact.fax": ("Fax",), "contact.phone": ("Telefon",)}


# ---- whole sheets, as they are exported

SHEETS = {
    "clientes": """
Nombre|Apellidos|Correo electrónico|Teléfono móvil|Dirección|C.P.|Población|Provincia|País|Acepta publicidad|Fecha de alta
Ana|García López|ana@example.es|612 345 678|Calle Mayor 5|28013|Madrid|Madrid|España|sí|01/02/2024
José|Martín|jose@example.es|+34 699 123 456|Av. del Sol 12|41001|Sevilla|Sevilla|España|no|28/02/2024
""",
    "commandes": """
N° de commande|Date de commande|E-mail du client|Montant TTC|Devise|Réf. article|Magasin|Mode de paiement
C-1001|01/02/2024|a@example.fr|1 234,50|EUR|SKU-1|Lyon|CB
C-1002|28/02/2024|b@example.fr|99,00|EUR|SKU-2|Paris|CB
""",
    "clienti": """
Cognome|Nome|Ragione sociale|Indirizzo|CAP|Città|Provincia|Partita IVA|E-mail|Cellulare|Consenso marketing
Rossi|Maria|Rossi S.r.l.|Via Roma 12|00184|Roma|RM|01234567890|maria@example.it|333 1234567|sì
Bianchi|Luca||Corso Italia 3|20121|Milano|MI||luca@example.it|+39 347 7654321|no
""",
    "kunder": """
Förnamn|Efternamn|E-post|Mobilnr|Gatuadress|Postnr|Ort|Land|Nyhetsbrev
Anna|Svensson|anna@example.se|070-123 45 67|Storgatan 5|111 22|Stockholm|Sverige|ja
Erik|Lund|erik@example.se|073-765 43 21|Kungsgatan 1|411 19|Göteborg|Sverige|nej
""",
    "export": """
Column1|Column2|Column3|Column4|Column5|Column6|Column7
anna@example.pl|Anna Nowak|601 234 567|00-950|Warszawa|12,50|01.02.2024
jan@example.pl|Jan Kowalski|602 234 567|31-001|Kraków|1 200,00|28.02.2024
ola@example.pl|Ewa Lis|603 234 567|80-001|Gdańsk|7,99|03.03.2024
""",
}
ADDRESS = "contact.address.streetAddress"
EXPECTED: dict[str, dict[str, tuple[str, ...] | str]] = {
    "clientes": {
        "contact.email": ("Correo electrónico",), "contact.name": ("Nombre", "Apellidos"),
        "contact.phone": ("Teléfono móvil",), ADDRESS: ("Dirección",), ZIP: ("C.P.",), CITY: ("Población",),
        "contact.address.country": ("País",),
    },
    "commandes": {
        "email": ("E-mail du client",), "products": ("Réf. article",), "location": ("Magasin",), "value": ("Montant TTC",),
        "contactExtEventType": "PURCHASE", "externalId": ("N° de commande",),
    },
    "clienti": {
        "contact.email": ("E-mail",), "contact.name": ("Nome", "Cognome"), "contact.phone": ("Cellulare",),
        "contact.company": ("Ragione sociale",), ADDRESS: ("Indirizzo",), ZIP: ("CAP",), CITY: ("Città",),
    },
    "kunder": {
        "contact.email": ("E-post",), "contact.name": ("Förnamn", "Efternamn"), "contact.phone": ("Mobilnr",),
        ADDRESS: ("Gatuadress",), ZIP: ("Postnr",), CITY: ("Ort",), "contact.address.country": ("Land",),
    },
    "export": {
        "contact.email": ("Column1",), "contact.name": ("Column2",), "contact.phone": ("Column3",), ZIP: ("Column4",),
        CITY: ("Column5",),
    },
}  # fmt: skip


@pytest.mark.parametrize("name", SHEETS)
def test_a_sheet_is_drafted_whole_and_the_draft_binds(name: str) -> None:
    found = drafted(SHEETS[name], name)

    assert columns_of(found) == EXPECTED[name]
    assert found.missing == ()
    bind(parse_mapping(found.yaml, "draft.yaml", Path()), tuple(sheet(SHEETS[name])[0]), "draft")


def test_phones_of_a_spanish_sheet_are_read_with_the_spanish_country_code() -> None:
    phones = [line for line in drafted(SHEETS["clientes"]).fields if line.path == "contact.phone"]

    assert phones[0].transforms == (("phone", "ES"),)


def test_consent_in_a_swedish_sheet_gives_a_condition() -> None:
    assert [line.expression for line in drafted(SHEETS["kunder"]).conditions] == ["{Nyhetsbrev} == 'ja'"]


def test_amounts_and_dates_without_names_make_events() -> None:
    found = drafted("A|B|C\na@example.com|12,50 €|01.02.2024\nb@example.com|7,00 €|28.02.2024")

    assert columns_of(found) == {"email": ("A",), "value": ("B",), "contactExtEventType": "PURCHASE"}
