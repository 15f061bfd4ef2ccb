"""Duplicates: which row of a key stands for all, whatever the chunks, kept on disk."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import results_of, rig, write_csv

from etl.buckets import BUCKET_BITS
from etl.duplicates import KeyIndex
from etl.mapping.model import Duplicates

KEYS = st.lists(st.one_of(st.none(), st.sampled_from("abcdefg")), max_size=60)


def losers_of(policy: Duplicates, chunks: list[list[str | None]], step: int = 1) -> dict[int, int]:
    """Return loser → winner, by place, of keys given in chunks; rows stand `step` apart."""
    with tempfile.TemporaryDirectory() as folder:
        index = KeyIndex(Path(folder) / "keys", policy)
        first = 0
        for chunk in chunks:
            positions = (first + np.arange(len(chunk), dtype=np.int64)) * step
            index.add(pa.array(chunk, pa.string()), positions)
            first += len(chunk)
        losers = index.losers()
        lost, winners = losers.among(np.arange(first, dtype=np.int64) * step)
        assert losers.count == lost.sum()
        return {int(place): int(winners[place]) // step for place in np.flatnonzero(lost)}


def expected(policy: Duplicates, keys: list[str | None]) -> dict[int, int]:
    places: dict[str, list[int]] = {}
    for place, key in enumerate(keys):
        if key is not None:
            places.setdefault(key, []).append(place)
    found = {}
    for group in places.values():
        for place in group:
            if policy is Duplicates.ERROR and len(group) > 1:
                found[place] = group[-1] if place == group[0] else group[0]
            elif policy in {Duplicates.FIRST, Duplicates.LAST}:
                winner = group[0] if policy is Duplicates.FIRST else group[-1]
                if place != winner:
                    found[place] = winner
    return found


@given(KEYS, st.sampled_from(Duplicates), st.integers(1, 7))
def test_the_index_agrees_with_a_dictionary_whatever_the_chunks(keys, policy, size):
    chunks = [keys[start : start + size] for start in range(0, len(keys), size)]
    assert losers_of(policy, chunks) == expected(policy, keys)


def test_rows_of_one_key_find_each_other_across_buckets_of_the_disk():
    keys = ["a", "b", None, "a", "b"]
    assert losers_of(Duplicates.LAST, [keys], step=1 << BUCKET_BITS) == {0: 3, 1: 4}


MAPPING = """\
version: 1
name: test
records:
  - action: contact.upsert
    duplicates: {policy}
    when: "Send != 'no'"
    fields:
      contact.email: {{column: E-mail, transform: [strip]}}
      contact.name: Name
"""

SHEET = """\
E-mail;Name;Send
a@example.com;first;
b@example.com;only;
A@Example.com;second;
bad@@;third;
a@example.com;skipped;no
a@example.com;last;
"""


@pytest.mark.parametrize(
    ("policy", "statuses"),
    [
        ("last", ["duplicate", "planned", "duplicate", "invalid", "skipped", "planned"]),
        ("first", ["planned", "planned", "duplicate", "invalid", "skipped", "duplicate"]),
        ("all", ["planned", "planned", "planned", "invalid", "skipped", "planned"]),
        ("error", ["invalid", "planned", "invalid", "invalid", "skipped", "invalid"]),
    ],
)
def test_the_policy_is_judged_among_the_rows_that_pass_and_are_valid(tmp_path, policy, statuses):
    with rig(tmp_path) as server:
        report = server.check(MAPPING.format(policy=policy), write_csv(tmp_path / "s.csv", SHEET))
    assert [line["status"] for line in results_of(report)] == statuses


def test_a_duplicate_names_the_row_that_stands_for_it(tmp_path):
    with rig(tmp_path) as server:
        report = server.check(MAPPING.format(policy="last"), write_csv(tmp_path / "s.csv", SHEET))
    assert results_of(report)[0]["message"] == "row 7 of the same key stands for it"


def test_with_policy_error_every_row_of_the_key_is_an_issue_that_names_another(tmp_path):
    with rig(tmp_path) as server:
        report = server.check(MAPPING.format(policy="error"), write_csv(tmp_path / "s.csv", SHEET))
    found = report.issues
    assert found[found["code"] == "duplicate-key"][["row", "message"]].values.tolist() == [
        [2, "the key occurs more than once (also in row 7)"],
        [4, "the key occurs more than once (also in row 2)"],
        [7, "the key occurs more than once (also in row 2)"],
    ]


def test_what_check_calls_a_duplicate_run_does_not_send(tmp_path):
    with rig(tmp_path) as server:
        report = server.run(MAPPING.format(policy="last"), write_csv(tmp_path / "s.csv", SHEET))
    assert report.counts == {"delivered": 2, "duplicate": 2, "skipped": 1, "invalid": 1}
    assert sorted(body for _, _, body, _, _ in server.requests()) == [
        b'{"contact":{"email":"a@example.com","name":"last"}}',
        b'{"contact":{"email":"b@example.com","name":"only"}}',
    ]
