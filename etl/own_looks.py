"""Number formats for the typed cells of a file that says none, or none that is read: by what their texts are."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from etl.records import Mask

KIND_FORMATS = (
    "General",
    "yyyy-mm-dd",
    "yyyy-mm-dd hh:mm:ss",
    "yyyy-mm-dd hh:mm:ss.000",
    "[hh]:mm:ss",
    "[hh]:mm:ss.000",
)
_DATE, _TIME = "[0-9]{4}-[0-9]{2}-[0-9]{2}", "[0-9]{2}:[0-9]{2}:[0-9]{2}"
_PATTERNS = (f"^{_DATE}$", f"^{_DATE} {_TIME}$", f"^{_DATE} {_TIME}[.]", f"^-?[0-9]*{_TIME}$", f"^-?[0-9]*{_TIME}[.]")
_PLAIN = "^-?(?:0|[1-9][0-9]*)(?:[.][0-9]+)?$"


def zero_formats(zeros: Mapping[int, Sequence[tuple[int, int, str]]]) -> tuple[str, ...]:
    r"""Return the codes of the formats that show leading zeros (`SheetScan.zeros`): of `00-000` it is `00\-000`."""
    shapes = dict.fromkeys(shape for runs in zeros.values() for _, _, shape in runs)
    return tuple("".join(sign if sign == "0" else f"\\{sign}" for sign in shape) for shape in shapes)


def kinds_of(texts: pa.Array, typed: Mask, codes: Sequence[str]) -> npt.NDArray[np.int16]:
    """Return of each cell the place in `codes` of the format that shows it as its text; 0 where it is not typed.

    `codes`: KIND_FORMATS, and behind them what `zero_formats` says.
    """
    found = np.zeros(len(texts), dtype=np.int16)
    if not typed.any():
        return found
    left = typed & ~_matching(texts, _PLAIN)
    for place, pattern in enumerate((*_PATTERNS, *map(_shape, codes[len(KIND_FORMATS) :])), start=1):
        if not left.any():
            break
        hit = left & _matching(texts, pattern)
        found[hit] = place
        left &= ~hit
    return found


def _shape(code: str) -> str:
    """Return the pattern of what a format of zeros shows."""
    return "^[0-9]*" + "".join("[0-9]" if sign == "0" else re.escape(sign) for sign in code.replace("\\", "")) + "$"


def _matching(texts: pa.Array, pattern: str) -> Mask:
    found: Mask = pc.match_substring_regex(texts, pattern).to_numpy(zero_copy_only=False)
    return found
