"""Builders of mappings as text, for the tests of this folder."""

from pathlib import Path

from etl.errors import MappingError
from etl.mapping import Mapping, parse_mapping

DESIGN = """\
version: 1
name: newsletter-contacts
source:
  sheet: Contacts
  header_row: 3
records:
  - action: contact.upsert
    when: "Consent == 'yes'"
    key: contact.email
    duplicates: last
    unknown: retry
    fields:
      contact.email: {column: [E-mail, Email address], transform: [strip, lower], required: true}
      contact.name: {template: "{First name} {Last name}", transform: [squeeze]}
      contact.phone: {column: Mobile, transform: [{phone: PL}]}
      contact.address.zipCode: Postcode
      tags: {column: Segments, transform: [{split: ";"}, upper]}
      properties.shoe_size: Shoe size
      properties: {columns: {Shop: favourite_shop, Age: age}}
      dictionaryProperties: {columns_like: "dict_*"}
  - action: event.create
    fields:
      contactExtEventType: {value: PURCHASE}
      value: {column: Total, transform: [{number: {decimal: ","}}]}
"""

START = "version: 1\nname: n\nrecords:\n"


def read(text: str, base: Path = Path()) -> Mapping:
    return parse_mapping(text, "m.yaml", base)


def contact(*lines: str) -> str:
    """A mapping of one contact; `lines` are its fields after contact.email, from line 7 on, indented by 6."""
    start = f"{START}  - action: contact.upsert\n    fields:\n      contact.email: E-mail\n"
    return start + "".join(f"      {line}\n" for line in lines)


def event(*lines: str) -> str:
    """A mapping of one event; `lines` are its fields from line 6 on, indented by 6."""
    return f"{START}  - action: event.create\n    fields:\n" + "".join(f"      {line}\n" for line in lines)


def record(*lines: str) -> str:
    """A mapping of one contact; `lines` stand in its record from line 7 on, indented by 4."""
    return contact() + "".join(f"    {line}\n" for line in lines)


def told(text: str, base: Path = Path()) -> str:
    """What the mapping is refused with, as a person sees it; "" if it is not."""
    try:
        read(text, base)
    except MappingError as error:
        return str(error)
    return ""
