"""A script of its own: reads one workbook by python-calamine, within limits, in a process that may die of it.

Run by `workbook_process`, never imported. Standard input is one line of JSON, and is then held open as long as
the parent lives; standard output is JSON lines (the heads of sheets) or an Arrow stream (the rows of one).
It imports nothing of etl and no pandas, so that it starts within 40 ms (150 ms with pyarrow; 2026-11).
"""

from __future__ import annotations

import importlib.util
import itertools
import json
import os
import signal
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

DAMAGED, CHANGED, OUT_OF_MEMORY = 3, 4, 5
"""Exit codes; the reason is on standard error."""
_COMMENT, _TOTAL = 1, 2


def main() -> None:
    """Do what the first line of standard input asks for."""
    told = os.dup(2)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # a panic would print there
    request = json.loads(sys.stdin.buffer.readline())
    _limit(request["limits"])
    _end_with_parent()
    try:
        {"heads": _heads, "rows": _rows}[request["task"]](request)
        sys.stdout.flush()
    except BrokenPipeError:
        os._exit(1)
    except MemoryError:
        os._exit(OUT_OF_MEMORY)
    except _ChangedError:
        os._exit(CHANGED)
    except BaseException as error:  # noqa: BLE001 - a panic of calamine is no Exception; the process ends here anyway
        os.write(told, f"{error}"[:500].encode("utf-8", "replace"))
        os._exit(DAMAGED)
    os._exit(0)


class _ChangedError(Exception):
    """The file is not the one that the parent looked at."""


def _limit(limits: dict[str, int]) -> None:
    try:
        import resource
    except ImportError:
        return
    for name, most in limits.items():
        kind = getattr(resource, f"RLIMIT_{name}", None)
        if kind is not None:
            hard = resource.getrlimit(kind)[1]
            most = most if hard == resource.RLIM_INFINITY else min(most, hard)
            # At the hard limit of time the system kills without a word; above the soft one its signal tells why.
            ceiling = hard if name == "CPU" else most
            try:
                resource.setrlimit(kind, (most, ceiling))
            except (ValueError, OSError):  # macOS has the name and not the limit
                continue


def _end_with_parent() -> None:
    """Let the system end this process when the other end of standard input is closed, whatever it is doing."""
    try:
        import fcntl

        signal.signal(signal.SIGIO, signal.SIG_DFL)
        fcntl.fcntl(0, fcntl.F_SETOWN, os.getpid())
        fcntl.fcntl(0, fcntl.F_SETFL, fcntl.fcntl(0, fcntl.F_GETFL) | os.O_ASYNC)
    except (ImportError, AttributeError, OSError):
        return  # the next write to standard output ends it


def _heads(request: dict[str, Any]) -> None:
    """Write of each sheet asked for its first cell and its first rows, one JSON line each."""
    texts, wanted = _beside("cell_text"), request["row"]
    for sheet, numbers, (name, _, hidden) in _sheets(request):
        passed = frozenset(hidden)
        rows: list[tuple[int, list[str]]] = []
        for number, row in zip(numbers, sheet.iter_rows(), strict=False):
            if texts.is_blank(row) or (len(rows) >= request["rows"] and number != wanted):
                continue
            as_text = [texts.cell_text(cell) for cell in row]
            if number == wanted or not (number in passed or _is_comment(as_text, request["comment"])):
                rows.append((number, as_text))
            if len(rows) >= request["rows"] and number >= (wanted or 0):
                break
        line = {"sheet": name, "first_column": (sheet.start or (0, 0))[1], "rows": rows}
        sys.stdout.write(f"{json.dumps(line)}\n")


def _rows(request: dict[str, Any]) -> None:
    """Write the rows of one sheet: their numbers, what they are, and of each column its texts and which are typed."""
    import pyarrow as pa

    texts, totals = _beside("cell_text"), _beside("totals")
    columns, aside = request["columns"], request["aside"]
    fields = [("row", pa.int64()), ("mark", pa.int8()), ("label", pa.string())]
    for column in columns:
        fields += [(f"text{column}", pa.large_string()), (f"typed{column}", pa.bool_())]
    schema = pa.schema(fields)
    numbered = itertools.islice(_filled(request, texts), request["limit"])
    with os.fdopen(1, "wb", closefd=False) as out, pa.ipc.new_stream(out, schema) as stream:
        while some := list(itertools.islice(numbered, request["batch"])):
            marks = [_mark(_data(row, aside), request["comment"], texts, totals) for _, row in some]
            arrays = [
                pa.array([number for number, _ in some], pa.int64()),
                pa.array([mark for mark, _ in marks], pa.int8()),
                pa.array([label for _, label in marks], pa.string()),
            ]
            for column in columns:
                found, typed = texts.column_texts([row[column] for _, row in some])
                arrays += [pa.array(found, pa.large_string())]
                arrays += [pa.nulls(len(some), pa.bool_()) if typed is None else pa.array(typed, pa.bool_())]
            stream.write_batch(pa.record_batch(arrays, schema=schema))
            out.flush()


def _filled(request: dict[str, Any], texts: ModuleType) -> Iterator[tuple[int, list[Any]]]:
    """Yield the rows that hold anything, and those that are to be kept; cells merged downwards count in each row."""
    ((sheet, numbers, _),) = _sheets(request)
    kept = frozenset(request["keep"])
    merges: dict[int, list[tuple[int, int]]] = {}
    for top, bottom, column in request["merges"]:
        merges.setdefault(top, []).append((column, bottom))
    open_merges: dict[int, tuple[int, Any]] = {}
    after, aside, last = request["after"], request["aside"], max(kept, default=0)
    width = sheet.width
    # Calamine's rows end with the last cell that has a value: formulas without one may stand below.
    tail = ([""] * width for _ in range(last - (sheet.end or (0, 0))[0] - 1))
    for number, row in zip(numbers, itertools.chain(sheet.iter_rows(), tail), strict=False):
        if number <= after:
            continue
        is_blank = texts.is_blank(_data(row, aside))
        if open_merges:
            open_merges = {column: one for column, one in open_merges.items() if one[0] >= number}
        if number in merges:
            open_merges |= {column: (bottom, row[column]) for column, bottom in merges[number] if column < len(row)}
        if is_blank and number not in kept:
            continue
        for column, (_, value) in open_merges.items():
            row[column] = value
        yield number, row


def _data(row: list[Any], aside: int | None) -> list[Any]:
    """Return the cells of a row without the one that is no data."""
    return row if aside is None else row[:aside] + row[aside + 1 :]


def _mark(row: list[Any], comment: str | None, texts: ModuleType, totals: ModuleType) -> tuple[int, str | None]:
    """Return what a row is (0: data), and of a total its first word."""
    first = row[0] if row else ""
    if type(first) is not str:
        return 0, None
    if not first or first.isspace():
        first = next((cell for cell in row if type(cell) is not str or (cell and not cell.isspace())), "")
        if type(first) is not str:
            return 0, None
    first = first.strip()
    if comment is not None and first.startswith(comment):
        return _COMMENT, None
    if first in totals.LABELS and totals.is_total([texts.cell_text(cell) for cell in row]):
        return _TOTAL, first
    return 0, None


def _is_comment(row: list[str], comment: str | None) -> bool:
    return comment is not None and next((cell.strip() for cell in row if cell.strip()), "").startswith(comment)


def _sheets(request: dict[str, Any]) -> Iterator[tuple[Any, Iterable[int], list[Any]]]:
    """Yield the sheets asked for, read whole, with the numbers of their rows; only one of them is held here."""
    from python_calamine import CalamineWorkbook

    path = request["path"]
    if all(part is None for _, part, _ in request["sheets"]):
        with CalamineWorkbook.from_path(path) as workbook:
            for one in request["sheets"]:
                yield workbook.get_sheet_by_name(one[0]), itertools.count(1), one
    else:
        for one in request["sheets"]:
            source, numbers = (path, itertools.count(1)) if one[1] is None else _gaps(path, one[1])
            with CalamineWorkbook.from_object(source) as workbook:
                yield workbook.get_sheet_by_name(one[0]), numbers, one
    status = Path(path).stat()
    if [status.st_size, status.st_mtime_ns] != request["state"]:
        raise _ChangedError


def _gaps(path: str, part: str) -> Any:
    return _beside("workbook_gaps").without_gaps(path, part)


def _beside(name: str) -> ModuleType:
    """Return the module beside this script, loaded by its path: its package would import pandas."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    if spec is None or spec.loader is None:
        raise ImportError(name)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    main()
