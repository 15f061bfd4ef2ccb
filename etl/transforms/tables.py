"""Look-up tables of a mapping: CSV files in UTF-8 with a header, the value first and its result second."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

from etl.transforms.columns import EDGES

MAX_BYTES = 50_000_000
MAX_VALUE = 100_000
"""Characters; more in one cell is a quote that is never closed."""
_DELIMITERS = ",;\t|"


class TableError(Exception):
    """A look-up table cannot be used; the text says which, and why."""


def read_pairs(base: Path, name: str) -> dict[str, str]:
    """Return value to result, from the file `name` in the folder `base` or below it.

    The delimiter is the one of `, ; tab |` that stands first in the header. Values and results are trimmed; lines
    without a value and a result are passed over. Raises TableError for a file that is missing, outside the folder,
    not UTF-8 or too large, for a line with one column, and for a repeated value (both lines are named).
    """
    text = _text_of(base, name)
    header, _, _ = text.partition("\n")
    found = [character for character in header if character in _DELIMITERS]
    if not found:
        raise TableError(f"{name}:1: expected a header of two columns, the value and the result")
    # The limit of the csv module is the whole process's, and others set it to suit their file.
    csv.field_size_limit(max(csv.field_size_limit(), MAX_BYTES + 1))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=found[0])
    try:
        return _pairs(reader, name)
    except csv.Error as error:
        raise TableError(f"{name}:{reader.line_num}: {error}") from error


def _pairs(reader: Any, name: str) -> dict[str, str]:
    pairs: dict[str, str] = {}
    line_of: dict[str, int] = {}
    next(reader, None)
    line = reader.line_num + 1
    for row in reader:
        cells = [cell.strip(EDGES) for cell in row]
        if max(map(len, cells), default=0) > MAX_VALUE:
            raise TableError(f"{name}:{line}: a value of more than {MAX_VALUE:,} characters: is a quote not closed?")
        if any(cells):
            if len(cells) < 2:
                raise TableError(f"{name}:{line}: expected two columns, the value and the result")
            value, result = cells[:2]
            if value in pairs:
                raise TableError(f"{name}: the value '{value}' stands in line {line_of[value]} and in line {line}")
            pairs[value], line_of[value] = result, line
        line = reader.line_num + 1
    if not pairs:
        raise TableError(f"{name} holds no values below its header")
    return pairs


def _text_of(base: Path, name: str) -> str:
    path = base / name
    try:
        if not path.resolve().is_relative_to(base.resolve()):
            # A mapping may be somebody else's: it reads what lies beside it, nothing else.
            raise TableError(f"'{name}' lies outside the mapping's folder; put the file beside the mapping")
        if path.stat().st_size > MAX_BYTES:
            raise TableError(f"'{name}' is larger than {MAX_BYTES // 1_000_000} MB")
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError as error:
        raise TableError(f"there is no file '{name}' beside the mapping") from error
    except UnicodeDecodeError as error:
        raise TableError(f"'{name}' is not in UTF-8; save it as `CSV UTF-8`") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a file name"
        raise TableError(f"'{name}' cannot be read: {reason}") from error
