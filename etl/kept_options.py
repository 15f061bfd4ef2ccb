"""What a run was asked for ⇄ what the journal keeps of it, so that resuming asks for the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from etl.errors import SettingsError
from etl.guards import Guards, parse_limit
from etl.journal.model import RunRecord
from etl.kept_reports import view_of
from etl.options import Options
from etl.view import View

_AS_THEY_ARE = ("sheet", "limit", "only_changed", "all_again", "revive")
_UNLESS_GIVEN = ("rate", "concurrency", "canary")
_LIMITS = ("fail_over", "max_deletes", "max_clears")


def to_keep(options: Options) -> dict[str, Any]:
    """Return what resuming needs, as JSON has it."""
    kept: dict[str, Any] = {name: getattr(options, name) for name in (*_AS_THEY_ARE, *_UNLESS_GIVEN)}
    limits = {name: getattr(options.guards, name) for name in _LIMITS}
    kept["reports"] = None if options.reports is None else list(options.reports)
    kept["view"] = None if options.view is None else options.view.value
    return kept | {name: limit.text for name, limit in limits.items() if limit is not None}


def from_kept(record: RunRecord, given: Options, shown: View = View.FULL) -> Options:
    """Return the options of a run that is gone on with; what is not about the rows themselves may be given anew.

    `shown`: what the settings of today let reports show of people. Raises SettingsError where a flag would show more
    than the run's reports did.
    """
    kept = record.new.options
    limits = {
        name: getattr(given.guards, name) or parse_limit(kept.get(name), f"--{name.replace('_', '-')}")
        for name in _LIMITS
    }
    reports = given.reports or (tuple(kept["reports"]) if kept.get("reports") else None)
    pace = {name: given_or_kept(getattr(given, name), kept.get(name)) for name in _UNLESS_GIVEN}
    return replace(
        given, out=Path(record.new.out), guards=Guards(**limits), reports=reports,
        view=_view(record, given.view, shown), **pace,
        **{name: kept[name] for name in _AS_THEY_ARE if name in kept},
    )  # fmt: skip


def _view(record: RunRecord, given: View | None, shown: View) -> View | None:
    """Return what the reports are to show of people: as much as before, or less; else SettingsError."""
    begun, last = record.new.options.get("view"), view_of(Path(record.new.out), record.id)
    kept = View(begun) if begun else last
    if kept is None:
        return given
    if last is not None and kept.shows_more_than(last):
        # A sitting in between has tightened it.
        kept = last
    if given is not None and given.shows_more_than(kept):
        raise SettingsError(
            f"run {record.id} was made with the view {kept}, and cannot go on with one that shows more of people",
            code="view-loosened", where=f"--view {given}", hint="leave the flag out",
        )  # fmt: skip
    return given or (shown if kept.shows_more_than(shown) else kept)


def given_or_kept(given: Any, kept: Any) -> Any:
    """Return `given`, unless it is None."""
    return kept if given is None else given
