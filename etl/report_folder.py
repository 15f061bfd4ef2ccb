"""The folder of one run's reports: what an earlier run, or an earlier sitting, has left there is moved aside."""

from __future__ import annotations

import itertools
from datetime import datetime
from pathlib import Path

from etl.kept_reports import owner_of

REPORTS = (
    "results.csv", "results.csv.ordered", "issues.csv", "summary.json", "missing.csv", "report.html", "annotated.xlsx",
    "results.parquet",
)  # fmt: skip


def put_aside(out: Path) -> None:
    """Move the reports of an earlier run into a folder of their own: what was sent must not be forgotten."""
    earlier = [out / name for name in REPORTS if (out / name).exists()]
    earlier += sorted(out.glob("to_fix*"))
    if not earlier:
        return
    # A run that was killed has no summary.
    stamp = f"{datetime.fromtimestamp(earlier[0].stat().st_mtime).astimezone():%Y%m%d-%H%M%S}"
    folder = _free(out / (owner_of(out) or stamp))
    folder.mkdir()
    for path in earlier:
        path.replace(folder / path.name)


def _free(folder: Path) -> Path:
    """Return `folder`, or where there is one already, the first of `folder-2`, `folder-3`, ... that is not."""
    names = (folder if number == 1 else folder.with_name(f"{folder.name}-{number}") for number in itertools.count(1))
    return next(name for name in names if not name.exists())
