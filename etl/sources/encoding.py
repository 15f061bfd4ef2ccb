"""Which encoding a text file is in, found by its text; the whole file is looked at, in constant memory.

Never guesses past a fault: a byte that the encoding does not know is a SourceError with its line.
"""

from __future__ import annotations

import codecs
import contextlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from etl.errors import SourceError
from etl.sources.code_pages import tell_code_page
from etl.sources.fingerprint import unreadable

_BLOCK_BYTES = 1 << 20
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it starts with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_UTF8_LETTER = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_HIGH_BYTE = re.compile(rb"[\x80-\xff]")
_ENOUGH_BYTES = 100_000
_UTF8_PAIR = re.compile(rb"[\xc3-\xc5][\x80-\xbf]|\xe2\x80[\x80-\xbf]")
_LONGEST_LINE = 1 << 22
_PATTERN_BYTES = 64
_FIRST_BYTES = 8  # of four characters one at least is ASCII
_FEW_NULS = 3
_NUL_SHARE = 0.001  # beyond it a file is binary, or UTF-16; below it a cell was damaged
_NUL_HINT = "it is not a table in text form, or it was damaged; export it again as CSV UTF-8"
_UTF8_HINT = 'open it in a spreadsheet or an editor and save it as "CSV UTF-8", or name its encoding in the mapping'


@dataclass(frozen=True, slots=True)
class Encoding:
    """`codec`: what the whole file decodes with. `confidence`: for people; `nuls`: how many NUL characters there are.

    `confidence`: `certain` (a byte order mark, strict UTF-8 with letters outside ASCII), `ASCII alone` (nothing to
    tell), `pinned`, or a number: how far the code page is ahead of the others.
    """

    codec: str
    confidence: str
    nuls: int = 0


def find_encoding(path: Path, pinned: str | None = None) -> Encoding:
    """Return the encoding of the whole file: `pinned` if given, else the one that its text speaks for.

    A byte order mark decides; then UTF-16 by its pattern of NULs; then strict UTF-8; then CP1250, CP1252 or ISO-8859-2
    by letters. Raises SourceError for an unknown name, for a byte that the encoding does not know (with its line), for
    two encodings in one file (with the line), for so many NULs that it is no text.
    """
    head = _head(path)
    marked = next((codec for bom, codec in _BOMS if head.startswith(bom)), None)
    if pinned is not None:
        return _decoded(path, _with_mark(_codec(path, pinned), marked), "pinned")
    if marked is not None:
        return _decoded(path, marked, "certain")
    bare = _by_nuls(head)
    if bare is not None and _look(path, bare).fault is None:
        return _decoded(path, bare, "0.99")
    found = _look(path, "utf-8")
    if found.nul_line > 1 and _turns_into_utf16(path):
        raise _utf16_within(path, found.nul_line)
    if bare is not None:
        return _decoded(path, bare, "0.99")
    if found.fault is None:
        return _checked(path, "utf-8", "ASCII alone" if found.is_ascii else "certain", found)
    if _is_mostly_utf8(_blocks(path)):
        raise _mixed(found.fault)
    codec, confidence = tell_code_page(_blocks(path))
    line = _line_of_utf8(path)
    if line:
        raise _utf8_within(path, line, codec)
    return _decoded(path, codec, f"{confidence:.2f}")


def undecodable(path: Path, codec: str) -> SourceError:
    """Return the SourceError for a file that decoded with `codec` when it was opened and no longer does."""
    return _look(path, codec).fault or SourceError(
        "the file changed while it was read",
        code="file-changed",
        where=str(path),
        hint="run again when nothing writes to it",
    )


def _codec(path: Path, pinned: str) -> str:
    try:
        with contextlib.suppress(UnicodeDecodeError):
            b"x".decode(pinned)  # refuses codecs that do not make text, such as base64
        return codecs.lookup(pinned).name
    except (LookupError, UnicodeError, ValueError) as error:
        raise SourceError(
            f"there is no encoding '{pinned}'",
            code="encoding-unknown",
            where=str(path),
            hint="use utf-8, utf-16, cp1250, cp1252, iso-8859-2, or leave it out",
        ) from error


def _with_mark(codec: str, marked: str | None) -> str:
    """Return the form of `codec` that takes the file's byte order mark for what it is, not for a letter."""
    if marked is not None and codec.split("-")[:2] == marked.split("-")[:2]:
        return marked
    return codec


def _by_nuls(head: bytes) -> str | None:
    """Return the UTF-16 form in which most of `head` is ASCII; None where it is no UTF-16."""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    half = len(head) / 2
    if b"\0" not in head[:_FIRST_BYTES]:
        return None
    if odd > 0.4 * half and even < 0.1 * half:
        return "utf-16-le"
    if even > 0.4 * half and odd < 0.1 * half:
        return "utf-16-be"
    return None


@dataclass(frozen=True, slots=True)
class _Look:
    """What decoding the whole file showed; `nul_line`: the line of the first NUL."""

    fault: SourceError | None
    is_ascii: bool = True
    characters: int = 0
    nuls: int = 0
    nul_line: int = 0


def _decoded(path: Path, codec: str, confidence: str) -> Encoding:
    return _checked(path, codec, confidence, _look(path, codec))


def _checked(path: Path, codec: str, confidence: str, found: _Look) -> Encoding:
    if found.fault is not None:
        raise found.fault
    if found.nuls > max(_FEW_NULS, found.characters * _NUL_SHARE):
        raise _utf16_within(path, found.nul_line) if _turns_into_utf16(path) else _nul(path, found.nul_line)
    return Encoding(codec, confidence, found.nuls)


def _look(path: Path, codec: str) -> _Look:
    """Decode the whole file; stop at the first byte that the codec does not know."""
    decoder = codecs.getincrementaldecoder(codec)("strict")
    line, last = 1, ""
    is_ascii, characters, nuls, nul_line = True, 0, 0, 0
    fault: SourceError | None = None
    for block in _blocks(path):
        state = decoder.getstate()
        try:
            text = decoder.decode(block, final=not block)
        except UnicodeDecodeError as error:
            decoder.setstate(state)
            text = decoder.decode(block[: max(0, error.start - len(state[0]))])
            fault = _bad_byte(path, codec, line + _line_ends(last, text), error)
        if "\0" in text:
            nul_line = nul_line or line + _line_ends(last, text[: text.index("\0")])
            nuls += text.count("\0")
        if fault is not None:
            break
        is_ascii = is_ascii and text.isascii()
        characters += len(text)
        line += _line_ends(last, text)
        last = text[-1:] or last
    return _Look(fault, is_ascii, characters, nuls, nul_line)


def _bad_byte(path: Path, codec: str, line: int, error: UnicodeDecodeError) -> SourceError:
    byte = f"{error.object[error.start]:02X}" if error.start < len(error.object) else "at the end"
    name = codec.removesuffix("-sig").upper()
    return SourceError(
        f"line {line} is not {name} (byte {byte})", code="encoding", where=f"{path}:{line}", hint=_UTF8_HINT
    )


def _nul(path: Path, line: int) -> SourceError:
    return SourceError(
        f"line {line} holds a NUL character", code="nul-character", where=f"{path}:{line}", hint=_NUL_HINT
    )


def _turns_into_utf16(path: Path) -> bool:
    """Whether the text around the first NUL byte has the pattern of UTF-16."""
    for block in _blocks(path):
        place = block.find(b"\0")
        if place >= 0:
            following = block[place : place + _PATTERN_BYTES]
            return len(following) > _FEW_NULS and _by_nuls(following) is not None
    return False


def _utf16_within(path: Path, line: int) -> SourceError:
    return SourceError(
        f"line {line} is UTF-16, though what stands before it is not: two encodings are mixed",
        code="encoding-mixed",
        where=f"{path}:{line}",
        hint=_UTF8_HINT,
    )


def _line_of_utf8(path: Path) -> int:
    """Return the first line whose bytes outside ASCII are all UTF-8, in a file that is not; 0 if there is none.

    Two different letters are asked for: one alone may be two signs of the code page that happen to look so.
    """
    seen: set[bytes] = set()
    first, before = 0, 0
    for block in _whole_lines(path):
        end = 0
        for hit in _UTF8_PAIR.finditer(block):
            if hit.start() < end:
                continue
            start = block.rfind(b"\n", 0, hit.start()) + 1
            end = block.find(b"\n", hit.start()) + 1 or len(block)
            if _UTF8_PAIR.sub(b"", block[start:end]).isascii():
                seen.update(_UTF8_PAIR.findall(block[start:end]))
                first = first or before + block.count(b"\n", 0, start) + 1
        if len(seen) > 1:
            return first
        before += block.count(b"\n")
    return 0


def _whole_lines(path: Path) -> Iterator[bytes]:
    """Yield the file's bytes in blocks that end with a line; a line of more than _LONGEST_LINE bytes is cut."""
    rest = b""
    for block in _blocks(path):
        whole = rest + block
        cut = whole.rfind(b"\n") + 1
        if not block or (not cut and len(whole) > _LONGEST_LINE):
            cut = len(whole)
        yield whole[:cut]
        rest = whole[cut:]


def _utf8_within(path: Path, line: int, codec: str) -> SourceError:
    return SourceError(
        f"line {line} is UTF-8, though the rest of the file is {codec.upper()}: two encodings are mixed",
        code="encoding-mixed",
        where=f"{path}:{line}",
        hint=_UTF8_HINT,
    )


def _mixed(fault: SourceError) -> SourceError:
    return SourceError(
        f"{fault.message}, though the rest of the file is: two encodings are mixed",
        code="encoding-mixed",
        where=fault.where,
        hint=_UTF8_HINT,
    )


def _is_mostly_utf8(blocks: Iterable[bytes]) -> bool:
    """Whether most bytes outside ASCII (the first 100,000) are UTF-8: code pages hardly ever hold its pairs."""
    inside = every = 0
    for block in blocks:
        inside += sum(map(len, _UTF8_LETTER.findall(block)))
        every += len(_HIGH_BYTE.findall(block))
        if every > _ENOUGH_BYTES:
            break
    return inside * 2 > every


def _line_ends(last: str, text: str) -> int:
    """Return how many lines end in `text`, which follows a text that ends with `last` (CR LF is one end)."""
    ends = text.count("\n") + text.count("\r") - text.count("\r\n")
    return ends - 1 if last == "\r" and text.startswith("\n") else ends


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(4096)
    except OSError as error:
        raise unreadable(path, error) from error


def _blocks(path: Path) -> Iterator[bytes]:
    """Yield the file's bytes in blocks; the last one is empty."""
    try:
        with path.open("rb") as file:
            while True:
                block = file.read(_BLOCK_BYTES)
                yield block
                if not block:
                    return
    except OSError as error:
        raise unreadable(path, error) from error
