"""The columns of a mapping, found in the header of one table; everything that is missing or doubtful at once.

A name is matched exactly first, then without regard to case, spaces and punctuation (in any script). Two matches, or a
mapped header that occurs twice, are refused: a guess here would fill a field with the wrong cells.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from etl.cells import column_letters
from etl.contract import Action
from etl.errors import MappingError, Problem
from etl.mapping.braces import write_column
from etl.mapping.draft import quote
from etl.mapping.model import (
    AllSource,
    ColumnSource,
    DynamicSource,
    FieldSpec,
    Mapping,
    Node,
    RecordSpec,
    TemplatePart,
    TemplateSource,
)
from etl.mapping.nearest import listed, most_alike, squash
from etl.mapping.renamed import Missing, Renamed, Sample, find_renamed


@dataclass(frozen=True, slots=True)
class Binding:
    """Where the columns of a mapping stand in one header; picklable.

    `positions`: from 0, ascending, of all columns that are read; `warnings`: sentences for a person.
    """

    header: tuple[str, ...]
    positions: tuple[int, ...]
    warnings: tuple[str, ...] = ()
    _by_name: dict[str, int] = field(default_factory=dict)
    _dynamic: dict[DynamicSource, tuple[tuple[str, int], ...]] = field(default_factory=dict)

    def position(self, name: str) -> int | None:
        """Return the position of the column that the mapping calls `name`; None where an optional one is absent."""
        return self._by_name.get(name)

    def choose(self, names: Sequence[str]) -> int | None:
        """Return the position of the first of `names` that the header has, or None."""
        return next((self._by_name[name] for name in names if name in self._by_name), None)

    def dynamic(self, source: DynamicSource) -> tuple[tuple[str, int], ...]:
        """Return key and position of each column that `source` serves: those named first, then in header order."""
        return self._dynamic.get(source, ())


def bind(mapping: Mapping, header: tuple[str, ...], where: str, sample: Sample | None = None) -> Binding:
    """Return where the mapping's columns stand in `header`; `where` names the table in messages (`file, sheet`).

    `sample` reads some rows of all columns and is called only where a column is missing, to find out which one it was
    renamed to: told in the hint, and taken (with a warning) where `source: {renamed: accept}` stands and it is sure.
    Raises MappingError with every column that is missing or found twice, and dynamic keys that meet.
    """
    binder = _Binder(mapping, Header(header), where, sample)
    binder.bind()
    if binder.problems:
        raise MappingError(mapping.file, tuple(dict.fromkeys(binder.problems)))
    used = {*binder.found.values(), *(place for pairs in binder.dynamic.values() for _, place in pairs)}
    warnings = tuple(dict.fromkeys(binder.warnings))
    return Binding(header, tuple(sorted(used)), warnings, binder.found, binder.dynamic)


def header_score(mapping: Mapping) -> Callable[[Sequence[str]], int]:
    """Return how many of the mapping's columns a row of cells holds (alternatives count once); picklable."""
    return _HeaderScore(named_columns(mapping), _patterns(mapping))


def named_columns(mapping: Mapping) -> tuple[tuple[str, ...], ...]:
    """Return the columns that the mapping names, each with its alternatives, in the order of the file."""
    return tuple(dict.fromkeys(use.names for use in _uses(mapping)))


def is_like_a_pattern(mapping: Mapping, name: str) -> bool:
    """Whether a column of this name would be taken by one of the mapping's `columns_like`."""
    return any(_match(pattern, name) is not None for pattern in _patterns(mapping))


class Header:
    """The names of a table's columns, ready to be looked up."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        self._exact: dict[str, list[int]] = {}
        self._loose: dict[str, list[int]] = {}
        for place, name in enumerate(self.names):
            self._exact.setdefault(name.strip(), []).append(place)
            self._loose.setdefault(squash(name), []).append(place)

    def matches(self, name: str) -> list[int]:
        """Return the positions that `name` may mean: those of exactly this name, else of the same letters."""
        exact = self._exact.get(name.strip())
        if exact:
            return exact
        loose = squash(name)
        return self._loose.get(loose, []) if loose else []

    def nearest(self, name: str) -> str | None:
        """Return the name in the header that looks most like `name`, or None."""
        return most_alike(name, [one for one in self.names if one.strip()])


@dataclass(frozen=True, slots=True)
class _HeaderScore:
    wanted: tuple[tuple[str, ...], ...]
    patterns: tuple[str, ...]

    def __call__(self, cells: Sequence[str]) -> int:
        header = Header(cells)
        named = sum(any(header.matches(name) for name in names) for names in self.wanted)
        return named + sum(any(_match(pattern, cell) is not None for cell in cells) for pattern in self.patterns)


class _Use(NamedTuple):
    """A place where the mapping names a column, or alternatives."""

    names: tuple[str, ...]
    node: Node
    spec: FieldSpec | None
    action: Action | None
    optional: bool


class _Binder:
    def __init__(self, mapping: Mapping, header: Header, where: str, sample: Sample | None) -> None:
        self.mapping = mapping
        self.header = header
        self.where = where
        self.sample = sample
        self.missing: list[_Use] = []
        self.found: dict[str, int] = {}
        self.dynamic: dict[DynamicSource, tuple[tuple[str, int], ...]] = {}
        self.problems: list[Problem] = []
        self.warnings: list[str] = []

    def bind(self) -> None:
        for use in _uses(self.mapping):
            self._find(use)
        if self.missing:
            self._replace_missing()
        for record in self.mapping.records:
            for spec in record.fields:
                if isinstance(spec.source, DynamicSource):
                    self._find_dynamic(record, spec, spec.source)

    def _find(self, use: _Use) -> None:
        present = False
        for name in use.names:
            places = self.header.matches(name)
            if len(places) > 1:
                present = True
                self._refuse_two(name, places, use.node)
                break
            if places:
                present = True
                # An alternative further on is not looked at: it may well be there for another kind of file.
                self.found[name] = places[0]
                break
        if not present and not use.optional:
            self.missing.append(use)

    def _replace_missing(self) -> None:
        """Take renamed columns for the missing ones where that is allowed and sure; refuse the others."""
        of_names: dict[tuple[str, ...], list[_Use]] = {}
        for use in self.missing:
            of_names.setdefault(use.names, []).append(use)
        found: dict[int, Renamed] = {}
        if self.sample is not None:
            missing = [_missing(names, uses) for names, uses in of_names.items()]
            found = find_renamed(missing, self.header.names, self._free(), self.sample)
        for place, (names, uses) in enumerate(of_names.items()):
            renamed = found.get(place)
            if renamed is not None and renamed.is_sure and self.mapping.source.renamed:
                self.found[names[0]] = renamed.position
                why = ", ".join(renamed.reasons)
                self.warnings.append(f"column '{names[0]}' is not there; {renamed.shown} is taken for it: {why}")
                continue
            for use in uses:
                self._refuse_missing(use, renamed)

    def _free(self) -> list[int]:
        """Return the positions of the columns that the mapping names nowhere and no pattern takes."""
        named = {place for use in _uses(self.mapping) for name in use.names for place in self.header.matches(name)}
        names = self.header.names
        return [
            place
            for place in range(len(names))
            if place not in named and not is_like_a_pattern(self.mapping, names[place])
        ]

    def _refuse_two(self, name: str, places: list[int], node: Node) -> None:
        told = listed([f"'{self.header.names[place]}' ({column_letters(place)})" for place in places], "and")
        message = f"column '{name}' is there {_times(len(places))} in {self.where}: {told}"
        hint = "rename one of them in the file, or write the exact name in the mapping"
        self._tell(message, "ambiguous-column", node, hint)

    def _refuse_missing(self, use: _Use, renamed: Renamed | None) -> None:
        named = listed([f"'{name}'" for name in use.names])
        what = f"column {named} is not" if len(use.names) == 1 else f"none of the columns {named} is"
        self._tell(f"{what} in {self.where}", "missing-column", use.node, self._hint(use, renamed))

    def _hint(self, use: _Use, renamed: Renamed | None) -> str:
        name = use.names[0]
        known = use.action.field(use.spec.path) if use.action is not None and use.spec is not None else None
        if known is not None and isinstance(use.node, ColumnSource):
            meant = next(
                (value for one in use.names for value in known.values if value.casefold() == one.casefold()), None
            )
            if meant is not None:
                return f"write {{value: {meant}}} if the text itself is meant"
        if "{" in name and "}" in name and isinstance(use.node, ColumnSource):
            return f'write {{template: "{name}"}} if a template is meant'
        if renamed is not None and use.spec is not None:
            return f"{renamed.shown} looks like it: {', '.join(renamed.reasons)}; {_instead(use, renamed)}"
        near = next((found for found in map(self.header.nearest, use.names) if found is not None), None)
        if near is not None:
            return f"did you mean {write_column(near) if use.spec is None else repr(near)}?"
        if use.spec is None:
            return f"text stands in quotes in a condition: '{name}'"
        columns = [one for one in self.header.names if one.strip()]
        shown = ", ".join(columns[:12]) + (", ..." if len(columns) > 12 else "")
        return f"its columns are {shown}" if columns else "its header is blank; set source: header_row"

    # ---- many columns at once

    def _find_dynamic(self, record: RecordSpec, spec: FieldSpec, source: DynamicSource) -> None:
        pairs = [(key, self.found[name]) for name, key in source.columns if name in self.found]
        taken = {place for other in record.fields for place in self._explicit(other)}
        for pattern in source.columns_like:
            matched = [(key, place) for key, place in self._matching(pattern, source, spec) if place not in taken]
            taken |= {place for _, place in matched}
            pairs += matched
        self._refuse_repeated(spec, pairs)
        lines = {other.path for other in record.fields}
        for key, place in pairs:
            if f"{spec.path}.{key}" in lines:
                column = f"'{self.header.names[place]}' ({column_letters(place)})"
                twice = f"'{spec.path}.{key}' is given twice in {self.where}"
                message = f"{twice}, by the column {column} and by a line of its own"
                self._tell(message, "key-twice", source, "keep one of them")
        self.dynamic[source] = tuple(pairs)

    def _explicit(self, spec: FieldSpec) -> Iterator[int]:
        """Yield the columns that `spec` names as they are; a pattern leaves these alone."""
        match spec.source:
            case ColumnSource(names=names):
                yield from [self.found[name] for name in names if name in self.found][:1]
            case AllSource(specs=specs):
                for one in specs:
                    yield from self._explicit(one)
            case DynamicSource(columns=columns):
                yield from (self.found[name] for name, _ in columns if name in self.found)

    def _matching(self, pattern: str, source: DynamicSource, spec: FieldSpec) -> list[tuple[str, int]]:
        """Return key and position of the headers that `pattern` matches, in header order."""
        found = []
        for place, name in enumerate(self.header.names):
            star = _match(pattern, name)
            if star is None:
                continue
            key = star.strip() if source.keys == "star" else name.strip()
            if not key:
                if name.strip():
                    message = f"'{name}' ({column_letters(place)}) leaves nothing for the star of '{pattern}'"
                    self._tell(message, "blank-key", source, "rename the column, or leave out keys")
                continue
            found.append((key, place))
        if not found and not spec.optional:
            self.warnings.append(f"no column in {self.where} is like '{pattern}' ({spec.path})")
        return found

    def _refuse_repeated(self, spec: FieldSpec, pairs: list[tuple[str, int]]) -> None:
        first: dict[str, int] = {}
        for key, place in pairs:
            other = first.setdefault(key, place)
            if other != place:
                names = self.header.names
                told = f"'{names[other]}' ({column_letters(other)}) and '{names[place]}' ({column_letters(place)})"
                message = f"{told} in {self.where} both give '{spec.path}.{key}'"
                self._tell(message, "key-twice", spec.source, "rename one of them, or name the columns one by one")

    def _tell(self, message: str, code: str, node: Node, hint: str) -> None:
        self.problems.append(Problem(message, code, node.line, node.column, hint))


def dynamic_clashes(mapping: Mapping, binding: Binding) -> tuple[Problem, ...]:
    """Return the outgoing names that meet in the wire form `envelope` once the header has given the dynamic keys."""
    problems: list[Problem] = []
    for record in mapping.records:
        taken: dict[str, FieldSpec] = {}
        for spec in (*record.fields, *record.attributes):
            source, names = spec.source, [spec.outgoing_name]
            if isinstance(source, DynamicSource):
                names = [key for key, _ in binding.dynamic(source)]
            for name in names:
                other = taken.setdefault(name, spec)
                if other is not spec:
                    message = f"'{other.path}' and '{spec.path}' both go out as '{name}'"
                    hint = "rename the column, or give the other another name with as:"
                    problems.append(Problem(message, "name-clash", spec.line, spec.column, hint))
    return tuple(problems)


def _uses(mapping: Mapping) -> Iterator[_Use]:
    """Yield every place that names a column, in the order of the file."""
    if mapping.group_key is not None:
        yield from _uses_of(mapping.group_key, None, optional=False)
    for record in mapping.records:
        if record.when is not None:
            place = Node(line=record.when_line, column=record.when_column)
            for name in record.when.columns:
                yield _Use((name,), place, None, record.action, optional=False)
        for spec in (*record.fields, *record.attributes):
            yield from _uses_of(spec, record.action, optional=spec.optional)


def _uses_of(spec: FieldSpec, action: Action | None, *, optional: bool) -> Iterator[_Use]:
    match spec.source:
        case ColumnSource(names=names) as source:
            yield _Use(names, source, spec, action, optional)
        case TemplateSource(parts=parts):
            for part in parts:
                if part.is_column:
                    yield _Use((part.text,), part, spec, action, optional)
        case AllSource(specs=specs):
            for one in specs:
                yield from _uses_of(one, action, optional=optional or one.optional)
        case DynamicSource(columns=columns) as source:
            for name, _ in columns:
                yield _Use((name,), source, spec, action, optional)


def _patterns(mapping: Mapping) -> tuple[str, ...]:
    specs = [spec for record in mapping.records for spec in record.fields]
    found = [
        pattern for spec in specs if isinstance(spec.source, DynamicSource) for pattern in spec.source.columns_like
    ]
    return tuple(dict.fromkeys(found))


def _match(pattern: str, name: str) -> str | None:
    """Return what the star of `pattern` matches in `name` ("" where there are several); None if it does not match."""
    name = name.strip()
    first, *middle, last = pattern.strip().split("*")
    if not name.startswith(first) or not name.endswith(last) or len(name) < len(first) + len(last):
        return None
    inner = name[len(first) : len(name) - len(last)]
    if not middle:
        return inner
    # Leftmost matches are enough without captures, and stay linear whatever the pattern is.
    for part in middle:
        _, found, inner = inner.partition(part) if part else ("", "*", inner)
        if not found:
            return None
    return ""


def _missing(names: tuple[str, ...], uses: Sequence[_Use]) -> Missing:
    """Return what is missing; fixed where a condition, a deletion or group_key needs it: a wrong one harms people."""
    first = next((use for use in uses if use.spec is not None), uses[0])
    actions = [use.action.name if use.action is not None else "" for use in uses]
    fixed = bool({"contact.delete", ""} & set(actions)) or any(use.spec is None for use in uses)
    action = first.action.name if first.action is not None else ""
    return Missing(names, first.spec, action, fixed)


def _instead(use: _Use, renamed: Renamed) -> str:
    """Return what to write into the mapping so that the renamed column is read."""
    if isinstance(use.node, ColumnSource):
        return f"write column: [{', '.join(quote(name) for name in (*use.names, renamed.name))}]"
    return f"write {write_column(renamed.name) if isinstance(use.node, TemplatePart) else quote(renamed.name)} instead"


def _times(count: int) -> str:
    return "twice" if count == 2 else f"{count} times"
