"""Series → Series: the transforms that a mapping names, one function over a whole column each.

Importing this package fills `CATALOGUE`. `apply` runs one, `passed` gives the column for the next, `check_arguments`
reads what a mapping gives it.
"""

from __future__ import annotations

from etl.transforms import choices, contact, countries, dates, lists, numbers, patterns, phones, text
from etl.transforms.arguments import check_arguments, files_named
from etl.transforms.columns import apply, by_unique, is_blank, passed, without_repeats
from etl.transforms.contact import as_stored
from etl.transforms.registry import CATALOGUE, Example, Outcome, Transform, transform

MEMBERS = (text, patterns, lists, choices, numbers, dates, contact, phones, countries)
"""The modules whose transforms make the catalogue, in the order in which it lists them."""

__all__ = [
    "CATALOGUE",
    "MEMBERS",
    "Example",
    "Outcome",
    "Transform",
    "apply",
    "as_stored",
    "by_unique",
    "check_arguments",
    "files_named",
    "is_blank",
    "passed",
    "transform",
    "without_repeats",
]
