"""What a mapping gives a transform is read, and what is wrong is said, before a row is seen."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from etl.transforms import check_arguments, files_named
from etl.transforms.tables import MAX_BYTES

GOOD = [
    ("strip", None, {}),
    ("split", ";", {"separator": ";"}),
    ("date", "DD.MM.YYYY", {"formats": ("DD.MM.YYYY",)}),
    ("date", ["DD.MM.YYYY", "D/M/YY"], {"formats": ("DD.MM.YYYY", "D/M/YY")}),
    ("date", {"day_first": "no"}, {"day_first": False}),
    ("number", {"decimals": "2", "currency": "true"}, {"decimals": 2, "currency": True}),
    ("number", {"currency": "PLN"}, {"currency": ("PLN",)}),
    ("number", {"currency": ["PLN", "zł"]}, {"currency": ("PLN", "zł")}),
    ("number", {"currency": "false"}, {"currency": False}),
    ("map", {"values": {"0123": "NO"}, "else": ""}, {"values": {"0123": "NO"}, "else": ""}),
    ("phone", "pl", {"region": "PL"}),
    ("phone", None, {}),
    ("take", "-1", {"item": -1}),
    ("hash", "md5", {"algorithm": "md5"}),
    ("blank_if", "n/a", {"values": ("n/a",)}),
]


@pytest.mark.parametrize(("name", "given", "expected"), GOOD, ids=[f"{name}-{given}" for name, given, _ in GOOD])
def test_text_becomes_what_the_argument_is(name: str, given: Any, expected: dict[str, Any]) -> None:
    assert check_arguments(name, given) == (expected, [])


BAD = [
    ("strip", "x", "`strip` takes no arguments"),
    ("strip", {"a": "b"}, "`strip` takes no arguments, and was given 'a'"),
    ("number", {"decmal": ","}, "`number` has no argument 'decmal' (did you mean 'decimal'?); its arguments are decimal, thousands, decimals, currency, accounting"),
    ("split", None, "`split` needs the argument 'separator': text of one character or more"),
    ("split", "", "`split`, argument 'separator': expected text of one character or more, not ''"),
    ("split", ["a"], "`split`, argument 'separator': expected text of one character or more, not a list"),
    ("default", {"value": None}, "`default`, argument 'value': expected text, not nothing"),
    ("number", {"decimals": "two"}, "`number`, argument 'decimals': expected a whole number from 0 to 30, not 'two'"),
    ("number", {"decimal": ",", "thousands": ","}, "`number`: ',' cannot be both the decimal and the thousands sign; name the other one as well"),
    ("number", {"thousands": "."}, "`number`: '.' cannot be both the decimal and the thousands sign; name the other one as well"),
    ("number", {"decimal": "1"}, "`number`, argument 'decimal': '1' is part of the number itself"),
    ("integer", {"thousands": "-"}, "`integer`, argument 'thousands': '-' is part of the number itself"),
    ("hash", "sha25", "`hash`, argument 'algorithm': expected one of sha256, sha1, md5, not 'sha25' (did you mean 'sha256'?)"),
    ("take", "0", "`take`, argument 'item': items count from 1 (the last is -1), not from 0"),
    ("concat", None, "`concat` needs a 'prefix' or a 'suffix'"),
    ("truncate", "0", "`truncate`, argument 'length': expected a whole number from 1 on, not '0'"),
    ("phone", "UK", "`phone`, argument 'region': 'UK' is no region with phone numbers (did you mean 'GB'?); write two letters, such as PL"),
    ("boolean", {"true": "x", "false": ["X"]}, "`boolean`: 'X' is in both lists, 'true' and 'false'"),
    ("boolean", {"output": ["a", "a"]}, "`boolean`, argument 'output': expected two different texts, for yes and for no"),
    ("boolean", {"output": "x"}, "`boolean`, argument 'output': expected a list of two texts, not 'x'"),
    ("map", None, "`map` needs either 'values' (`value: result` pairs) or 'file' (a CSV file with two columns)"),
    ("map", {"values": {"a": "1"}, "file": "x.csv"}, "`map` needs either 'values' (`value: result` pairs) or 'file' (a CSV file with two columns)"),
    ("map", {"values": {"a": {"b": "c"}}}, "`map`, argument 'values': expected `value: result` pairs, not a mapping"),
    ("map", {"values": {"a": "1", "A": "2"}, "ignore_case": "yes"}, "`map`: 'a' and 'A' are the same value, with the results '1' and '2'"),
    ("regex_extract", "a(b", "`regex_extract`, argument 'pattern': 'a(b' is not a regular expression (missing ))"),
    ("regex_extract", {"pattern": "a", "group": "2"}, "`regex_extract`, argument 'group': 'a' has no group 2"),
    ("regex_replace", {"pattern": "a", "replacement": r"\1"}, r"`regex_replace`, argument 'replacement': '\1' names a group that 'a' does not have; write \1 to \9 for its groups, \\ for a backslash"),
    ("regex_replace", {"pattern": "[", "replacement": ""}, "`regex_replace`, argument 'pattern': '[' is not a regular expression (missing ])"),
    ("date", {"formats": "dd.mm.yyyy"}, "`date`, argument 'formats': 'dd.mm.yyyy' is not a date format: 'dd.' is not known; use YYYY YY MM MMM DD (in capitals), HH mm ss"),
    ("date", "DD.MM", "`date`, argument 'formats': 'DD.MM' is not a date format: it needs one year, YYYY or YY"),
    ("date", "YYYY-DD", "`date`, argument 'formats': 'YYYY-DD' is not a date format: it needs a month (MM or MMM) and a day (DD)"),
    ("date", "DD.DD.MM.YYYY", "`date`, argument 'formats': 'DD.DD.MM.YYYY' is not a date format: the day stands in it twice"),
    ("date", "%d.%m.%Q", "`date`, argument 'formats': '%d.%m.%Q' is not a date format: '%Q' is not known; use %Y %y %m %b %d %H %M %S"),
    ("date", "YYYY-DD-MM", "`date`, argument 'formats': 'YYYY-DD-MM' would read ISO dates, YYYY-MM-DD, with day and month exchanged"),
    ("date", {"formats": []}, "`date`, argument 'formats': expected at least one format, such as DD.MM.YYYY"),
    ("date", {"formats": "DD.MM.YYYY", "day_first": "true"}, "`date`: 'day_first' is for dates without 'formats'; leave one of the two out"),
    ("date", {"date1904": "true"}, "`date`: 'date1904' says how 'excel_serials' are counted, and these are not asked for"),
    ("date", {"output": "MMM"}, "`date`, argument 'output': 'MMM' is not a date format: it needs one year, YYYY or YY"),
    ("date", {"output": "D MMMM YYYY"}, "`date`, argument 'output': 'D MMMM YYYY': names of months can be read, not written"),
    ("date", {"day_first": "maybe"}, "`date`, argument 'day_first': expected true or false, not 'maybe'"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "given", "problem"), BAD, ids=[f"{name}-{given}" for name, given, _ in BAD])
def test_a_wrong_argument_is_named_with_what_is_expected(name: str, given: Any, problem: str) -> None:
    assert check_arguments(name, given)[1] == [problem]


def test_all_mistakes_of_a_call_are_reported_at_once() -> None:
    _, problems = check_arguments("replace", {"ol": "a", "new": ["b"]})
    assert problems == [
        "`replace` has no argument 'ol' (did you mean 'old'?); its arguments are old, new",
        "`replace`, argument 'new': expected text, not a list",
        "`replace` needs the argument 'old': text of one character or more",
    ]


def test_an_unknown_transform_is_a_bug() -> None:
    with pytest.raises(AssertionError, match="BUG: there is no transform 'trim'"):
        check_arguments("trim", None)


def _table(tmp_path: Path, text: str) -> Path:
    (tmp_path / "countries.csv").write_bytes(text.encode())
    return tmp_path


def test_a_file_is_read_into_the_values(tmp_path: Path) -> None:
    base = _table(tmp_path, '\ufeffname;code\r\n Polska ;PL\r\n\r\n"a;\nb";DE;comment\r\n')
    arguments, problems = check_arguments("map", {"file": "countries.csv", "else": "?"}, base)
    assert problems == []
    assert arguments == {"values": {"Polska": "PL", "a;\nb": "DE"}, "else": "?"}


TABLES = [
    ("repeated", "a,b\nx,1\ny,2\nx,3\n", "countries.csv: the value 'x' stands in line 2 and in line 4"),
    ("one-column-header", "a\nx\n", "countries.csv:1: expected a header of two columns, the value and the result"),
    ("one-column-line", "a,b\nx\n", "countries.csv:2: expected two columns, the value and the result"),
    (
        "unclosed",
        'a,b\nx,"' + "y" * 200_000,
        "countries.csv:2: a value of more than 100,000 characters: is a quote not closed?",
    ),
    ("header-alone", "a,b\n", "countries.csv holds no values below its header"),
    ("empty", "", "countries.csv:1: expected a header of two columns, the value and the result"),
]


def test_a_table_is_read_whatever_limit_others_have_set(tmp_path: Path) -> None:
    before = csv.field_size_limit(10)
    try:
        arguments, problems = check_arguments(
            "map", {"file": "countries.csv"}, _table(tmp_path, f"a,b\nx,{'y' * 50}\n")
        )
    finally:
        csv.field_size_limit(before)
    assert (arguments, problems) == ({"values": {"x": "y" * 50}}, [])


@pytest.mark.parametrize(("text", "problem"), [table[1:] for table in TABLES], ids=[table[0] for table in TABLES])
def test_a_bad_table_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    _, problems = check_arguments("map", {"file": "countries.csv"}, _table(tmp_path, text))
    assert problems == [f"`map`, argument 'file': {problem}"]


FILES = [
    ("nope.csv", "there is no file 'nope.csv' beside the mapping"),
    ("../secret.csv", "'../secret.csv' lies outside the mapping's folder; put the file beside the mapping"),
    ("/etc/passwd", "'/etc/passwd' lies outside the mapping's folder; put the file beside the mapping"),
    ("latin.csv", "'latin.csv' is not in UTF-8; save it as `CSV UTF-8`"),
    (".", "'.' cannot be read: Is a directory"),
    ("a\0b", "'a\0b' cannot be read: not a file name"),
]


@pytest.mark.parametrize(("name", "problem"), FILES, ids=[name for name, _ in FILES])
def test_a_file_that_cannot_be_used_is_named(tmp_path: Path, name: str, problem: str) -> None:
    (tmp_path / "latin.csv").write_bytes("a,b\nŁ,1\n".encode("cp1250"))
    assert check_arguments("map", {"file": name}, tmp_path)[1] == [f"`map`, argument 'file': {problem}"]


def test_a_table_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "huge.csv").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    problem = "`map`, argument 'file': 'huge.csv' is larger than 50 MB"
    assert check_arguments("map", {"file": "huge.csv"}, tmp_path)[1] == [problem]


def test_the_files_of_a_call_are_known_for_the_fingerprint(tmp_path: Path) -> None:
    assert files_named("map", {"file": "a.csv", "else": "b.csv"}, tmp_path) == [tmp_path / "a.csv"]
    assert files_named("map", {"values": {"a": "b"}}, tmp_path) == []
    assert files_named("split", ";", tmp_path) == []
