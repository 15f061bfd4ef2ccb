"""Which reports there are, by the word that asks for one, and how much of people they show."""

from __future__ import annotations

from enum import StrEnum

WORDS = ("csv", "html", "xlsx", "fix", "parquet")
"""csv (results, issues, summary) is always written; `etl.reports.shelf` knows who writes the others."""
DEFAULT = ("csv", "html", "xlsx", "fix")


class View(StrEnum):
    """What a report says of people.

    `FULL`: keys and values as they are, for whoever owns the spreadsheet. `PSEUDONYMOUS`: a token in the place of each
    key and value, the same one for the same text, so that support can talk about a row. `AGGREGATE`: counts alone, fit
    for a chat channel.
    """

    FULL = "full"
    PSEUDONYMOUS = "pseudonymous"
    AGGREGATE = "aggregate"

    def shows_more_than(self, other: View) -> bool:
        """Whether this view says of people what `other` does not."""
        order = list(View)
        return order.index(self) < order.index(other)
