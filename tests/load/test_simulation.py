"""Thousands of nights in virtual time: whatever the endpoint does, and whenever the process dies, the promises hold."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from etl.records import Status
from tests.load.simulation import EVENT, Night

SEEDS = [range(first, first + 100) for first in range(0, 1000, 100)]
SOAK = [range(first, first + 1000) for first in range(10_000, 30_000, 1000)]


def ids(seeds):
    return f"{seeds.start}..{seeds.stop - 1}"


def every_delivery_has_one_receipt(night):
    seen = Counter((r.delivery.position, r.delivery.record) for r in night.receipts)
    assert seen == Counter(list(night.deliveries))


def what_is_said_agrees_with_what_was_done(night):
    acted = Counter((d.position, d.record) for d in night.server.acted)
    for receipt in night.receipts:
        place = receipt.delivery.position, receipt.delivery.record
        if receipt.status is Status.DELIVERED:
            assert acted[place]
        elif receipt.status in {Status.BLOCKED, Status.REJECTED} and receipt.attempts == 0:
            assert not acted[place]
        if receipt.delivery.endpoint is EVENT:
            # An event is never repeated once it may have arrived, and never `failed` where it did.
            assert acted[place] <= 1
            if acted[place]:
                assert receipt.status in {Status.DELIVERED, Status.UNKNOWN}


def order_is_kept(night):
    for places in night.order().values():
        assert places == sorted(places)


def the_journal_agrees(night):
    said = {(r.delivery.position, r.delivery.record): r for r in night.receipts}
    for place, state in night.journal().items():
        assert state == said[place].status
    assert {place for place, receipt in said.items() if receipt.attempts} <= night.journal().keys()


def nobody_is_asked_too_often(night):
    for receipt in night.receipts:
        assert receipt.attempts <= 400
    assert night.server.most_flying <= night.concurrency


def check_to_the_end(seed):
    night = Night(seed).play()
    every_delivery_has_one_receipt(night)
    what_is_said_agrees_with_what_was_done(night)
    order_is_kept(night)
    the_journal_agrees(night)
    nobody_is_asked_too_often(night)


def check_killed(seed):
    chance = random.Random(seed)
    night = Night(seed, killed_at=1000.0 + chance.choice([0.1, 1.0, 10.0, 60.0]) * chance.random()).play()
    journal = night.journal()
    assert sum(state == "sending" for state in journal.values()) <= night.concurrency
    for delivery in night.server.acted:
        assert (delivery.position, delivery.record) in journal
    for receipt in night.receipts:
        place = receipt.delivery.position, receipt.delivery.record
        assert receipt.status == journal.get(place, receipt.status)
        assert receipt.attempts == 0 or place in journal
    for _, delivery in night.sent:
        if delivery.endpoint is EVENT and journal[delivery.position, delivery.record] == "waiting":
            assert delivery not in night.server.acted
    order_is_kept(night)


@pytest.mark.parametrize("seeds", SEEDS, ids=ids)
def test_every_night_ends_with_each_promise_kept(seeds):
    for seed in seeds:
        check_to_the_end(seed)


@pytest.mark.parametrize("seeds", SEEDS, ids=ids)
def test_a_kill_at_any_instant_leaves_a_journal_that_knows_all_that_was_done(seeds):
    for seed in seeds:
        check_killed(seed)


@pytest.mark.soak
@pytest.mark.parametrize("seeds", SOAK, ids=ids)
def test_twenty_thousand_more_nights(seeds):
    for seed in seeds:
        check_to_the_end(seed)
        check_killed(seed)
