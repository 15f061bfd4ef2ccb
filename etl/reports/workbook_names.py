"""What Excel takes for the name of a sheet. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

LONGEST = 31
_FORBIDDEN = re.compile(r"[\[\]:*?/\\\x00-\x1f\x7f\ufffe\uffff]")
_RESERVED = frozenset({"history"})
"""The name of the sheet on which Excel itself lists changes."""


def sheet_names(wanted: Iterable[str], taken: Sequence[str] = ()) -> list[str]:
    """Return for each name one that Excel takes, that no other has (in capital letters or not), and none of `taken`.

    >>> sheet_names(["Contacts", "contacts", "a/b", "", "Summary"], taken=["Summary"])
    ['Contacts', 'contacts (2)', 'a_b', 'Sheet', 'Summary (2)']
    """
    used = {name.casefold() for name in taken} | _RESERVED
    found = []
    for name in wanted:
        own = _FORBIDDEN.sub("_", name).strip().strip("'").strip() or "Sheet"
        one, number = _cut(own, LONGEST), 1
        while one.casefold() in used:
            number += 1
            end = f" ({number})"
            one = _cut(own, LONGEST - len(end)) + end
        used.add(one.casefold())
        found.append(one)
    return found


def _cut(name: str, units: int) -> str:
    """Return the name, of at most so many UTF-16 units, as Excel counts; no sign is cut in two."""
    while len(name.encode("utf-16-le")) > 2 * units:
        name = name[:-1]
    return name.rstrip().rstrip("'") or "Sheet"
