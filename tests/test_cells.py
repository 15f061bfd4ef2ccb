"""Columns and cells are named as a spreadsheet names them."""

from __future__ import annotations

import pytest

from etl.cells import column_letters


@pytest.mark.parametrize(
    ("position", "letters"), [(0, "A"), (25, "Z"), (26, "AA"), (701, "ZZ"), (702, "AAA"), (16383, "XFD")]
)
def test_columns_are_named_as_a_spreadsheet_names_them(position: int, letters: str) -> None:
    assert column_letters(position) == letters
