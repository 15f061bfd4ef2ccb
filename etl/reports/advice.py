"""What is told of a row → words for whoever owns the spreadsheet: what its status is, what is wrong, how to mend it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from etl.cells import column_letters
from etl.records import Severity, Status
from etl.reports.row_notes import RowIssue, RowNote, RowResult
from etl.reports.workbook_style import TONES, Tone

MOST_LINES = 12
LONGEST_LINE = 500
LONGEST_NAME = 60
_UNSENT = {
    Status.REJECTED: ("The endpoint refused it{http}", "Mend the row, and send it again."),
    Status.FAILED: ("It was not delivered", "It is safe to send it again."),
    Status.UNKNOWN: ("It was sent, and nobody knows whether it arrived", "Look there before you send it again."),
    Status.BLOCKED: ("It was not sent", ""),
}
_UNREADABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")


def status_of(status: Status, note: RowNote | None) -> tuple[str, Tone]:
    """Return the word in the status column, and how it looks: `planned (warning)` where a warning is all there is."""
    if note is None or not note.issues or status in (Status.INVALID, Status.REJECTED):
        return status.value, TONES[status]
    return f"{status.value} (warning)", Tone.WARNING if TONES[status] in (Tone.GOOD, Tone.QUIET) else TONES[status]


def advice(note: RowNote) -> list[str]:
    """Return what to do about a row, one line a problem, MOST_LINES at most; what the endpoint said comes first."""
    found = [*_answers(note), *(_issue_line(issue) for issue in note.issues)]
    if not found:
        found = [_sentence(one.message) for one in note.results if one.status is Status.INVALID and one.message]
    lines = list(dict.fromkeys(found))
    if len(lines) > MOST_LINES:
        rest = len(lines) - MOST_LINES + 1
        lines = [*lines[: MOST_LINES - 1], f"... and {rest} more: see issues.csv"]
    return [_cut(line) for line in lines]


def tones_of(note: RowNote) -> dict[int, Tone]:
    """Return of each cell that has a problem how it looks, by its column in the sheet; an error before a warning."""
    tones: dict[int, Tone] = {}
    for issue in reversed(note.issues):  # errors come first in a note, and win here as the last
        tone = Tone.ERROR if issue.severity == Severity.ERROR else Tone.WARNING
        tones |= dict.fromkeys(issue.cells, tone)
    return tones


def comments_of(note: RowNote) -> Mapping[int, str]:
    """Return what the comment on each cell with a problem says, by its column in the sheet."""
    told: dict[int, list[str]] = {}
    for issue in note.issues:
        text = _issue_line(issue) if len(issue.cells) > 1 else _problem(issue)
        for cell in issue.cells:
            told.setdefault(cell, []).append(_cut(text))
    return {cell: "\n\n".join(dict.fromkeys(texts[:MOST_LINES])) for cell, texts in told.items()}


def readable(text: str) -> str:
    """Return `text` with a \ufffd for each sign that XML does not know."""
    return _UNREADABLE.sub("\ufffd", text)


def _answers(note: RowNote) -> Iterator[str]:
    for result in note.results:
        if result.status in _UNSENT:
            what, then = _UNSENT[result.status]
            http = f" (HTTP {result.http_status})" if result.http_status else ""
            said = _own_message(result, note.issues)
            told = _sentence(f"{what.format(http=http)}: {said}" if said else what.format(http=http))
            record = f"{result.action}: " if len(note.results) > 1 else ""
            yield f"{record}{told} {then}".strip()


def _own_message(result: RowResult, issues: Sequence[RowIssue]) -> str:
    """Return what a result says that its row's issues do not: results.csv joins the two by semicolons."""
    message = result.message
    for issue in issues:
        told = f"{issue.field}: {issue.message}" if issue.field else issue.message
        message = message.replace(f"; {told}", "").replace(told, "")
    return message.strip("; ")


def _issue_line(issue: RowIssue) -> str:
    name = issue.column or ", ".join(f"column {column_letters(cell)}" for cell in issue.cells)
    name = f"{name[:LONGEST_NAME]}…" if len(name) > LONGEST_NAME else name
    return f"{name}: {_problem(issue)}" if name else _capital(_problem(issue))


def _problem(issue: RowIssue) -> str:
    return f"{_sentence(issue.message)} {_capital(_sentence(issue.hint))}".strip()


def _sentence(text: str) -> str:
    text = text.strip()
    return text if not text or text.endswith((".", "!", "?", "…")) else f"{text}."


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _cut(line: str) -> str:
    line = readable(line)
    return f"{line[: LONGEST_LINE - 1]}…" if len(line) > LONGEST_LINE else line
