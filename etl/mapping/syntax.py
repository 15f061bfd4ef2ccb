"""The written language as pydantic models, one a level: which keys there are, and the form of their values.

A level is read alone (`report.read_level`); what stands below it is marked SkipValidation and read by its own model, so
that one mistake hides no other. The editors' JSON Schema comes from the same models. What the values mean, the
contract and the transforms are `resolve`'s and `specs`'s.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, TypeAlias, Union

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SkipValidation, WithJsonSchema
from pydantic_core import PydanticCustomError

from etl.mapping.parser import BROKEN

_TEXT_SCHEMA: dict[str, Any] = {"type": ["string", "number", "boolean"]}
_NAMES_SCHEMA: dict[str, Any] = {
    "anyOf": [_TEXT_SCHEMA, {"type": "array", "items": _TEXT_SCHEMA, "minItems": 1, "uniqueItems": True}]
}


def wrong(message: str, hint: str = "", at: int | None = None) -> PydanticCustomError:
    """Return the error of a value that has the wrong form; `at` is the item of a list that is meant."""
    # pydantic fills braces of the template itself; the text of the mapping may hold some.
    return PydanticCustomError("wrong", "{message}", {"message": message, "hint": hint, "at": at})


def shape(value: object) -> str:
    """Return what `value` is, in the words of a message."""
    if isinstance(value, dict):
        return "a table of keys"
    return "a list" if isinstance(value, list) else f"'{value}'"


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise wrong(f"text is expected here, not {shape(value)}")
    return value


def _word(value: object) -> str:
    text = _text(value)
    if not text.strip():
        raise wrong("text is expected here, not a blank")
    return text.strip()


def _flag(value: object) -> bool:
    if isinstance(value, str) and value in {"true", "True", "TRUE", "false", "False", "FALSE"}:
        return value.lower() == "true"
    meant = {"yes": "true", "on": "true", "no": "false", "off": "false"}.get(str(value).lower(), "")
    raise wrong(f"true or false is expected here, not {shape(value)}", f"write {meant}" if meant else "")


def _count(value: object) -> int:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 8:
        return int(value)
    raise wrong(f"a whole number is expected here, not {shape(value)}")


def _header_row(value: object) -> int:
    if value == "none":
        return 0
    if isinstance(value, str) and value.isascii() and value.isdigit() and 0 < len(value) < 8 and int(value):
        return int(value)
    raise wrong(
        f"a row's number or none is expected here, not {shape(value)}", "rows count from 1, as Excel shows them"
    )


def _names(value: object) -> tuple[str, ...]:
    items = value if isinstance(value, list) else [value]
    if not items:
        raise wrong("an empty list", "write a name, or remove the line")
    names: list[str] = []
    for place, item in enumerate(items):
        at = place if isinstance(value, list) else None
        if item is BROKEN:
            continue
        if not isinstance(item, str):
            raise wrong(f"a name is expected here, not {shape(item)}", at=at)
        if not item.strip():
            raise wrong("a name is expected here, not a blank", at=at)
        if item.strip() in names:
            raise wrong(f"'{item}' is named twice", "keep one of them", at=at)
        names.append(item.strip())
    return tuple(names)


def _time_of_day(value: object) -> int:
    match = re.fullmatch(_TIME, value.strip()) if isinstance(value, str) else None
    if match is None:
        raise wrong(f"a time of day is expected here, not {shape(value)}", "write it like 02:00")
    return int(match[1]) * 60 + int(match[2])


def _duration(value: object) -> float:
    match = re.fullmatch(_SPAN, value.strip()) if isinstance(value, str) else None
    if match is None or not int(match[1]):
        raise wrong(f"a time span is expected here, not {shape(value)}", "write it like 26h, 90m or 2d")
    return int(match[1]) * _SECONDS[match[2]]


def _share(value: object) -> float:
    match = re.fullmatch(_SHARE, value.strip()) if isinstance(value, str) else None
    if match is None or not 0 < float(match[1]) <= 1000:
        raise wrong(f"a share is expected here, not {shape(value)}", "write it like 30%")
    return float(match[1])


def _complete(value: object) -> str:
    text = _word(value)
    if text.lower() in {"true", "false"}:
        return text.lower()
    if text.lower() in {"yes", "no", "on", "off"}:
        raise wrong(f"'{text}' could be a word of the file", "write true, or what the last row's first cell is")
    return text


_TIME = "([01]?[0-9]|2[0-3]):([0-5][0-9])"
_SPAN = "([0-9]{1,4})([mhd])"
_SHARE = r"([0-9]{1,4}(?:\.[0-9]{1,3})?) ?%"
_SECONDS = {"m": 60.0, "h": 3_600.0, "d": 86_400.0}


def _like(pattern: str) -> dict[str, Any]:
    return {"type": "string", "pattern": f"^{pattern}$"}


Text: TypeAlias = Annotated[str, BeforeValidator(_text), WithJsonSchema(_TEXT_SCHEMA)]
Word: TypeAlias = Annotated[str, BeforeValidator(_word), WithJsonSchema(_TEXT_SCHEMA)]
Flag: TypeAlias = Annotated[bool, BeforeValidator(_flag), WithJsonSchema({"type": "boolean"})]
Count: TypeAlias = Annotated[int, BeforeValidator(_count), WithJsonSchema({"type": "integer", "minimum": 0})]
HeaderRow: TypeAlias = Annotated[
    int, BeforeValidator(_header_row), WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 1}, {"const": "none"}]})
]  # fmt: skip
TimeOfDay: TypeAlias = Annotated[int, BeforeValidator(_time_of_day), WithJsonSchema(_like(_TIME))]
Duration: TypeAlias = Annotated[float, BeforeValidator(_duration), WithJsonSchema(_like(_SPAN))]
Share: TypeAlias = Annotated[float, BeforeValidator(_share), WithJsonSchema(_like(_SHARE))]
Complete: TypeAlias = Annotated[str, BeforeValidator(_complete), WithJsonSchema(_TEXT_SCHEMA)]
Names: TypeAlias = Annotated[tuple[str, ...], BeforeValidator(_names), WithJsonSchema(_NAMES_SCHEMA)]

Taken: TypeAlias = Literal["read", "skip"]
Graveness: TypeAlias = Literal["error", "warning"]
Call: TypeAlias = str | dict[str, Any]
Spec: TypeAlias = Union[Text, Annotated[list[Text], Field(min_length=1)], "WrittenSpec"]


class Level(BaseModel):
    """One table of the mapping file. Every key may be absent here: `resolve` says what is missing."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=False)


class WrittenSpec(Level):
    """What feeds a field: one source, and rules."""

    column: Names | None = Field(
        None, description="a column's name, or alternatives of which the first present is taken"
    )
    template: Text | None = Field(None, description="text with {Column name} in it; {{ and }} are braces")
    blank_parts: Literal["all", "any"] | None = Field(None, description="any: a template is blank if one part is")
    value: Text | None = Field(None, description="the same text in every row")
    constant: Text | None = Field(None, description="the same as value")
    all: SkipValidation[list[Spec] | None] = Field(None, description="several specs joined into one list")
    columns: SkipValidation[dict[str, Text] | list[Text] | None] = Field(
        None, description="many columns at once: column name to key, or a list of columns"
    )
    columns_like: Names | None = Field(None, description='all columns that match a pattern, such as "dict_*"')
    keys: Literal["*"] | None = Field(None, description="*: the key is what the star matched, not the whole header")
    transform: SkipValidation[Call | list[Call] | None] = Field(None, description="applied in this order")
    required: Flag | None = Field(None, description="true: a blank cell is an error of the row")
    blank: Literal["skip", "clear", "default", "error"] | None = Field(None, description="what a blank cell does")
    default: Text | None = Field(None, description="taken where the cell is blank; not transformed")
    optional: Flag | None = Field(None, description="true: the column may be missing from the file")
    as_: Word | None = Field(None, alias="as", description="the outgoing name in the wire form envelope")


class WrittenExpect(Level):
    """What a file must be; where it is not, the run stops before anything is sent."""

    by: TimeOfDay | None = Field(None, description="the time of day, on this machine, by which it last changed: 02:00")
    new: Flag | None = Field(None, description="true: its content is not that of the last run")
    max_age: Duration | None = Field(None, description="how long ago it may have changed: 26h, 90m, 2d")
    size: Share | None = Field(None, description="how far its rows may be from the last run's: 30%")
    columns: Names | None = Field(None, description="these columns and no others, in any order")
    complete: Complete | None = Field(
        None, description="true: it ends with a whole line and no longer grows; or also what its last row begins with"
    )


class WrittenSource(Level):
    """What is pinned about the file; everything is found out where absent."""

    sheet: Names | None = Field(
        None, description="the sheet's name, its number from 1, a pattern such as 'Region *', all; or a list of these"
    )
    header_row: HeaderRow | None = Field(None, description="the row of the column names; none: columns are A, B, C")
    encoding: Word | None = Field(None, description="such as utf-8 or cp1250")
    delimiter: Text | None = Field(None, description="the sign between two cells of a text file; tab for a tab")
    skip_rows: Count | None = Field(None, description="rows after the header to pass over")
    hidden_rows: Taken | None = Field(None, description="skip: rows that are hidden in the sheet are left out")
    hidden_columns: Taken | None = Field(None, description="skip: columns that are hidden in the sheet are not there")
    comment: Word | None = Field(None, description="rows whose first cell starts with this are no data, such as #")
    total_rows: Taken | None = Field(None, description="skip: rows of totals are left out")
    expect: SkipValidation[WrittenExpect | None] = Field(None, description="what the file must be, or the run stops")
    renamed: Literal["stop", "accept"] | None = Field(
        None, description="accept: a missing column is replaced by the one it was surely renamed to; stop is usual"
    )


class WrittenRecord(Level):
    """One record that each row becomes."""

    action: Word | None = None
    name: Word | None = None
    when: Text | None = Field(None, description="rows for which it is false are skipped: Consent == 'yes'")
    key: Names | None = Field(None, description="the fields that make two rows the same one")
    duplicates: Literal["last", "first", "all", "error"] | None = Field(None, description="which row of a key is sent")
    unknown: Literal["retry", "hold"] | None = Field(None, description="what becomes of a request without an answer")
    revive: Flag | None = Field(None, description="true: contacts that were deleted may come back")
    missing: Literal["report", "delete"] | None = Field(
        None,
        description="the file is a full export: contacts that were delivered, and that it lacks, are listed or deleted",
    )
    checks: SkipValidation[dict[str, Graveness] | None] = Field(None, description="turns errors into warnings and back")
    fields: SkipValidation[dict[str, Spec] | None] = None
    attributes: SkipValidation[dict[str, Spec] | None] = Field(None, description="free attributes (wire form envelope)")


class WrittenExample(Level):
    """A row, and what must come of it. `etl mapping test` runs it."""

    row: SkipValidation[dict[str, Text] | None] = Field(
        None, description="cells by the name of their column; every other column is blank"
    )
    gives: SkipValidation[dict[str, Any] | list[dict[str, Any]] | None] = Field(
        None, description="all that is sent, by path; of several records a list, in their order"
    )
    issue: Word | None = Field(None, description="the code of an issue that the row must have")
    skipped: Flag | None = Field(None, description="true: nothing is sent, and nothing is wrong")


class WrittenMapping(Level):
    """A mapping file: how the rows of one kind of spreadsheet become contacts and events."""

    version: Annotated[Word | None, WithJsonSchema({"const": 1})] = None
    name: Word | None = Field(None, description="what the mapping is called in reports")
    source: SkipValidation[WrittenSource | None] = None
    group_key: SkipValidation[Spec | None] = Field(
        None, description="the cell that chooses the account (wire form envelope)"
    )
    checks: SkipValidation[dict[str, Graveness] | None] = Field(None, description="for every record")
    only_changed: Flag | None = Field(
        None,
        description="true: rows whose payload was confirmed before are left alone (--only-changed, --all override it)",
    )
    records: SkipValidation[list[WrittenRecord] | None] = None
    examples: SkipValidation[list[WrittenExample] | None] = None


WrittenSpec.model_rebuild()
