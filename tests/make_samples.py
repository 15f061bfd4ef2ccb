"""Makes the files of sample_data/, always the same: `python tests/make_samples.py [DIRECTORY]`.

Everybody in them is invented; the purchases are the real ones of CDNOW (sample_data/cdnow_master.txt). What
is wrong in these files is wrong on purpose: `sample_data/README.md` lists it, `test_samples.py` counts it.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import random
import sys
import unicodedata
import zipfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.worksheet.worksheet import Worksheet

SAMPLES = Path(__file__).resolve().parent.parent / "sample_data"
SEED = 2026
PURCHASES = 3_000
"""The first 885 customers' purchases are exactly these; no customer is cut in the middle."""

Row = dict[str, str]
Edit = str | Callable[[str], str]

CONTACT_COLUMNS = (
    "Customer no.", "E-mail", "First name", "Last name", "Company", "Mobile", "Street", "Postcode", "City",
    "Country", "Segments", "Consent", "Birthday", "Last spend", "Shoe size", "Favourite shop", "Notes",
)  # fmt: skip

POLISH = (
    "Agnieszka Bąk", "Błażej Cieślak", "Celina Dąbrowska", "Damian Łęcki", "Elżbieta Głowacka",
    "Feliks Jaźwiński", "Grażyna Kołodziej", "Henryk Mączka", "Iwona Niżnik", "Józef Ożóg", "Kinga Pięta",
    "Łukasz Różański", "Małgorzata Śliwińska", "Oskar Świątek", "Patrycja Tręda", "Radosław Wójcik",
    "Stanisława Zając", "Tomasz Źrebiec", "Urszula Żak", "Wiesław Ćwik",
)  # fmt: skip
GERMAN = (
    "Jürgen Müller", "Käthe Schröder", "Björn Weiß", "Bärbel Größl", "Götz Köhler", "Jörg Strauß",
    "Sören Böhm", "Mädi Höfer", "Uschi Düring", "Günther Krämer",
)  # fmt: skip

# Street, postcode, city, ways to write the country.
POLISH_PLACES = (
    ("ul. Przykładowa {n}", "00-950", "Warszawa", ("Polska", "PL", "Poland")),
    ("ul. Wzorcowa {n}/4", "31-001", "Kraków", ("Polska", "PL", "Poland")),
    ("al. Próbna {n}", "90-001", "Łódź", ("Polska", "PL", "Poland")),
    ("os. Zmyślone {n}", "50-069", "Wrocław", ("Polska", "PL", "Poland")),
    ("pl. Niby {n}", "80-001", "Gdańsk", ("Polska", "PL", "Poland")),
)
GERMAN_PLACES = (
    ("Musterstraße {n}", "01067", "Dresden", ("Deutschland", "DE", "Germany")),
    ("Beispielweg {n}", "10115", "Berlin", ("Deutschland", "DE", "Germany")),
    ("Am Übungsplatz {n}", "80331", "München", ("Deutschland", "DE", "Germany")),
)

# One number, five notations. +49 30 23125 is kept free for films; nobody keeps Polish ones free.
POLISH_PHONES = (
    "600 000 {n:03}",
    "+48 600-000-{n:03}",
    "0048600000{n:03}",
    "(22) 555 0{n:03}",
    "48600000{n:03}",
)
GERMAN_PHONES = ("+49 30 23125 {n:03}", "0049 (30) 23125-{n:03}")

SEGMENTS = (
    "newsletter",
    "VIP; newsletter;VIP",
    "retail",
    "Käufer;retail",
    "wholesale; retail",
    "młoda mama",
    "",
)
SHOPS = ("WAW", "KRK", "DRS", "BER", "")
DOMAINS = ("example.com", "example.org", "example.net")

# Which of the first people (from 0) is spoilt, and how. Every one of them said yes.
SPOILT: tuple[tuple[int, dict[str, Edit]], ...] = (
    # untidy, and put right by the mapping
    (3, {"E-mail": "  {}  "}),
    (5, {"E-mail": "\u00a0{}\u00a0"}),
    (8, {"E-mail": str.upper}),
    (12, {"E-mail": str.title, "First name": "  {} "}),
    (15, {"Company": 'Kowalski; Synowie "Meble" S.C.'}),
    (18, {"Street": "ul. Przykładowa 18\nm. 7", "Notes": "two lines in one cell"}),
    (21, {"Last name": "Null", "Company": "null"}),
    (24, {"First name": "True", "Notes": "TRUE"}),
    (27, {"Last name": "NA", "Country": "NA", "City": "Windhoek", "Postcode": "10005"}),
    (30, {"Last name": "=2+3", "Company": '=HYPERLINK("http://example.com";"offer")'}),
    (33, {"First name": "+Anna", "Company": "@Home Studio", "Notes": "-10% promised"}),
    (36, {"Birthday": "1985-03-17"}),
    (39, {"Last spend": "1.234.567,89"}),
    (42, {"Notes": "\u200bzero-width sign at the start"}),
    # sent, with a warning
    (48, {"Mobile": "ask at the reception"}),
    (51, {"Mobile": "12 34"}),
    (54, {"Segments": "VIP, newsletter"}),
    # not sent
    (60, {"E-mail": lambda email: email.replace("@", ".at.")}),
    (63, {"E-mail": lambda email: email.replace("@", "@@")}),
    (66, {"E-mail": ""}),
    (69, {"E-mail": " "}),
    (72, {"E-mail": lambda email: email.replace("@", " @ ")}),
    (75, {"E-mail": lambda email: email.replace(".", "..", 1)}),
    (78, {"E-mail": "n/a"}),
    (81, {"E-mail": "@example.com"}),
    (84, {"Birthday": "31.02.1985"}),
    (87, {"Birthday": "spring 1990"}),
    (90, {"Last spend": "about 120"}),
    (93, {"Shoe size": "42½"}),
)

# (who occurs again, what is different there); the last one of them that can be sent stands for all.
AGAIN: tuple[tuple[int, dict[str, Edit]], ...] = (
    (100, {"E-mail": str.upper, "Notes": "moved", "Street": "ul. Nowa 1"}),
    (110, {"E-mail": " {} ", "Notes": "asked for the newsletter twice"}),
    (120, {"E-mail": str.title, "Notes": "second of three"}),
    (120, {"Notes": "third of three"}),
    (130, {"E-mail": str.upper, "Consent": "no", "Notes": "said no later: the first row stands"}),
    (140, {"Birthday": "00.00.0000", "Notes": "cannot be sent: the first row stands"}),
    (150, {"E-mail": str.upper, "Notes": "the same, in capitals"}),
)


def main(directory: Path) -> None:
    """Write every sample into `directory`."""
    rng = random.Random(SEED)
    people = _people(rng, 380, (*POLISH, *GERMAN))
    _write(directory / "contacts.csv", _contacts(people), "utf-8-sig")
    _write(directory / "contacts_cp1250.csv", _cp1250_contacts(_people(rng, 40, (*POLISH, *GERMAN))), "cp1250")
    _write(directory / "opt_outs.csv", _opt_outs(people), "utf-8")
    _write(directory / "purchases.csv", _purchases(), "utf-8")
    _workbook(_people(rng, 60, (*POLISH, *GERMAN)), directory / "contacts.xlsx")


def _people(rng: random.Random, count: int, names: Sequence[str]) -> list[Row]:
    """Return `count` tidy rows of invented people; no two have the same e-mail."""
    return [_person(rng, number, rng.choice(names)) for number in range(count)]


def _person(rng: random.Random, number: int, name: str) -> Row:
    first, last = name.split(" ")
    german = name in GERMAN
    street, postcode, city, countries = rng.choice(GERMAN_PLACES if german else POLISH_PLACES)
    phones = GERMAN_PHONES if german else POLISH_PHONES
    born = dt.date(1950, 1, 1) + dt.timedelta(days=rng.randrange(20_000))
    spend = rng.randrange(500_000)
    return {
        "Customer no.": f"{number + 1:05}",
        "E-mail": f"{_ascii(first)}.{_ascii(last)}.{number + 1}@{rng.choice(DOMAINS)}",
        "First name": first,
        "Last name": last,
        "Company": rng.choice(("", "", "", "Przykład Sp. z o.o.", "Muster & Söhne GmbH")),
        "Mobile": rng.choice((*phones, "")).format(n=rng.randrange(100, 1000)),
        "Street": street.format(n=rng.randrange(1, 200)),
        "Postcode": postcode,
        "City": city,
        "Country": rng.choice(countries),
        "Segments": rng.choice(SEGMENTS),
        "Consent": rng.choice(("yes",) * 13 + ("Yes",) * 4 + ("no",) * 2 + ("",)),
        "Birthday": rng.choice((f"{born:%d.%m.%Y}", f"{born:%d.%m.%Y}", "")),
        "Last spend": rng.choice((f"{spend // 100:,}".replace(",", ".") + f",{spend % 100:02}", "")),
        "Shoe size": rng.choice(("37", "38,5", "41", "42,5", "")),
        "Favourite shop": rng.choice(SHOPS),
        "Notes": "",
    }


def _ascii(name: str) -> str:
    plain = name.replace("ł", "l").replace("Ł", "L").replace("ß", "ss")
    return unicodedata.normalize("NFKD", plain).encode("ascii", "ignore").decode().lower()


def _edited(row: Row, edits: dict[str, Edit]) -> Row:
    """Return `row` with consent given and `edits` made: `{}` in a text stands for what was there."""
    changed = row | {"Consent": "yes"}
    for column, edit in edits.items():
        changed[column] = edit(row[column]) if callable(edit) else edit.replace("{}", row[column])
    return changed


def _contacts(people: list[Row]) -> str:
    spoilt = dict(SPOILT)
    again = {number for number, _ in AGAIN}
    rows = [
        _edited(row, spoilt.get(number, {})) if number in spoilt or number in again else row
        for number, row in enumerate(people)
    ]
    rows += [_edited(people[number], edits) for number, edits in AGAIN]
    lines = _csv_lines([CONTACT_COLUMNS, *(tuple(row.values()) for row in rows)], ";", "\r\n")
    separators = ";" * (len(CONTACT_COLUMNS) - 1)
    lines.insert(201, f"{separators}\r\n")
    lines.insert(251, "\r\n")
    lines.insert(301, _ragged(people[299]))
    return "".join(lines)


def _ragged(row: Row) -> str:
    """Return a line with one field too many: a company's name with a semicolon and no quotes."""
    edits: dict[str, Edit] = {
        "E-mail": "ragged.row@example.com",
        "Company": "Bracia Zmyśleni; Sp. j.",
        "Segments": "",
        "Notes": "a semicolon, and no quotes around it",
    }
    return ";".join(_edited(row, edits).values()) + "\r\n"


def _cp1250_contacts(people: list[Row]) -> str:
    people[7] = _edited(people[7], {"E-mail": "brak"})
    people.append(_edited(people[3], {"E-mail": str.upper}))
    people[3] = _edited(people[3], {})
    return "".join(_csv_lines([CONTACT_COLUMNS, *(tuple(row.values()) for row in people)], ";", "\r\n"))


def _opt_outs(people: list[Row]) -> str:
    """Return 26 requests to be erased: 8 of them by people whom contacts.csv sends."""
    known = [row["E-mail"] for row in people[200:] if row["Consent"] == "yes"][:80:10]
    strangers = [f"gone.{number}@example.org" for number in range(1, 11)]
    asked = [(email, "unsubscribed in the shop") for email in known] + [(email, "letter") for email in strangers]
    asked += [
        (known[0].upper(), "asked again, loudly"),
        (f" {strangers[0]}", "asked again"),
        (strangers[0], "asked a third time"),
        ("", "no address given"),
        ("gone.example.org", "letter"),
        ("gone@@example.org", "letter"),
        ("gone 11@example.org", "telephone"),
        ("", ""),
    ]
    day = dt.date(2026, 10, 1)
    rows = [
        (email, reason, f"{day + dt.timedelta(days=number):%Y-%m-%d}" if reason else "")
        for number, (email, reason) in enumerate(asked)
    ]
    return "".join(_csv_lines([("E-mail", "Reason", "Requested on"), *rows], ",", "\n"))


def _purchases() -> str:
    lines = (SAMPLES / "cdnow_master.txt").read_text("ascii").splitlines()[1 : PURCHASES + 1]
    header = ("Order number", "Customer", "E-mail", "Date", "CDs", "Amount")
    rows = []
    for number, line in enumerate(lines, start=1):
        customer, day, discs, dollars = line.split()
        email = f"customer-{customer}@example.com"
        rows.append(
            (
                f"{customer}-{day}-{number:05}",
                customer,
                email,
                f"{day[:4]}-{day[4:6]}-{day[6:]}",
                discs,
                dollars,
            )
        )
    return "".join(_csv_lines([header, *rows], ",", "\n"))


def _csv_lines(rows: Iterable[Sequence[str]], delimiter: str, end: str) -> list[str]:
    lines = []
    for row in rows:
        line = io.StringIO(newline="")
        csv.writer(line, delimiter=delimiter, lineterminator=end).writerow(row)
        lines.append(line.getvalue())
    return lines


def _write(path: Path, text: str, encoding: str) -> None:
    path.write_bytes(text.encode(encoding))


FAIR_COLUMNS = (
    "E-mail", "First name", "Last name", "Company", "Phone", "Postcode", "City", "Country", "Interests",
    "Newsletter", "Met on", "Offer no.", "Offer value",
)  # fmt: skip
FAIR_WIDTHS = (38, 14, 14, 24, 16, 11, 14, 13, 24, 12, 12, 12, 14)
FAIR_FORMATS = {"Phone": "0", "Postcode": "@", "Met on": "DD.MM.YYYY", "Offer value": "#,##0.00"}
FAIR_GAP = 30
"""After so many visitors a row is left out, and nothing stands in it."""

INFO = (
    ("Spring fair 2026, stand B12", ""),
    ("", ""),
    ("Kept by", "the stand's team"),
    ("E-mail", "as on the business card"),
    ("Newsletter", "TRUE where the visitor ticked the box"),
    ("Offer value", "net, in euro; blank where no offer was made"),
)


def _workbook(people: list[Row], path: Path) -> None:
    """Write the visitors of a fair: notes on one sheet, the table, below two rows of titles, on the other."""
    book = Workbook()
    info = book.active
    assert isinstance(info, Worksheet)
    info.title = "Info"
    for line in INFO:
        info.append(line)
    info["A1"].font = Font(bold=True, size=14)
    info.column_dimensions["A"].width = 34
    info.column_dimensions["B"].width = 46
    sheet = book.create_sheet("Contacts")
    sheet.append(("Visitors of our stand",))
    sheet.append(("as of", dt.date(2026, 3, 21)))
    sheet.append(FAIR_COLUMNS)
    people[58] |= {"E-mail": people[13]["E-mail"].upper()}
    for number, row in enumerate(people):
        for column, value in enumerate(_visitor(number, row), start=1):
            if value != "":
                cell = sheet.cell(4 + number + (number >= FAIR_GAP), column, value)
                cell.number_format = FAIR_FORMATS.get(FAIR_COLUMNS[column - 1], "General")
    _dress(sheet)
    _save(book, path)


def _visitor(number: int, row: Row) -> list[object]:
    """Return a row of the fair: text, whole and decimal numbers, a boolean, dates, and one error."""
    offer: object = round(1200 + 37.35 * number, 2) if number % 4 == 0 else ""
    cells: list[object] = [
        row["E-mail"], row["First name"], row["Last name"], row["Company"], 48600123400 + number,
        row["Postcode"], row["City"], row["Country"], row["Segments"], number % 5 != 4,
        dt.date(2026, 3, 18 + number % 3), f"OF-{number:04}" if offer else "", offer,
    ]  # fmt: skip
    if number == 8:
        cells[12] = "#N/A"
    if number == 20:
        cells[4] = "#REF!"
    if number == 11:
        cells[0] = "no card"
    if number == 22:
        cells[0] = ""
    return cells


def _dress(sheet: Worksheet) -> None:
    sheet["A1"].font = Font(bold=True, size=14)
    sheet["B2"].number_format = "DD.MM.YYYY"
    for cell in sheet[3]:
        cell.font = Font(bold=True, color="FFFFFF")
        cell.fill = PatternFill("solid", fgColor="305496")
        cell.alignment = Alignment(horizontal="center")
    for column, width in zip(sheet.iter_cols(min_row=3, max_row=3), FAIR_WIDTHS, strict=True):
        sheet.column_dimensions[column[0].column_letter].width = width
    sheet.freeze_panes = "A4"


def _save(book: Workbook, path: Path) -> None:
    """Save `book` without the time of saving, which openpyxl writes into it twice."""
    book.properties.creator = "salesmanago-etl"
    book.properties.created = dt.datetime(2026, 3, 21)  # noqa: DTZ001 (openpyxl takes no zone)
    saved = io.BytesIO()
    book.save(saved)
    with zipfile.ZipFile(saved) as given, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as kept:
        for member in given.infolist():
            content = given.read(member)
            if member.filename == "docProps/core.xml":
                content = _without_modified(content)
            kept.writestr(zipfile.ZipInfo(member.filename, (2026, 3, 21, 12, 0, 0)), content, zipfile.ZIP_DEFLATED)


def _without_modified(core: bytes) -> bytes:
    start = core.index(b"<dcterms:modified")
    end = core.index(b"</dcterms:modified>") + len(b"</dcterms:modified>")
    return core[:start] + core[end:]


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else SAMPLES)
