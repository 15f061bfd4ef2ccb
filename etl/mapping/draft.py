"""A drafted mapping and its text. Decides nothing: what stands in the draft is written, each line with its reason."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from etl.mapping.braces import TextError, write_column
from etl.mapping.candidates import percent
from etl.mapping.template import parse_template

Call: TypeAlias = tuple[str, str | Mapping[str, str] | None]
"""A transform with its first argument, several arguments by name, or none."""

_PLAIN = re.compile(r"[^\W\d_](?:[\w ./-]*[\w.])?")
_SPECIAL = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf", "none"})


class Use(StrEnum):
    """What a draft does with a column."""

    FIELD = "field"
    PART = "part of a template"
    OFFERED = "field, commented out"
    UNUSED = "unused"


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What a draft says of one column. `path`: a field of the contract, None if none fits; `confidence`: 0 to 1.

    `reasons` speak to a person, the most telling first; `transforms` as they stand in the mapping.
    """

    column: str
    position: int
    use: Use
    path: str | None = None
    confidence: float = 0.0
    reasons: tuple[str, ...] = ()
    transforms: tuple[Call, ...] = ()


@dataclass(frozen=True, slots=True)
class FieldLine:
    """One line of a record: several columns make a template; `value` is a constant and needs none.

    `confidence` is 0 where it has no meaning: a key of one's own fits every column.
    """

    path: str
    columns: tuple[str, ...] = ()
    value: str = ""
    transforms: tuple[Call, ...] = ()
    required: bool = False
    confidence: float = 1.0
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ConditionLine:
    """A `when` that somebody may want; never active in a draft. `column`: what it looks at.

    `keeps`: whether it names those to be sent (consent), or those to be left out. `leaves_out`: rows of the sample that
    would not be sent with it.
    """

    expression: str
    confidence: float
    reasons: tuple[str, ...]
    column: str = ""
    keeps: bool = True
    leaves_out: int = 0


@dataclass(frozen=True, slots=True)
class Draft:
    """A drafted mapping of one record. `why`: how the action was chosen; `missing`: required fields without a column.

    `suggestions`: one per column, in their order. `fields` are active lines, `offered` and `conditions` commented
    out, ready to be uncommented. `notes` say what is not used. `source`: what is to be pinned about the file.
    """

    name: str
    action: str
    why: tuple[str, ...]
    suggestions: tuple[Suggestion, ...]
    fields: tuple[FieldLine, ...]
    offered: tuple[FieldLine, ...] = ()
    conditions: tuple[ConditionLine, ...] = ()
    notes: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    source: Mapping[str, str | int] = field(default_factory=dict)

    @property
    def yaml(self) -> str:
        """The mapping file as text; it loads as it stands unless a required field is `missing`."""
        return render(self)

    def line_of(self, condition: ConditionLine) -> int:
        """Return the line of `yaml`, from 1, in which `condition` stands."""
        return next(
            number for number, line in enumerate(_lines(self), start=1) if line.startswith(_commented(condition))
        )


def render(draft: Draft) -> str:
    """Return the mapping file of `draft`, commented, ending in a line break."""
    return "\n".join(_lines(draft)) + "\n"


def _lines(draft: Draft) -> Iterable[str]:
    yield "# A draft, made from the names and the values of the columns. Read each line, then run `etl check`."
    yield "# The comment beside a line says how sure it is, and why."
    for path in draft.missing:
        yield f"# INCOMPLETE: no column serves as {path}, which every record needs. Add it under `fields`."
    yield "version: 1"
    yield f"name: {quote(draft.name)}"
    if draft.source:
        yield "source:"
        yield from (f"  {key}: {quote(str(value))}" for key, value in draft.source.items())
    yield "records:"
    yield from (f"  # {line}" for line in draft.why)
    yield f"  - action: {draft.action}"
    for condition in draft.conditions:
        told = _told(condition.confidence, condition.reasons)
        yield f"{_commented(condition)}  # {told}; uncomment to send these rows alone"
    yield "    fields:" if draft.fields else "    fields: {}"
    yield from (f"      {_field(line)}" for line in draft.fields)
    if draft.offered:
        yield "      # Remove the first `#` (keep the spaces) to use one of these:"
        yield from (f"      #{_field(line)}" for line in draft.offered)
    if draft.notes:
        yield "# Not used:"
        yield from (f"# - {note}" for note in draft.notes)


def _commented(condition: ConditionLine) -> str:
    # No space follows the sign: what is left without it stands where it must, whoever takes it away.
    return f"    #when: {quote(condition.expression)}"


def _field(line: FieldLine) -> str:
    return f"{line.path}: {_spec(line)}  # {_told(line.confidence, line.reasons)}"


def _told(confidence: float, reasons: Iterable[str]) -> str:
    told = "; ".join(reasons)
    return f"{percent(confidence)}: {told}" if confidence else told


def _spec(line: FieldLine) -> str:
    if not line.columns:
        source = f"value: {quote(line.value)}"
    elif len(line.columns) == 1:
        source = f"column: {quote(line.columns[0])}"
    else:
        source = f"template: {quote(' '.join(in_braces(name) or '' for name in line.columns))}"
    rules = [f"transform: [{', '.join(_call(*call) for call in line.transforms)}]"] if line.transforms else []
    rules += ["required: true"] if line.required else []
    if len(line.columns) == 1 and not rules and "{" not in line.columns[0]:
        return quote(line.columns[0])
    return f"{{{', '.join([source, *rules])}}}"


def _call(name: str, argument: str | Mapping[str, str] | None) -> str:
    if argument is None:
        return name
    if isinstance(argument, str):
        return f"{{{name}: {quote(argument)}}}"
    return f"{{{name}: {{{', '.join(f'{key}: {quote(value)}' for key, value in argument.items())}}}}}"


def quote(text: str) -> str:
    """Return `text` as a YAML scalar that every reader takes for this very text, on one line, in any context.

    Plain where nothing can be mistaken; otherwise in double quotes, with what cannot be seen written as an escape.
    """
    if _PLAIN.fullmatch(text) and text.casefold() not in _SPECIAL:
        return text
    return f'"{visible(text, quote_sign=chr(34))}"'


def shown(text: str) -> str:
    """Return `text` in single quotes for a comment or a message: on one line, whatever it holds."""
    return f"'{visible(text)}'"


def visible(text: str, quote_sign: str = "") -> str:
    """Return `text` with backslashes, `quote_sign` and what does not print as YAML's escapes."""
    return "".join(
        _escape(letter) if letter in {"\\", quote_sign} or not letter.isprintable() else letter for letter in text
    )


def _escape(letter: str) -> str:
    if letter in {"\\", '"'}:
        return f"\\{letter}"
    code = ord(letter)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def in_braces(name: str) -> str | None:
    """Return `name` as templates and conditions write columns, or None where neither form can hold it."""
    written = write_column(name)
    try:
        parts = parse_template(written)
    except TextError:
        return None
    return written if [(part.text, part.is_column) for part in parts] == [(name, True)] else None
