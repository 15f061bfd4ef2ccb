from __future__ import annotations

import pytest

from etl.sources.dialect import NO_DELIMITER, Dialect, find_dialect


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
