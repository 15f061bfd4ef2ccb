"""Small files and mappings, written where a test needs them."""

from __future__ import annotations

from pathlib import Path

CONTACTS = """
version: 1
name: people
records:
  - action: contact.upsert
    fields:
      contact.email: {column: E-mail, transform: [strip, lower], required: true}
      contact.name: Name
      contact.phone: {column: Phone, blank: clear}
"""
DELETES = """
version: 1
name: leavers
records:
  - action: contact.delete
    fields:
      email: {column: E-mail, required: true}
"""
HEADER = "E-mail,Name,Phone\n"


def write_contacts(folder: Path, rows: int, bad: int = 0) -> tuple[Path, Path]:
    """Write a mapping and a file of `rows` good rows and `bad` ones without an address; every phone is blank."""
    mapping, file = folder / "people.yaml", folder / "people.csv"
    mapping.write_text(CONTACTS, "utf-8")
    good = "".join(f"person{number}@example.com,Anna Nowak,\n" for number in range(rows))
    file.write_text(HEADER + good + "not-an-address,Jan,\n" * bad, "utf-8")
    return mapping, file


def write_deletes(folder: Path, rows: int) -> tuple[Path, Path]:
    mapping, file = folder / "leavers.yaml", folder / "leavers.csv"
    mapping.write_text(DELETES, "utf-8")
    file.write_text("E-mail\n" + "".join(f"person{number}@example.com\n" for number in range(rows)), "utf-8")
    return mapping, file
