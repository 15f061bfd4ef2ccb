"""The assignment problem: against trying everything, and at its edges."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from etl.mapping.assignment import Scores, assign

SCORES = st.one_of(st.just(-np.inf), st.integers(-3, 9).map(float), st.floats(0, 1))


def best_by_trying_everything(scores: Scores) -> float:
    rows, columns = scores.shape
    best = 0.0
    for size in range(min(rows, columns) + 1):
        for chosen in itertools.combinations(range(rows), size):
            for places in itertools.permutations(range(columns), size):
                best = max(best, sum(scores[row, place] for row, place in zip(chosen, places, strict=True)))
    return float(best)


@given(arrays(np.float64, array_shapes(min_dims=2, max_dims=2, max_side=4), elements=SCORES))
@settings(deadline=None, max_examples=300)
def test_no_other_pairing_is_worth_more(scores: Scores) -> None:
    pairs = assign(scores)

    assert sum(scores[pair] for pair in pairs.items()) == pytest.approx(best_by_trying_everything(scores))


@given(arrays(np.float64, array_shapes(min_dims=2, max_dims=2, max_side=12), elements=SCORES))
@settings(deadline=None, max_examples=200)
def test_each_row_and_each_column_is_used_once_and_no_forbidden_pair_is_made(scores: Scores) -> None:
    pairs = assign(scores)

    assert len(set(pairs.values())) == len(pairs)
    assert all(scores[pair] > 0 for pair in pairs.items())


def test_the_surest_pair_gives_way_where_both_gain() -> None:
    assert assign(np.array([[0.9, 0.8], [0.85, -np.inf]])) == {0: 1, 1: 0}


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0)], ids=str)
def test_nothing_to_pair_gives_no_pairs(shape: tuple[int, int]) -> None:
    assert assign(np.zeros(shape)) == {}


@pytest.mark.parametrize(
    "scores", [np.zeros(3), np.array([[np.nan]]), np.array([[np.inf]])], ids=["one axis", "nan", "inf"]
)
def test_scores_that_mean_nothing_are_refused(scores: Scores) -> None:
    with pytest.raises(ValueError, match=r"^scores must have two axes and neither NaN nor \+inf$"):
        assign(scores)


def test_no_exchange_of_two_pairs_gains_in_a_large_matrix() -> None:
    scores = np.random.default_rng(7).random((300, 300))
    pairs = assign(scores)

    # Trying everything takes too long here; that no exchange gains is necessary, and fails where potentials are wrong.
    rows, places = np.array(list(pairs)), np.array(list(pairs.values()))
    own = scores[rows, places]
    swapped = scores[rows][:, places]
    assert len(pairs) == 300
    assert (own[:, None] + own[None, :] >= swapped + swapped.T - 1e-9).all()
