"""Text written in the encoding of a file that was read, with its byte order mark."""

from __future__ import annotations

import codecs
from pathlib import Path
from typing import BinaryIO

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_MARKED = frozenset(("utf-8-sig", "utf-16", "utf-32"))


class TextOut:
    """Writes text to a binary stream as the file at `like` is written, which was read with `codec`."""

    def __init__(self, stream: BinaryIO, like: Path, codec: str) -> None:
        """Write the byte order mark, where `like` has one that `codec` takes for it."""
        self._stream = stream
        self._codec = codec
        if codec in _MARKED:
            with like.open("rb") as file:
                head = file.read(4)
            bom, self._codec = next(((bom, plain) for bom, plain in _BOMS if head.startswith(bom)), (b"", "utf-8"))
            stream.write(bom)
        self._is_whole = self._codec.startswith("utf")

    def write(self, text: str) -> None:
        """Write text of the file itself."""
        self._stream.write(text.encode(self._codec))

    def known(self, text: str) -> str:
        """Return `text` with a question mark for each sign that the encoding does not know."""
        return text if self._is_whole else text.encode(self._codec, "replace").decode(self._codec)
