"""YAML text → plain tables, lists and text, each with its place; no meaning is read into anything.

Every scalar is the text that was typed (`NO`, `0123`, `yes`, `12:30`, a date). What could be read in two ways is
refused: keys given twice, empty values, anchors, aliases, tags, several documents. Built on ruamel's events alone, so
that no resolver and no constructor ever sees the text.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.reader import ReaderError

from etl.errors import Problem

MAX_BYTES = 256 * 1024
"""A mapping is written by hand; ruamel reads some 100 KB a second (measured 2026-11), a larger one is a mistake."""
MAX_DEPTH = 24

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})


class _Broken(Enum):
    BROKEN = "a value that was refused"


BROKEN: Final = _Broken.BROKEN
"""Stands in a document for a value whose problem was told already."""

Loc: TypeAlias = tuple[str | int, ...]
Place: TypeAlias = tuple[int, int]


@dataclass(slots=True)
class Document:
    """A YAML document. `root`: dicts, lists, text and BROKEN.

    `values` and `keys`: the place (line and column, from 1) of each value, and of the key of each entry, by the way
    that leads there from the root. `exact`: whether a text stands in the file letter by letter from its place on.
    """

    root: Any = BROKEN
    values: dict[Loc, Place] = field(default_factory=dict)
    keys: dict[Loc, Place] = field(default_factory=dict)
    exact: dict[Loc, Place] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def place(self, loc: Loc, *, key: bool = False) -> Place:
        """Return where `loc` stands, or the nearest thing around it that is written."""
        for length in range(len(loc), -1, -1):
            for places in (self.keys, self.values) if key else (self.values, self.keys):
                if loc[:length] in places:
                    return places[loc[:length]]
        return (1, 1)


def read_yaml(text: str) -> Document:
    """Return the document that `text` holds, with the problems of its form; never raises for what is written."""
    document = Document()
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        problem = Problem(
            f"a mapping of more than {MAX_BYTES // 1024} KB", "mapping-too-large",
            hint="put long lists of values into a CSV file: {map: {file: ...}}",
        )  # fmt: skip
        document.problems.append(problem)
        return document
    try:
        events = list(YAML(typ="safe", pure=True).parse(text))
    except MarkedYAMLError as error:
        document.problems.append(_syntax_problem(error))
    except ReaderError as error:
        line, column = _place_of(text, error.position)
        document.problems.append(
            Problem("a character that YAML does not allow", "yaml-character", line, column, "remove it")
        )
    except (YAMLError, ValueError, OverflowError, AssertionError, LookupError, AttributeError, TypeError) as error:
        # ruamel's scanner has corners (escapes beyond Unicode, odd directives) that end in plain exceptions.
        document.problems.append(Problem(f"this is not YAML: {type(error).__name__}", "yaml-syntax"))
    else:
        _Builder(document, events, text.splitlines()).build()
    return document


def _syntax_problem(error: MarkedYAMLError) -> Problem:
    mark = error.problem_mark or error.context_mark
    told = ", ".join(part.strip() for part in (error.context, error.problem) if part)
    line, column = (mark.line + 1, mark.column + 1) if mark is not None else (0, 0)
    return Problem(
        f"this is not YAML: {' '.join(told.split())}", "yaml-syntax", line, column,
        "check the indentation, and put text with `: `, `#`, `{` or a leading quote into quotes",
    )  # fmt: skip


def _place_of(text: str, position: int | None) -> Place:
    before = text[: position or 0]
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1


class _Builder:
    """Walks the events of one document; goes on after a mistake, so that all of them are told."""

    def __init__(self, document: Document, events: list[Any], lines: list[str]) -> None:
        self.document = document
        self.events = iter(events)
        self.lines = lines

    def build(self) -> None:
        documents = 0
        for event in self.events:
            kind = type(event).__name__
            if kind == "DocumentStartEvent":
                documents += 1
                if documents > 1:
                    hint = "one mapping a file: remove the line `---` and what follows"
                    self._refuse(event, "a second document", "yaml-document", hint)
                    return
            elif kind not in {"StreamStartEvent", "StreamEndEvent", "DocumentEndEvent"}:
                self.document.root = self._value(event, ())
        if not documents:
            self.document.problems.append(
                Problem("the mapping is empty", "empty-mapping", 1, 1, "start with `version: 1`")
            )

    def _value(self, event: Any, loc: Loc) -> Any:
        self.document.values[loc] = _mark(event)
        kind = type(event).__name__
        if kind == "AliasEvent":
            self._refuse(event, f"an alias, *{event.anchor}", "yaml-anchor", "write the value out")
            return BROKEN
        if getattr(event, "anchor", None) is not None:
            self._refuse(event, f"an anchor, &{event.anchor}", "yaml-anchor", "remove it; values are written out")
        if _tag(event):
            self._refuse(event, f"a tag, {_tag(event)}", "yaml-tag", "remove it; every value is text here")
        if kind == "ScalarEvent":
            return self._scalar(event, loc)
        if len(loc) > MAX_DEPTH:
            self._refuse(event, f"more than {MAX_DEPTH} levels", "yaml-depth", "nothing in a mapping is so deep")
            self._pass_over()
            return BROKEN
        return self._list(loc) if kind == "SequenceStartEvent" else self._table(loc)

    def _scalar(self, event: Any, loc: Loc) -> Any:
        text = str(event.value)
        if event.style is None and text in _NULLS:
            what = f"'{text}' is YAML's word for nothing" if text else f"{_named(loc)} has no value"
            hint = (
                f'write "{text}" in quotes if the text is meant'
                if text
                else 'write it, or remove the line; blank text is ""'
            )
            # A value that is not there has no place of its own: ruamel gives the next token's.
            place = _mark(event) if text else self.document.keys.get(loc, _mark(event))
            self.document.problems.append(Problem(what, "null-value", *place, hint))
            return BROKEN
        if not _encodable(text):
            self._refuse(event, "half a character (a lone surrogate)", "yaml-character", "write the character itself")
            return BROKEN
        line, column = _mark(event)
        start = column if event.style in {"'", '"'} else column - 1
        if event.style not in {"|", ">"} and self._line(line)[start : start + len(text)] == text:
            self.document.exact[loc] = (line, start + 1)
        return text

    def _list(self, loc: Loc) -> list[Any]:
        items: list[Any] = []
        for event in self.events:
            if type(event).__name__ == "SequenceEndEvent":
                break
            items.append(self._value(event, (*loc, len(items))))
        return items

    def _table(self, loc: Loc) -> dict[str, Any]:
        table: dict[str, Any] = {}
        for event in self.events:
            if type(event).__name__ == "MappingEndEvent":
                break
            key = self._key(event, loc)
            value_event = next(self.events)
            if key is None:
                self._value(value_event, (*loc, "?"))
                continue
            here = (*loc, key)
            if key in table:
                first = self.document.keys[here][0]
                self._refuse(
                    event, f"'{key}' is given twice, first in line {first}", "duplicate-key", "keep one of them"
                )
                kept, self.document = self.document, Document(problems=self.document.problems)
                self._value(value_event, here)
                self.document = kept
                continue
            self.document.keys[here] = _mark(event)
            table[key] = self._value(value_event, here)
        return table

    def _key(self, event: Any, loc: Loc) -> str | None:
        if type(event).__name__ == "ScalarEvent":
            key = self._value(event, (*loc, "?"))
            return key if isinstance(key, str) else None
        self._value(event, (*loc, "?"))
        self._refuse(event, "a key that is not text", "yaml-key", "write text before the colon")
        return None

    def _pass_over(self) -> None:
        depth = 1
        while depth:
            kind = type(next(self.events)).__name__
            depth += kind.endswith("StartEvent") - kind.endswith("EndEvent")

    def _line(self, line: int) -> str:
        return self.lines[line - 1] if line <= len(self.lines) else ""

    def _refuse(self, event: Any, message: str, code: str, hint: str) -> None:
        line, column = _mark(event)
        self.document.problems.append(Problem(message, code, line, column, hint))


def _mark(event: Any) -> Place:
    return event.start_mark.line + 1, event.start_mark.column + 1


def _tag(event: Any) -> str:
    tag = getattr(event, "tag", None)
    return "" if tag is None else str(tag).replace("tag:yaml.org,2002:", "!!")


def _named(loc: Loc) -> str:
    return f"'{loc[-1]}'" if loc and isinstance(loc[-1], str) and loc[-1] != "?" else "this"


def _encodable(text: str) -> bool:
    return not any("\ud800" <= letter <= "\udfff" for letter in text)
