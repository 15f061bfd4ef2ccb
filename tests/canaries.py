"""A sheet in which every cell is a canary, an endpoint that quotes what it is sent, and a search for what got out."""

from __future__ import annotations

import csv
import json
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from cli.shell import at_home, run
from fault_server import FaultServer, Seen, reply
from support import write_rows

HEADER = ("E-mail", "Name", "Phone", "City", "Country", "Tags", "Birthday", "Segment", "Total")
MAPPING = """\
version: 1
name: everybody
records:
  - action: contact.upsert
    when: "Segment != 'nobody'"
    missing: report
    duplicates: last
    fields:
      contact.email: {column: E-mail, transform: [strip]}
      contact.name: Name
      contact.phone: {column: Phone, blank: clear, transform: [{phone: PL}]}
      contact.address.city: City
      contact.address.country: {column: Country, transform: [{map: {values: {Polen: PL}}}]}
      tags: {column: Tags, transform: [{split: ";"}]}
      properties.birthday: {column: Birthday, transform: [date]}
      properties.total: {column: Total, transform: [number]}
"""


@dataclass
class Sheet:
    """Rows of canaries. `canaries`: every text that must be nowhere."""

    rows: list[tuple[str, ...]] = field(default_factory=list)
    canaries: set[str] = field(default_factory=set)

    def add(self, **cells: str) -> None:
        n = len(self.rows) + 100
        row = {
            "E-mail": f"quill{n}@fjord{n}.example", "Name": f"Zebulon{n} Quagmire{n}", "Phone": f"+48601234{n}",
            "City": f"Ouagadorf{n}", "Country": "Polen", "Tags": f"wombat{n};narwhal{n}",
            "Birthday": f"{13 + len(self.rows) % 15}/0{1 + len(self.rows) % 9}/1{n}", "Segment": f"clique{n}",
            "Total": f"7{n}.53",
        } | cells  # fmt: skip
        self.rows.append(tuple(row[name] for name in HEADER))
        for name, cell in row.items():
            if name != "Country" or cell != "Polen":
                self.canaries |= {one.strip() for one in re.split("[; ]", cell) if len(one.strip()) > 4}

    def write(self, folder: Path, name: str = "everybody.csv") -> Path:
        return write_rows(folder / name, [HEADER, *self.rows], ",")


def sheet() -> Sheet:
    """Return rows that are sent, rejected, invalid, duplicates, doubtful, damaged, that clear, and that map to a word."""
    made = Sheet()
    for _ in range(6):
        made.add()
    made.add(**{"E-mail": "reject.quokka@fjord.example"})
    made.add(**{"E-mail": "BROKEN.pangolin at fjord"})
    made.add(**{"E-mail": "QUILL100@fjord100.EXAMPLE "})
    made.add(**{"E-mail": "axolotl@gmial.com"})
    made.add(**{"E-mail": "okapi@fjord.example", "Name": "Walpurga\u00c3\u00a9 Dingo"})
    made.add(Phone="")
    made.add(Phone="4.86E+10")
    made.add(Phone="ring-me-caracal")
    made.add(Birthday="after-the-serval")
    made.add(Total="umpteen-meerkat")
    made.add(Segment="NOBODY")
    made.canaries -= {"4.86E+10", "NOBODY"}
    for _ in range(4):
        made.add(Country="Polonaise")
    return made


def echo(seen: Seen) -> bytes:
    """Answer as an endpoint that quotes what it was sent."""
    if b"reject" in seen.body:
        said = json.loads(seen.body)
        return reply(400, {"success": False, "message": [f"no such thing as {json.dumps(said)}"]})
    return reply(200, {"success": True, "requestId": "Quagmire100"})


@dataclass
class Place:
    """A folder with mapping, settings and a sheet; what was shown on the way."""

    folder: Path
    made: Sheet
    capsys: pytest.CaptureFixture[str]
    said: list[str] = field(default_factory=list)

    def etl(self, *words: str | Path, codes: tuple[int, ...] = (0, 1, 3)) -> str:
        """Run a command here; return what it said on stderr."""
        code, out, err = run(words, self.capsys)
        self.said += [out, err]
        assert code in codes, err
        return err

    def leaks(self) -> dict[str, list[str]]:
        """Return the canaries that are found, by where they are: all files but the inputs, and what was said."""
        texts = {f"said {number}": text for number, text in enumerate(self.said)}
        for path in self.folder.rglob("*"):
            if path.is_file() and path.suffix != ".yaml" and not path.name.startswith("everybody"):
                texts[str(path.relative_to(self.folder))] = as_text(path)
        found = {where: self.found_in(text) for where, text in texts.items()}
        return {where: canaries for where, canaries in found.items() if canaries}

    def found_in(self, text: str) -> list[str]:
        folded = text.casefold()
        # The mapping itself says 'nobody'.
        return [one for one in (*sorted(self.made.canaries), "NOBODY") if one in text or (
            one != "NOBODY" and one.casefold() in folded)]  # fmt: skip


def as_text(path: Path) -> str:
    """Return the bytes of a file as text, unpacked where it is an archive or Parquet."""
    if path.suffix == ".xlsx":
        with zipfile.ZipFile(path) as book:
            return "\n".join(book.read(name).decode("utf-8", "replace") for name in book.namelist())
    if path.suffix == ".parquet":
        return str(pq.read_table(path).to_pylist())
    return path.read_bytes().decode("utf-8", "replace")


@contextmanager
def there(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Place]:
    """Yield a folder to work in, with the endpoint that listens meanwhile as target `test`."""
    at_home(folder, monkeypatch)
    (folder / "map.yaml").write_text(MAPPING)
    with FaultServer(echo) as server:
        (folder / "etl.toml").write_text(f'[targets.test]\nurl = "{server.url}"\nrate = 1000\n')
        yield Place(folder, sheet(), capsys)


def lines_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))
