"""The samples, their mappings and the page that teaches mapping: what each file must give, counted twice.

`EXPECTED` is what `check` must count. The functions `..._by_hand` count the same files in plain Python, without our
code, so that the table is not merely what the program once said.
"""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import make_samples
import openpyxl
import phonenumbers
import pytest

import etl
from etl.errors import MappingError
from etl.mapping import bind, header_score
from etl.mapping.model import Mapping
from etl.mapping.resolve import parse_mapping
from etl.pipeline import Plan, prepare
from etl.sources import open_tables, take_in
from etl.sources.base import SourceOptions

ROOT = Path(__file__).resolve().parent.parent
SAMPLES = ROOT / "sample_data"
MAPPINGS = ROOT / "mappings"

EMAIL = re.compile(r"[a-z0-9-]+([._][a-z0-9-]+)*@example\.(com|org|net)")
DECIMAL_COMMA = re.compile(r"[0-9]{1,3}(\.?[0-9]{3})*(,[0-9]+)?")

EXPECTED = {
    ("contacts.yaml", "contacts.csv"): {"planned": 312, "duplicate": 5, "skipped": 59, "invalid": 14},
    ("contacts.yaml", "contacts_cp1250.csv"): {"planned": 34, "duplicate": 1, "skipped": 5, "invalid": 1},
    ("contacts_workbook.yaml", "contacts.xlsx"): {"planned": 55, "duplicate": 1, "skipped": 60, "invalid": 4},
    ("opt_outs.yaml", "opt_outs.csv"): {"planned": 18, "duplicate": 3, "skipped": 1, "invalid": 4},
    ("purchases.yaml", "purchases.csv"): {"planned": 2998, "skipped": 2},
}
CASES = [pytest.param(*pair, counts, id=pair[1]) for pair, counts in EXPECTED.items()]

PAGE = (MAPPINGS / "README.md").read_text("utf-8")
EXAMPLE = re.compile(r"^```yaml\n(.*?)^```\n\n^```json\n(.*?)^```$", re.MULTILINE | re.DOTALL)
EXAMPLES = [
    pytest.param(text, gives, id=text.split("name: ")[1].split("\n")[0]) for text, gives in EXAMPLE.findall(PAGE)
]
LINE = 6
"""The line of contacts.csv for which the page shows what each example gives."""


def csv_rows(name: str, encoding: str, delimiter: str) -> Iterator[list[str]]:
    with (SAMPLES / name).open(encoding=encoding, newline="") as file:
        yield from csv.reader(file, delimiter=delimiter)


def is_day(text: str) -> bool:
    for form in ("%d.%m.%Y", "%Y-%m-%d"):
        try:
            dt.datetime.strptime(text, form)  # noqa: DTZ007
        except ValueError:
            continue
        return True
    return False


def last_of_each(emails: list[str]) -> Counter[str]:
    return Counter(planned=len(set(emails)), duplicate=len(emails) - len(set(emails)))


def contacts_by_hand(name: str, encoding: str) -> Counter[str]:
    header, *rows = csv_rows(name, encoding, ";")
    counts: Counter[str] = Counter()
    emails = []
    for row in rows:
        cells = dict(zip(header, row, strict=False))
        email = cells.get("E-mail", "").strip().lower()
        if not any(cell.strip() for cell in row):
            counts["skipped"] += 1
        elif len(row) != len(header):
            counts["invalid"] += 1
        elif cells["Consent"].strip().lower() != "yes":
            counts["skipped"] += 1
        elif (
            EMAIL.fullmatch(email) is None
            or not (cells["Birthday"] == "" or is_day(cells["Birthday"]))
            or not all(cells[c] == "" or DECIMAL_COMMA.fullmatch(cells[c]) for c in ("Last spend", "Shoe size"))
        ):
            counts["invalid"] += 1
        else:
            emails.append(email)
    return counts + last_of_each(emails)


def opt_outs_by_hand() -> Counter[str]:
    _, *rows = csv_rows("opt_outs.csv", "utf-8", ",")
    blank = [row for row in rows if not any(row)]
    emails = [row[0].strip().lower() for row in rows if row not in blank]
    valid = [email for email in emails if EMAIL.fullmatch(email)]
    return Counter(skipped=len(blank), invalid=len(emails) - len(valid)) + last_of_each(valid)


def purchases_by_hand() -> Counter[str]:
    _, *rows = csv_rows("purchases.csv", "utf-8", ",")
    paid = [row for row in rows if float(row[5]) > 0]
    assert len({row[0] for row in rows}) == len(rows)
    return Counter(planned=len(paid), skipped=len(rows) - len(paid))


def fair_by_hand() -> Counter[str]:
    sheet = openpyxl.load_workbook(SAMPLES / "contacts.xlsx")["Contacts"]
    header, *rows = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=3)]
    counts: Counter[str] = Counter()
    emails = []
    for cells in (dict(zip(header, row, strict=True)) for row in rows if any(v is not None for v in row)):
        email = str(cells["E-mail"] or "").lower()
        valid = EMAIL.fullmatch(email) is not None
        agreed = cells["Newsletter"] is True
        if agreed and valid and isinstance(cells["Phone"], int):
            emails.append(email)
        else:
            counts["invalid" if agreed else "skipped"] += 1
        if agreed and cells["Offer no."]:
            counts["planned" if valid and isinstance(cells["Offer value"], int | float) else "invalid"] += 1
        else:
            counts["skipped"] += 1
    return counts + last_of_each(emails)


BY_HAND: dict[str, Callable[[], Counter[str]]] = {
    "contacts.csv": lambda: contacts_by_hand("contacts.csv", "utf-8-sig"),
    "contacts_cp1250.csv": lambda: contacts_by_hand("contacts_cp1250.csv", "cp1250"),
    "contacts.xlsx": fair_by_hand,
    "opt_outs.csv": opt_outs_by_hand,
    "purchases.csv": purchases_by_hand,
}


@pytest.mark.parametrize(("mapping", "file", "counts"), CASES)
def test_the_table_agrees_with_a_count_by_hand(mapping: str, file: str, counts: dict[str, int]) -> None:
    assert +BY_HAND[file]() == Counter(counts)


@pytest.mark.parametrize(("mapping", "file", "counts"), CASES)
def test_check_counts_every_record_of_a_sample(mapping: str, file: str, counts: dict[str, int], tmp_path: Path) -> None:
    options = etl.Options(out=tmp_path / "reports")

    result = etl.check(MAPPINGS / mapping, [SAMPLES / file], options=options)

    assert {status: count for status, count in result.counts.items() if count} == counts


def test_every_status_of_a_dry_run_occurs() -> None:
    assert {status for counts in EXPECTED.values() for status in counts} == {
        "planned", "duplicate", "skipped", "invalid",
    }  # fmt: skip


def test_every_mapping_of_the_folder_has_a_sample() -> None:
    assert {path.name for path in MAPPINGS.glob("*.yaml")} == {mapping for mapping, _ in EXPECTED}


@pytest.mark.parametrize("name", ["contacts.csv", "contacts_cp1250.csv", "opt_outs.csv", "purchases.csv"])
def test_a_text_sample_is_what_its_script_makes(name: str, made: Path) -> None:
    assert (made / name).read_bytes() == (SAMPLES / name).read_bytes()


def test_the_workbook_is_what_its_script_makes(made: Path) -> None:
    assert cells_of(made / "contacts.xlsx") == cells_of(SAMPLES / "contacts.xlsx")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("samples")
    make_samples.main(directory)
    return directory


def cells_of(path: Path) -> dict[tuple[str, str], tuple[object, str, str]]:
    book = openpyxl.load_workbook(path)
    return {
        (sheet.title, cell.coordinate): (cell.value, cell.data_type, cell.number_format)
        for sheet in book
        for row in sheet.iter_rows()
        for cell in row
    }


def test_the_purchases_are_the_file_s_that_came_with_the_licence() -> None:
    content = (SAMPLES / "cdnow_master.txt").read_bytes()

    assert len(content) == 1_950_500
    assert hashlib.sha256(content).hexdigest().startswith("eff6889ed364c519")


@pytest.mark.parametrize(("name", "encoding"), [("contacts.csv", "utf-8-sig"), ("contacts_cp1250.csv", "cp1250")])
def test_every_phone_is_valid_but_the_two_that_are_wrong_on_purpose(name: str, encoding: str) -> None:
    header, *rows = csv_rows(name, encoding, ";")
    phones = [row[header.index("Mobile")] for row in rows if len(row) == len(header)]

    wrong = [phone for phone in phones if phone.strip() and not is_phone(phone)]

    assert wrong == (["ask at the reception", "12 34"] if name == "contacts.csv" else [])


def is_phone(text: str) -> bool:
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(text, "PL"))
    except phonenumbers.NumberParseException:
        return False


@pytest.mark.parametrize("name", [*BY_HAND, "cdnow_master.txt"])
def test_no_sample_holds_an_address_of_a_real_domain(name: str) -> None:
    content = (SAMPLES / name).read_bytes()
    if name.endswith(".xlsx"):
        content = " ".join(str(value) for value, _, _ in cells_of(SAMPLES / name).values()).encode()

    domains = {domain.decode().lower() for domain in re.findall(rb"@ *([A-Za-z0-9-]+\.[A-Za-z.]+)", content)}

    assert domains <= {"example.com", "example.org", "example.net"}


@pytest.mark.parametrize(("text", "gives"), EXAMPLES)
def test_an_example_of_the_mapping_page_gives_what_it_shows(text: str, gives: str) -> None:
    expected = json.loads(gives)

    bodies = bodies_of_line(parse_mapping(text, "README.md", MAPPINGS), SAMPLES / "contacts.csv", LINE)

    assert bodies == (expected if isinstance(expected, list) else [expected])


def bodies_of_line(mapping: Mapping, file: Path, line: int) -> list[Any]:
    (table,) = open_tables(*take_in([file]), SourceOptions(header_score=header_score(mapping)), 0)
    binding = bind(mapping, table.header, file.name)
    plan = Plan(mapping, "fields" if mapping.group_key is None else "envelope")
    (chunk,) = table.chunks(binding.positions)
    place = chunk.rows.tolist().index(line)
    return [
        json.loads(record.bodies[record.places.tolist().index(place)].as_py())
        for record in prepare(chunk, plan, binding).records
    ]


def test_the_mapping_page_shows_every_example_with_what_it_gives() -> None:
    assert len(EXAMPLES) == len(re.findall(r"^```yaml$", PAGE, re.MULTILINE)) > 10


def test_the_mapping_page_shows_line_6_as_it_stands_in_the_file() -> None:
    header, *rows = csv_rows("contacts.csv", "utf-8-sig", ";")
    tables = [line.strip("|").split("|") for line in PAGE.splitlines() if line.startswith("|")]
    names, values = ([cell.strip() for cell in tables[top] + tables[top + 3]] for top in (0, 2))

    assert (names, values) == (header, rows[LINE - 2])


def test_the_mapping_page_shows_the_message_that_a_wrong_mapping_gets() -> None:
    found = re.search(r"^```yaml wrong\n(.*?)^```\n\n^```text\n(.*?)\n```$", PAGE, re.MULTILINE | re.DOTALL)
    assert found is not None

    with pytest.raises(MappingError) as caught:
        parse_mapping(found[1], "my_mapping.yaml", MAPPINGS)

    assert str(caught.value) == found[2]


def test_the_page_on_the_samples_shows_the_counts_of_the_table() -> None:
    page = (SAMPLES / "README.md").read_text("utf-8")
    row = re.compile(r"^\| `(\S+)` \|.*\| `(\S+)` \|" + r" ([0-9]+) \|" * 4 + "$", re.MULTILINE)

    shown = {
        (mapping, file): {
            status: int(count)
            for status, count in zip(("planned", "duplicate", "skipped", "invalid"), counts, strict=True)
            if int(count)
        }
        for file, mapping, *counts in row.findall(page)
    }

    assert shown == EXPECTED
