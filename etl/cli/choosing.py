"""A name that somebody typed → the thing of that name, or the nearest name. Loads nothing."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import TypeVar

from etl.errors import SettingsError

Thing = TypeVar("Thing")


def chosen(kind: str, name: str, things: Mapping[str, Thing]) -> Thing:
    """Return `things[name]`; SettingsError with the nearest name, or all of them, where there is none."""
    if name in things:
        return things[name]
    near = get_close_matches(name.lower(), things, n=1)
    known = f"the {kind}s are: {', '.join(things)}" if len(things) < 12 else f'"etl {kind}s" lists all of them'
    hint = f"did you mean '{near[0]}'? {known}" if near else known
    raise SettingsError(f"unknown {kind} '{name}'", code=f"unknown-{kind}", hint=hint)
