"""How sending went over time: whatever is merged, nothing is lost."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.timeline import MOST_MOMENTS, Moment, Timeline, TimelineKeeper

START = 1_700_000_000.0
NOTES = st.lists(
    st.tuples(st.floats(0, 5_000), st.booleans(), st.integers(1, 5), st.none() | st.floats(0, 1e6)), max_size=60
)


def kept(notes) -> TimelineKeeper:
    keeper = TimelineKeeper()
    for second, delivered, requests, took in notes:
        keeper.note(START + second, delivered=delivered, requests=requests, answered_ms=took)
    return keeper


@given(NOTES)
def test_nothing_is_lost_however_long_it_takes(notes):
    moments = kept(notes).timeline().moments
    assert sum(one.delivered for one in moments) == sum(delivered for _, delivered, _, _ in notes)
    assert sum(one.other for one in moments) == sum(not delivered for _, delivered, _, _ in notes)
    assert sum(one.requests for one in moments) == sum(requests for _, _, requests, _ in notes)
    assert sum(one.retries for one in moments) == sum(requests - 1 for _, _, requests, _ in notes)
    assert len(moments) <= MOST_MOMENTS


@given(NOTES, st.randoms())
def test_the_order_in_which_answers_are_told_does_not_matter(notes, chance):
    shuffled = list(notes)
    chance.shuffle(shuffled)
    assert kept(shuffled).timeline() == kept(notes).timeline()


@given(NOTES.filter(bool))
def test_every_record_is_in_the_moment_in_which_it_was_sent(notes):
    timeline = kept(notes).timeline()
    expected = [0] * len(timeline.moments)
    for second, *_ in notes:
        expected[int((START + second - timeline.started_at) // timeline.seconds)] += 1
    assert [one.delivered + one.other for one in timeline.moments] == expected
    assert expected[0]
    assert expected[-1]


@given(st.lists(st.floats(0.1, 1e5), min_size=1, max_size=200))
def test_half_of_the_answers_are_known_to_within_a_twentieth(took):
    (moment,) = kept([(0, True, 1, one) for one in took]).timeline().moments
    ranked = sorted(took)
    assert moment.p50_ms == pytest.approx(ranked[-(-len(took) // 2) - 1], rel=0.06)
    assert moment.p95_ms == pytest.approx(ranked[-(-len(took) * 19 // 20) - 1], rel=0.06)


def test_a_minute_is_sixty_moments_and_the_quiet_ones_are_empty():
    timeline = kept([(0.2, True, 1, 10.0), (0.7, False, 3, None), (59.9, True, 1, 20.0)]).timeline()
    assert (timeline.started_at, timeline.seconds, len(timeline.moments)) == (START, 1.0, 60)
    assert timeline.moments[0] == Moment(
        1, 1, 4, 2, p50_ms=timeline.moments[0].p50_ms, p95_ms=timeline.moments[0].p95_ms
    )
    assert timeline.moments[1:59] == (Moment(),) * 58


def test_an_hour_is_moments_of_sixteen_seconds():
    timeline = kept([(second, True, 1, 5.0) for second in range(3_600)]).timeline()
    assert timeline.seconds == 16.0
    assert {one.delivered for one in timeline.moments[1:-1]} == {16}


def test_a_clock_that_jumps_loses_nothing():
    timeline = kept([(0, True, 1, 5.0), (-START, True, 1, 5.0), (1e9, True, 1, 5.0)]).timeline()
    assert len(timeline.moments) <= MOST_MOMENTS
    assert sum(one.delivered for one in timeline.moments) == 3


def test_what_was_never_sent_is_in_no_moment():
    keeper = TimelineKeeper()
    keeper.note(None, delivered=False, requests=0, answered_ms=None)
    keeper.note(START, delivered=False, requests=0, answered_ms=None)
    assert keeper.timeline() == Timeline()


def test_threads_lose_nothing():
    keeper = TimelineKeeper()

    def note() -> None:
        for second in range(2_000):
            keeper.note(START + second, delivered=True, requests=2, answered_ms=1.0)

    threads = [threading.Thread(target=note) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(one.requests for one in keeper.timeline().moments) == 16_000
