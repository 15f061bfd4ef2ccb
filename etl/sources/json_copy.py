"""Some lines of a file of JSON lines copied as they stand, the reason as the first key of each object."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path

from etl.sent_back import REASON_COLUMN
from etl.sources.json_lines import JsonLinesTable
from etl.sources.text_out import TextOut

_KEY = re.escape(json.dumps(REASON_COLUMN))
_EARLIER = re.compile(rf'(\s*\{{)\s*{_KEY}\s*:\s*"(?:[^"\\]|\\.)*"\s*,?\s*')
_NO_MORE = (1 << 62, "")
_OBJECT = re.compile(r"\s*\{")


def copy_lines(table: JsonLinesTable, target: Path, reasons: Iterable[tuple[int, str]]) -> int:
    """Write the lines of `reasons` (numbers, ascending); return how many were there.

    A line that is no object has no place for a reason, and stays as it is. Raises SourceError, OSError.
    """
    wanted = iter(reasons)
    number, reason = next(wanted, _NO_MORE)
    count = 0
    with target.open("wb") as stream:
        out = TextOut(stream, table.path, table.encoding.codec)
        for line_number, line in table.numbered_lines():
            if line_number <= table.skip_rows:
                out.write(line)
                continue
            while number < line_number:
                number, reason = next(wanted, _NO_MORE)
            if line_number == number:
                out.write(_with_reason(line, reason))
                count += 1
                number, reason = next(wanted, _NO_MORE)
            if number == _NO_MORE[0]:
                break
    return count


def _with_reason(line: str, reason: str) -> str:
    line = _EARLIER.sub(r"\1", line, count=1)
    start = _OBJECT.match(line)
    if start:
        rest = line[start.end() :]
        comma = "" if rest.lstrip().startswith("}") else ", "
        key = f"{json.dumps(REASON_COLUMN)}: {json.dumps(reason, ensure_ascii=True)}"
        line = f"{line[: start.end()]}{key}{comma}{rest}"
    return line if line.endswith(("\n", "\r")) else f"{line}\n"
