"""One person, as reports name them: by their key, in a column of keys or anywhere in a text."""

from __future__ import annotations

import re

FORGOTTEN = "(forgotten)"
_NO_ADDRESS_BEFORE, _NO_ADDRESS_AFTER = r"(?<![\w.%+\-@])", r"(?![\w%+\-@]|\.\w)"


class Person:
    """Whoever has this key: an e-mail address, in which capital letters count for nothing, or another text as it is.

    Free text is searched for addresses alone: a key such as `42` occurs in many messages that speak of nobody.
    """

    def __init__(self, key: str) -> None:
        self.is_address = "@" in key
        self._key = self._folded(key.strip())
        pattern = _NO_ADDRESS_BEFORE + re.escape(key.strip()) + _NO_ADDRESS_AFTER
        self._pattern = re.compile(pattern, re.IGNORECASE)
        self._escaped = self._key.replace('"', '""')

    def is_key(self, cell: str) -> bool:
        """Tell whether a cell of the column `key` is this person's; several fields stand there joined by spaces."""
        value = self._folded(cell.removeprefix("'") if cell.startswith("'") and not self._key.startswith("'") else cell)
        return value == self._key or (self.is_address and self.occurs_in(cell))

    def occurs_in(self, text: str) -> bool:
        """Tell whether the address occurs in `text`, whole: `ann@example.com` is not in `joann@example.com`."""
        return self.is_address and self._pattern.search(text) is not None

    def may_be_in(self, block: bytes) -> bool:
        """Tell, quickly, whether the key may stand in some lines of CSV, UTF-8; never False where it does."""
        return self._escaped in self._folded(block.decode("utf-8", "replace"))

    def without(self, text: str) -> str:
        """Return `text` with FORGOTTEN for each address."""
        return self._pattern.sub(FORGOTTEN, text) if self.is_address else text

    def _folded(self, text: str) -> str:
        return text.casefold() if self.is_address else text
