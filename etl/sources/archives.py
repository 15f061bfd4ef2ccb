"""gz, zst and zip → the tables in them, as files of a spool. One level: an archive in an archive is refused.

What an archive says of itself is not believed: sizes are counted while it is unpacked, and nothing is written under a
name that stands in it.
"""

from __future__ import annotations

import gzip
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, BinaryIO, NamedTuple, cast

from etl.errors import SourceError
from etl.sources.archive_limits import damaged, refuse_bomb
from etl.sources.fingerprint import speaking_of, unreadable
from etl.sources.kinds import GZIP, ZIP, ZSTD, kind_of
from etl.sources.spool import BLOCK_BYTES, Spool
from etl.sources.zip_members import refuse_huge_directory, unpack_zip

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_ZSTD_WINDOW_LOG = 27
"""128 MB, as much as zstd -22 asks for; what `--long=31` packs would take 2 GB of memory."""
_GZIP_MAGIC, _ZSTD_MAGIC, _SKIPPABLE = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"\x2a\x4d\x18"
_TAR_PLACE = 257
_NAMES = {GZIP: "gzip", ZIP: "zip", ZSTD: "Zstandard"}


class Unpacked(NamedTuple):
    """One table of an archive. `name`: as reports call it, `orders.zip/may.csv`; `path`: the file in the spool."""

    name: str
    path: Path


def archive_kind(path: Path) -> str | None:
    """Return GZIP, ZIP or ZSTD, told by content; None for what is no archive (a workbook is none).

    Raises SourceError: a damaged zip, or one that lists more than can be.
    """
    head = _head(path)
    if head.startswith(_GZIP_MAGIC):
        return GZIP
    if head.startswith(_ZSTD_MAGIC) or (head[1:4] == _SKIPPABLE and 0x50 <= head[0] <= 0x5F):
        return ZSTD
    if head.startswith(b"PK"):
        refuse_huge_directory(path)
        return ZIP if _is_zip_of_files(path, head) else None
    return None


def unpack(path: Path, kind: str, name: str, spool: Spool) -> list[Unpacked]:
    """Return what the archive at `path` holds, in its order, unpacked into `spool`.

    `name` is what messages and reports call the archive. Raises SourceError: damaged, cut off, encrypted, too large,
    packed beyond MAX_RATIO, names that lead elsewhere, an archive in it. Nothing of it is read then.
    """
    if kind == ZIP:
        members = [Unpacked(f"{name}/{shown}", file) for shown, file in unpack_zip(path, name, spool)]
    else:
        members = [Unpacked(name, spool.write(_stream(path, kind, name), name))]
    for member in members:
        _refuse_archive(member, kind, name)
    return members


def _stream(path: Path, kind: str, name: str) -> Iterator[bytes]:
    with path.open("rb") as packed, _opened(packed, kind) as file:
        written = 0
        while block := _next_block(file, name):
            written += len(block)
            refuse_bomb(written, packed.tell(), name)
            yield block


def _opened(packed: BinaryIO, kind: str) -> IO[bytes]:
    if kind == GZIP:
        return cast("IO[bytes]", gzip.GzipFile(fileobj=packed))
    return cast(
        "IO[bytes]", zstd.ZstdFile(packed, options={zstd.DecompressionParameter.window_log_max: _ZSTD_WINDOW_LOG})
    )


def _next_block(file: IO[bytes], name: str) -> bytes:
    try:
        return file.read(BLOCK_BYTES)
    except (EOFError, zlib.error, gzip.BadGzipFile, zstd.ZstdError) as error:
        raise damaged(name) from error


def _refuse_archive(member: Unpacked, kind: str, archive: str) -> None:
    head = _head(member.path)
    if head[_TAR_PLACE : _TAR_PLACE + 5] == b"ustar":
        inner: str | None = "tar"
    else:
        with speaking_of(member.path, member.name):
            found = archive_kind(member.path)
        inner = _NAMES[found] if found else None
    if inner is None:
        return
    what = f"what stands in the {_NAMES[kind]} archive" if member.name == archive else "this member"
    raise SourceError(
        f"{what} is an archive itself ({inner})",
        code="archive-nested",
        where=member.name,
        hint="unpack it, and give the tables in it",
    )


def _is_zip_of_files(path: Path, head: bytes) -> bool:
    try:
        return kind_of(path) == ZIP
    except SourceError as error:
        if error.code == "workbook-damaged" and not _begins_as_workbook(head):
            raise damaged(str(path)) from error
        if error.code == "workbook-damaged":
            raise
        return False


def _begins_as_workbook(head: bytes) -> bool:
    return head[30:].startswith((b"[Content_Types]", b"_rels/", b"docProps/", b"xl/", b"mimetype"))


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_TAR_PLACE + 8)
    except OSError as error:
        raise unreadable(path, error) from error
