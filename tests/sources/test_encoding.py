from __future__ import annotations

from pathlib import Path

import pytest
from table_files import faults_of, open_one, read, rows_of, write

from etl.errors import SourceError
from etl.records import CellFault
from etl.sources.encoding import find_encoding

TEXT = "E-mail;City\nanna@example.com;Łódź\njan@example.com;Kraków\n"


@pytest.mark.parametrize(
    ("content", "codec"),
    [
        (TEXT.encode(), "utf-8"),
        (TEXT.encode("utf-8-sig"), "utf-8-sig"),
        (TEXT.encode("utf-16"), "utf-16"),
        ("\ufeff".encode("utf-16-be") + TEXT.encode("utf-16-be"), "utf-16"),
        (TEXT.encode("utf-16-le"), "utf-16-le"),
        (TEXT.encode("utf-16-be"), "utf-16-be"),
        (TEXT.encode("utf-32"), "utf-32"),
        (TEXT.encode("cp1250"), "cp1250"),
        ("Prénom;Ville\nHélène;Besançon".encode("cp1252"), "cp1252"),
        ("imię;miasto\nŚwiętosława;Wąsosz".encode("iso-8859-2"), "iso8859-2"),
    ],
    ids=[
        "utf-8",
        "utf-8-mark",
        "utf-16-le",
        "utf-16-be",
        "le-bare",
        "be-bare",
        "utf-32",
        "cp1250",
        "cp1252",
        "iso-8859-2",
    ],
)
def test_the_encoding_is_found_by_the_text(tmp_path: Path, content: bytes, codec: str) -> None:
    assert find_encoding(write(tmp_path, content)).codec == codec


@pytest.mark.parametrize("pinned", [None, "utf-8", "UTF8", "utf-8-sig"])
def test_a_byte_order_mark_never_becomes_part_of_the_header(tmp_path: Path, pinned: str | None) -> None:
    table = open_one(write(tmp_path, TEXT.encode("utf-8-sig")), encoding=pinned)

    assert table.header == ("E-mail", "City")
    assert rows_of(read(table))[2] == ["anna@example.com", "Łódź"]


@pytest.mark.parametrize("pinned", ["utf-16", "utf-16-le"])
def test_the_mark_of_utf_16_is_taken_for_a_mark_when_pinned(tmp_path: Path, pinned: str) -> None:
    table = open_one(write(tmp_path, TEXT.encode("utf-16")), encoding=pinned)

    assert table.header == ("E-mail", "City")


def test_a_late_byte_outside_utf_8_makes_the_whole_file_cp1250(tmp_path: Path) -> None:
    content = b"name;city\n" + b"anna;x\n" * 300_000 + "Jabłoński;Łódź\n".encode("cp1250")

    table = open_one(write(tmp_path, content))

    assert table.facts["encoding"] == "cp1250"
    assert rows_of(read(table))[300_002] == ["Jabłoński", "Łódź"]


def test_two_encodings_in_one_file_are_refused_with_the_line(tmp_path: Path) -> None:
    path = write(tmp_path, "a;b\nŁódź;Gdańsk\n".encode() + "Kraków;x\n".encode("cp1250"))

    with pytest.raises(SourceError) as caught:
        find_encoding(path)

    assert str(caught.value) == (
        f"{path}:3: line 3 is not UTF-8 (byte F3), though the rest of the file is: two encodings are mixed\n"
        '  hint: open it in a spreadsheet or an editor and save it as "CSV UTF-8", or name its encoding in the mapping'
        "   [encoding-mixed]"
    )


@pytest.mark.parametrize("lines", [1, 400_000], ids=["first block", "later block"])
def test_a_byte_that_the_pinned_encoding_does_not_know_is_named_with_its_line(tmp_path: Path, lines: int) -> None:
    path = write(tmp_path, b"a;b\r\n" * lines + b"x;\x81\r\n")

    with pytest.raises(SourceError, match=rf"line {lines + 1} is not CP1252 \(byte 81\)"):
        find_encoding(path, "cp1252")


def test_a_character_cut_off_at_the_end_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "a;b\nŁódź;Gdańsk".encode() + "ń".encode()[:1])

    with pytest.raises(SourceError, match="line 2 is not UTF-8"):
        find_encoding(path)


def test_a_code_page_then_utf_8_is_refused_with_the_line(tmp_path: Path) -> None:
    before = "Kraków;Łódź;Gdańsk\n" * 20
    path = write(tmp_path, before.encode("cp1250") + "Łódź;x\n".encode() + before.encode("cp1250"))

    with pytest.raises(SourceError) as caught:
        find_encoding(path)

    assert str(caught.value) == (
        f"{path}:21: line 21 is UTF-8, though the rest of the file is CP1250: two encodings are mixed\n"
        '  hint: open it in a spreadsheet or an editor and save it as "CSV UTF-8", or name its encoding in the mapping'
        "   [encoding-mixed]"
    )


@pytest.mark.parametrize("text", ["PÓŁKA;RÓŻA\n", "BĂŞESCU\n", "5 €;Łódź\n"], ids=str.strip)
def test_signs_of_a_code_page_that_look_like_utf_8_are_not_taken_for_it(tmp_path: Path, text: str) -> None:
    path = write(tmp_path, ("Kraków;Łódź\n" * 3 + text).encode("cp1250"))

    assert find_encoding(path).codec == "cp1250"


@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["bare", "with a mark"])
def test_utf_8_then_utf_16_is_refused_with_the_line(tmp_path: Path, mark: str) -> None:
    path = write(tmp_path, (TEXT * 3).encode() + (mark + TEXT * 3).encode("utf-16-le"))

    with pytest.raises(SourceError) as caught:
        find_encoding(path)

    assert (caught.value.code, caught.value.where) == ("encoding-mixed", f"{path}:10")


def test_ascii_then_utf_16_is_refused_with_the_line(tmp_path: Path) -> None:
    path = write(tmp_path, b"name;city\n" * 500 + "name;city\n".encode("utf-16-le") * 10)

    with pytest.raises(SourceError) as caught:
        find_encoding(path)

    assert str(caught.value) == (
        f"{path}:501: line 501 is UTF-16, though what stands before it is not: two encodings are mixed\n"
        '  hint: open it in a spreadsheet or an editor and save it as "CSV UTF-8", or name its encoding in the mapping'
        "   [encoding-mixed]"
    )


def test_a_nul_is_a_fault_of_its_row_and_goes(tmp_path: Path) -> None:
    path = write(tmp_path, b"a;b\n" + b"1;2\n" * 3 + b"3;\x004\0\n" + b'5;"6\n7"\n')

    chunks = read(open_one(path))

    assert faults_of(chunks) == [CellFault(5, None, "nul-character")]
    assert rows_of(chunks)[5] == ["3", "4"]
    assert rows_of(chunks)[6] == ["5", "6\n7"]


def test_a_nul_in_the_header_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, b"a;\0b\n" + b"1;2\n" * 3)

    with pytest.raises(SourceError) as caught:
        open_one(path)

    assert str(caught.value) == (
        f"{path}:1: the header on line 1 holds a NUL character\n"
        "  hint: export the table again, or delete the character in an editor   [nul-character]"
    )


def test_many_nuls_are_no_text(tmp_path: Path) -> None:
    path = write(tmp_path, b"a;b\n" + b"1;2\n" * 3 + b"3;\0\0\0\0\n" * 5)

    with pytest.raises(SourceError) as caught:
        open_one(path)

    assert str(caught.value) == (
        f"{path}:5: line 5 holds a NUL character\n"
        "  hint: it is not a table in text form, or it was damaged; export it again as CSV UTF-8   [nul-character]"
    )


@pytest.mark.parametrize(
    ("content", "pinned", "confidence"),
    [
        (TEXT.encode("utf-8-sig"), None, "certain"),
        (TEXT.encode(), None, "certain"),
        (b"a;b\n1;2\n", None, "ASCII alone"),
        (TEXT.encode("utf-16-le"), None, "0.99"),
        (TEXT.encode("cp1250"), None, "0.99"),
        (TEXT.encode("cp1250"), "cp1250", "pinned"),
    ],
    ids=["mark", "utf-8", "ascii", "utf-16 without a mark", "code page", "pinned"],
)
def test_how_sure_the_encoding_is_is_told(tmp_path: Path, content: bytes, pinned: str | None, confidence: str) -> None:
    table = open_one(write(tmp_path, content), encoding=pinned)

    assert table.facts["encoding_confidence"] == confidence


def test_mac_roman_is_read_where_it_is_pinned(tmp_path: Path) -> None:
    table = open_one(write(tmp_path, "Prénom;Ville\nHélène;Besançon\n".encode("mac-roman")), encoding="mac-roman")

    assert rows_of(read(table)) == {2: ["Hélène", "Besançon"]}


@pytest.mark.parametrize("name", ["utf-9", "base64", "łódź"])
def test_an_unknown_encoding_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(SourceError, match=f"there is no encoding '{name}'"):
        find_encoding(write(tmp_path, b"a;b"), name)


def test_a_pinned_encoding_is_respected(tmp_path: Path) -> None:
    table = open_one(write(tmp_path, "name;city\nanna;Łódź".encode("iso-8859-2")), encoding="iso-8859-2")

    assert rows_of(read(table)) == {2: ["anna", "Łódź"]}
