"""The best pairing of rows and columns of a score matrix, each used once: the assignment problem, solved exactly.

Shortest augmenting paths with potentials (Jonker and Volgenant 1987; the form of Crouse 2016, doi
10.1109/TAES.2016.140952), O(rows² · columns). Knows nothing of spreadsheets.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Scores = npt.NDArray[np.float64]
"""Shape (rows, columns), dtype float64, without a unit; -inf where a pair is forbidden."""


def assign(scores: Scores) -> dict[int, int]:
    """Return row → column of the pairs whose sum of `scores` is the greatest; a row that nothing gains stays out.

    `scores`: shape (rows, columns), any of them 0; -inf forbids a pair, and one of 0 or less is never made. Each row
    and each column is in one pair at the most. Raises ValueError where a score is NaN or +inf, or the axes are not two.
    """
    scores = np.asarray(scores, dtype=np.float64)
    if scores.ndim != 2 or np.isnan(scores).any() or np.isposinf(scores).any():
        raise ValueError("scores must have two axes and neither NaN nor +inf")
    rows, columns = scores.shape
    if not rows or not columns:
        return {}
    if rows > columns:
        # The work and the memory go with the square of the rows: a sheet has thousands of columns, and few fields.
        return dict(sorted((row, column) for column, row in assign(scores.T).items()))
    # A column of its own for each row, worth nothing, stands for "no pair": so any matrix has a solution.
    gains = np.maximum(scores, 0.0)
    costs = np.hstack([-gains, np.zeros((rows, rows))])
    row_of = _solve(costs)
    pairs = {int(row): column for column, row in enumerate(row_of[:columns]) if row >= 0}
    return {row: column for row, column in sorted(pairs.items()) if scores[row, column] > 0}


def _solve(costs: Scores) -> npt.NDArray[np.int64]:
    """Return for each column the row that has it, or -1, at the least cost; `costs` has no fewer columns than rows."""
    rows, columns = costs.shape
    of_row, of_column = np.zeros(rows), np.zeros(columns)
    row_of = np.full(columns, -1, dtype=np.int64)
    for start in range(rows):
        distance, previous = np.full(columns, np.inf), np.full(columns, -1, dtype=np.int64)
        done = np.zeros(columns, dtype=bool)
        visited, row, at, reached = [start], start, -1, 0.0
        while True:
            through = reached + costs[row] - of_row[row] - of_column
            shorter = ~done & (through < distance)
            distance[shorter], previous[shorter] = through[shorter], row
            at = int(np.argmin(np.where(done, np.inf, distance)))
            reached = float(distance[at])
            done[at] = True
            if row_of[at] < 0:
                break
            row = int(row_of[at])
            visited.append(row)
        _raise_potentials(of_row, of_column, distance, done, row_of, start, reached)
        while at >= 0:
            row = int(previous[at])
            row_of[at], at = row, _column_of(row_of, row, at) if row != start else -1
    return row_of


def _raise_potentials(
    of_row: Scores,
    of_column: Scores,
    distance: Scores,
    done: npt.NDArray[np.bool_],
    row_of: npt.NDArray[np.int64],
    start: int,
    reached: float,
) -> None:
    """Keep every reduced cost at 0 or more, and those of pairs at 0."""
    of_row[start] += reached
    slack = reached - distance[done]
    of_column[done] -= slack
    owners, owned = row_of[done], row_of[done] >= 0
    of_row[owners[owned]] += slack[owned]


def _column_of(row_of: npt.NDArray[np.int64], row: int, but: int) -> int:
    """Return the column that `row` had before it took `but`."""
    held = np.flatnonzero(row_of == row)
    return int(next(column for column in held if column != but))
