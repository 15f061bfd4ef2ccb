"""JSON lines: what is written is what is read, and a broken line is an issue of that line."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from table_files import faults_of, open_one, read, rows_of, write

from etl.errors import SourceError
from etl.records import TEXT, CellFault


def lines(folder: Path, *texts: str) -> Path:
    return write(folder, "".join(f"{text}\n" for text in texts).encode(), "contacts.jsonl")


def test_the_columns_are_all_keys_in_order_of_their_first_appearance(tmp_path: Path) -> None:
    table = open_one(lines(tmp_path, '{"b": "1"}', '{"a": "2", "b": "3"}', "", '{"c": null}'))

    assert (table.header, table.header_row) == (("b", "a", "c"), 0)
    assert rows_of(read(table)) == {1: ["1", "", ""], 2: ["3", "2", ""], 3: ["", "", ""], 4: ["", "", ""]}


@pytest.mark.parametrize(
    ("written", "text", "is_typed"),
    [
        ("1.50", "1.50", True),
        ("1e5", "1e5", True),
        ("-0", "-0", True),
        ("48600123456789012345678", "48600123456789012345678", True),
        ("9" * 5000, "9" * 5000, True),
        ("true", "TRUE", True),
        ("false", "FALSE", True),
        ("null", "", False),
        ('" 007 "', " 007 ", False),
        ('"NaN"', "NaN", False),
        ('"\\ud83d\\ude00"', "😀", False),
        ("[]", "", False),
        ('["x", "y"]', "x;y", False),
        ("[1, 2.50, true, null]", "1;2.50;TRUE;", False),
        ('[{"a": 1.50}, ["\\u017c"]]', '[{"a": 1.50}, ["ż"]]', False),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_value_is_read_as_it_is_written(tmp_path: Path, written: str, text: str, is_typed: bool) -> None:
    [chunk] = read(open_one(lines(tmp_path, '{"a": "x", "b": "y"}', f'{{"a": {written}}}')))

    assert rows_of([chunk])[2] == [text, ""]
    assert chunk.typed[0].tolist() == [False, True] if is_typed else 0 not in chunk.typed
    assert chunk.faults == ()


def test_nested_objects_are_columns_with_dots(tmp_path: Path) -> None:
    table = open_one(lines(tmp_path, '{"a": {"b": {"c": 1}, "d": {}}, "e": "x"}', '{"a": null}'))

    assert table.header == ("a.b.c", "e", "a")
    assert rows_of(read(table)) == {1: ["1", "x", ""], 2: ["", "", ""]}


@pytest.mark.parametrize(
    ("line", "detail"),
    [
        ('{"a": ', "it ends in the middle"),
        ('{"a": x}', "character 7 is not what JSON has there"),
        ("[1]", "it is a list"),
        ("17", "it is a number"),
        ('"x"', "it is a text"),
        ("null", "it is null"),
        ("true", "it is a boolean"),
        ('{"a": NaN}', "NaN is no JSON"),
        ('{"a": 1} {"a": 2}', "character 10 is not what JSON has there"),
        ('{"a": ' + "[" * 100_000, "its objects or lists are nested too deeply"),
        ('{"a": ' + "[" * 5_000 + "]" * 5_000 + "}", "its objects or lists are nested too deeply"),
        ('{"a":' * 5_000 + "1" + "}" * 5_000, "its objects or lists are nested too deeply"),
    ],
    ids=lambda value: value[:25],
)
def test_a_line_that_is_no_object_is_a_fault_of_that_line(tmp_path: Path, line: str, detail: str) -> None:
    chunks = read(open_one(lines(tmp_path, '{"a": "x"}', line, '{"a": "y"}')))

    assert faults_of(chunks) == [CellFault(2, None, "json-line", detail=detail)]
    assert rows_of(chunks) == {1: ["x"], 2: [""], 3: ["y"]}
    assert chunks[0].blank.tolist() == [False, False, False]


@pytest.mark.parametrize("depth", [50, 99, 150, 400])
def test_deep_objects_that_json_still_reads_end_in_a_cell_or_a_fault(tmp_path: Path, depth: int) -> None:
    chunks = read(open_one(lines(tmp_path, '{"a":' * depth + "1" + "}" * depth)))

    assert list(rows_of(chunks)) == [1]


@pytest.mark.parametrize(
    ("line", "key"),
    [('{"a": 1, "a": 2}', "a"), ('{"b": {"c": 1, "c": 1}}', "b.c"), ('{"b": {"c": 1}, "b.c": 2}', "b.c")],
    ids=["same object", "nested", "spelled with a dot"],
)
def test_a_repeated_key_is_a_fault(tmp_path: Path, line: str, key: str) -> None:
    chunks = read(open_one(lines(tmp_path, line)))

    assert faults_of(chunks) == [CellFault(1, None, "json-key-repeated", key, f"'{key}'")]


def test_an_item_that_holds_the_sign_between_items_is_a_fault_of_the_cell(tmp_path: Path) -> None:
    chunks = read(open_one(lines(tmp_path, '{"e": "x", "tags": ["a", "b;c"]}')))

    assert faults_of(chunks) == [CellFault(1, 1, "list-item", "b;c")]
    assert rows_of(chunks) == {1: ["x", "a;b;c"]}


def test_half_a_character_and_a_nul_are_faults_of_the_row(tmp_path: Path) -> None:
    chunks = read(open_one(lines(tmp_path, '{"a": "x\\ud800y"}', '{"a": ["\\u0000z"]}', '{"\\udfff": "1"}')))

    assert [(fault.row, fault.code) for fault in faults_of(chunks)] == [
        (1, "half-character"),
        (2, "nul-character"),
        (3, "half-character"),
    ]
    assert rows_of(chunks) == {1: ["x\ufffdy", ""], 2: ["z", ""], 3: ["", "1"]}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_any_unicode_encoding_will_do(tmp_path: Path, encoding: str) -> None:
    content = '{"City": "Łódź", "E-mail": "anna@example.com"}\r\n{"City": "Kraków"}'
    path = write(tmp_path, content.encode(encoding), "x.jsonl")
    table = open_one(path)

    assert rows_of(read(table)) == {1: ["Łódź", "anna@example.com"], 2: ["Kraków", ""]}
    assert table.facts["format"] == "JSON lines"


def test_blank_lines_at_the_start_are_rows(tmp_path: Path) -> None:
    [chunk] = read(open_one(lines(tmp_path, "", "  ", '{"a": "x"}')))

    assert chunk.rows.tolist() == [1, 2, 3]
    assert chunk.blank.tolist() == [True, True, False]


def test_a_blank_row_is_one_without_any_value(tmp_path: Path) -> None:
    [chunk] = open_one(lines(tmp_path, '{"a": "x", "b": 1}', "{}", '{"b": [""]}', '{"b": 0}')).chunks([0])

    assert chunk.blank.tolist() == [False, True, True, False]
    assert set(chunk.cells.dtypes) == {TEXT}


def test_a_thousand_columns_are_the_most(tmp_path: Path) -> None:
    path = lines(tmp_path, '{"a": 1}', json.dumps({f"k{n}": n for n in range(1000)}))

    with pytest.raises(SourceError) as caught:
        open_one(path)

    assert str(caught.value) == (
        f"{path}:2: the objects down to line 2 have more than 1,000 keys, the most columns that are read\n"
        "  hint: a key may hold what should be a value, such as a date or an id; write it as a value"
        "   [too-many-columns]"
    )


def test_a_line_of_more_than_a_million_characters_is_refused(tmp_path: Path) -> None:
    path = lines(tmp_path, '{"a": 1}', '{"a": "' + "x" * 1_000_000 + '"}')

    with pytest.raises(SourceError) as caught:
        open_one(path)

    assert str(caught.value) == (
        f"{path}:2: line 2 has more than 1,000,000 characters\n"
        "  hint: write one object on each line (`jq -c '.[]' FILE` makes such lines of a JSON file), or save the table"
        " as .csv   [line-too-long]"
    )


@pytest.mark.parametrize(
    "content", ['{"a":\n1,\n"b": 2}', "{}", '{"a" 1}\n'], ids=["one object on many lines", "{}", "no JSON"]
)
def test_a_file_without_an_object_on_any_line_is_refused(tmp_path: Path, content: str) -> None:
    path = write(tmp_path, content.encode(), "x.jsonl")

    with pytest.raises(SourceError) as caught:
        open_one(path)

    assert str(caught.value) == (
        f"{path}: no line of the file is a JSON object\n"
        "  hint: write one object on each line (`jq -c '.[]' FILE` makes such lines of a JSON file), or save the table"
        " as .csv   [json-lines]"
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sheets": ("May",)}, "a file of JSON lines has no sheets, and sheet 'May' was asked for"),
        ({"header_row": 2}, "the header is said to stand on line 2, and a file of JSON lines has none"),
    ],
    ids=["sheet", "header row"],
)
def test_what_json_lines_do_not_have_is_refused(tmp_path: Path, options: dict[str, object], message: str) -> None:
    with pytest.raises(SourceError, match=message):
        open_one(lines(tmp_path, '{"a": 1}'), **options)


def test_rows_can_be_passed_over_limited_and_left_out_as_comments(tmp_path: Path) -> None:
    table = open_one(lines(tmp_path, '{"a": "x"}', "# two", '{"a": "y"}', '{"a": "z"}'), skip_rows=1, comment="#")
    [chunk] = read(table, limit=2)

    assert rows_of([chunk]) == {2: [""], 3: ["y"]}
    assert chunk.left_out["comment-row"].tolist() == [True, False]
    assert chunk.faults == ()
    assert table.estimated_rows == 3


KEYS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0."), min_size=1, max_size=4)
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6)


@settings(deadline=None, max_examples=100)
@given(
    rows=st.lists(st.dictionaries(KEYS, TEXTS, min_size=1, max_size=4), min_size=1, max_size=8),
    is_ascii=st.booleans(),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    rows_per_chunk=st.sampled_from([1, 3, 1000]),
)
def test_any_table_of_text_survives_being_written_and_read(
    rows: list[dict[str, str]], is_ascii: bool, encoding: str, rows_per_chunk: int
) -> None:
    text = "\n".join(json.dumps(row, ensure_ascii=is_ascii) for row in rows)
    names = list(dict.fromkeys(key for row in rows for key in row))

    with tempfile.TemporaryDirectory() as folder:
        table = open_one(write(Path(folder), text.encode(encoding), "x.jsonl"), encoding=encoding)
        chunks = read(table, rows_per_chunk=rows_per_chunk)

    assert table.header == tuple(name.strip() for name in names)
    assert list(rows_of(chunks).values()) == [[row.get(name, "") for name in names] for row in rows]
    assert faults_of(chunks) == []
