"""The streams of an OLE container (old Office files), read in bounded memory and time.

[MS-CFB] 2. Chains of sectors come from the file and may run in circles: each is followed no further than the file has
sectors. (The `olefile` package follows a claimed number of them, and holds a stream whole.)
"""

from __future__ import annotations

import struct
import sys
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from etl.sources.fingerprint import unreadable
from etl.sources.workbook_parts import MOST_BYTES, damaged, hostile

MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_HEADER_BYTES = 512
_ENTRY_BYTES = 128
_SMALL_STREAM = 4096
_MINI_BYTES = 64
_LAST_SECTOR = 0xFFFFFFFA
_BLOCK_BYTES = 1 << 18
_MOST_ENTRIES = 10_000


@dataclass(frozen=True, slots=True)
class OleStream:
    """A stream by name; `size` in bytes; `sectors`: where its pieces stand in the file, in bytes."""

    path: Path
    name: str
    size: int
    piece: int
    places: array[int] = field(repr=False)

    def blocks(self, start: int = 0) -> Iterator[bytes]:
        """Yield the bytes from `start` on. Raises SourceError where the file cannot be read."""
        try:
            with self.path.open("rb") as file:
                yield from self._blocks(file, start)
        except OSError as error:
            raise unreadable(self.path, error) from error

    def _blocks(self, file: BinaryIO, start: int) -> Iterator[bytes]:
        number, skipped = divmod(start, self.piece)
        left = self.size - number * self.piece
        while left > 0 and number < len(self.places):
            last = self._run_end(number, left)
            file.seek(self.places[number])
            block = file.read(min(left, (last - number) * self.piece))
            if not block:
                return
            left -= len(block)
            number = last
            yield block[skipped:]
            skipped = 0

    def _run_end(self, number: int, left: int) -> int:
        """Return the end of the pieces that stand side by side from this one on."""
        most = min(len(self.places), number + max(1, min(left, _BLOCK_BYTES) // self.piece))
        end = number + 1
        while end < most and self.places[end] == self.places[end - 1] + self.piece:
            end += 1
        return end


class OleFile:
    """An open container's directory. Raises SourceError where it is damaged or beyond a limit."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with path.open("rb") as file:
                self._read(file, path.stat().st_size)
        except OSError as error:
            raise unreadable(path, error) from error

    @property
    def names(self) -> tuple[str, ...]:
        """The names of streams and storages, in the order of the directory, which is the reader's order too."""
        return tuple(name for name, _, _ in self._entries)

    def stream(self, name: str) -> OleStream:
        """Return the first stream of that name. Raises SourceError where there is none, or it ends too early."""
        found = next((entry for entry in self._entries if entry[0] == name), None)
        if found is None:
            raise damaged(self.path, f"it has no stream {name}")
        _, start, size = found
        if size < _SMALL_STREAM:
            piece, places = _MINI_BYTES, self._mini_places(start)
        else:
            piece, places = self._sector, array("Q", [self._place(sector) for sector in self._chain(start, self._fat)])
        if len(places) * piece < size:
            raise damaged(self.path, f"the stream {name} is cut short")
        return OleStream(self.path, name, size, piece, places)

    def _read(self, file: BinaryIO, size: int) -> None:
        if size > MOST_BYTES:
            raise hostile(self.path, f"it takes {size >> 20:,} MB, more than {MOST_BYTES >> 20:,} MB")
        header = file.read(_HEADER_BYTES)
        shift = int.from_bytes(header[30:32], "little")
        if len(header) < _HEADER_BYTES or not header.startswith(MAGIC) or shift not in (9, 12):
            raise damaged(self.path, "the header of the old Office container is broken")
        self._sector = 1 << shift
        self._sectors = max(0, -(-size // self._sector) - 1)
        directory, mini_fat = struct.unpack_from("<I", header, 48)[0], struct.unpack_from("<I", header, 60)[0]
        self._fat = self._load_fat(file, header)
        self._entries = self._load_directory(file, directory)
        self._mini_fat = self._words(file, self._chain(mini_fat, self._fat))
        root = self._entries[0][1]
        self._mini_sectors = self._chain(root, self._fat)

    def _load_fat(self, file: BinaryIO, header: bytes) -> array[int]:
        per_sector = self._sector // 4
        places = _as_words(header[76:])
        following, left = int.from_bytes(header[68:72], "little"), self._sectors // per_sector + 1
        while following < self._sectors and left > 0:
            words = self._words(file, [following])
            if len(words) < per_sector:
                break
            places.extend(words[:-1])
            following, left = words[-1], left - 1
        used = [sector for sector in places if sector < self._sectors][: self._sectors // per_sector + 1]
        return self._words(file, used)

    def _load_directory(self, file: BinaryIO, start: int) -> list[tuple[str, int, int]]:
        entries: list[tuple[str, int, int]] = []
        for sector in self._chain(start, self._fat):
            file.seek(self._place(sector))
            block = file.read(self._sector)
            places = range(0, len(block) - _ENTRY_BYTES + 1, _ENTRY_BYTES)
            entries.extend(self._entry(block[place : place + _ENTRY_BYTES]) for place in places)
            if len(entries) > _MOST_ENTRIES:
                raise hostile(self.path, f"it has more than {_MOST_ENTRIES:,} streams")
        if not entries:
            raise damaged(self.path, "the directory of the old Office container is missing")
        return entries

    def _entry(self, entry: bytes) -> tuple[str, int, int]:
        name = entry[:64].decode("utf-16-le", "replace").partition("\0")[0]
        start, low, high = struct.unpack_from("<III", entry, 116)
        # Containers of 512-byte sectors may hold rubbish in the upper half of the size.
        return name, start, low if self._sector == 512 else low | high << 32

    def _chain(self, start: int, fat: array[int]) -> array[int]:
        chain = array("I")
        sector = start
        while sector < _LAST_SECTOR:
            if sector >= len(fat) or len(chain) >= self._sectors:
                raise damaged(self.path, "a chain of sectors leads nowhere")
            chain.append(sector)
            sector = fat[sector]
        return chain

    def _mini_places(self, start: int) -> array[int]:
        per_sector = self._sector // _MINI_BYTES
        places = array("Q")
        number = start
        while number < _LAST_SECTOR and len(places) < _SMALL_STREAM // _MINI_BYTES:
            sector, rest = divmod(number, per_sector)
            if number >= len(self._mini_fat) or sector >= len(self._mini_sectors):
                raise damaged(self.path, "a chain of sectors leads nowhere")
            places.append(self._place(self._mini_sectors[sector]) + rest * _MINI_BYTES)
            number = self._mini_fat[number]
        return places

    def _words(self, file: BinaryIO, sectors: list[int] | array[int]) -> array[int]:
        words = array("I")
        for sector in sectors:
            file.seek(self._place(sector))
            words.extend(_as_words(file.read(self._sector)))
        return words

    def _place(self, sector: int) -> int:
        return (sector + 1) * self._sector


def _as_words(block: bytes) -> array[int]:
    words = array("I", block[: len(block) // 4 * 4])
    if sys.byteorder == "big":
        words.byteswap()
    return words
