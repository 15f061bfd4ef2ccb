"""A zip of files → its members in a spool, each one looked at before it is unpacked and counted while it is."""

from __future__ import annotations

import contextlib
import copy
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from etl.errors import SourceError
from etl.sources.archive_limits import MAX_MEMBERS, bad_member, damaged, refuse_bomb, too_many
from etl.sources.spool import BLOCK_BYTES, MAX_BYTES, Spool, too_large

_MAX_DIRECTORY_BYTES = 4 << 20
"""zipfile makes an object of a few hundred bytes of each entry (46 bytes and more) before anyone can count them."""
_END, _END_BYTES, _END_SEARCH = b"PK\x05\x06", 22, 22 + 65_535
_END64_LOCATOR, _END64 = b"PK\x06\x07", b"PK\x06\x06"
_ENCRYPTED = 0x1
_UTF8_NAME = 0x800
_METHODS = {0: "stored", 8: "deflate", 9: "deflate64", 12: "bzip2", 14: "LZMA", 93: "Zstandard", 95: "xz"}
_READ_METHODS = frozenset({0, 8})
_SHOWN_NAME = 200
_DRIVE = re.compile(r"[A-Za-z]:")
_FAULTS = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    RuntimeError,
    NotImplementedError,
    ValueError,
    OSError,
    struct.error,
)


def unpack_zip(path: Path, name: str, spool: Spool) -> list[tuple[str, Path]]:
    """Return the members (name for people, file in the spool) in the archive's order.

    Folders, `__MACOSX` and `.DS_Store` are left out. `name`: what messages call the archive. Raises SourceError.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = [info for info in archive.infolist() if not _is_passed_over(info)]
            names = [_shown(info) for info in members]
            _refuse_as_a_whole(members, names, path.stat().st_size, name)
            for info, shown in zip(members, names, strict=True):
                _refuse_member(info, shown, name)
            spool.require_room(sum(info.file_size for info in members), name)
            return [
                (shown, spool.write(_blocks(archive, info, f"{name}/{shown}"), f"{name}/{shown}"))
                for info, shown in zip(members, names, strict=True)
            ]
    except _FAULTS as error:
        raise damaged(name) from error


def refuse_huge_directory(path: Path) -> None:
    """Raise SourceError where the zip's own list of contents is longer than any real one; reads its end alone."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - _END_SEARCH))
        tail = file.read()
        at = tail.rfind(_END)
        if at < 0 or len(tail) - at < _END_BYTES:
            return
        (listed,) = struct.unpack_from("<L", tail, at + 12)
        if tail[at - 20 : at - 16] == _END64_LOCATOR and at >= 20:
            file.seek(min(size, struct.unpack_from("<Q", tail, at - 12)[0]))
            record = file.read(56)
            # Where the record is not there, zipfile looks for it before the locator.
            before = tail[at - 76 : at - 20] if at >= 76 else b""
            listed = max(_listed64(record), _listed64(before), 0 if listed == 0xFFFFFFFF else listed)
    if listed > _MAX_DIRECTORY_BYTES:
        raise too_many(str(path), f"more than {MAX_MEMBERS:,}")


def _listed64(record: bytes) -> int:
    if len(record) < 56 or not record.startswith(_END64):
        return 0
    return int(struct.unpack_from("<Q", record, 40)[0])


def _refuse_as_a_whole(members: list[zipfile.ZipInfo], names: list[str], packed: int, name: str) -> None:
    if not members:
        raise SourceError("the archive holds no file", code="archive-empty", where=name, hint="pack the tables anew")
    if len(members) > MAX_MEMBERS:
        raise too_many(name, f"{len(members):,}")
    twice = next((one for place, one in enumerate(names) if one in names[:place]), None)
    if twice is not None:
        raise bad_member(f"the archive holds two files called '{twice}'", name, "pack it anew, each file once")
    declared = sum(info.file_size for info in members)
    # Members may lie on top of each other: each within the ratio, their sum far beyond.
    refuse_bomb(declared, packed, name)


def _refuse_member(info: zipfile.ZipInfo, shown: str, archive: str) -> None:
    where = f"{archive}/{shown}"
    raw = info.orig_filename
    parts = re.split(r"[/\\]", raw)
    if raw.startswith(("/", "\\")) or ".." in parts or _DRIVE.match(raw) or "\0" in raw:
        raise bad_member("the name of this member leads out of the archive", where, "pack it anew, with plain names")
    mode = info.external_attr >> 16
    if stat.S_IFMT(mode) not in {0, stat.S_IFREG}:
        kind = "a symbolic link" if stat.S_ISLNK(mode) else "a device or a pipe"
        raise bad_member(f"this member is {kind}, not a file", where, "pack the file itself")
    if info.flag_bits & _ENCRYPTED:
        raise SourceError(
            "this member is protected by a password",
            code="archive-encrypted",
            where=where,
            hint="pack it without a password",
        )
    if info.compress_type not in _READ_METHODS:
        method = _METHODS.get(info.compress_type, f"number {info.compress_type}")
        raise SourceError(
            f"this member is packed by a method that is not read ({method})",
            code="archive-method",
            where=where,
            hint="pack it as an ordinary zip (deflate)",
        )
    if info.file_size > MAX_BYTES:
        raise too_large(where)
    refuse_bomb(info.file_size, info.compress_size, where)


def _blocks(archive: zipfile.ZipFile, info: zipfile.ZipInfo, where: str) -> Iterator[bytes]:
    # zipfile stops at the size that is declared, and what lies beyond would be lost without a word: let it read on.
    generous = copy.copy(info)
    generous.file_size = info.file_size + 1
    written = 0
    try:
        with archive.open(generous) as file:
            while block := file.read(BLOCK_BYTES):
                written += len(block)
                if written > info.file_size:
                    break
                yield block
    except _FAULTS as error:
        raise damaged(where) from error
    if written != info.file_size:
        raise damaged(where)


def _is_passed_over(info: zipfile.ZipInfo) -> bool:
    parts = info.filename.replace("\\", "/").split("/")
    return parts[-1] == "" or "__MACOSX" in parts or parts[-1] == ".DS_Store"


def _shown(info: zipfile.ZipInfo) -> str:
    name = info.orig_filename
    if not info.flag_bits & _UTF8_NAME and not name.isascii():
        # Some packers write UTF-8 and do not say so.
        with contextlib.suppress(UnicodeError):
            name = name.encode("cp437").decode("utf-8")
    safe = "".join(sign if sign.isprintable() else f"\\x{ord(sign):02x}" for sign in name)
    return safe if len(safe) <= _SHOWN_NAME else f"{safe[: _SHOWN_NAME - 20]}...{safe[-17:]}"
