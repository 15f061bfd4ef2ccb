"""The optional reports, by the word that asks for them; results.csv, issues.csv and summary.json are always written.

A report that cannot be written is told in a note; it never fails a run whose rows are all accounted for.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path

from etl.errors import EtlError
from etl.reports.material import Interrupted, Material
from etl.view import DEFAULT, View

Write = Callable[[Material], Sequence[Path]]
"""Writes a report; returns the files it wrote, none where there is nothing to say. Raises OSError, SourceError."""

_FULL_ALONE = ("fix",)
"""What is of no use without the values: a file of tokens, mended and handed in, would send tokens."""
_OF_ROWS = ("parquet",)
"""Not in the view `aggregate`, which shows no rows."""

FORMATS: Mapping[str, str] = {
    "fix": "etl.reports.to_fix",
    "xlsx": "etl.reports.annotated",
    "parquet": "etl.reports.results_parquet",
    "html": "etl.reports.page",
}
"""The module of each report, whose `write` makes it, imported when it is asked for, in the order in which they are
written: a later one may name an earlier. Its word stands in `view.WORDS` too."""

AT_ONCE = ("html",)
"""Reports that read no spreadsheet again: they are there within a second, also where somebody interrupts."""


def fit_for(view: View, asked: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the reports of those asked for that there are in a view, and notes on the others."""
    without = () if view is View.FULL else _FULL_ALONE if view is View.PSEUDONYMOUS else (*_FULL_ALONE, *_OF_ROWS)
    # Whoever asks for no report in particular misses none.
    noted = without if tuple(asked) != DEFAULT else ()
    notes = tuple(f"the report {word} is not written in the view {view}" for word in asked if word in noted)
    return tuple(word for word in asked if word not in without), notes


def write_all(
    material: Material, asked: Sequence[str], timings: dict[str, float]
) -> tuple[tuple[Path, ...], tuple[str, ...]]:
    """Write the reports that are asked for; return their paths, and notes on those that could not be written.

    `timings` takes the seconds of each.
    """
    made: list[Path] = []
    notes: list[str] = []
    left_out: list[str] = []
    for word in (one for one in FORMATS if one in asked):
        started = time.monotonic()
        try:
            if word not in AT_ONCE and material.is_interrupted():
                raise Interrupted
            write: Write = import_module(FORMATS[word]).write
            made += write(material)
        except Interrupted:
            left_out.append(word)
        except EtlError as error:
            notes.append(f"the report {word} could not be written: {error.message}")
        except OSError as error:
            notes.append(f"the report {word} could not be written: {error.strerror or error}")
        except Exception as error:  # noqa: BLE001 - the rows are accounted for; what a report shows may not undo that
            notes.append(f"the report {word} could not be written: a fault of the program ({_place_of(error)})")
        timings[f"report {word}"] = time.monotonic() - started
    if left_out:
        notes.append(f"not written, since the run was interrupted: {', '.join(left_out)}")
    return tuple(made), tuple(notes)


def _place_of(error: BaseException) -> str:
    """Return what went wrong and where in the program; the message stays out of it, since it may quote a cell."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f", {Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace is not None else ""
    return f"{type(error).__name__}{place}"
