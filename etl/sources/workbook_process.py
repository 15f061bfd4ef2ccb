"""The process in which a workbook is parsed: started, listened to with a clock, and always ended.

Calamine can abort the process it runs in, and allocates what a file claims; so it never runs in this one.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import pyarrow as pa

from etl.errors import SourceError
from etl.sources.fingerprint import unreadable
from etl.sources.workbook_parts import damaged, hostile

State = tuple[int, int]
"""Of a file: its size in bytes and its time of change in nanoseconds."""

_SCRIPT = Path(__file__).with_name("workbook_child.py")
_DAMAGED, _CHANGED = 3, 4
_SIGXCPU = getattr(signal, "SIGXCPU", 0)
_OUT_OF_MEMORY = (5, -signal.SIGABRT, -getattr(signal, "SIGKILL", 9))
"""Calamine aborts where memory is refused; the system kills where it has run out."""
_KEPT_VARIABLES = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT", "TMPDIR", "TZ")


@dataclass(frozen=True, slots=True)
class Limits:
    """What parsing may take: bytes of address space, seconds of the processor, seconds of waiting for an answer."""

    memory_bytes: int = 4 << 30
    cpu_seconds: int = 600
    wait_seconds: float = 600

    @property
    def resources(self) -> dict[str, int]:
        """By the name of the system's limit; no core, and no file may be written."""
        return {"AS": self.memory_bytes, "CPU": self.cpu_seconds, "CORE": 0, "FSIZE": 0}


LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Book:
    """A workbook as it was when it was looked at."""

    path: Path
    state: State
    limits: Limits = LIMITS

    def check(self) -> None:
        """Raise SourceError where the file is not the one that was looked at."""
        if self.state != state_of(self.path):
            raise _changed(self.path)


@dataclass(frozen=True, slots=True)
class Head:
    """The start of a sheet: `first_column` of its cells, from 0; its first rows as text, with their numbers."""

    sheet: str
    first_column: int
    rows: tuple[tuple[int, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class SheetRequest:
    """A sheet by its name; `part`: the one that holds it, where its gaps must be closed; `pass_over`: rows."""

    name: str
    part: str | None = None
    pass_over: tuple[int, ...] = ()

    def as_list(self) -> list[object]:
        """As the script takes it."""
        return [self.name, self.part, self.pass_over]


@dataclass(frozen=True, slots=True)
class Rows:
    """Which rows of a sheet are asked for, in order.

    `columns`: from the sheet's first filled one; `after`: the row before the first; `keep`: rows to be given though
    they are blank; `merges`: (first row, last row, column); `aside`: a column that is no data.
    """

    sheet: SheetRequest
    columns: tuple[int, ...]
    after: int
    keep: tuple[int, ...] = ()
    merges: tuple[tuple[int, int, int], ...] = ()
    limit: int | None = None
    batch: int = 20_000
    comment: str | None = None
    aside: int | None = None


def state_of(path: Path) -> State:
    """Return the file's state. Raises SourceError."""
    try:
        status = path.stat()
    except OSError as error:
        raise unreadable(path, error) from error
    return status.st_size, status.st_mtime_ns


def read_heads(
    book: Book,
    sheets: Sequence[SheetRequest],
    *,
    most_rows: int,
    pinned: int | None = None,
    comment: str | None = None,
) -> list[Head]:
    """Return the heads of sheets in the order given: up to `most_rows` rows that hold anything, and the one `pinned`.

    Rows that start with `comment` are passed over. Raises SourceError.
    """
    request = {
        "task": "heads",
        "sheets": [sheet.as_list() for sheet in sheets],
        "rows": most_rows,
        "row": pinned,
        "comment": comment,
    }
    with _child(book, request) as child:
        answer = child.read()
    found = [json.loads(line) for line in answer.splitlines()]
    return [
        Head(one["sheet"], one["first_column"], tuple((number, tuple(row)) for number, row in one["rows"]))
        for one in found
    ]


def read_rows(book: Book, rows: Rows) -> Generator[pa.RecordBatch, None, None]:
    """Yield the rows in batches.

    Columns: `row` (int64), `mark` (int8: 0 data, 1 comment, 2 total), `label` (string, of a total its first word), and
    for each column asked for `textN` (large_string) and `typedN` (bool, null throughout where no cell is).
    The process ends with the generator. Raises SourceError.
    """
    request = {
        "task": "rows",
        "sheets": [rows.sheet.as_list()],
        "columns": rows.columns,
        "after": rows.after,
        "keep": rows.keep,
        "merges": rows.merges,
        "limit": rows.limit,
        "batch": rows.batch,
        "comment": rows.comment,
        "aside": rows.aside,
    }
    with _child(book, request) as child, pa.ipc.open_stream(child) as stream:
        yield from stream


@dataclass(slots=True)
class _Answer:
    """The child's standard output as a file that is read with a clock; only the time spent waiting counts."""

    stream: IO[bytes]
    seconds_left: float
    closed: bool = False
    is_over: bool = False
    _selector: selectors.BaseSelector | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        if os.name == "posix":
            self._selector = selectors.DefaultSelector()
            self._selector.register(self.stream, selectors.EVENT_READ)

    def read(self, size: int = -1) -> bytes:
        """Return `size` bytes, fewer at the end alone; -1: all. Raises TimeoutError."""
        parts: list[bytes] = []
        while size:
            part = self._some(1 << 20 if size < 0 else min(size, 1 << 20))
            if not part:
                self.is_over = True
                break
            parts.append(part)
            size -= len(part) if size > 0 else 0
        return b"".join(parts)

    def close(self) -> None:
        """Close the pipe."""
        self.closed = True
        if self._selector is not None:
            self._selector.close()
        self.stream.close()

    def _some(self, most: int) -> bytes:
        started = time.monotonic()
        if self._selector is not None and not self._selector.select(max(0, self.seconds_left)):
            raise TimeoutError
        part = os.read(self.stream.fileno(), most)
        self.seconds_left -= time.monotonic() - started
        return part


@contextlib.contextmanager
def _child(book: Book, request: dict[str, Any]) -> Iterator[_Answer]:
    """Run the script for one request; whatever goes wrong there is one SourceError here."""
    process = subprocess.Popen(  # noqa: S603 - our own interpreter and script; the file's name is data
        [sys.executable, "-I", "-B", "-X", "utf8", str(_SCRIPT)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ},
        start_new_session=True,  # Ctrl-C in the terminal is this process's affair
        bufsize=0,
    )
    if process.stdin is None or process.stdout is None or process.stderr is None:
        raise AssertionError("BUG: a child without its pipes")
    answer = _Answer(process.stdout, book.limits.wait_seconds)
    whole = {**request, "path": str(book.path), "state": book.state, "limits": book.limits.resources}
    try:
        with contextlib.suppress(BrokenPipeError):  # it has died already, and its exit code says of what
            _write(process.stdin, f"{json.dumps(whole)}\n".encode())
        try:
            yield answer
        except (pa.ArrowInvalid, OSError, ValueError) as error:
            raise _reason(book, process, answer, error) from error
        if answer.is_over and process.wait(_left(answer)):
            raise _reason(book, process, answer, None)
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdin, answer, process.stderr):
            with contextlib.suppress(OSError):
                pipe.close()


def _write(pipe: IO[bytes], content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[pipe.write(view) :]


def _left(answer: _Answer) -> float:
    return max(1, answer.seconds_left)


def _reason(book: Book, process: subprocess.Popen[bytes], answer: _Answer, error: BaseException | None) -> SourceError:
    """Return what the child died of."""
    limits = book.limits
    if isinstance(error, TimeoutError):
        return hostile(book.path, f"reading it takes longer than {limits.wait_seconds:,.0f} seconds")
    try:
        code = process.wait(_left(answer))
    except subprocess.TimeoutExpired:
        return hostile(book.path, f"reading it takes longer than {limits.wait_seconds:,.0f} seconds")
    told = b"" if process.stderr is None else process.stderr.read(2_000)
    if code == _CHANGED:
        return _changed(book.path)
    if code == _DAMAGED:
        return damaged(book.path, f"it cannot be read ({' '.join(told.decode('utf-8', 'replace').split())})")
    if code == -_SIGXCPU:
        return hostile(book.path, f"reading it takes the processor more than {limits.cpu_seconds:,} seconds")
    if code in _OUT_OF_MEMORY:
        return hostile(book.path, f"reading it would take more than {limits.memory_bytes >> 20:,} MB of memory")
    return damaged(book.path, f"the process that read it ended with {code}")


def _changed(path: Path) -> SourceError:
    return SourceError(
        "the file changed since it was opened",
        code="file-changed",
        where=str(path),
        hint="run again when nothing writes to it",
    )
