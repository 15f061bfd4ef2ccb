"""White space, case, patterns, tags: what a cell of text becomes."""

from __future__ import annotations

import hashlib

import pytest

from etl.records import text_series
from etl.transforms import apply, as_stored, check_arguments
from etl.transforms.folding import fold_accents


def _one(name: str, value: str, given: object = None) -> str | None:
    arguments, problems = check_arguments(name, given)
    assert problems == []
    outcome = apply(name, text_series([value]), arguments)
    return None if outcome.failed is not None else str(outcome.values.iloc[0])


CASES = [
    ("strip", None, "\ufeff\u00a0a\u00a0b\u200b\u2003", "a\u00a0b"),
    ("squeeze", None, "a\tb", "a b"),
    ("squeeze", None, "a \u00a0\r\n b\u3000", "a b"),
    ("squeeze", None, "a \u200b b", "a b"),
    ("squeeze", None, "zero\u200bwidth inside", "zero\u200bwidth inside"),
    ("lower", None, "ŁÓDŹ ÄÖÜ", "łódź äöü"),
    ("upper", None, "łódź straße", "ŁÓDŹ STRASSE"),
    ("title", None, "JEAN-LUC", "Jean-Luc"),
    ("title", None, "o'neill", "O'Neill"),
    ("title", None, "it's 5 o'clock", "It's 5 O'Clock"),
    ("title", None, "żółta łódź", "Żółta Łódź"),
    ("title", None, "3rd avenue", "3rd Avenue"),
    ("title", None, "e\u0301cole", "E\u0301cole"),
    ("title", None, "größe straße", "Größe Straße"),
    ("replace", {"old": "."}, "1.2.3", "123"),
    ("replace", {"old": "a", "new": r"\1"}, "ab", r"\1b"),
    ("truncate", "3", "abc", "abc"),
    ("truncate", "2", "ae\u0301x", "a"),
    ("truncate", "3", "ab\U0001f468\u200d\U0001f469\u200d\U0001f467", "ab"),
    ("truncate", "1", "\u0301\u0301", "\u0301"),
    ("pad", "5", "00950", "00950"),
    ("pad", {"width": "3", "fill": "ż"}, "a", "żża"),
    ("concat", {"suffix": " PLN"}, "5", "5 PLN"),
    ("digits", None, "٣4", "4"),
    ("digits", None, "none", None),
    ("slug", None, "Привет, Мир!", "привет-мир"),
    ("slug", None, "a_b--c", "a-b-c"),
    ("hash", "sha1", "ż", hashlib.sha1("ż".encode()).hexdigest()),
    ("regex_extract", "(?i)size ([a-z]+)", "SIZE XL", "XL"),
    ("regex_extract", {"pattern": "([a-z]+)-([0-9]+)", "group": "2"}, "x ab-12", "12"),
    ("regex_extract", {"pattern": "([a-z]+)-([0-9]+)", "group": "0"}, "x ab-12 cd-3", "ab-12"),
    ("regex_extract", "a|b(c)?", "xxb", ""),
    ("regex_extract", "^b", "a\nb", None),
    ("regex_extract", "b.c", "x\nb\nc\n", "b\nc"),
    ("regex_extract", "[0-9]+", "no digits", None),
    ("regex_extract", r"\d+", "٣", None),
    ("regex_replace", {"pattern": "(a+)+$", "replacement": ""}, "a" * 5000 + "b", "a" * 5000 + "b"),
    ("tag", None, " VIP!#$&*\"' ", "VIP_______"),
    ("tag", None, "a\u00a0ż", "A_Z"),
    ("tag", None, "letnia, zima", "LETNIA,_ZIMA"),
]


@pytest.mark.parametrize(
    ("name", "given", "value", "expected"), CASES, ids=[f"{name}-{value[:20]!a}" for name, _, value, _ in CASES]
)
def test_a_cell_becomes(name: str, given: object, value: str, expected: str | None) -> None:
    assert _one(name, value, given) == expected


def test_concat_sees_a_blank_cell() -> None:
    assert _one("concat", " ", {"prefix": "shop-"}) == "shop-"


def test_a_failed_extract_says_which_pattern() -> None:
    assert apply("regex_extract", text_series(["x"]), {"pattern": "[0-9]+"}).details_at([0])[0] == "[0-9]+"


FOLDED = [
    ("Zażółć gęślą jaźń", "Zazolc gesla jazn"),
    ("Straße ẞ", "Strasse SS"),
    ("Ærø œuvre Þór", "AEro oeuvre THor"),
    ("йё Ελλάδα", "йё Ελλάδα"),
    ("e\u0301 ﬁ", "e ﬁ"),
]


@pytest.mark.parametrize(("text", "folded"), FOLDED, ids=[folded for _, folded in FOLDED])
def test_accents_are_folded_on_latin_letters_alone(text: str, folded: str) -> None:
    assert fold_accents(text) == folded


def test_as_stored_keeps_the_index() -> None:
    tags = text_series(["vip", "żółty kot"])
    tags.index = [5, 9]
    assert as_stored(tags).to_dict() == {5: "VIP", 9: "ZOLTY_KOT"}
