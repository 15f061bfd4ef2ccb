"""The labelled headers of seven languages (headers/*.csv), each judged by its name alone in a sheet of its language.

Written from what people, shops (Shopify, WooCommerce, Shoper, PrestaShop, Magento), CRM systems, Google and Outlook call
their columns. `none`: a name that no field has, hard near misses among them.
"""

from __future__ import annotations

import csv
from collections import Counter
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from etl.contract import ACTIONS
from etl.mapping.candidates import ACTIVE, POSSIBLE, Candidate, Column, Context, candidates
from etl.mapping.header_names import NAMES, name_tokens
from etl.mapping.looks import Look
from etl.mapping.synonyms import ANY_ACTION, OTHER

FOLDER = Path(__file__).parent / "headers"
LANGUAGES = ("english", "polish", "german", "swedish", "spanish", "french", "italian")
SURE = 0.8
UNSEEN = Look(0, 0, 0)


class Label(NamedTuple):
    header: str
    action: str
    target: str


@cache
def labelled(language: str) -> tuple[Label, ...]:
    with (FOLDER / f"{language}.csv").open(encoding="utf-8", newline="") as file:
        return tuple(Label(row["header"], row["action"], row["target"]) for row in csv.DictReader(file))


@cache
def judged(language: str) -> tuple[tuple[Label, Candidate | None], ...]:
    """Return each label with what the header is most likely, None where it is nothing that a mapping has."""
    labels = labelled(language)
    columns = [Column(place, label.header, UNSEEN) for place, label in enumerate(labels)]
    contexts = {action: Context.of(columns, action) for action in ACTIONS}
    return tuple(
        (label, best(candidates(column, label.action, contexts[label.action])))
        for label, column in zip(labels, columns, strict=True)
    )


def best(found: list[Candidate]) -> Candidate | None:
    top = max(found, key=lambda one: one.confidence, default=None)
    return None if top is None or top.target == OTHER else top


def is_right(label: Label, found: Candidate | None) -> bool:
    if label.target == "none":
        return found is None or found.confidence < ACTIVE
    return found is not None and found.target == label.target and found.confidence >= POSSIBLE


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_labelled_set_is_large_and_has_near_misses(language: str) -> None:
    labels = labelled(language)

    assert len(labels) >= 60
    assert sum(label.target == "none" for label in labels) >= 12
    assert len({(label.header, label.action) for label in labels}) == len(labels)


@pytest.mark.parametrize("language", LANGUAGES)
def test_19_of_20_headers_find_what_they_name(language: str) -> None:
    wrong = [label for label, found in judged(language) if not is_right(label, found)]

    assert len(wrong) <= 0.05 * len(judged(language)), wrong


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_header_is_wrong_above_80_percent(language: str) -> None:
    wrong = [
        (label, found)
        for label, found in judged(language)
        if found is not None and found.confidence > SURE and found.target != label.target
    ]

    assert wrong == []


@pytest.mark.parametrize("language", ["en", "pl", "de", "sv", "es", "fr", "it"])
def test_each_language_has_names_for_every_target(language: str) -> None:
    tables = {**NAMES["contact.upsert"], **NAMES["event.create"], **ANY_ACTION}

    assert [target for target, names in tables.items() if language not in names] == []


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("language", ["en", "pl", "de", "sv", "es", "fr", "it"])
def test_no_name_means_two_things_in_one_language(language: str, action: str) -> None:
    tables = {**NAMES[action], **ANY_ACTION}
    keys = Counter(
        key for names in tables.values() for key in {"".join(name_tokens(name)) for name in names.get(language, ())}
    )

    assert [key for key, times in keys.items() if times > 1] == []
