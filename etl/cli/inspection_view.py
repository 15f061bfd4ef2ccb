"""What an inspection found → the terminal: a line on the file, a table of its columns, and what to watch out for."""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from rich import box
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from etl.cli import output
from etl.cli.reading import described
from etl.wording import TITLES, plural

if TYPE_CHECKING:
    from etl.inspection import ColumnFacts, FileFacts, Found, TableFacts

FORMATS = {
    "csv": "text table",
    "xlsx": "Excel workbook",
    "xlsb": "binary Excel workbook",
    "xls": "old Excel workbook",
    "ods": "OpenDocument spreadsheet",
    "jsonl": "JSON lines",
    "parquet": "Parquet file",
}
KINDS = {
    "email": "e-mail",
    "date-time": "date and time",
    "whole-number": "whole number",
    "yes-no": "yes/no",
    "web-address": "web address",
    "empty": "-",
}
"""Kinds of columns whose name is not their word."""
_DETAILS = {"leading zeros": "00…"}
_LINE_ENDS = {"mixed": "mixed line ends", "CR": "lines end in CR"}
_EXAMPLE = 24
_LEAST_EXAMPLES = 12
_GAP, _INDENT = 2, 2
_BAR = 5
_ALL = 0.995
_HALF = 0.5
_MOST_WIDTH = 120


def show_file(file: FileFacts, *, is_first: bool) -> None:
    """Print what was found in one file."""
    width = min(output.console(sys.stdout).width, _MOST_WIDTH)
    if not is_first:
        output.say(Text(""))
    output.say(_head(file))
    several = len(file.tables) > 1 or len(file.sheets) > 1
    for table in file.tables:
        if several:
            output.say(Text(""))
        output.say(*_wrapped(_reading(table, several=several), width, "bold" if several else "dim"))
        if table.columns:
            output.say(Text(""), _columns(table, width), *_below(table, width))


def _head(file: FileFacts) -> Text:
    told = [FORMATS.get(file.format, file.format), size_in_words(file.size_bytes)]
    if len(file.sheets) > 1:
        told.append(f"{len(file.sheets)} sheets: {', '.join(file.sheets)}")
    return Text.assemble((output.visible(Path(file.file).name), "bold"), output.visible(f": {', '.join(told)}"))


def size_in_words(size: int) -> str:
    """Return `812 bytes`, `57 kB`, `1.4 MB`."""
    if size < 1000:
        return f"{size} {plural(size, 'byte')}"
    if size < 1_000_000:
        return f"{size / 1000:,.0f} kB"
    return f"{size / 1_000_000:,.1f} MB"


def _reading(table: TableFacts, *, several: bool) -> str:
    if not table.columns:
        return f"sheet {table.sheet}: nothing in it"
    facts = {name: value for name, value in table.facts.items() if name != "sheet"}
    told = described(table.header_row, facts)
    if "encoding_confidence" in facts:
        sure = facts["encoding_confidence"]
        told = told.replace(", ", f" ({'confidence ' * sure[:1].isdigit()}{sure}), ", 1)
    if facts.get("line_ends") in _LINE_ENDS:
        told += f", {_LINE_ENDS[facts['line_ends']]}"
    rows = f"{table.rows:,} {plural(table.rows, 'row')}"
    if not table.is_whole:
        rows = f"the first {rows} alone"
    blank = f" ({table.blank_rows:,} blank)" if table.blank_rows else ""
    count = len(table.columns)
    sheet = f"sheet {table.sheet}: " if several and table.sheet else ""
    return f"{sheet}{told}; {rows}{blank}, {count:,} {plural(count, 'column')}"


def _columns(table: TableFacts, width: int) -> Padding:
    is_terminal = sys.stdout.isatty()
    holds = [_holds(column) for column in table.columns]
    names = [_name(column) for column in table.columns]
    letters = max(len(column.letter) for column in table.columns)
    name_width = min(max([6, *(name.cell_len for name in names)]), width // 5)
    holds_width = min(max([5, *(text.cell_len for text in holds)]), width // 4)
    fill_width = 6 + (_BAR + 1) * is_terminal
    distinct = [_distinct(column) for column in table.columns]
    distinct_width = max([9, *map(len, distinct)])
    used = letters + name_width + holds_width + fill_width + distinct_width + 5 * _GAP + _INDENT
    shown = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="dim", padding=(0, _GAP - 1, 0, 0))
    shown.add_column("", width=letters, justify="right", style="dim", no_wrap=True)
    shown.add_column("column", width=name_width, no_wrap=True, overflow="ellipsis")
    shown.add_column("holds", width=holds_width, no_wrap=True, overflow="ellipsis")
    shown.add_column("filled", width=fill_width, justify="right", no_wrap=True)
    shown.add_column("different", width=distinct_width, justify="right", no_wrap=True)
    shown.add_column(
        "examples", width=max(_LEAST_EXAMPLES, width - used), no_wrap=True, overflow="ellipsis", style="dim"
    )
    for column, name, held, different in zip(table.columns, names, holds, distinct, strict=True):
        shown.add_row(column.letter, name, held, _fill(column, is_terminal=is_terminal), different, _examples(column))
    return Padding(shown, (0, 0, 0, 2))


def _name(column: ColumnFacts) -> Text:
    name = Text(_one_line(column.name) or "(no name)", style="" if column.name else "dim")
    if column.personal:
        name.append(f" {_mark()}", style="magenta")
    return name


def _mark() -> str:
    """Return the sign of personal data, in letters that the output has."""
    return "•" if (sys.stdout.encoding or "").lower().startswith("utf") else "*"


def _holds(column: ColumnFacts) -> Text:
    kind = column.kind
    word = KINDS.get(kind.name, kind.name)
    text = Text(word, style="dim" if kind.name in {"empty", "text"} else "cyan")
    if kind.name == "mixed":
        return Text(kind.detail, style="yellow")
    if kind.detail:
        detail = _DETAILS.get(kind.detail, kind.detail)
        text.append(f" ({detail})" if kind.name == "yes-no" else f" {detail}")
    if kind.share < _ALL:
        text.append(f" {int(100 * kind.share)} %", style="yellow")
    return text


def _fill(column: ColumnFacts, *, is_terminal: bool) -> Text:
    style = "dim" if column.fill >= _ALL else "yellow" if column.fill < _HALF else ""
    percent = "< 1 %" if 0 < column.fill < 0.01 else f"{int(100 * column.fill + 1e-9)} %"
    if not is_terminal:
        return Text(percent)
    cells = round(_BAR * column.fill) or int(column.filled > 0)
    full, rest = ("━", "─") if _mark() == "•" else ("#", ".")
    bar = Text.assemble((full * cells, "cyan"), (rest * (_BAR - cells), "bright_black"))
    return Text.assemble(bar, (f"{percent:>6}", style))


def _distinct(column: ColumnFacts) -> str:
    return f"{'' if column.distinct_is_exact else '~'}{column.distinct:,}"


def _examples(column: ColumnFacts) -> Text:
    shown = []
    for example in column.examples:
        text = _one_line(example)
        shown.append(text if len(text) <= _EXAMPLE else f"{text[: _EXAMPLE - 1]}…")
    return Text("  ".join(shown))


def _one_line(text: str) -> str:
    return output.visible(" ".join(text.split()))


def _below(table: TableFacts, width: int) -> list[Text]:
    """Return what a person should know before sending: personal data, damage, notes."""
    lines = [*_personal(table, width), *_damage(table.damage, width)]
    for note in table.notes:
        lines += _wrapped(f"Note: {note}", width, "dim", indent="  ")
    return [Text(""), *lines] if lines else []


def _personal(table: TableFacts, width: int) -> list[Text]:
    groups: dict[str, list[str]] = {}
    for column in table.columns:
        for one in column.personal:
            groups.setdefault(one.kind, []).append(f"{_one_line(column.name) or column.letter} ({one.why})")
    if not groups:
        return []
    lines = [Text.assemble((f"{_mark()} ", "magenta"), ("likely personal data", "bold"))]
    for kind, names in groups.items():
        # A reason that all columns of a kind share is said once.
        reasons = {name.rpartition(" (")[2] for name in names}
        bare = [name.rpartition(" (")[0] for name in names]
        told = f"{', '.join(bare)} ({reasons.pop()}" if len(reasons) == 1 else ", ".join(names)
        lines += _wrapped(f"  {kind}: {told}", width, "", indent="    ")
    return lines


def _damage(found: tuple[Found, ...], width: int) -> list[Text]:
    lines = []
    for one in found:
        noun = "cell" if one.column else "row"
        first = f"{one.column}{one.row}" if one.column else f"row {one.row:,}"
        where = f"first {first}" if one.count > 1 else first
        told = f"! {one.count:,} {plural(one.count, noun)}: {TITLES.get(one.code, one.code)} ({where})   [{one.code}]"
        lines += _wrapped(told, width, "yellow", indent="  ")
    return lines


def _wrapped(text: str, width: int, style: str, indent: str = "") -> list[Text]:
    return [
        Text(line, style=style)
        for line in textwrap.wrap(output.visible(text), width, subsequent_indent=indent, drop_whitespace=True)
    ]
