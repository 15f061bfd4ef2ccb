"""Write a large contacts file and its mapping: always the same bytes for the same arguments.

    python tests/benchmarks/make_big.py ROWS FOLDER [--bad 14]

`FOLDER/contacts.csv` has ROWS rows of 12 columns; `--bad` per cent of them cannot be sent (in turn: two @, no number,
no such day, a blank address), one in 500 repeats an address. `FOLDER/contacts.yaml` maps it through ten transforms.
"""

from __future__ import annotations

import argparse
import itertools
import random
from collections.abc import Iterator
from pathlib import Path

MAPPING = """\
version: 1
name: big-contacts
records:
  - action: contact.upsert
    when: "Consent == 'yes'"
    fields:
      contact.email: {column: E-mail, transform: [strip, lower]}
      contact.name: {template: "{First name} {Last name}", transform: [squeeze]}
      contact.phone: {column: Mobile, transform: [{replace: {old: " ", new: ""}}]}
      contact.address.streetAddress: {column: Street, transform: [strip]}
      contact.address.zipCode: Postcode
      contact.address.city: {column: City, transform: [title]}
      tags: {column: Segments, transform: [{split: "|"}, upper]}
      properties.total: {column: Total, transform: [{number: {decimal: ","}}]}
      properties.id: Id
      properties.since: {column: Since, transform: [{date: {formats: ["DD.MM.YYYY"]}}]}
"""

HEADER = "Id;E-mail;First name;Last name;Mobile;Street;Postcode;City;Segments;Total;Since;Consent\n"
FIRST = ("Anna", "Jan", "Łukasz", "Günther", "Maria", "Zofia", "Ola", "Piotr")
LAST = ("Nowak", "Kowalski", "Müller", "Wiśniewska", "Zając", "Schmidt")
CITIES = ("Warszawa", "KRAKÓW", "Gdańsk", "łódź", "Berlin")
ROWS_AT_ONCE = 10_000


def make(rows: int, folder: Path, *, bad: int = 14) -> tuple[Path, Path]:
    """Write both files; return the mapping's path and the table's. `bad`: per cent of rows that cannot be sent."""
    folder.mkdir(parents=True, exist_ok=True)
    mapping, table = folder / "contacts.yaml", folder / "contacts.csv"
    mapping.write_text(MAPPING, encoding="utf-8")
    with table.open("w", encoding="utf-8", newline="") as out:
        out.write(HEADER)
        lines = _lines(rows, bad)
        while block := "".join(itertools.islice(lines, ROWS_AT_ONCE)):
            out.write(block)
    return mapping, table


def _lines(rows: int, bad: int) -> Iterator[str]:
    chance = random.Random(1)
    for i in range(rows):
        person = i - 250 if i % 500 == 499 else i
        email = f" {FIRST[person % 2]}.{person}@Example.com"
        total = f"{i % 1000},{i % 100:02d}"
        since = f"{1 + i % 28:02d}.{1 + i % 12:02d}.20{i % 25:02d}"
        if i * 37 % 100 < bad:
            fault = i % 4
            email = ("bad@@example.com", email, email, "")[fault]
            total = "a lot" if fault == 1 else total
            since = "31.02.2024" if fault == 2 else since
        street = f'"ul. Długa; {i % 300}"' if i % 50 == 0 else f"ul. Długa {i % 300}"
        yield (
            f"{i:07d};{email};{chance.choice(FIRST)};{chance.choice(LAST)};+48 601 {i // 1000 % 1000:03d} {i % 1000:03d};"
            f"{street};{i % 100:02d}-{i % 1000:03d};{CITIES[i % 5]};vip|news{i % 5};{total};{since};"
            f"{'no' if i % 20 == 7 else 'yes'}\n"
        )


def main() -> None:
    """Read the command line and write the files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", type=int)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--bad", type=int, default=14, help="per cent of rows that cannot be sent")
    options = parser.parse_args()
    make(options.rows, options.folder, bad=options.bad)


if __name__ == "__main__":
    main()
