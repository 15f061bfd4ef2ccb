"""A text of somebody's → a token that stands for it: the same for the same text, and nothing to read in it.

Tokens are keyed (BLAKE2b), so that nobody finds an address again by trying. With the key of the installation's journal
they are the same in every run, without it in one run alone. 60 bits: of ten million people two share a token once in
twenty thousand runs.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from base64 import b32encode
from collections.abc import Callable

import pyarrow as pa

LETTERS = 12
"""Of a token behind its `p-` or `v-`: RFC 4648's base32, which has no 0, 1, 8 and 9 to be misread."""
TOKEN = re.compile(rf"\b[pv]-([a-z2-7]{{{LETTERS}}})\b")
"""How a token looks. Its group is the same in `p-` and `v-`, where both stand for one text."""
_KEY_BYTES = 32
_DIGEST_BYTES = 8


class Masker:
    """Gives tokens: `p-` for who somebody is (keys, e-mail addresses), `v-` for other values.

    E-mail addresses count as the same in capital letters or not, as keys of rows do; spaces at the edges of a text
    count for nothing; a blank text stays blank.
    """

    def __init__(self, key: bytes | None = None) -> None:
        """`key`: at most 64 bytes; None: a new one, which nobody knows."""
        self._keyed = hashlib.blake2b(
            key=key or secrets.token_bytes(_KEY_BYTES), digest_size=_DIGEST_BYTES, person=b"report masks"
        )

    def key(self, text: str) -> str:
        """Return the token of a key, "" for a blank one."""
        told = self._letters(text)
        return told and f"p-{told}"

    def value(self, text: str) -> str:
        """Return the token of any text, "" for a blank one; that of an e-mail address is its key's."""
        told = self._letters(text)
        return told and f"{'p' if '@' in text else 'v'}-{told}"

    def keys(self, texts: pa.Array) -> pa.Array:
        """Return the token of each key (string); null stays null."""
        return _mapped(texts, self.key)

    def values(self, texts: pa.Array) -> pa.Array:
        """Return the token of each text (string); null stays null."""
        return _mapped(texts, self.value)

    def stands_for(self, token: str, text: str) -> bool:
        """Tell whether a token, of whatever kind, is the one of `text`."""
        found = TOKEN.fullmatch(token.strip().lower())
        return found is not None and found[1] == self._letters(text)

    def _letters(self, text: str) -> str:
        folded = text.strip()
        if "@" in folded:
            folded = folded.casefold()
        if not folded:
            return ""
        hashed = self._keyed.copy()
        hashed.update(folded.encode("utf-8", "surrogatepass"))
        return b32encode(hashed.digest())[:LETTERS].decode().lower()


def _mapped(texts: pa.Array, change: Callable[[str], str]) -> pa.Array:
    encoded = texts.cast(pa.string()).dictionary_encode()
    changed = pa.array([change(text) for text in encoded.dictionary.to_pylist()], pa.string())
    return changed.take(encoded.indices)
