"""The bytes behind a text column, whole or a slice of one, with missing values or without."""

from __future__ import annotations

import pyarrow as pa
import pytest

from etl.utf8 import holds_any, utf8_of

TEXTS = pa.array(["ab", None, "ż", "", "c,d"], pa.string())


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        pytest.param(TEXTS, "abżc,d", id="whole"),
        pytest.param(TEXTS.slice(1, 2), "ż", id="a slice"),
        pytest.param(TEXTS.cast(pa.large_string()).slice(2), "żc,d", id="a slice of large strings"),
        pytest.param(TEXTS.slice(2, 0), "", id="an empty slice"),
        pytest.param(pa.nulls(3, pa.string()), "", id="nothing but missing values"),
        pytest.param(pa.array([], pa.string()), "", id="no values"),
        pytest.param(pa.array(["a", "b"]).filter(pa.array([False, True])), "b", id="filtered"),
    ],
)
def test_the_bytes_are_those_of_the_values(texts, expected):
    assert utf8_of(texts).tobytes().decode() == expected


@pytest.mark.parametrize("signs", [b",", bytes(range(0x20)) + b","], ids=["few signs", "many signs"])
def test_a_sign_is_found_only_where_one_is(signs):
    assert holds_any(TEXTS, signs)
    assert not holds_any(TEXTS.slice(0, 4), signs)
