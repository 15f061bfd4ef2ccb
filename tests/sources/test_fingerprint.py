from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from table_files import open_one, write

from etl.errors import SourceError
from etl.sources.fingerprint import fingerprint, is_unchanged, is_untouched


def test_a_fingerprint_is_size_time_and_hash(tmp_path: Path) -> None:
    path = write(tmp_path, b"a;b\n")

    known = fingerprint(path)

    assert known.size == 4
    assert known.mtime_ns == path.stat().st_mtime_ns
    assert known.sha256 == hashlib.sha256(b"a;b\n").hexdigest()


def test_a_changed_file_is_noticed_even_if_its_time_is_set_back(tmp_path: Path) -> None:
    path = write(tmp_path, b"a;b\n")
    known = fingerprint(path)
    path.write_bytes(b"a;c\n")
    os.utime(path, ns=(known.mtime_ns, known.mtime_ns))

    assert is_untouched(path, known)
    assert not is_unchanged(path, known)


def test_a_touched_file_is_unchanged_but_not_untouched(tmp_path: Path) -> None:
    path = write(tmp_path, b"a;b\n")
    known = fingerprint(path)
    os.utime(path, ns=(1, 1))

    assert not is_untouched(path, known)
    assert is_unchanged(path, known)


def test_a_file_that_is_gone_is_neither(tmp_path: Path) -> None:
    path = write(tmp_path, b"a;b\n")
    known = fingerprint(path)
    path.unlink()

    assert not is_untouched(path, known)
    assert not is_unchanged(path, known)


def test_a_missing_file_is_refused_with_the_nearest_name(tmp_path: Path) -> None:
    write(tmp_path, b"a;b\n", "contacts.csv")

    with pytest.raises(SourceError) as caught:
        open_one(tmp_path / "contact.csv")

    assert str(caught.value) == (
        f"{tmp_path / 'contact.csv'}: there is no such file\n  hint: did you mean 'contacts.csv'?   [file-missing]"
    )


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"there is no folder '.*/nowhere'"):
        open_one(tmp_path / "nowhere" / "contacts.csv")


def test_only_a_regular_file_is_read(tmp_path: Path) -> None:
    target = write(tmp_path, b"a;b\n")
    link, pipe = tmp_path / "link.csv", tmp_path / "pipe"
    link.symlink_to(target)
    os.mkfifo(pipe)

    for path, kind in ((tmp_path, "a folder"), (Path("/dev/null"), "a device"), (pipe, "a pipe")):
        with pytest.raises(SourceError, match=f"this is {kind}, not a file"):
            open_one(path)
    with pytest.raises(SourceError) as caught:
        open_one(link)
    assert caught.value.hint == f"give the file itself: {target.resolve()}"


def test_a_link_that_points_nowhere_says_so(tmp_path: Path) -> None:
    link = tmp_path / "link.csv"
    link.symlink_to(tmp_path / "gone.csv")

    with pytest.raises(SourceError, match="it points nowhere"):
        open_one(link)
