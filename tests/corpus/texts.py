"""Text files that people have, as bytes, and what must come out of each."""

from __future__ import annotations

import codecs
import gzip
import io
import zipfile
from typing import Any

H = ["E-mail", "City"]


def _of(rows: dict[int, list[str]], header: list[str] = H, header_row: int = 1, **more: Any) -> dict[str, Any]:
    return {
        "tables": [
            {
                "sheet": "",
                "header": header,
                "header_row": header_row,
                "rows": {str(n): r for n, r in rows.items()},
                **more,
            }
        ]
    }


def _refused(code: str) -> dict[str, Any]:
    return {"refused": code}


A, B = ["a@example.com", "Oslo"], ["b@example.com", "Köln"]
PLAIN = "E-mail;City\na@example.com;Oslo\nb@example.com;Köln\n"
HTML = b'<html><head><meta charset="utf-8"></head><body><table><tr><td>E-mail</td></tr></table></body></html>'


def _zip(members: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 11, 24, 0, 0, 0)), content)
    return stream.getvalue()


def _gzip(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)


TWO_FILES = {"tables": [
    {"file": "two.zip/may.csv", "sheet": "", "header": H, "header_row": 1, "rows": {"2": A, "3": B}},
    {"file": "two.zip/in/june.csv", "sheet": "", "header": H, "header_row": 1, "rows": {"2": A}},
]}  # fmt: skip

TEXTS: dict[str, tuple[bytes, dict[str, Any]]] = {
    "plain.csv": (PLAIN.encode(), _of({2: A, 3: B})),
    "bom.csv": (codecs.BOM_UTF8 + PLAIN.encode(), _of({2: A, 3: B})),
    "utf16_le_without_mark.csv": (PLAIN.encode("utf-16-le"), _of({2: A, 3: B})),
    "utf16_be_with_mark.csv": (codecs.BOM_UTF16_BE + PLAIN.encode("utf-16-be"), _of({2: A, 3: B})),
    "utf32.csv": (PLAIN.encode("utf-32"), _of({2: A, 3: B})),
    "last_line_without_end.csv": (PLAIN.rstrip("\n").encode(), _of({2: A, 3: B})),
    "lone_cr.csv": (PLAIN.replace("\n", "\r").encode(), _of({2: A, 3: B})),
    "crlf.csv": (PLAIN.replace("\n", "\r\n").encode(), _of({2: A, 3: B})),
    "mixed_line_ends.csv": (b"E-mail;City\r\na@example.com;Oslo\nb@example.com;Bergen\rc@example.com;Lund\r\n", _of({2: A, 3: ["b@example.com", "Bergen"], 4: ["c@example.com", "Lund"]})),
    "sep_line.csv": (b"sep=;\n" + PLAIN.encode(), _of({3: A, 4: B}, header_row=2)),
    "pipes.txt": (PLAIN.replace(";", "|").encode(), _of({2: A, 3: B})),
    "tabs.tsv": (PLAIN.replace(";", "\t").encode(), _of({2: A, 3: B})),
    "carets.csv": (PLAIN.replace(";", "^").encode(), _of({2: A, 3: B})),
    "one_column.csv": (b"E-mail\na@example.com\nb@example.com\n", _of({2: ["a@example.com"], 3: ["b@example.com"]}, ["E-mail"])),
    "decimal_commas.csv": (b"E-mail;Total\na@example.com;1,50\nb@example.com;2,75\nc@example.com;1.234,00\n", _of({2: ["a@example.com", "1,50"], 3: ["b@example.com", "2,75"], 4: ["c@example.com", "1.234,00"]}, ["E-mail", "Total"])),
    "names_with_commas.csv": (b'E-mail,Name\na@example.com,"Kowalski, Jan"\nb@example.com,"Nowak, Anna"\n', _of({2: ["a@example.com", "Kowalski, Jan"], 3: ["b@example.com", "Nowak, Anna"]}, ["E-mail", "Name"])),
    "embedded_newlines.csv": (b'E-mail;Note\na@example.com;"one\ntwo\nthree"\nb@example.com;"x ""y"""\n', _of({2: ["a@example.com", "one\ntwo\nthree"], 5: ["b@example.com", 'x "y"']}, ["E-mail", "Note"])),
    "blank_lines.csv": (b"E-mail;City\n\na@example.com;Oslo\n;\n\nb@example.com;Lund\n", _of({2: ["", ""], 3: A, 4: ["", ""], 5: ["", ""], 6: ["b@example.com", "Lund"]}, blank=[2, 4, 5])),
    "ragged_short_and_long.csv": (b"E-mail;City;Zip\na@example.com;Oslo\nb@example.com;Lund;1;2\nc@example.com;Rome;3\n", _of({2: ["a@example.com", "Oslo", ""], 3: ["b@example.com", "Lund", "1"], 4: ["c@example.com", "Rome", "3"]}, ["E-mail", "City", "Zip"], faults=[[2, None, "ragged-row", ""], [3, None, "ragged-row", ""]])),
    "first_data_row_too_long.csv": (b"E-mail;City\na@example.com;Oslo;extra\nb@example.com;Lund\n", _of({2: A, 3: ["b@example.com", "Lund"]}, faults=[[2, None, "ragged-row", ""]])),
    "trailing_separators.csv": (b"E-mail;City;\na@example.com;Oslo;\nb@example.com;Lund;\n", _of({2: [*A, ""], 3: ["b@example.com", "Lund", ""]}, [*H, ""])),
    "repeated_header.csv": (b"E-mail;Phone;Phone\na@example.com;1;2\n", _of({2: ["a@example.com", "1", "2"]}, ["E-mail", "Phone", "Phone"])),
    "empty_header.csv": (b"E-mail;;City\na@example.com;x;Oslo\n", _of({2: ["a@example.com", "x", "Oslo"]}, ["E-mail", "", "City"])),
    "header_in_row_4.csv": (b"Shop export;;\n24.11.2026;;\n;;\nE-mail;City;Zip\na@example.com;Oslo;0150\n", _of({5: ["a@example.com", "Oslo", "0150"]}, ["E-mail", "City", "Zip"], 4)),
    "comments_before_the_header.csv": (b"# exported by a shop\n# 2 rows\nE-mail;City\na@example.com;Oslo\n", _of({4: A}, header_row=3)),
    "comment_rows.csv": (b"E-mail;City\n# north\na@example.com;Oslo\n#south;\nb@example.com;Rome\n", {**_of({2: ["# north", ""], 3: A, 4: ["#south", ""], 5: ["b@example.com", "Rome"]}, left_out={"comment-row": [2, 4]}), "options": {"comment": "#"}}),
    "total_row_left_out.csv": (b"E-mail;City;Sum\na@example.com;Oslo;2\nb@example.com;Rome;3\nRazem;;5\n", {**_of({2: [*A, "2"], 3: ["b@example.com", "Rome", "3"], 4: ["Razem", "", "5"]}, ["E-mail", "City", "Sum"], left_out={"total-row": [4]}), "options": {"total_rows": False}}),
    "total_row.csv": (b"E-mail;City;Sum\na@example.com;Oslo;2\nb@example.com;Rome;3\nSumme:;;5\n", _of({2: [*A, "2"], 3: ["b@example.com", "Rome", "3"], 4: ["Summe:", "", "5"]}, ["E-mail", "City", "Sum"], faults=[[4, None, "total-row", ""]])),
    "header_only.csv": (b"E-mail;City\n", _of({})),
    "nul_in_a_cell.csv": (PLAIN.encode().replace(b"Oslo", b"Os\0lo") + b"c@example.com;Lund\n" * 300, {"rows_only": {"3": B, "4": ["c@example.com", "Lund"]}, "fault_codes": ["nul-character"], "fault_rows": [2]}),
    "formulas_as_text.csv": (b"E-mail;Note\na@example.com;=1+1\nb@example.com;@SUM(A1)\nc@example.com;-2+3\n", _of({2: ["a@example.com", "=1+1"], 3: ["b@example.com", "@SUM(A1)"], 4: ["c@example.com", "-2+3"]}, ["E-mail", "Note"])),
    "na_and_null_are_text.csv": (b"E-mail;Surname\na@example.com;Null\nb@example.com;NA\nc@example.com;None\n", _of({2: ["a@example.com", "Null"], 3: ["b@example.com", "NA"], 4: ["c@example.com", "None"]}, ["E-mail", "Surname"])),
    "leading_zeros_and_exponents.csv": (b"E-mail;Zip;Code\na@example.com;00123;1E5\nb@example.com;00950;12345678901234567890\n", _of({2: ["a@example.com", "00123", "1E5"], 3: ["b@example.com", "00950", "12345678901234567890"]}, ["E-mail", "Zip", "Code"])),
    "header_with_spaces_and_nbsp.csv": ("\u00a0E-mail ; City\na@example.com;Oslo\n".encode(), _of({2: A})),
    "a_csv_named.xlsx": (PLAIN.encode(), _of({2: A, 3: B})),
    "empty.csv": (b"", _refused("file-empty")),
    "blank_lines_alone.csv": (b"\n\n;;\n", _refused("file-empty")),
    "unclosed_quote.csv": (b'E-mail;City\na@example.com;"Oslo\nb@example.com;Lund\n', _refused("quote-unclosed")),
    "changes_its_mind.csv": (PLAIN.encode() + "ä@example.com;Köln\nzoë@example.com;Zürich\n".encode() + "jürgen@example.com;Köln\n".encode("cp1252"), _refused("encoding-mixed")),
    "html.xls": (HTML, _refused("format-unknown")),
    "html_table_alone.xls": (b"<table><tr><td>E-mail</td></tr></table>", _refused("format-unknown")),
    "excel_2003.xml": (b'<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?><Workbook/>', _refused("format-unknown")),
    "web_archive.xls": (b"MIME-Version: 1.0\r\nContent-Type: multipart/related\r\n\r\n", _refused("format-unknown")),
    "a_pdf.xlsx": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", _refused("format-unknown")),
    "json_array.json": (b'[{"E-mail": "a@example.com"}]', _refused("format-unknown")),
    "lines.jsonl": ('{"E-mail": "a@example.com", "City": "Oslo"}\n{"City": "Köln", "E-mail": "b@example.com", "phone": 48600123456}\n'.encode(), _of({1: [*A, ""], 2: [*B, "48600123456"]}, [*H, "phone"], 0)),
    "nested_lines.jsonl": (b'{"E-mail": "a@example.com", "address": {"city": "Oslo", "zip": "0150"}, "tags": ["x", "y"], "total": 1.50, "vip": true, "note": null}\n', _of({1: ["a@example.com", "Oslo", "0150", "x;y", "1.50", "TRUE", ""]}, ["E-mail", "address.city", "address.zip", "tags", "total", "vip", "note"], 0)),
    "a_bad_line.jsonl": (b'{"E-mail": "a@example.com"}\n{"E-mail": \n{"E-mail": "c@example.com"}\n', _of({1: ["a@example.com"], 2: [""], 3: ["c@example.com"]}, ["E-mail"], 0, faults=[[2, None, "json-line", ""]])),
    "plain.csv.gz": (_gzip(PLAIN.encode()), _of({2: A, 3: B})),
    "many_members.csv.gz": (_gzip(b"E-mail;City\na@example.com;Oslo\n") + _gzip("b@example.com;Köln\n".encode()), _of({2: A, 3: B})),
    "cut_short.csv.gz": (_gzip(PLAIN.encode() * 50)[:-20], _refused("archive-damaged")),
    "two.zip": (_zip({"may.csv": PLAIN.encode(), "in/": b"", "in/june.csv": b"E-mail;City\na@example.com;Oslo\n", "__MACOSX/._may.csv": b"x"}), TWO_FILES),
    "path_traversal.zip": (_zip({"../../etc/may.csv": PLAIN.encode()}), {"refused": "*"}),
    "archive_in_archive.zip": (_zip({"inner.zip": _zip({"a.csv": PLAIN.encode()})}), {"refused": "*"}),
}  # fmt: skip
