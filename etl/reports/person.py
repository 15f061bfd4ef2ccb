"""One person, as reports name them: by their key, in a column of keys or anywhere in a text."""

from __future__ import annotations

import re
from collections.abc import Callable

FORGOTTEN = "(forgotten)"
_NO_ADDRESS_BEFORE, _NO_ADDRESS_AFTER = r"(?<![\w.%+\-@])", r"(?![\w%+\-@]|\.\w)"


class Person:
    """Whoever has this key: an e-mail address, in which capital letters count for nothing, or another text as it is.

    Free text is searched for addresses alone: a key such as `42` occurs in many messages that speak of nobody.
    `token`: what stands for the key in reports that do not show it, "" where that is not known.
    """

    def __init__(self, key: str, token: str = "") -> None:
        self.is_address = "@" in key
        self._token = token
        self._key = self._folded(key.strip())
        pattern = _NO_ADDRESS_BEFORE + re.escape(key.strip()) + _NO_ADDRESS_AFTER
        self._pattern = re.compile(pattern, re.IGNORECASE)
        self._escaped = self._key.replace('"', '""')

    def is_key(self, cell: str) -> bool:
        """Tell whether a cell of the column `key` is this person's; several fields stand there joined by spaces."""
        value = self._folded(cell.removeprefix("'") if cell.startswith("'") and not self._key.startswith("'") else cell)
        return value == self._key or (self.is_address and self.occurs_in(cell)) or cell == self._token != ""

    def occurs_in(self, text: str) -> bool:
        """Tell whether the address occurs in `text`, whole: `ann@example.com` is not in `joann@example.com`."""
        if self._token and self._token in text:
            return True
        return self.is_address and self._pattern.search(text) is not None

    def may_be_in(self, block: bytes) -> bool:
        """Tell, quickly, whether the key may stand in some lines of CSV, UTF-8; never False where it does."""
        if self._token and self._token.encode() in block:
            return True
        return self._escaped in self._folded(block.decode("utf-8", "replace"))

    def without(self, text: str) -> str:
        """Return `text` with FORGOTTEN for each address."""
        text = text.replace(self._token, FORGOTTEN) if self._token else text
        return self._pattern.sub(FORGOTTEN, text) if self.is_address else text

    def _folded(self, text: str) -> str:
        return text.casefold() if self.is_address else text


class Bearer(Person):
    """Whoever a token stands for, in reports that show tokens, and in those that show keys."""

    def __init__(self, token: str, stands_for: Callable[[str, str], bool]) -> None:
        """`stands_for`: tells whether a token is the one of a text (`masking.Masker`)."""
        super().__init__("", token.strip().lower())
        self._stands_for = stands_for

    def is_key(self, cell: str) -> bool:
        """Tell whether a cell of the column `key` is theirs."""
        return cell == self._token or self._stands_for(self._token, cell.removeprefix("'"))

    def may_be_in(self, block: bytes) -> bool:
        """Tell nothing: each key has to be looked at."""
        return True
