"""Whatever a workbook does to its reader, it does it to a process of its own, which never outlives its use."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from table_files import open_one, read, replace_part, rows_of, sheet_xml, workbook

from etl.errors import SourceError
from etl.sources import workbook_process
from etl.sources.workbook_process import Book, Limits, Rows, SheetRequest, read_heads, read_rows, state_of

SHEET = "xl/worksheets/sheet1.xml"
SCRIPT = Path(workbook_process.__file__).with_name("workbook_child.py")


def many_rows(folder: Path, rows: int = 60_000) -> Path:
    cells = "".join(f'<row r="{row}"><c r="A{row}"><v>{row}</v></c></row>' for row in range(1, rows + 1))
    return replace_part(workbook(folder, {"S": {"A1": "n"}}), SHEET, sheet_xml(cells))


def far_apart(folder: Path, place: str) -> Path:
    """A workbook of 5 KB of which python-calamine makes the rectangle between A1 and `place`."""
    row = place.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    rows = f'<row r="1"><c r="A1"><v>1</v></c></row><row r="{row}"><c r="{place}"><v>1</v></c></row>'
    return replace_part(workbook(folder, {"S": {"A1": "x"}}), SHEET, sheet_xml(rows))


def children_of(parent: int) -> set[int]:
    command = ["ps", "-A", "-ww", "-o", "pid=,ppid=,args="]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    found = (line.split(maxsplit=2) for line in listed)
    return {int(pid) for pid, of, command in found if int(of) == parent and SCRIPT.name in command}


def is_alive(pid: int) -> bool:
    found = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(found.strip()) and not found.strip().startswith("Z")


def until_gone(pids: set[int]) -> set[int]:
    end = time.monotonic() + 5
    while (left := {pid for pid in pids if is_alive(pid)}) and time.monotonic() < end:
        time.sleep(0.02)
    return left


def heads_of(path: Path, limits: Limits = Limits()) -> None:  # noqa: B008 - frozen
    read_heads(Book(path, state_of(path), limits), [SheetRequest("S")], most_rows=5)


def test_an_abort_of_the_reader_is_one_refusal(tmp_path: Path) -> None:
    path = far_apart(tmp_path, "XFD1048576")

    with pytest.raises(SourceError) as caught:
        heads_of(path)

    assert str(caught.value) == (
        f"{path}: the workbook is refused: reading it would take more than 4,096 MB of memory\n"
        "  hint: copy the cells that are needed into a new workbook, or save the sheet as .csv   [workbook-limits]"
    )


def test_a_reader_that_takes_too_much_memory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="reading it would take more than 512 MB of memory"):
        heads_of(far_apart(tmp_path, "Z1000000"), Limits(memory_bytes=512 << 20))


def test_a_reader_that_takes_too_long_on_the_processor_is_refused(tmp_path: Path) -> None:
    path = many_rows(tmp_path, 900_000)

    with pytest.raises(SourceError, match="reading it takes the processor more than 1 seconds"):
        list(read_rows(Book(path, state_of(path), Limits(cpu_seconds=1)), Rows(SheetRequest("S"), (0,), 0, batch=1)))


def test_a_reader_that_is_waited_for_too_long_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"reading it takes longer than 0 seconds.*"):
        heads_of(many_rows(tmp_path), Limits(wait_seconds=0.01))


def test_the_time_that_the_caller_takes_is_not_waited_for(tmp_path: Path) -> None:
    path = many_rows(tmp_path)
    batches = read_rows(
        Book(path, state_of(path), Limits(wait_seconds=1.0)), Rows(SheetRequest("S"), (0,), 0, batch=5_000)
    )
    count = 0
    for batch in batches:
        count += batch.num_rows
        time.sleep(0.1)

    assert count == 60_000


def test_a_sheet_that_the_reader_does_not_find_is_damage(tmp_path: Path) -> None:
    path = workbook(tmp_path, {"Other": {"A1": "x"}})

    with pytest.raises(SourceError) as caught:
        heads_of(path)

    assert caught.value.code == "workbook-damaged"
    assert "it cannot be read (" in caught.value.message


def test_a_file_that_is_replaced_before_the_reader_sees_it_is_refused(tmp_path: Path) -> None:
    path = workbook(tmp_path, {"S": {"A1": "x"}})

    with pytest.raises(SourceError, match="the file changed since it was opened"):
        read_heads(Book(path, (1, 1)), [SheetRequest("S")], most_rows=5)


def test_a_reader_that_is_killed_is_one_refusal(tmp_path: Path) -> None:
    path = many_rows(tmp_path, 300_000)
    before = children_of(os.getpid())
    batches = read_rows(Book(path, state_of(path)), Rows(SheetRequest("S"), (0,), 0, batch=1_000))
    next(batches)
    (child,) = children_of(os.getpid()) - before
    os.kill(child, signal.SIGKILL)

    with pytest.raises(SourceError) as caught:
        list(batches)

    assert caught.value.code == "workbook-limits"


def test_rows_that_nobody_reads_on_leave_no_process(tmp_path: Path) -> None:
    before = children_of(os.getpid())
    chunks = open_one(many_rows(tmp_path), header_row=0).chunks([0], rows_per_chunk=1_000)
    next(chunks)
    during = children_of(os.getpid()) - before
    chunks.close()  # type: ignore[attr-defined]

    assert len(during) == 1
    assert not until_gone(during)


def test_the_reader_is_out_of_reach_of_the_terminals_ctrl_c(tmp_path: Path) -> None:
    before = children_of(os.getpid())
    chunks = open_one(many_rows(tmp_path), header_row=0).chunks([0], rows_per_chunk=1_000)
    next(chunks)
    (child,) = children_of(os.getpid()) - before

    assert os.getsid(child) != os.getsid(0)

    chunks.close()  # type: ignore[attr-defined]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the reader ends at its next write")
def test_the_reader_dies_with_a_process_that_is_killed(tmp_path: Path) -> None:
    program = (
        "import sys, time, pathlib\n"
        "from etl.sources.workbook_process import *\n"
        "path = pathlib.Path(sys.argv[1])\n"
        "rows = read_rows(Book(path, state_of(path)), Rows(SheetRequest('S'), (0,), 0, batch=10))\n"
        "next(rows); print('ready', flush=True); time.sleep(60)\n"
    )
    path = many_rows(tmp_path)
    parent = subprocess.Popen([sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    assert parent.stdout.readline() == b"ready\n"
    children = children_of(parent.pid)
    parent.kill()
    parent.wait()
    parent.stdout.close()

    assert len(children) == 1
    assert not until_gone(children)


def test_the_reader_imports_neither_etl_nor_pandas_and_knows_no_secret(tmp_path: Path) -> None:
    path = workbook(tmp_path, {"S": {"A1": "x"}})
    state = path.stat()
    request = {
        "task": "heads", "sheets": [["S", None, []]], "rows": 1, "row": None, "comment": None, "path": str(path),
        "state": [state.st_size, state.st_mtime_ns], "limits": {},
    }  # fmt: skip
    command = [sys.executable, "-I", "-B", "-X", "importtime", str(SCRIPT)]

    done = subprocess.run(command, input=json.dumps(request).encode() + b"\n", capture_output=True, check=True)

    assert json.loads(done.stdout)["rows"] == [[1, ["x"]]]
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.decode().splitlines()}
    assert imported.isdisjoint({"etl", "pandas", "numpy", "pyarrow"})


def test_the_rows_of_a_sheet_are_those_that_the_reader_gave_in_one_piece(tmp_path: Path) -> None:
    table = open_one(many_rows(tmp_path, 1_000), header_row=0)

    assert rows_of(read(table, rows_per_chunk=7)) == rows_of(read(table))
