"""Which columns a mapping leaves open, or pins: the first `date` or `number` of each chain that reads a column."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from etl.mapping.binding import Binding
from etl.mapping.model import AllSource, ColumnSource, DynamicSource, FieldSpec, Mapping, TransformCall
from etl.proofs.evidence import Amounts, Dates, Evidence
from etl.transforms.date_formats import date_format
from etl.transforms.numbers import EITHER

_READ_BY_PROOF = ("date", "number")
_DAY_FIRST, _MONTH_FIRST = 0, 1


@dataclass(frozen=True, slots=True)
class Question:
    """One call that reads one column. `line`: the whole spec; `part`: the one in it that holds the call.

    `index`: the call's place in the part's chain; `pin`: the way (0 or 1, as in `Way`) that the mapping names; None
    where it leaves the way open.
    """

    line: FieldSpec
    part: FieldSpec
    index: int
    position: int
    pin: int | None

    @property
    def call(self) -> TransformCall:
        """The call in question."""
        return self.part.transforms[self.index]

    @property
    def is_of_dates(self) -> bool:
        """Whether it is about dates, not amounts."""
        return self.call.name == "date"

    @property
    def subject(self) -> str:
        """What makes two questions the same: the column, and all that is done to its cells up to the reading."""
        before = [(call.name, call.arguments) for call in self.part.transforms[: self.index + 1]]
        return f"{self.position} {before}"

    def evidence(self) -> Evidence:
        """Return what gathers the evidence, empty."""
        arguments = self.call.arguments
        if self.is_of_dates:
            return Dates()
        return Amounts(arguments.get("currency", False), arguments.get("accounting", False))

    def calls(self, arguments: dict[str, Any]) -> tuple[TransformCall, ...]:
        """Return the part's chain with `arguments` for those of the call."""
        chain = list(self.part.transforms)
        chain[self.index] = self.call.model_copy(update={"arguments": arguments})
        return tuple(chain)

    def answered(self, way: int, signs: str = "") -> dict[str, Any]:
        """Return the call's arguments with those that name `way`; `signs`: the thousands signs, where there are any."""
        if self.is_of_dates:
            return {**self.call.arguments, "day_first": way == _DAY_FIRST}
        others = {name: given for name, given in self.call.arguments.items() if name not in {"decimal", "thousands"}}
        grouped = {"thousands": signs} if signs else {}
        return {"decimal": ".,"[way], **grouped, **others}

    def unanswered(self) -> dict[str, Any]:
        """Return the arguments for a column that is written in both ways."""
        return dict(self.call.arguments) if self.is_of_dates else {**self.call.arguments, "decimal": EITHER}


def questions(mapping: Mapping, binding: Binding) -> list[Question]:
    """Return every question that the cells of the table can answer, in the order of the mapping."""
    return [question for spec in specs_of(mapping) for question in _of_spec(spec, spec, binding)]


def specs_of(mapping: Mapping) -> Iterator[FieldSpec]:
    """Yield every line of the mapping that feeds something."""
    if mapping.group_key is not None:
        yield mapping.group_key
    for record in mapping.records:
        yield from (*record.fields, *record.attributes)


def _of_spec(line: FieldSpec, part: FieldSpec, binding: Binding) -> Iterator[Question]:
    if isinstance(part.source, AllSource):
        for one in part.source.specs:
            yield from _of_spec(line, one, binding)
    for index, call in enumerate(part.transforms):
        if call.name in _READ_BY_PROOF:
            # What a later call reads has been written by this one.
            if not _is_clear(call):
                for position in _positions(part, binding):
                    yield Question(line, part, index, position, _pin(call))
            return


def _positions(part: FieldSpec, binding: Binding) -> list[int]:
    if isinstance(part.source, DynamicSource):
        return [position for _, position in binding.dynamic(part.source)]
    position = binding.choose(part.source.names) if isinstance(part.source, ColumnSource) else None
    return [] if position is None else [position]


def _is_clear(call: TransformCall) -> bool:
    """Whether no cell can speak against the call: its signs or formats are of neither way, or of both."""
    if call.name == "date":
        return "formats" in call.arguments and len(_orders(call.arguments["formats"])) != 1
    return call.arguments.get("decimal", ".") not in {".", ","}


def _pin(call: TransformCall) -> int | None:
    arguments = call.arguments
    if call.name == "number":
        open_ = arguments.keys().isdisjoint({"decimal", "thousands"})
        return None if open_ else ".,".index(arguments.get("decimal", "."))
    if "formats" in arguments:
        return next(iter(_orders(arguments["formats"])))
    return None if "day_first" not in arguments else _DAY_FIRST if arguments["day_first"] else _MONTH_FIRST


def _orders(formats: tuple[str, ...]) -> set[int]:
    """Return the orders of the formats in which day and month, both in digits, stand before the year, apart."""
    found = set()
    for written in formats:
        parts = date_format(written).parts
        kinds = [kind for kind, _ in parts[:5]]
        if kinds[1::2] == ["", ""] and kinds[4] in {"year", "short_year"} and set(kinds[:3:2]) == {"day", "month"}:
            found.add(_DAY_FIRST if kinds[0] == "day" else _MONTH_FIRST)
    return found
