"""Where a payload goes. Apart from the other nouns, so that the contract can be shown without loading pandas."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Method and path below the target's base URL."""

    method: str
    path: str
