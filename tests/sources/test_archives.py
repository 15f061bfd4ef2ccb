from __future__ import annotations

import gzip
import io
import stat
import struct
import subprocess
import sys
import tarfile
import zipfile
import zlib
from pathlib import Path

import pytest
from table_files import read, rows_of, workbook, write

from etl.errors import SourceError
from etl.sources import open_tables, take_in
from etl.sources.base import SourceOptions

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

TABLE = b"E-mail;Name\na@example.com;A\n"
SKIPPABLE = b"\x53\x2a\x4d\x18" + struct.pack("<L", 4) + b"note"
ROOT = Path(__file__).parents[2]


def zipped(
    folder: Path, members: dict[str, bytes], name: str = "orders.zip", method: int = zipfile.ZIP_DEFLATED
) -> Path:
    path = folder / name
    with zipfile.ZipFile(path, "w", method) as archive:
        for member, content in members.items():
            archive.writestr(member, content)
    return path


def with_info(folder: Path, name: str, content: bytes = TABLE, **attributes: int) -> Path:
    info = zipfile.ZipInfo(name)
    info.compress_type = zipfile.ZIP_DEFLATED
    for attribute, value in attributes.items():
        setattr(info, attribute, value)
    with zipfile.ZipFile(folder / "orders.zip", "w") as archive:
        archive.writestr(info, content)
    return folder / "orders.zip"


def patched(path: Path, local: int, central: int, value: bytes) -> Path:
    """Write `value` at these offsets of the first local header and of the first entry of the directory."""
    data = bytearray(path.read_bytes())
    directory = data.index(b"PK\x01\x02")
    data[local : local + len(value)] = value
    data[directory + central : directory + central + len(value)] = value
    path.write_bytes(bytes(data))
    return path


def taken(path: Path) -> dict[str, bytes]:
    return {file.name: file.path.read_bytes() for file in take_in([path])}


def refusal(path: Path) -> SourceError:
    with pytest.raises(SourceError) as caught:
        take_in([path])
    return caught.value


PACKED = {
    "gzip, one member": gzip.compress(TABLE),
    "gzip, two members": gzip.compress(TABLE[:9]) + gzip.compress(TABLE[9:]),
    "gzip, padded with zeros": gzip.compress(TABLE) + bytes(512),
    "zstd, one frame": zstd.compress(TABLE),
    "zstd, two frames": zstd.compress(TABLE[:9]) + zstd.compress(TABLE[9:]),
    "zstd, a note before and after": SKIPPABLE + zstd.compress(TABLE) + SKIPPABLE,
}


@pytest.mark.parametrize("content", PACKED.values(), ids=PACKED)
def test_a_packed_table_is_unpacked_whatever_its_name(tmp_path, content):
    path = write(tmp_path, content, "table.bin")
    assert taken(path) == {str(path): TABLE}


def test_every_member_of_a_zip_is_a_file_of_its_own_in_the_order_of_the_archive(tmp_path):
    path = zipped(tmp_path, {"may.csv": TABLE, "a/june.csv": b"a;b\n1;2\n"})
    assert taken(path) == {f"{path}/may.csv": TABLE, f"{path}/a/june.csv": b"a;b\n1;2\n"}


def test_what_a_mac_adds_to_a_zip_is_left_out(tmp_path):
    path = zipped(tmp_path, {"in/": b"", "in/may.csv": TABLE, "__MACOSX/in/._may.csv": b"x", "in/.DS_Store": b"x"})
    assert list(taken(path)) == [f"{path}/in/may.csv"]


def test_a_workbook_in_a_zip_is_read(tmp_path):
    book = workbook(tmp_path, {"S": {"A1": "E-mail", "A2": "a@example.com"}})
    [file] = take_in([zipped(tmp_path, {"book.xlsx": book.read_bytes()})])
    [table] = open_tables(file, SourceOptions(), 0)
    assert table.ref.file == f"{tmp_path}/orders.zip/book.xlsx"
    assert rows_of(read(table)) == {2: ["a@example.com"]}


def test_a_workbook_itself_is_no_archive(tmp_path):
    book = workbook(tmp_path, {"S": {"A1": "E-mail"}})
    assert list(taken(book)) == [str(book)]


def test_the_fingerprint_of_a_member_is_that_of_the_archive(tmp_path):
    path = zipped(tmp_path, {"may.csv": TABLE, "june.csv": TABLE})
    first, second = take_in([path])
    assert first.fingerprint == second.fingerprint
    assert first.fingerprint.size == path.stat().st_size


def test_files_in_the_spool_are_called_by_numbers(tmp_path):
    first, second = take_in([zipped(tmp_path, {"may.csv": TABLE, "con.exe": TABLE})])
    assert [first.path.name, second.path.name] == ["1", "2"]
    assert stat.S_IMODE(first.path.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(first.path.stat().st_mode) == 0o600


def test_a_name_that_steers_a_terminal_is_shown_as_an_escape(tmp_path):
    path = zipped(tmp_path, {"\x1b[2Jmay\n.csv": TABLE})
    assert list(taken(path)) == [f"{path}/\\x1b[2Jmay\\x0a.csv"]


def test_a_name_in_utf_8_that_does_not_say_so_is_read_rightly(tmp_path):
    path = zipped(tmp_path, {"zamówienia.csv": TABLE})
    patched(path, 6, 8, b"\0\0")
    assert list(taken(path)) == [f"{path}/zamówienia.csv"]


CUT = "the archive is damaged or cut off; nothing of it is read"


@pytest.mark.parametrize("end", [-1, -9, 12])
@pytest.mark.parametrize("pack", [gzip.compress, zstd.compress], ids=["gzip", "zstd"])
def test_a_cut_archive_is_refused(tmp_path, pack, end):
    path = write(tmp_path, pack(TABLE)[:end], "table.gz")
    assert str(refusal(path)) == f"{path}: {CUT}\n  hint: copy or download it again   [archive-damaged]"


@pytest.mark.parametrize("pack", [gzip.compress, zstd.compress], ids=["gzip", "zstd"])
def test_what_follows_an_archive_and_is_none_is_refused(tmp_path, pack):
    assert refusal(write(tmp_path, pack(TABLE) + b"more", "table.gz")).code == "archive-damaged"


def test_a_cut_zip_is_refused(tmp_path):
    path = zipped(tmp_path, {"may.csv": TABLE})
    path.write_bytes(path.read_bytes()[:-30])
    assert (refusal(path).message, refusal(path).code) == (CUT, "archive-damaged")


def test_a_member_whose_bytes_were_changed_is_refused(tmp_path):
    path = zipped(tmp_path, {"may.csv": TABLE}, method=zipfile.ZIP_STORED)
    path.write_bytes(path.read_bytes().replace(b"a@example", b"b@example"))
    assert (refusal(path).message, refusal(path).where) == (CUT, f"{path}/may.csv")


@pytest.mark.parametrize("declared", [5, 400])
def test_a_member_that_lies_about_its_size_is_refused(tmp_path, declared):
    path = zipped(tmp_path, {"may.csv": TABLE})
    # With the check sum of its beginning, so that nothing but the size gives it away.
    patched(path, 14, 16, struct.pack("<L", zlib.crc32(TABLE[:declared])))
    patched(path, 22, 24, struct.pack("<L", declared))
    assert refusal(path).code == "archive-damaged"


def test_an_empty_zip_is_refused(tmp_path):
    path = zipped(tmp_path, {"folder/": b""})
    assert str(refusal(path)) == f"{path}: the archive holds no file\n  hint: pack the tables anew   [archive-empty]"


@pytest.mark.parametrize(
    "name", ["../x.csv", "a/../../x.csv", "/etc/x.csv", "..\\x.csv", "C:\\x.csv", "\\\\host\\x.csv"]
)
def test_a_name_that_leads_out_of_the_archive_is_refused(tmp_path, name):
    path = zipped(tmp_path, {"may.csv": TABLE, name: TABLE})
    assert str(refusal(path)) == (
        f"{path}/{name}: the name of this member leads out of the archive\n"
        "  hint: pack it anew, with plain names   [archive-member]"
    )


@pytest.mark.parametrize(("mode", "kind"), [(stat.S_IFLNK, "a symbolic link"), (stat.S_IFIFO, "a device or a pipe")])
def test_a_member_that_is_no_file_is_refused(tmp_path, mode, kind):
    path = with_info(tmp_path, "may.csv", b"/etc/passwd", external_attr=(mode | 0o777) << 16, create_system=3)
    assert str(refusal(path)) == (
        f"{path}/may.csv: this member is {kind}, not a file\n  hint: pack the file itself   [archive-member]"
    )


def test_a_member_behind_a_password_is_refused(tmp_path):
    path = patched(zipped(tmp_path, {"may.csv": TABLE}), 6, 8, b"\x01\x00")
    assert str(refusal(path)) == (
        f"{path}/may.csv: this member is protected by a password\n"
        "  hint: pack it without a password   [archive-encrypted]"
    )


@pytest.mark.parametrize(("method", "name"), [(9, "deflate64"), (12, "bzip2"), (99, "number 99")])
def test_a_method_that_is_not_read_is_named(tmp_path, method, name):
    path = patched(zipped(tmp_path, {"may.csv": TABLE}), 8, 10, struct.pack("<H", method))
    assert str(refusal(path)) == (
        f"{path}/may.csv: this member is packed by a method that is not read ({name})\n"
        "  hint: pack it as an ordinary zip (deflate)   [archive-method]"
    )


def test_two_members_of_one_name_are_refused(tmp_path):
    path = tmp_path / "orders.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("may.csv", TABLE)
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("may.csv", TABLE)
    assert refusal(path).message == "the archive holds two files called 'may.csv'"


def tarred() -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        info = tarfile.TarInfo("may.csv")
        info.size = len(TABLE)
        archive.addfile(info, io.BytesIO(TABLE))
    return target.getvalue()


def zip_bytes() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("may.csv", TABLE)
    return target.getvalue()


NESTED = {"gzip": gzip.compress(TABLE), "Zstandard": zstd.compress(TABLE), "zip": zip_bytes(), "tar": tarred()}


@pytest.mark.parametrize(("kind", "content"), NESTED.items(), ids=NESTED)
def test_an_archive_in_a_zip_is_refused_by_its_name(tmp_path, kind, content):
    path = zipped(tmp_path, {"may.csv": TABLE, "inner": content})
    assert str(refusal(path)) == (
        f"{path}/inner: this member is an archive itself ({kind})\n"
        "  hint: unpack it, and give the tables in it   [archive-nested]"
    )


@pytest.mark.parametrize(("kind", "content"), NESTED.items(), ids=NESTED)
def test_an_archive_in_a_gzip_is_refused(tmp_path, kind, content):
    error = refusal(write(tmp_path, gzip.compress(content), "may.gz"))
    assert error.message == f"what stands in the gzip archive is an archive itself ({kind})"


def test_more_than_a_thousand_members_are_refused(tmp_path):
    path = zipped(tmp_path, {f"{place}.csv": b"a" for place in range(1001)})
    assert str(refusal(path)) == (
        f"{path}: the archive holds 1,001 files; 1,000 are the limit\n  hint: give it in parts   [archive-too-many]"
    )


def gzip_bomb(path: Path) -> None:
    with gzip.open(path, "wb") as file:
        for _ in range(600):
            file.write(bytes(1 << 20))


def zstd_bomb(path: Path) -> None:
    with zstd.ZstdFile(path, "w") as file:
        for _ in range(2000):
            file.write(bytes(1 << 20))


def zip_bomb(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("may.csv", "w") as member:
        for _ in range(600):
            member.write(b"," * (1 << 20))


def lying_zip_bomb(path: Path) -> None:
    zip_bomb(path)
    patched(path, 22, 24, struct.pack("<L", 1000))


def overlapping_bomb(path: Path) -> None:
    """Nine hundred entries of the directory, each within the ratio, name the same bytes."""
    content = b"".join(b"%d;" % number for number in range(60_000))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("0000.csv", content)
    data = path.read_bytes()
    start = data.index(b"PK\x01\x02")
    entry = data[start : data.index(b"PK\x05\x06")]
    directory = b"".join(entry.replace(b"0000.csv", b"%04d.csv" % place) for place in range(900))
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 900, 900, len(directory), start, 0)
    path.write_bytes(data[:start] + directory + end)


def crowded_zip(path: Path) -> None:
    """A directory of a million entries, as it takes zipfile a gigabyte to list."""
    entry = struct.pack("<4s6H3L5H2L", b"PK\x01\x02", 20, 20, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0) + b"x"
    directory = entry * 1_000_000
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, len(directory), 0, 0)
    path.write_bytes(directory + end)


BOMBS = {
    "gzip": (gzip_bomb, "archive-bomb"),
    "zstd": (zstd_bomb, "archive-bomb"),
    "zip": (zip_bomb, "archive-bomb"),
    "zip that lies": (lying_zip_bomb, "archive-damaged"),
    "zip that overlaps": (overlapping_bomb, "archive-bomb"),
    "zip of a million names": (crowded_zip, "archive-too-many"),
}


@pytest.mark.parametrize(("make", "code"), BOMBS.values(), ids=BOMBS)
def test_a_bomb_is_refused_within_a_second_and_200_mb(tmp_path, make, code):
    make(tmp_path / "bomb")
    script = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from etl.sources.intake import take_in\n"
        "started = time.process_time()\n"
        "try: take_in([sys.argv[1]])\n"
        "except Exception as error: print(error.code)\n"
        # Not by getrusage: a child begins with the peak of the process that started it.
        "peak = Path('/proc/self/status').read_text().partition('VmHWM:')[2].split()[0]\n"
        "print(time.process_time() - started, peak)"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "bomb")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    found, numbers = done.stdout.splitlines()
    seconds, kilobytes = map(float, numbers.split())
    assert found == code
    assert seconds < 1
    assert kilobytes < 200 * 1024


def test_the_bomb_is_named_and_what_to_do_with_it(tmp_path):
    gzip_bomb(tmp_path / "bomb.gz")
    assert str(refusal(tmp_path / "bomb.gz")) == (
        f"{tmp_path}/bomb.gz: this unpacks to more than 250 times its size, as tables do not\n"
        "  hint: if it is a table that you know, unpack it yourself and give the file in it   [archive-bomb]"
    )


def test_a_small_table_may_be_one_value_throughout(tmp_path):
    content = b"a;b\n" + b"0;0\n" * 4_000_000
    assert taken(write(tmp_path, gzip.compress(content), "t.gz")) == {f"{tmp_path}/t.gz": content}
