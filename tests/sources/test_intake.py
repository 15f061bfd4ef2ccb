from __future__ import annotations

import io
import os
import pty
import zipfile
from pathlib import Path

import pytest

from etl.errors import SourceError
from etl.sources import take_in

TABLE = b"E-mail;Name\na@example.com;A\n"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def put(*names: str, content: bytes = TABLE) -> None:
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(content)


def names(*given: str | Path, **options) -> list[str]:
    return [file.name for file in take_in(given, **options)]


def refusal(*given: str | Path, **options) -> SourceError:
    with pytest.raises(SourceError) as caught:
        take_in(given, **options)
    return caught.value


def test_files_keep_the_order_in_which_they_are_given():
    put("b.csv", "a.csv")
    assert names("b.csv", Path("a.csv")) == ["b.csv", "a.csv"]


def test_a_pattern_means_its_files_in_order():
    put("in/b.csv", "in/a.csv", "in/c.txt", "in/.hidden.csv")
    assert names("in/*.csv") == ["in/a.csv", "in/b.csv"]


def test_two_stars_mean_any_folder():
    put("in/a.csv", "in/2026/05/b.csv")
    assert names("in/**/*.csv") == ["in/2026/05/b.csv", "in/a.csv"]


def test_a_file_of_exactly_that_name_is_no_pattern():
    put("in/a[1].csv", "in/a1.csv")
    assert names("in/a[1].csv") == ["in/a[1].csv"]


def test_a_path_of_python_is_no_pattern():
    put("in/a.csv")
    assert refusal(Path("in/*.csv")).message == "there is no such file"


def test_a_pattern_that_nothing_matches_is_refused():
    put("in/a.csv")
    assert str(refusal("in/*.xlsx")) == (
        "no file matches 'in/*.xlsx'\n  hint: check the folder and the pattern; `**` is any folder   [file-missing]"
    )


def test_a_pattern_passes_over_folders():
    put("in/a.csv", "in/folder.csv/b.txt")
    assert names("in/*.csv") == ["in/a.csv"]


@pytest.mark.parametrize("kind", ["link", "pipe"])
def test_what_is_no_file_is_refused_also_where_a_pattern_finds_it(kind):
    put("in/a.csv")
    os.mkfifo("in/b.csv") if kind == "pipe" else Path("in/b.csv").symlink_to("a.csv")
    assert refusal("in/*.csv").code == "not-a-file"


def test_two_stars_go_through_no_link():
    put("in/a.csv", "elsewhere/b.csv")
    Path("in/linked").symlink_to("../elsewhere")
    Path("in/circle").symlink_to(".")
    assert names("in/**/*.csv") == ["in/a.csv"]


@pytest.mark.parametrize("given", [["a.csv", "./a.csv"], ["a.csv", "*.csv"], ["a.csv", "hard.csv"]], ids=str)
def test_the_same_file_twice_is_refused(given):
    put("a.csv")
    os.link("a.csv", "hard.csv")
    error = refusal(*given)
    assert (error.message, error.hint, error.code) == ("this file is given twice", "name each file once", "file-twice")


def test_standard_input_twice_is_refused():
    assert str(refusal("-", "-", standard_input=io.BytesIO(TABLE))) == (
        "-: this file is given twice\n  hint: name each file once   [file-twice]"
    )


def test_standard_input_is_a_file_of_its_own():
    [file] = take_in(["-"], standard_input=io.BytesIO(TABLE))
    assert (file.name, file.path.read_bytes(), file.origin) == ("standard input", TABLE, None)
    assert file.fingerprint.size == len(TABLE)


def test_an_archive_may_come_through_standard_input():
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("may.csv", TABLE)
    target.seek(0)
    [file] = take_in(["-"], standard_input=target)
    assert (file.name, file.path.read_bytes()) == ("standard input/may.csv", TABLE)
    assert file.fingerprint.size == len(target.getvalue())
    assert list(file.path.parent.iterdir()) == [file.path]


def test_a_terminal_is_no_input():
    master, slave = pty.openpty()
    with os.fdopen(master, "rb"), os.fdopen(slave, "rb") as terminal:
        error = refusal("-", standard_input=terminal)
    assert str(error) == (
        "standard input: nothing is piped in: standard input is a terminal\n"
        "  hint: pipe the file in: cat FILE | etl check MAPPING -   [no-standard-input]"
    )


def test_a_file_called_by_a_dash_can_be_given_as_a_path():
    put("-")
    assert names(Path("-")) == ["-"]


ADDRESSES = {
    "ftp://example.com/x.csv": ("'ftp://' is not read", "addresses begin with https, s3, sftp, gs"),
    "file:///etc/x.csv": ("'file://' is not read", "give the path itself"),
    "https://example.com": ("the address names no file", "write it like https://HOST/FOLDER/FILE.csv"),
    "https:///x.csv": ("the address names no file", "write it like https://HOST/FOLDER/FILE.csv"),
    "https://[x/x.csv": ("this is no address that can be read", "check its host and port"),
    "https://example.com:port/x.csv": ("this is no address that can be read", "check its host and port"),
}


@pytest.mark.parametrize(("url", "expected"), ADDRESSES.items(), ids=ADDRESSES)
def test_an_address_that_is_none_is_refused(url, expected):
    error = refusal(url)
    assert (error.message, error.hint, error.code) == (*expected, "address")


def test_one_bad_file_of_several_refuses_them_all():
    put("a.csv", "b.gz", content=b"\x1f\x8b\x08\x00")
    put("a.csv")
    assert refusal("a.csv", "b.gz").where == "b.gz"
