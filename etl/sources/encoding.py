"""Which encoding a text file is in, found by its text; the whole file is looked at, in constant memory.

Never guesses past a fault: a byte that the encoding does not know is a SourceError with its line.
"""

from __future__ import annotations

import codecs
import contextlib
import re
from collections.abc import Iterable, Iterator
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
_NUL_HINT = "it is not a table in text form, or it was damaged; export it again as CSV UTF-8"
_UTF8_HINT = 'open it in a spreadsheet or an editor and save it as "CSV UTF-8", or name its encoding in the mapping'


def find_encoding(path: Path, pinned: str | None = None) -> str:
    """Return the codec with which the whole file decodes: `pinned` if given, else the one its text speaks for.

    A byte order mark decides; then UTF-16 by its pattern of NULs; then strict UTF-8; then CP1250 or CP1252 by letters.
    Raises SourceError for an unknown name, for a byte that the encoding does not know (with its line), for NULs.
    """
    head = _head(path)
    marked = next((codec for bom, codec in _BOMS if head.startswith(bom)), None)
    told = marked or _by_nuls(head) if pinned is None else _with_mark(_codec(path, pinned), marked)
    if told is not None:
        _require(path, told)
        return told
    fault = _fault(path, "utf-8")
    if fault is None:
        return "utf-8"
    if _is_mostly_utf8(_blocks(path)):
        raise _mixed(fault)
    codec = tell_code_page(_blocks(path))
    _require(path, codec)
    return codec


def undecodable(path: Path, codec: str) -> SourceError:
    """Return the SourceError for a file that decoded with `codec` when it was opened and no longer does."""
    return _fault(path, codec) or SourceError(
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
    if odd > 0.4 * half and even < 0.1 * half:
        return "utf-16-le"
    if even > 0.4 * half and odd < 0.1 * half:
        return "utf-16-be"
    return None


def _require(path: Path, codec: str) -> None:
    fault = _fault(path, codec)
    if fault is not None:
        raise fault


def _fault(path: Path, codec: str) -> SourceError | None:
    """Decode the whole file; return what is wrong with it, or None."""
    decoder = codecs.getincrementaldecoder(codec)("strict")
    line, last = 1, ""
    for block in _blocks(path):
        state = decoder.getstate()
        try:
            text = decoder.decode(block, final=not block)
        except UnicodeDecodeError as error:
            decoder.setstate(state)
            good = decoder.decode(block[: max(0, error.start - len(state[0]))])
            return _bad_byte(path, codec, line + _line_ends(last, good), error)
        if "\0" in text:
            return _nul(path, line + _line_ends(last, text[: text.index("\0")]))
        line += _line_ends(last, text)
        last = text[-1:] or last
    return None


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
