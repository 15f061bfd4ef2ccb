"""Readers on files that are broken: whatever the bytes are, what is raised is a SourceError with what to do."""

from __future__ import annotations

import contextlib
import gzip
import io
import os
import random
import resource
import time
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.errors import SourceError
from etl.sources import open_tables, take_in
from etl.sources.base import SourceOptions

FILES = Path(__file__).parent / "corpus" / "files"
SEEDS = sorted(path for path in FILES.iterdir() if not path.name.endswith(".expected.json") and path.stat().st_size)
FOUND = Path(__file__).parent / "corpus" / "found"
"""What fuzzing has found: each a file that once ended in a traceback, a hang or a dead process."""

SOAK_SECONDS = 600
SLOWEST_SECONDS = 30
MOST_KILOBYTES = 1_500_000
PIECES = (
    b"\0",
    b'"',
    b"\n",
    b"\r",
    b";",
    b"\xff\xfe",
    b"PK\x03\x04",
    b"<",
    b">",
    b"&",
    b"-1",
    b"999999999",
    b"1E999",
    b"{",
    b'"":',
    b"\xed\xa0\x80",
    b"A" * 5000,
)


def mutated(content: bytes, chance: random.Random) -> bytes:
    """Return `content` with a few bytes flipped, pieces inserted, cut out, repeated, or its end cut off."""
    data = bytearray(content)
    for _ in range(chance.randint(1, 8)):
        at = chance.randrange(len(data) + 1)
        match chance.randrange(6):
            case 0 if data:
                data[at % len(data)] = chance.randrange(256)
            case 1:
                data[at:at] = chance.choice(PIECES)
            case 2:
                del data[at : at + chance.randint(1, 200)]
            case 3:
                data[at:at] = data[at : at + chance.randint(1, 400)] * chance.randint(1, 5)
            case 4 if chance.random() < 0.3:
                del data[at:]
            case _:
                other = chance.randrange(len(data) + 1)
                data[at : at + 4], data[other : other + 4] = data[other : other + 4], data[at : at + 4]
    return bytes(data)


def mutated_within(content: bytes, chance: random.Random) -> bytes:
    """Return the archive with one of its members mutated, so that the container itself is sound."""
    with contextlib.suppress(zipfile.BadZipFile, OSError, EOFError):
        if content.startswith(b"\x1f\x8b"):
            return gzip.compress(mutated(gzip.decompress(content), chance), mtime=0)
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = {info: archive.read(info) for info in archive.infolist()}
        chosen = chance.choice(list(members))
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            for info, data in members.items():
                archive.writestr(info, mutated(data, chance) if info is chosen else data)
        return stream.getvalue()
    return mutated(content, chance)


def read_all(path: Path) -> None:
    """Read all that the file holds; SourceError is an answer, anything else is not."""
    try:
        for file in take_in([path]):
            for table in open_tables(file, SourceOptions(), 0):
                with file.named():
                    for chunk in table.chunks(range(len(table.header))):
                        assert len(chunk.cells) == len(chunk.blank)
    except SourceError as error:
        if not (error.message and error.hint):
            raise AssertionError("a refusal without a word on what to do") from error


def fuzz(path: Path, seed: int) -> None:
    chance = random.Random(seed)
    source = chance.choice(SEEDS)
    change = chance.choice((mutated, mutated_within))
    path = path / f"fuzzed{source.suffix}"
    path.write_bytes(change(source.read_bytes(), chance))
    started = time.monotonic()
    read_all(path)
    assert time.monotonic() - started < SLOWEST_SECONDS


@given(seed=st.integers(0, 2**48))
def test_a_broken_file_ends_in_a_source_error(seed: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    fuzz(tmp_path_factory.mktemp("fuzz"), seed)


@pytest.mark.parametrize("path", sorted(FOUND.iterdir()) if FOUND.is_dir() else [], ids=lambda path: path.name)
def test_what_fuzzing_found_stays_mended(path: Path) -> None:
    read_all(path)


@pytest.mark.soak
@pytest.mark.timeout(SOAK_SECONDS * 3)
def test_ten_minutes_of_broken_files_end_in_source_errors(tmp_path: Path) -> None:
    """Set FUZZ_SECONDS to change how long; the seed of a failure is in its message."""
    first = random.SystemRandom().randrange(2**48)
    end = time.monotonic() + float(os.environ.get("FUZZ_SECONDS", SOAK_SECONDS))
    seed = first
    while time.monotonic() < end:
        try:
            fuzz(tmp_path, seed)
        except BaseException as error:
            error.add_note(f"seed {seed}")
            raise
        seed += 1
    print(f"{seed - first:,} files")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < MOST_KILOBYTES
