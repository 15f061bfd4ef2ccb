"""Laws of reading text files, held against tables that hypothesis makes up."""

from __future__ import annotations

import csv
import io
import tempfile
from pathlib import Path
from typing import Literal

from hypothesis import given, settings
from hypothesis import strategies as st
from table_files import faults_of, open_one, read, rows_of, write

ALPHABETS = {
    "utf-8": st.characters(exclude_categories=["Cs"], exclude_characters="\0"),
    "utf-8-sig": st.characters(exclude_categories=["Cs"], exclude_characters="\0"),
    "utf-16": st.characters(exclude_categories=["Cs"], exclude_characters="\0"),
    "utf-16-le": st.characters(exclude_categories=["Cs"], exclude_characters="\0"),
    "utf-16-be": st.characters(exclude_categories=["Cs"], exclude_characters="\0"),
    "utf-32": st.characters(exclude_categories=["Cs"], exclude_characters="\0"),
    "iso-8859-2": st.sampled_from("abz019 \n\r\",;\t|^~:§'ąćęłńóśźżŁÓäöüßéÁřů\u00a0"),
    "mac-roman": st.sampled_from("abz019 \n\r\",;\t|^~:§'äöüßéàèçñøåÆœ€–\u00a0"),
    "cp1250": st.sampled_from("abz019 \n\r\",;\t|'ąćęłńóśźżŁÓäöüßéÁ€–\u00a0"),
    "cp1252": st.sampled_from("abz019 \n\r\",;\t|'äöüßéàèçñøåÆœ€–\u00a0"),
}


@st.composite
def files(draw: st.DrawFn) -> tuple[str, str, str, list[list[str]]]:
    encoding = draw(st.sampled_from(sorted(ALPHABETS)))
    delimiter = draw(st.sampled_from(",;\t|^~:\x1f" + ("§" if encoding != "utf-8-sig" else "¦")))
    ends = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    width = draw(st.integers(1, 4))
    cell = st.text(ALPHABETS[encoding], max_size=6) | st.sampled_from(["", "NA", "00-950", "a\nb", 'x"y', " "])
    rows = draw(st.lists(st.lists(cell, min_size=width, max_size=width), max_size=12))
    return encoding, delimiter, ends, rows


def written(header: list[str], rows: list[list[str]], delimiter: str, ends: str) -> tuple[str, list[int]]:
    """Return the file's text, and the line on which each row starts, counted from the text itself."""
    text, starts = "", []
    for row in [header, *rows]:
        starts.append(1 + len(io.StringIO(text, newline="").readlines()))
        text += delimiter.join(quoted(cell, delimiter, is_only=len(row) == 1) for cell in row) + ends
    return text, starts[1:]


def quoted(cell: str, delimiter: str, *, is_only: bool) -> str:
    """Quote what needs it (the csv module's writer leaves LF bare where lines end in CR)."""
    if set(cell) & {'"', "\n", "\r", delimiter} or (is_only and not cell):
        return '"' + cell.replace('"', '""') + '"'
    return cell


@settings(deadline=None, max_examples=150)
@given(made=files(), rows_per_chunk=st.sampled_from([1, 2, 5, 1000]), is_closed=st.booleans())
def test_a_table_survives_being_written_and_read(
    made: tuple[str, str, str, list[list[str]]], rows_per_chunk: int, is_closed: bool
) -> None:
    encoding, delimiter, ends, rows = made
    header = [f"column {place}" for place in range(len(rows[0]) if rows else 2)]
    text, starts = written(header, rows, delimiter, ends)
    text = text if is_closed else text.removesuffix(ends)

    with tempfile.TemporaryDirectory() as folder:
        path = write(Path(folder), text.encode(encoding))
        table = open_one(path, encoding=encoding, delimiter=delimiter, header_row=1)
        chunks = read(table, rows_per_chunk=rows_per_chunk)

    assert table.header == tuple(header)
    assert rows_of(chunks) == dict(zip(starts, rows, strict=True))
    assert faults_of(chunks) == []
    blank = [bool(value) for chunk in chunks for value in chunk.blank]
    assert blank == [all(not cell.strip() for cell in row) for row in rows]
    assert all(len(chunk.rows) <= rows_per_chunk for chunk in chunks)


@settings(deadline=None, max_examples=100)
@given(
    rows=st.lists(st.lists(st.text("ab1 ;,'\"\n\t", max_size=4), min_size=2, max_size=2), min_size=1, max_size=6),
    delimiter=st.sampled_from(",;\t|"),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
    ends=st.sampled_from(["\n", "\r\n"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_what_csv_writer_writes_is_read_back_without_settings(
    rows: list[list[str]], delimiter: str, quoting: Literal[0, 1, 2], ends: str, encoding: str
) -> None:
    stream = io.StringIO(newline="")
    csv.writer(stream, delimiter=delimiter, quoting=quoting, lineterminator=ends).writerows(
        [["E-mail", "Name"], *[["a@example.com", "Anna"]] * 8, *rows]
    )

    with tempfile.TemporaryDirectory() as folder:
        chunks = read(open_one(write(Path(folder), stream.getvalue().encode(encoding))))

    assert list(rows_of(chunks).values())[8:] == rows
    assert faults_of(chunks) == []


@settings(deadline=None, max_examples=100)
@given(
    rows=st.lists(st.lists(st.sampled_from(["", "1", "x\ny", " "]), min_size=1, max_size=5), max_size=10),
    rows_per_chunk=st.integers(1, 4),
)
def test_uneven_rows_are_all_there_whatever_the_size_of_a_chunk(rows: list[list[str]], rows_per_chunk: int) -> None:
    text, starts = written(["a", "b", "c"], rows, ";", "\n")

    with tempfile.TemporaryDirectory() as folder:
        table = open_one(write(Path(folder), text.encode()), delimiter=";", header_row=1)
        whole, parts = read(table), read(table, rows_per_chunk=rows_per_chunk)

    assert list(rows_of(whole)) == starts
    assert rows_of(whole) == rows_of(parts)
    assert faults_of(whole) == faults_of(parts)
