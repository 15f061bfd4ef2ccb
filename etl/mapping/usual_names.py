"""A row of cells → how many are called what fields are usually called: finds the header where no mapping says it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

from etl.contract import ACTIONS
from etl.mapping.header_names import QUALIFIED, match_name


def usual_names_score(action: str | None = None) -> Callable[[Sequence[str]], int]:
    """Return a `HeaderScore`: how many different cells name a field of `action` (None: of any); 0 for a lone one."""
    actions = (action,) if action else tuple(ACTIONS)

    def score(row: Sequence[str]) -> int:
        names = {cell for cell in row if cell and _is_name(cell, actions)}
        # A value may be a name by chance, as `no` is.
        return len(names) if len(names) > 1 else 0

    return score


@lru_cache(maxsize=10_000)
def _is_name(cell: str, actions: tuple[str, ...]) -> bool:
    return any(match.score >= QUALIFIED for action in actions for match in match_name(cell, action))
