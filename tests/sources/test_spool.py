from __future__ import annotations

import errno
import gc
import os
import resource
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from etl.errors import SourceError
from etl.sources import take_in
from etl.sources.spool import MAX_BYTES, Spool, in_words

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_a_spool_is_its_owner_s_alone():
    path = Spool().folder
    spool = Spool()
    assert spool.folder.name.startswith("etl-")
    assert spool.folder != path
    assert stat.S_IMODE(spool.folder.stat().st_mode) == 0o700


def test_a_spool_is_gone_when_nobody_keeps_it():
    spool = Spool()
    kept = spool.write([b"a;b\n", b"1;2\n"], "x")
    assert kept.read_bytes() == b"a;b\n1;2\n"
    folder = spool.folder
    del spool
    gc.collect()
    assert not folder.exists()


def test_a_source_file_keeps_its_spool(folder):
    class Piped:
        def __init__(self):
            self.blocks = [b"a;b\n", b""]

        def isatty(self):
            return False

        def read(self, _size):
            return self.blocks.pop(0)

    files = take_in(["-"], standard_input=Piped())
    gc.collect()
    assert files[0].path.read_bytes() == b"a;b\n"
    files.clear()
    gc.collect()
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("end", ["", "raise SystemExit(3)", "raise RuntimeError", "spool.remove_all(); os._exit(1)"])
def test_a_spool_is_gone_when_the_process_ends(folder, end):
    script = f"import os\nfrom etl.sources import spool\nkept = spool.Spool()\nkept.write([b'x'], 'x')\n{end}"
    subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(folder)},
        stderr=subprocess.DEVNULL,
        timeout=60,
        check=False,
    )
    assert list(folder.iterdir()) == []


def test_a_forked_child_leaves_the_spool_to_its_parent():
    spool = Spool()
    child = os.fork()
    if child == 0:
        del spool
        gc.collect()
        os._exit(0)
    os.waitpid(child, 0)
    assert spool.folder.exists()


def test_what_goes_wrong_while_writing_leaves_no_part_of_a_file():
    spool = Spool()

    def blocks():
        yield b"x"
        raise SourceError("broken off", code="remote-cut")

    with pytest.raises(SourceError, match="broken off"):
        spool.write(blocks(), "x")
    assert list(spool.folder.iterdir()) == []


def test_more_than_the_limit_is_refused():
    class Huge(bytes):
        def __len__(self):
            return MAX_BYTES + 1

    with pytest.raises(SourceError) as caught:
        Spool().write([Huge()], "x.csv")
    assert str(caught.value) == (
        "x.csv: this is more than 8 GB of table, the limit\n  hint: split it into smaller files   [source-too-large]"
    )


def test_a_full_disk_is_told_with_what_to_do(folder):
    spool = Spool()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(SourceError) as caught:
            spool.write([bytes(5000)], "x.csv")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert str(caught.value) == (
        f"x.csv: there is no room for a copy in {folder} ({os.strerror(errno.EFBIG)})\n"
        "  hint: make room there, or set TMPDIR to a folder on a larger disk   [spool-no-room]"
    )
    assert list(spool.folder.iterdir()) == []


def test_room_is_asked_for_before_anything_is_written():
    with pytest.raises(SourceError) as caught:
        Spool().require_room(1 << 60, "x.zip")
    assert caught.value.code == "spool-no-room"
    assert "1073741824 GB are needed" in caught.value.message


def test_a_folder_that_is_not_there_is_told(folder, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(folder / "none"))
    with pytest.raises(SourceError) as caught:
        Spool()
    assert str(caught.value) == (
        f"a copy cannot be written to {folder}/none: No such file or directory\n"
        "  hint: set TMPDIR to a folder that you may write to   [spool]"
    )


@pytest.mark.parametrize(
    ("size", "words"), [(1, "1 bytes"), (2048, "2 KB"), (5 << 20, "5 MB"), (8 << 30, "8 GB"), (3 << 29, "1.5 GB")]
)
def test_sizes_are_told_in_words(size, words):
    assert in_words(size) == words
