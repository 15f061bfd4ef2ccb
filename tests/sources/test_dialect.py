from __future__ import annotations

import pytest

from etl.sources.dialect import NO_DELIMITER, Dialect, delimiter_of, find_dialect, line_ends


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ("a,b\n1,2\n", ","),
        ("a;b\n1;2\n", ";"),
        ("a\tb\n1\t2\n", "\t"),
        ("a|b\n1|2\n", "|"),
        ("name;total\nx;1,50\ny;2,50\nz;3,50\n", ";"),
        ('name,tags\nx,"a;b"\ny,"c;d;e"\nz,"f;g"\n', ","),
        ('name;note\nx;"one, two\nthree, four"\ny;"five, six"\n', ";"),
        ("Report 2024\n\nname;city\nx;y\nz;w\n", ";"),
        ("a;b;c\n1;2;3\n1;2\n1;2;3\n1;2;3\n", ";"),
        ("E-mail\nanna@example.com\njan@example.com\n", NO_DELIMITER),
        ("Name\nKowalski, Jan\nNowak, Anna\n", NO_DELIMITER),
        ('Name\n"Kowalski, Jan"\n"Nowak, Anna"\n', NO_DELIMITER),
        ("a,b", ","),
        ("\n\n", NO_DELIMITER),
        (";;\n\n;;\n", ";"),
        ("a^b\n1^2\n", "^"),
        ("a~b\n1~2\n", "~"),
        ("a¦b\n1¦2\n", "¦"),
        ("a§b\n1§2\n", "§"),
        ("a:b\nx:2\n", ":"),
        ("a\x1fb\n1,5\x1f2\n2,5\x1f3\n", "\x1f"),
        ("a:b:c\nx:1,50:3\ny:2,50:4\n", ":"),
        ("a;b\n12:30;x^y\n12:45;z^w\n", ";"),
        ("Opened\n12:30\n12:45\n", NO_DELIMITER),
        ("12:30\n12:45\n", NO_DELIMITER),
        ("https://example.com/a\nhttps://example.com/b\n", NO_DELIMITER),
        ("Name: Anna\nCity: Oslo\n", NO_DELIMITER),
        ("# a shop\n# two rows\n# on Monday\n# at noon\n# done\nE-mail;City\nx;y\n", ";"),
    ],
    ids=str,
)
def test_the_delimiter_is_the_sign_on_which_the_records_agree(text: str, delimiter: str) -> None:
    assert find_dialect(text, is_whole=True) == Dialect(delimiter, has_sep_line=False)


@pytest.mark.parametrize("line", ["sep=|", "SEP=|", '"sep=|"', "sep=|\r"])
def test_a_sep_line_decides(line: str) -> None:
    assert find_dialect(f"{line}\na,b|c\n", is_whole=True) == Dialect("|", has_sep_line=True)


def test_a_pinned_delimiter_wins_over_a_sep_line_which_still_is_one() -> None:
    assert find_dialect("sep=;\na,b\n", is_whole=True, pinned=",") == Dialect(",", has_sep_line=True)


def test_the_record_that_a_sample_cuts_has_no_vote() -> None:
    assert find_dialect("a;b\n1;2\n3", is_whole=False).delimiter == ";"


@pytest.mark.parametrize(
    "text",
    ["'a';'b'\n'x;y';'z'\n", "'a';b\n'O''Brien';1\n", "'a';'b'\n'one';'O'\n", "'a,b'\t'c'\n'1,2'\t'3'\n"],
    ids=str,
)
def test_single_quotes_are_quotes_where_every_line_has_them_in_pairs(text: str) -> None:
    found = find_dialect(text, is_whole=True)

    assert (found.quote, found.quoting) == ("'", "single quotes")
    assert find_dialect(text, is_whole=True, pinned=found.delimiter) == found


@pytest.mark.parametrize(
    "text",
    ["a;b\n'00950;x\n", "a;b\n's-Hertogenbosch;x\n", "a;b\nO'Brien;'x'\n", "'a';\"b\"\n'x';\"y\"\n", "a;b\n'x';'y'\n"],
    ids=["a text sign of Excel's", "a name", "an apostrophe", "both kinds", "not in the header"],
)
def test_other_apostrophes_are_text(text: str) -> None:
    assert find_dialect(text, is_whole=True).quote == '"'


def test_quotes_escaped_by_a_backslash_are_told() -> None:
    found = find_dialect('"a","b"\n"say \\"hi, you\\"","C:\\\\x"\n', is_whole=True)

    assert found == Dialect(",", has_sep_line=False, is_escaped=True)
    assert found.quoting == 'double quotes, escaped as \\"'


@pytest.mark.parametrize(
    "text",
    ['"a","b"\n"C:\\dir\\","x"\n', '"a","b"\n"5\\""x","say ""hi"""\n', "a;b\nC:\\temp;x\n"],
    ids=["a backslash at the end", "doubled quotes too", "no quotes"],
)
def test_other_backslashes_are_text(text: str) -> None:
    assert not find_dialect(text, is_whole=True).is_escaped


@pytest.mark.parametrize(
    ("sample", "told"),
    [
        ("a\nb\n", "LF"),
        ("a\r\nb", "CRLF"),
        ("a\rb\r", "CR"),
        ("a\r\nb\n", "mixed"),
        ('a;"x\ny""\n"\r\n', "CRLF"),
        ("a", ""),
        ("a\r\nb\r", "CRLF"),
    ],
    ids=repr,
)
def test_line_ends_are_those_between_records(sample: str, told: str) -> None:
    assert line_ends(sample) == told


@pytest.mark.parametrize(
    ("word", "sign"), [("colon", ":"), ("Pipe", "|"), ("\\x1f", "\x1f"), ("^", "^"), ("||", None), ("\0", None)]
)
def test_a_delimiter_may_be_named(word: str, sign: str | None) -> None:
    assert delimiter_of(word) == sign


@pytest.mark.parametrize("line", ['sep="', "sep=\r\n", "sep="], ids=repr)
def test_a_sep_line_that_names_no_sign_is_none(line: str) -> None:
    assert not find_dialect(f"{line}\na;b\n1;2\n", is_whole=True).has_sep_line
