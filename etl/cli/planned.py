"""`run --plan`: mapping, files, target and settings from the plan, unless they are given."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from etl.errors import SettingsError

if TYPE_CHECKING:
    from etl.plan_file import PlanFile


def planned_call(
    path: Path, mapping: Path | None, files: Sequence[str], flags: dict[str, Any]
) -> tuple[PlanFile, Path, tuple[str, ...]]:
    """Return the plan, and the mapping and files to run; fills in the flags `target` and `config`.

    Whether what is given agrees with the plan is judged by content, when it has been opened
    (`etl.planning.refuse_changes`). Raises SettingsError.
    """
    from etl.plan_file import read_plan

    plan = read_plan(path)
    if mapping is None and not plan.mapping.path:
        raise SettingsError(
            "the plan's mapping was no file", code="plan-changed", where=str(path),
            hint=f"name it: etl run --plan {path} MAPPING FILE...",
        )  # fmt: skip
    flags["target"] = flags["target"] or plan.target
    flags["config"] = flags["config"] or (Path(plan.config) if plan.config else None)
    return plan, mapping or Path(_near(plan.mapping.path)), tuple(files or map(_near, plan.given))


def _near(place: str) -> str:
    """Return an absolute path as it is named from here, so that reports call a file what the plan's called it."""
    path, here = Path(place), Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else place
