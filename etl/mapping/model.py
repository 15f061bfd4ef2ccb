"""A mapping, read and checked: what the parser gives and `apply` runs. Frozen; knows no file and no spreadsheet.

Every node carries its place (`line`, `column`, from 1) in the mapping file, for the problems that only a header shows.
Columns are still names here; `binding` finds them in a header.
"""

from __future__ import annotations

from collections.abc import Mapping as MappingType
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SkipValidation

from etl.contract import Action
from etl.mapping.expressions import Expression
from etl.records import Severity


class Blank(StrEnum):
    """What a blank value does: is left out, clears the field at the endpoint, takes the default, or is an error."""

    SKIP = "skip"
    CLEAR = "clear"
    DEFAULT = "default"
    ERROR = "error"


class Duplicates(StrEnum):
    """Which row of a key stands for all of them; ERROR: none does."""

    LAST = "last"
    FIRST = "first"
    ALL = "all"
    ERROR = "error"


class Unknown(StrEnum):
    """What becomes of a request whose outcome is unknown."""

    RETRY = "retry"
    HOLD = "hold"


class Missing(StrEnum):
    """What becomes of the contacts that were delivered before and that the file no longer holds."""

    REPORT = "report"
    DELETE = "delete"


class Node(BaseModel):
    """A part of a mapping, with its place in the file."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    line: int = 0
    column: int = 0


class TransformCall(Node):
    """A transform with its arguments, checked against the transform's signature."""

    name: str
    arguments: MappingType[str, Any]


class ColumnSource(Node):
    """The first of `names` that the header has."""

    kind: Literal["column"] = "column"
    names: tuple[str, ...]


class TemplatePart(Node):
    """Literal text, or the name of a column."""

    text: str
    is_column: bool


class TemplateSource(Node):
    """Text with column names in it. Blank if all its columns are; with `any`, if one is."""

    kind: Literal["template"] = "template"
    parts: tuple[TemplatePart, ...]
    blank_parts: Literal["all", "any"] = "all"


class ValueSource(Node):
    """The same text in every row."""

    kind: Literal["value"] = "value"
    value: str


class AllSource(Node):
    """Several specs joined into one list."""

    kind: Literal["all"] = "all"
    specs: tuple[FieldSpec, ...]


class DynamicSource(Node):
    """Many columns at once: `columns` (header name to key), then those that the patterns match.

    `keys`: "whole" takes the header as key, "star" what the star matched.
    """

    kind: Literal["dynamic"] = "dynamic"
    columns: tuple[tuple[str, str], ...] = ()
    columns_like: tuple[str, ...] = ()
    keys: Literal["whole", "star"] = "whole"


Source = Annotated[ColumnSource | TemplateSource | ValueSource | AllSource | DynamicSource, Field(discriminator="kind")]


class FieldSpec(Node):
    """What feeds one field. `path`: as written on the left; `attributes.NAME` for a free attribute.

    `gives_list`: whether the chain of transforms ends in a list. `required` has become `blank: error` already, and
    `blank` is DEFAULT where a `default` stands. `proven`: by the position of a column, the chain that holds for its
    cells instead of `transforms`: the same calls, with what `etl.proofs` found out about the column.
    """

    path: str
    source: Source
    transforms: tuple[TransformCall, ...] = ()
    blank: Blank = Blank.SKIP
    default: str | None = None
    optional: bool = False
    as_name: str | None = None
    gives_list: bool = False
    proven: MappingType[int, tuple[TransformCall, ...]] = {}

    @property
    def outgoing_name(self) -> str:
        """Its name in the wire form `envelope`; a DynamicSource has one per key instead."""
        head, _, key = self.path.partition(".")
        own = key if head in {"properties", "dictionaryProperties", "attributes"} else ""
        return self.as_name or own or self.path.rsplit(".", 1)[-1]


class RecordSpec(Node):
    """One record of a row. `number` counts from 1; `key` is empty where nothing makes two rows the same.

    `when_line` and `when_column`: the place of the condition's text.
    """

    number: int
    action: SkipValidation[Action]
    name: str = ""
    when: SkipValidation[Expression] | None = None
    when_line: int = 0
    when_column: int = 0
    key: tuple[str, ...] = ()
    duplicates: Duplicates
    unknown: Unknown
    revive: bool = False
    missing: Missing | None = None
    checks: MappingType[str, Severity] = {}
    fields: tuple[FieldSpec, ...]
    attributes: tuple[FieldSpec, ...] = ()


class ExpectSpec(Node):
    """What a file must be (`etl.expectations`). `by`: minutes after midnight, local; `size`: percent.

    `max_age`: seconds; `columns`: empty where any will do; `is_complete`: whether it must end well; `last_cell`: what
    the first cell of its last row must be, "" for anything.
    """

    by: int | None = None
    is_new: bool = False
    max_age: float | None = None
    size: float | None = None
    columns: tuple[str, ...] = ()
    is_complete: bool = False
    last_cell: str = ""


class SourceSpec(Node):
    """What the mapping pins about the file. `header_row`: 0 for `none`; the rest as in `sources.base.SourceOptions`.

    `renamed`: whether a column that is missing may be replaced by the one that it was surely renamed to; `expect`: what
    the file must be, None: anything that can be read.
    """

    sheets: tuple[str, ...] | None = None
    header_row: int | None = None
    encoding: str | None = None
    delimiter: str | None = None
    skip_rows: int = 0
    hidden_rows: bool = True
    hidden_columns: bool = True
    comment: str | None = None
    total_rows: bool = True
    renamed: bool = False
    expect: ExpectSpec | None = None


class Example(Node):
    """A row and what must come of it; `etl.trial` runs it.

    `row`: cells by the name of their column; `gives`: the records that would be sent, in order, each as text (a list:
    texts) by dotted path; None where the row must have an `issue` or be `skipped`.
    """

    row: MappingType[str, str]
    gives: tuple[MappingType[str, str | tuple[str, ...]], ...] | None = None
    issue: str | None = None
    skipped: bool = False


class Mapping(Node):
    """A whole mapping. `file` is for messages; `fingerprint` the SHA-256 of its text and of the files it names.

    `only_changed`: whether rows whose payload was confirmed before are left alone where no flag says otherwise.
    """

    version: Literal[1]
    name: str
    file: str
    fingerprint: str
    source: SourceSpec = SourceSpec()
    group_key: FieldSpec | None = None
    checks: MappingType[str, Severity] = {}
    only_changed: bool = False
    records: tuple[RecordSpec, ...]
    examples: tuple[Example, ...] = ()
    notes: tuple[str, ...] = ()
