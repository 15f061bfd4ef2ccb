"""What a run was asked for ⇄ what the journal keeps of it, so that resuming asks for the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from etl.guards import Guards, parse_limit
from etl.journal.model import RunRecord
from etl.options import Options

_AS_THEY_ARE = ("sheet", "limit", "only_changed", "all_again", "revive")
_UNLESS_GIVEN = ("rate", "concurrency", "canary")
_LIMITS = ("fail_over", "max_deletes", "max_clears")


def to_keep(options: Options) -> dict[str, Any]:
    """Return what resuming needs, as JSON has it."""
    kept: dict[str, Any] = {name: getattr(options, name) for name in (*_AS_THEY_ARE, *_UNLESS_GIVEN)}
    limits = {name: getattr(options.guards, name) for name in _LIMITS}
    return kept | {name: limit.text for name, limit in limits.items() if limit is not None}


def from_kept(record: RunRecord, given: Options) -> Options:
    """Return the options of a run that is gone on with; what is not about the rows themselves may be given anew."""
    kept = record.new.options
    limits = {
        name: getattr(given.guards, name) or parse_limit(kept.get(name), f"--{name.replace('_', '-')}")
        for name in _LIMITS
    }
    pace = {name: given_or_kept(getattr(given, name), kept.get(name)) for name in _UNLESS_GIVEN}
    return replace(
        given, out=Path(record.new.out), guards=Guards(**limits), **pace,
        **{name: kept[name] for name in _AS_THEY_ARE if name in kept},
    )  # fmt: skip


def given_or_kept(given: Any, kept: Any) -> Any:
    """Return `given`, unless it is None."""
    return kept if given is None else given
