"""Text that was written as UTF-8 and read as something else: `JosÃ©` was José, `ZaÅ¼Ã³Å‚Ä‡` Zażółć."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

import numpy as np

_CODE_PAGES = ("cp1252", "cp1250")
_LEADS = "".join({bytes([byte]).decode(page) for page in _CODE_PAGES for byte in (0xC2, 0xC3, 0xC4, 0xC5, 0xE2, 0xF0)})
"""What the first byte of a letter of European languages, of a sign such as ’ or € and of an emoji becomes."""
_LEAD_PAIRS = np.zeros(1 << 16, dtype=np.bool_)
_LEAD_PAIRS[[int.from_bytes(letter.encode()) for letter in _LEADS]] = True
_NOT_ASCII, _STARTS = 0x80, 0xC0
MANGLED = rf"[{_LEADS}][^\x00-\x7f]"
"""RE2's form of what a mangled cell holds: the first byte's letter and another that is not ASCII."""
_RUN = re.compile(r"[^\x00-\x7f]+")
_SHOWN = 80
_SIGNS = frozenset("‐‑–—―‘’‚“”„†‡•…‰‹›€™\u2009\u200b\u202f\ufeff")
_LATIN_END, _EMOJI = 0x17F, 0x1F300
_REAL_CAPITALS = frozenset("ÅÄ")
"""Letters that stand in sound words too, where a quotation mark or a dash may follow: `PÅ…`, `NEJ TILL Ä–Ö`."""


def may_be_mangled(content: bytes) -> bool:
    """Whether UTF-8 text holds a letter that a first byte becomes, with another beyond ASCII behind it; quick."""
    data = np.frombuffer(content + b"\0\0", dtype=np.uint8)
    starts = np.flatnonzero(data >= _STARTS)
    pairs = (data[starts].astype(np.uint16) << 8) | data[starts + 1]
    return bool((_LEAD_PAIRS[pairs] & (data[starts + 2] >= _NOT_ASCII)).any())


def unmangled(text: str) -> str:
    """Return what `text` probably was (its first 80 characters), "" where it is sound.

    Each run of letters beyond ASCII is judged: it must be UTF-8 once it is written in a Windows code page, and give
    letters of European languages, common signs or emoji.

    >>> unmangled("JosÃ©"), unmangled("ZaÅ¼Ã³Å‚Ä‡"), unmangled("ZaĹĽĂłĹ‚Ä‡"), unmangled("José"), unmangled("RÓŻA")
    ('José', 'Zażółć', 'Zażółć', '', '')
    """
    best = ""
    for page in _CODE_PAGES:
        mended, sure = _read_as(text, page)
        if sure and (not best or len(mended) < len(best)):
            best = mended
    if not best:
        return ""
    # Twice through the mill is not rare: a wrong import of a wrong export.
    mended = unmangled(best) or best
    return mended if len(mended) <= _SHOWN else f"{mended[:_SHOWN]}…"


def _read_as(text: str, page: str) -> tuple[str, bool]:
    sure = False

    def mend(match: re.Match[str]) -> str:
        nonlocal sure
        run = match.group()
        mended = _decoded(run, page)
        if mended is None or not all(map(_is_plausible, mended)):
            return run
        sure = sure or not _may_be_real(run, text[: match.start()], text[match.end() :])
        return mended

    mended = _RUN.sub(mend, text)
    return mended, sure


def _decoded(run: str, page: str) -> str | None:
    try:
        return b"".join(map(_encoder(page), run)).decode()
    except ValueError:
        return None


@cache
def _encoder(page: str) -> Callable[[str], bytes]:
    """Return the byte of a letter; the bytes that a page leaves open become controls of the same number."""
    known = {}
    for byte in range(0x80, 0x100):
        try:
            known[bytes([byte]).decode(page)] = bytes([byte])
        except UnicodeDecodeError:
            known[chr(byte)] = bytes([byte])

    def encode(letter: str) -> bytes:
        if letter not in known:
            raise ValueError(letter)
        return known[letter]

    return encode


def _is_plausible(letter: str) -> bool:
    number = ord(letter)
    return 0xA0 <= number <= _LATIN_END or letter in _SIGNS or number >= _EMOJI


def _may_be_real(run: str, before: str, after: str) -> bool:
    """Whether a run is a capital of a sound word with a sign behind it, rather than two bytes of one letter."""
    if len(run) != 2 or run[0] not in _REAL_CAPITALS or run[1].isalpha():
        return False
    return not before[-1:].islower() and not after[:1].islower()
