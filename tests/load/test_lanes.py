"""Order per lane, whatever the order in which units end."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from etl.load.lanes import Lanes, Ticket
from etl.records import Delivery, Endpoint, Unit


def ticket(*lanes):
    return Ticket(Unit(tuple(Delivery(0, 1, Endpoint("POST", "/x"), b"", lane, True) for lane in lanes)))


def test_the_second_of_a_lane_waits_for_the_first():
    lanes, first, second = Lanes(), ticket("a"), ticket("a")
    assert lanes.add(first)
    assert not lanes.add(second)
    assert lanes.done(first) == [second]


def test_a_unit_without_a_lane_waits_for_nobody():
    lanes = Lanes()
    assert all(lanes.add(ticket(None)) for _ in range(3))
    assert len(lanes) == 0


def test_a_unit_of_two_lanes_waits_for_both():
    lanes, a, b, both, after = Lanes(), ticket("a"), ticket("b"), ticket("a", "b"), ticket("b")
    assert [lanes.add(one) for one in (a, b, both, after)] == [True, True, False, False]
    assert lanes.done(a) == []
    assert lanes.done(b) == [both]
    assert lanes.done(both) == [after]


def test_a_lane_that_occurs_twice_in_a_unit_is_one_lane():
    lanes, twice, after = Lanes(), ticket("a", "a", None), ticket("a")
    assert lanes.add(twice)
    assert not lanes.add(after)
    assert lanes.done(twice) == [after]


@given(st.lists(st.lists(st.sampled_from("abcde") | st.none(), min_size=1, max_size=3), max_size=60), st.randoms())
def test_every_unit_goes_once_in_order_per_lane_and_nothing_is_left(units, random):
    lanes, ready, gone = Lanes(), [], []
    tickets = [ticket(*unit) for unit in units]
    for one in tickets:
        if lanes.add(one):
            ready.append(one)
        if ready and random.random() < 0.5:
            gone.append(ready.pop(random.randrange(len(ready))))
            ready += lanes.done(gone[-1])
    while ready:
        gone.append(ready.pop(random.randrange(len(ready))))
        ready += lanes.done(gone[-1])
    assert len(lanes) == 0
    assert sorted(map(id, gone)) == sorted(map(id, tickets))
    for lane in "abcde":
        assert [t for t in gone if lane in t.lanes] == [t for t in tickets if lane in t.lanes]


def test_abandoned_lanes_keep_nobody_waiting():
    lanes, first, second, both = Lanes(), ticket("a"), ticket("a"), ticket("a", "b")
    for one in (first, second, both):
        lanes.add(one)
    assert lanes.abandon() == [second, both]
    assert lanes.done(first) == []
    assert lanes.add(ticket("a"))
