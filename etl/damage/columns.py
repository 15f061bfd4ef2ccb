"""Damage that a whole column shows and no cell alone: digits cut after the 15th, lost leading zeros, serials for dates.

A watch looks at every chunk of one table and, at the end, says in a few sentences what was probably lost and how to
save it. What a column is (numbers, dates) is decided by its first rows, so that the rest costs next to nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from etl.cells import letters_at
from etl.contract import FieldType
from etl.damage import arrow
from etl.damage.zeros import Lengths, purpose_of
from etl.mapping.binding import Binding
from etl.mapping.model import AllSource, ColumnSource, DynamicSource, FieldSpec, Mapping, TemplateSource
from etl.records import Chunk, Mask, Rows

SHEET_ROWS = 1_048_576
OLD_SHEET_ROWS = 65_536
"""The rows of a sheet, and of one of Excel 97 to 2003 (.xls): Microsoft's "specifications and limits"."""
_DECIDED_BY = 2_000
_MOST = 0.5
_EXACT_DIGITS = 15
_EVIDENCE = 3
"""Noughts after the 15th digit that no chance explains: one in a thousand."""
_LONGEST = 64
_CUT_AT, _LEAST_CUT = 255, 3
_DENSE = 0.98
_DATE = r"^(?:[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}|[0-9]{1,2}[./-][0-9]{1,2}[./-](?:[0-9]{4}|[0-9]{2}))(?:[ T][0-9:.]+)?$"
_ISO_DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(?: |$)"
_SERIAL = r"^(?:[2-5][0-9]{4}|60000)(?:\.[0-9]+)?$"
"""Day numbers from 1954 to 2064, as the transform `date` reads them."""


@dataclass(slots=True)
class _Seen:
    """What was seen of one column. Rows are numbers that a person sees, 0 where there is none."""

    filled: int = 0
    as_digits: bool = True
    as_dates: bool = True
    digits: Lengths = field(default_factory=Lengths)
    dates: int = 0
    serials: int = 0
    first_serial: int = 0
    long: int = 0
    long_by_zeros: int = 0
    zeros: int = 0
    typed_long: int = 0
    first_long: int = 0
    typed_dates: int = 0
    first_typed_date: int = 0
    at_limit: int = 0
    first_at_limit: int = 0
    over_limit: bool = False


@dataclass(frozen=True, slots=True)
class _Use:
    """What a mapping makes of a column: `reads_dates`, or takes it for an amount; the fields that it feeds."""

    reads_dates: bool
    is_amount: bool
    paths: tuple[str, ...]


class Watch:
    """Looks at the chunks of one table in their order."""

    def __init__(self, mapping: Mapping, binding: Binding, columns: int | Sequence[int]) -> None:
        self._header = binding.header
        self._columns = columns
        self._uses = dict(_uses(mapping, binding))
        self._seen = {position: _Seen() for position in self._uses}
        self.rows = 0
        self.last_row = 0

    def see(self, chunk: Chunk) -> None:
        """Look at the next chunk."""
        undecided = max(0, min(_DECIDED_BY - self.rows, len(chunk.blank)))
        for position, seen in self._seen.items():
            text = arrow(chunk.cells[position])
            # A workbook keeps 15 digits of a number, and a size as a date; Parquet and JSON keep what they were given.
            typed = chunk.typed.get(position) if chunk.source.sheet else None
            for rows in (slice(0, undecided), slice(undecided, len(text))):
                if rows.stop > rows.start:
                    part = text.slice(rows.start, rows.stop - rows.start)
                    _look(seen, part, chunk.rows[rows], None if typed is None else typed[rows])
                if undecided and self.rows + undecided == _DECIDED_BY and rows.start == 0:
                    seen.as_digits = seen.digits.count >= _MOST * seen.filled > 0
                    seen.as_dates = seen.dates >= _MOST * seen.filled > 0 and not self._uses[position].reads_dates
        self.rows += len(chunk.blank)
        self.last_row = int(chunk.rows[-1]) if len(chunk.rows) else self.last_row

    def notes(self) -> Iterator[str]:
        """Yield what was probably lost, column by column, each with its code in brackets."""
        for position, seen in self._seen.items():
            use = self._uses[position]
            name = f"'{self._header[position]}'"
            letters = letters_at(position, self._columns)
            yield from _digits_note(seen, name, letters)
            if not use.is_amount and not use.reads_dates:
                purpose = purpose_of(self._header[position], use.paths)
                yield from _zeros_note(seen, purpose, name, letters)
            if not use.reads_dates:
                yield from _dates_notes(seen, name, letters)
            if seen.at_limit >= _LEAST_CUT and not seen.over_limit:
                yield (
                    f"{seen.at_limit:,} texts in {name} have exactly 255 characters, and none has more "
                    f"(first {letters}{seen.first_at_limit}): they were probably cut by the program that wrote the "
                    "file; take them from where they came from [text-cut]"
                )

    def cut_note(self, header_row: int, file_format: str, *, is_workbook: bool) -> str:
        """Return that the table ends exactly where a sheet of Excel does, "" if it does not."""
        limits = (SHEET_ROWS,) if is_workbook and file_format != "xls" else (SHEET_ROWS, OLD_SHEET_ROWS)
        reached = (self.last_row,) if is_workbook else (self.last_row, self.rows + max(header_row, 0))
        for limit in limits:
            if limit in reached and self.rows + header_row >= _DENSE * limit:
                return (
                    f"the table ends in row {limit:,}, the last one of a sheet of Excel: what followed is probably cut "
                    "off; export it again in several files, or as CSV without opening it in Excel [file-cut]"
                )
        return ""


def _look(seen: _Seen, text: pa.Array, numbers: Rows, typed: Mask | None) -> None:
    lengths = pc.binary_length(text).to_numpy(zero_copy_only=False)
    seen.filled += int(np.count_nonzero(lengths))
    if int(lengths.max(initial=0)) >= _CUT_AT:
        _look_at_limit(seen, text, numbers)
    if seen.as_digits:
        _look_at_digits(seen, text, lengths, numbers, typed)
    if seen.as_dates:
        _look_at_dates(seen, text, numbers)
    if typed is not None and typed.any():
        _look_at_typed_dates(seen, text, lengths, numbers, typed)


def _look_at_limit(seen: _Seen, text: pa.Array, numbers: Rows) -> None:
    characters = pc.utf8_length(text).to_numpy(zero_copy_only=False)
    seen.over_limit = seen.over_limit or bool((characters > _CUT_AT).any())
    at_limit = characters == _CUT_AT
    seen.at_limit += int(at_limit.sum())
    seen.first_at_limit = seen.first_at_limit or _first(at_limit, numbers)


def _look_at_digits(seen: _Seen, text: pa.Array, lengths: Any, numbers: Rows, typed: Mask | None) -> None:
    digits = pc.ascii_is_decimal(text).to_numpy(zero_copy_only=False)
    noughts = pc.starts_with(text, "0").to_numpy(zero_copy_only=False) & digits & (lengths > 1)
    seen.digits.add(np.minimum(lengths[digits], _LONGEST), numbers[digits], int(noughts.sum()))
    long = digits & (lengths > _EXACT_DIGITS)
    if not long.any():
        return
    places = np.flatnonzero(long)
    rounded = pc.match_substring_regex(text.take(pa.array(places)), r"^[0-9]{15}0+$").to_numpy(zero_copy_only=False)
    seen.long += len(places)
    seen.long_by_zeros += int(rounded.sum())
    seen.zeros += int((lengths[places] - _EXACT_DIGITS).sum())
    seen.typed_long += 0 if typed is None else int(typed[places].sum())
    seen.first_long = seen.first_long or int(numbers[places[0]])


def _look_at_dates(seen: _Seen, text: pa.Array, numbers: Rows) -> None:
    seen.dates += int(pc.sum(pc.match_substring_regex(text, _DATE)).as_py() or 0)
    serials = pc.match_substring_regex(text, _SERIAL).to_numpy(zero_copy_only=False)
    seen.serials += int(serials.sum())
    seen.first_serial = seen.first_serial or _first(serials, numbers)


def _look_at_typed_dates(seen: _Seen, text: pa.Array, lengths: Any, numbers: Rows, typed: Mask) -> None:
    places = np.flatnonzero(typed & (lengths >= len("2024-03-01")))
    if not len(places):
        return
    dated = pc.match_substring_regex(text.take(pa.array(places)), _ISO_DATE).to_numpy(zero_copy_only=False)
    seen.typed_dates += int(dated.sum())
    seen.first_typed_date = seen.first_typed_date or _first(dated, numbers[places])


def _digits_note(seen: _Seen, name: str, letters: str) -> Iterator[str]:
    by_zeros = seen.long == seen.long_by_zeros and seen.zeros >= _EVIDENCE
    if not by_zeros and not seen.typed_long:
        return
    count = seen.long if by_zeros else seen.typed_long
    why = "and zeros alone after the 15th" if by_zeros else f"kept as {'a number' if count == 1 else 'numbers'}"
    yield (
        f"{_numbers(count)} in {name} {_have(count)} 16 digits or more, {why} (first {letters}{seen.first_long}): Excel"
        " keeps 15, the others are gone; format the column as Text before pasting, or import the CSV by Data > From "
        "Text/CSV with it as Text [digits-lost]"
    )


def _zeros_note(seen: _Seen, purpose: str, name: str, letters: str) -> Iterator[str]:
    lost = seen.digits.lost(purpose)
    if lost is None:
        return
    yield (
        f"{lost.count:,} of {seen.digits.count:,} numbers in {name} {'is' if lost.count == 1 else 'are'} shorter than "
        f"the {lost.width} digits of the others, and none begins with 0 (first {letters}{lost.first}): leading zeros "
        f"were probably lost; format the column as Text and enter them again, or put `{{pad: {lost.width}}}` into its "
        "`transform` [leading-zeros-lost]"
    )


def _dates_notes(seen: _Seen, name: str, letters: str) -> Iterator[str]:
    if seen.serials and seen.dates >= _MOST * seen.filled:
        yield (
            f"{_numbers(seen.serials)} in {name} {_stand(seen.serials)} among dates, and {_are(seen.serials)} probably "
            f"Excel's day {'number' if seen.serials == 1 else 'numbers'} (first {letters}{seen.first_serial}): format "
            "the column as Date and save again, or read it by `{date: {excel_serials: true}}` [serials-for-dates]"
        )
    if 0 < seen.typed_dates < _MOST * seen.filled:
        yield (
            f"{seen.typed_dates:,} {'cell' if seen.typed_dates == 1 else 'cells'} in {name} {_are(seen.typed_dates)} a "
            f"date where most are none (first {letters}{seen.first_typed_date}): Excel takes sizes and codes such as "
            "1-3 for dates; format the column as Text and enter them again [month-for-size]"
        )


def _numbers(count: int) -> str:
    return f"{count:,} {'number' if count == 1 else 'numbers'}"


def _have(count: int) -> str:
    return "has" if count == 1 else "have"


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def _stand(count: int) -> str:
    return "stands" if count == 1 else "stand"


def _first(mask: npt.NDArray[Any], numbers: Rows) -> int:
    places = np.flatnonzero(mask)
    return int(numbers[places[0]]) if len(places) else 0


def _uses(mapping: Mapping, binding: Binding) -> Iterator[tuple[int, _Use]]:
    """Yield, by position, what is made of each column that feeds a field."""
    found: dict[int, list[tuple[str, set[str], bool]]] = {}
    for record in mapping.records:
        for spec in (*record.fields, *record.attributes):
            known = record.action.field(spec.path)
            is_float = known is not None and known.type is FieldType.FLOAT
            for position, calls in _fed(spec, binding, ()):
                found.setdefault(position, []).append((spec.path, set(calls), is_float))
    for position, uses in found.items():
        yield (
            position,
            _Use(
                reads_dates=any("date" in calls for _, calls, _ in uses),
                is_amount=any(is_float or calls & {"number", "integer"} for _, calls, is_float in uses),
                paths=tuple(dict.fromkeys(path for path, *_ in uses)),
            ),
        )


def _fed(spec: FieldSpec, binding: Binding, outer: Sequence[str]) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Yield the columns that feed `spec`, each with the names of the transforms that it goes through."""
    names = (*(call.name for call in spec.transforms), *outer)
    match spec.source:
        case ColumnSource(names=columns):
            position = binding.choose(columns)
            if position is not None:
                yield position, names
        case TemplateSource(parts=parts):
            for part in parts:
                place = binding.position(part.text) if part.is_column else None
                if place is not None:
                    yield place, names
        case AllSource(specs=specs):
            for one in specs:
                yield from _fed(one, binding, names)
        case DynamicSource() as source:
            for _, place in binding.dynamic(source):
                yield place, names
