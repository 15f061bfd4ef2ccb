"""A column that the mapping names and tonight's header lacks: told with the line to paste, or taken where it is sure."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from etl.errors import MappingError
from etl.mapping import Binding, bind
from etl.records import text_series
from tests.mapping.written import START, contact, event, read, record
from tests.support import job_of, prepared_of

ACCEPT = "source: {renamed: accept}\nrecords:\n"
MAILS = ("anna@example.com", "jan@example.com", "ola@example.com", "ewa@example.com")
PHONES = ("+48 601 234 567", "+48 602 234 567", "+48 603 234 567", "+48 604 234 567")
CITIES = ("Kraków", "Gdynia", "Łódź", "Radom")


def accepting(text: str) -> str:
    return text.replace("records:\n", ACCEPT, 1)


def rows(*columns: tuple[str, ...]) -> Callable[[], pd.DataFrame]:
    return lambda: pd.DataFrame({place: text_series(list(column)) for place, column in enumerate(columns)})


def bound(text: str, header: tuple[str, ...], *columns: tuple[str, ...]) -> Binding:
    return bind(read(accepting(text)), header, "x.csv", rows(*columns))


def refused(text: str, header: tuple[str, ...], *columns: tuple[str, ...]) -> str:
    with pytest.raises(MappingError) as caught:
        bind(read(text), header, "x.csv", rows(*columns))
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "header", "columns", "message"),
    [
        pytest.param(
            contact(),
            ("City", "Phone", "E-mail address"),
            (CITIES, PHONES, MAILS),
            "m.yaml:6:22: column 'E-mail' is not in x.csv\n"
            "  hint: 'E-mail address' (C) looks like it: another name of the same, 100 % of values are e-mail addresses; "
            "write column: [E-mail, E-mail address]   [missing-column]",
            id="one-column",
        ),
        pytest.param(
            contact('contact.name: {template: "{First name} {Surname}"}'),
            ("E-mail", "First name", "Surnames"),
            (MAILS, ("Anna",), ("Nowak",)),
            "m.yaml:7:32: column 'Surname' is not in x.csv\n"
            "  hint: 'Surnames' (C) looks like it: name close; write {Surnames} instead   [missing-column]",
            id="a-part-of-a-template",
        ),
        pytest.param(
            contact("properties: {columns: {Shoe size: shoe}}"),
            ("E-mail", "Shoe sizes"),
            (MAILS, ("38", "40")),
            "m.yaml:7:29: column 'Shoe size' is not in x.csv\n"
            "  hint: 'Shoe sizes' (B) looks like it: name close; write Shoe sizes instead   [missing-column]",
            id="a-dynamic-column",
        ),
        pytest.param(
            contact("contact.phone: [Mobile, Cell]"),
            ("E-mail", "no: 5"),
            (MAILS, PHONES),
            "m.yaml:7:22: none of the columns 'Mobile' or 'Cell' is in x.csv\n"
            "  hint: 'no: 5' (B) looks like it: 100 % of values are telephone numbers; "
            'write column: [Mobile, Cell, "no: 5"]   [missing-column]',
            id="by-values-alone",
        ),
        pytest.param(
            contact("contact.phone: Mobile"),
            ("E-mail", "City"),
            (MAILS, CITIES),
            "m.yaml:7:22: column 'Mobile' is not in x.csv\n  hint: its columns are E-mail, City   [missing-column]",
            id="nothing-near",
        ),
        pytest.param(
            contact('contact.phone: "Tel: no"'),
            ("E-mail", "Tel: nr"),
            (MAILS, PHONES),
            "m.yaml:7:22: column 'Tel: no' is not in x.csv\n"
            "  hint: 'Tel: nr' (B) looks like it: name close, 100 % of values are telephone numbers; "
            'write column: ["Tel: no", "Tel: nr"]   [missing-column]',
            id="a-name-that-yaml-would-bend",
        ),
    ],
)
def test_a_missing_column_is_told_with_the_line_to_paste(
    text: str, header: tuple[str, ...], columns: tuple[tuple[str, ...], ...], message: str
) -> None:
    assert refused(text, header, *even(columns)) == message


def even(columns: tuple[tuple[str, ...], ...]) -> list[tuple[str, ...]]:
    """Return columns of four cells each."""
    return [(column * 4)[:4] for column in columns]


def test_the_line_to_paste_makes_the_mapping_bind() -> None:
    header = ("City", "Phone", "E-mail address")
    line = refused(contact(), header, CITIES, PHONES, MAILS).rpartition("write column: ")[2].partition("   [")[0]

    mapping = read(contact().replace("contact.email: E-mail", f"contact.email: {line}"))

    assert bind(mapping, header, "x.csv").positions == (2,)


@pytest.mark.parametrize(
    ("text", "header", "columns", "taken"),
    [
        pytest.param(contact(), ("City", "E-mail address"), (CITIES, MAILS), ("E-mail", 1), id="a longer name"),
        pytest.param(contact(), ("Adres e-mail", "City"), (MAILS, CITIES), ("E-mail", 0), id="in another language"),
        pytest.param(
            contact("contact.phone: Mobile phone"),
            ("E-mail", "City", "Telefon komórkowy"),
            (MAILS, CITIES, PHONES),
            ("Mobile phone", 2),
            id="a phone",
        ),
        pytest.param(
            contact("contact.address.city: Town"), ("E-mail", "City"), (MAILS, CITIES), ("Town", 1), id="by name alone"
        ),
        pytest.param(
            event("value: {column: Order total, transform: [number]}", "contactExtEventType: {value: PURCHASE}"),
            ("Order total (EUR)", "x"),
            (("1.50", "2.50", "3.50", "4.50"), CITIES),
            ("Order total", 0),
            id="an amount",
        ),
    ],
)
def test_a_renamed_column_is_taken_where_the_mapping_says_accept(
    text: str, header: tuple[str, ...], columns: tuple[tuple[str, ...], ...], taken: tuple[str, int]
) -> None:
    name, position = taken

    assert bound(text, header, *columns).position(name) == position


def test_two_renamed_columns_are_taken_each_for_its_own() -> None:
    found = bound(
        contact("contact.phone: Phone", "contact.address.city: City"),
        ("Miasto", "Telefon", "E-mail"),
        CITIES,
        PHONES,
        MAILS,
    )

    assert (found.position("Phone"), found.position("City"), found.position("E-mail")) == (1, 0, 2)


def test_what_is_taken_is_said() -> None:
    found = bound(contact(), ("City", "Phone", "E-mail address"), CITIES, PHONES, MAILS)

    assert found.warnings == (
        (
            "column 'E-mail' is not there; 'E-mail address' (C) is taken for it: "
            "another name of the same, 100 % of values are e-mail addresses"
        ),
    )


@pytest.mark.parametrize(
    ("text", "header", "columns"),
    [
        pytest.param(contact(), ("E-mail 2", "City"), (MAILS, CITIES), id="another number"),
        pytest.param(contact(), ("Partner e-mail", "City"), (MAILS, CITIES), id="somebody else's"),
        pytest.param(contact(), ("Old e-mail", "City"), (MAILS, CITIES), id="an old one"),
        pytest.param(contact(), ("E-mail address", "Mail"), (MAILS, MAILS), id="two that may be it"),
        pytest.param(contact(), ("E-mail address", "City"), (CITIES, CITIES), id="values that deny it"),
        pytest.param(contact(), ("E-mail address", "City"), (("",) * 4, CITIES), id="no values"),
        pytest.param(contact(), ("Kontakt X", "City"), (MAILS, CITIES), id="values alone"),
        pytest.param(
            contact("contact.phone: Phone", "contact.fax: Fax no"),
            ("E-mail", "Faks"),
            (MAILS, ("x", "y", "z", "q")),
            id="one of two is missing still",
        ),
        pytest.param(
            record("when: \"{Consent} == 'yes'\""),
            ("E-mail", "Marketing consent"),
            (MAILS, ("yes", "no", "yes", "no")),
            id="a condition",
        ),
        pytest.param(
            f"{START}  - action: contact.delete\n    fields:\n      email: E-mail\n",
            ("E-mail address", "City"),
            (MAILS, CITIES),
            id="a deletion",
        ),
        pytest.param(
            contact("contact.phone: Phone", "properties.tel: Telefon"),
            ("E-mail", "Telefon"),
            (MAILS, PHONES),
            id="a column that serves elsewhere",
        ),
        pytest.param(
            contact("contact.phone: Phone", 'properties: {columns_like: "Tel*"}'),
            ("E-mail", "Telefon"),
            (MAILS, PHONES),
            id="a column that a pattern takes",
        ),
    ],
)
def test_what_is_not_sure_stops_the_run_though_the_mapping_says_accept(
    text: str, header: tuple[str, ...], columns: tuple[tuple[str, ...], ...]
) -> None:
    with pytest.raises(MappingError) as caught:
        bound(text, header, *columns)

    assert {problem.code for problem in caught.value.problems} == {"missing-column"}


def test_without_accept_even_a_sure_column_stops_the_run() -> None:
    assert "[missing-column]" in refused(contact(), ("City", "E-mail address"), CITIES, MAILS)


def test_no_row_is_read_where_nothing_is_missing() -> None:
    def never() -> pd.DataFrame:
        raise AssertionError("read")

    assert bind(read(contact()), ("E-mail", "City"), "x.csv", never).positions == (0,)


def test_an_optional_column_that_is_missing_is_left_alone() -> None:
    text = contact("contact.address.city: {column: Town, optional: true}")

    assert bound(text, ("E-mail", "City"), MAILS, CITIES).position("Town") is None


def test_a_run_with_a_renamed_column_reads_it_and_notes_it(tmp_path: Path) -> None:
    sheet = "Miasto,Adres e-mail\nKraków,anna@example.com\nGdynia,jan@example.com\n"
    mapping = accepting(contact())

    job = job_of(tmp_path, mapping, sheet)
    prepared = prepared_of(tmp_path, mapping, sheet)

    assert (
        "column 'E-mail' is not there; 'Adres e-mail' (B) is taken for it: another name of the same, "
        "100 % of values are e-mail addresses"
    ) in job.notes
    assert b"anna@example.com" in bytes(prepared.records[0].bodies[0].as_py(), "utf-8")
