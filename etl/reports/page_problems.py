"""A RunReport → its problems as the page tells them: what is wrong, where, how often, and what mends it.

What a report says of people is decided before it comes here (`etl.redaction`): its texts are shown as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from etl.report import Example, ProblemGroup
from etl.reports.page_text import MESSAGE_SHOWN, cells, messages, visible
from etl.view import View
from etl.wording import TITLES, hint_of

if TYPE_CHECKING:
    from etl.report import Remedy, RunReport

MOST_PROBLEMS = 10
MOST_VALUES, MOST_EXAMPLES = 5, 3


@dataclass(frozen=True, slots=True)
class Value:
    """A frequent text of a cell; `width`: per cent of the most frequent one's count."""

    text: str
    count: int
    width: float


@dataclass(frozen=True, slots=True)
class Problem:
    """One of the most frequent problems. `width`: its count, in per cent of the largest one's."""

    title: str
    code: str
    severity: str
    field: str
    column: str
    count: int
    width: float
    hint: str
    suggestion: str
    remedies: tuple[Paste, ...]
    values: tuple[Value, ...]
    distinct: int | None
    examples: tuple[Example, ...]
    is_new: bool


@dataclass(frozen=True, slots=True)
class Paste:
    """A line for the mapping. `where`: the line that it takes the place of; `told`: what it mends."""

    where: str
    line: str
    told: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What the endpoint said of what it did not take."""

    status: str
    code: str
    message: str
    count: int


def problems_of(report: RunReport) -> tuple[Problem, ...]:
    """Return the most frequent problems, errors before warnings, at most MOST_PROBLEMS."""
    groups = report.groups or tuple(
        ProblemGroup(code, field, "", severity, count, hint_of(code))
        for code, field, severity, count in report.problems
    )
    chosen = sorted(groups, key=lambda one: (one.severity == "warning", -one.count))[:MOST_PROBLEMS]
    largest = max((one.count for one in chosen), default=1)
    return tuple(_problem(group, largest, report) for group in chosen)


def kinds_of_problems(report: RunReport) -> int:
    """Return how many kinds of problems there are in all."""
    return len(report.groups or report.problems)


def _problem(group: ProblemGroup, largest: int, report: RunReport) -> Problem:
    title = TITLES.get(group.code, group.code)
    is_aggregate = report.view is View.AGGREGATE
    examples = () if is_aggregate else group.examples[:MOST_EXAMPLES]
    most = group.values[0][1] if group.values else 0
    # Of values that occur once each the examples tell as much, and of blank cells the title does.
    values = () if is_aggregate or (most <= 1 and examples) else group.values[:MOST_VALUES]
    says_the_same = len(examples) > 1 and len({(one.value, one.message) for one in examples}) == 1
    return Problem(
        title=title[:1].upper() + title[1:],
        code=group.code,
        severity=group.severity,
        field=visible(group.field),
        column=visible(group.column),
        count=group.count,
        width=round(100 * group.count / largest, 2),
        hint=visible(group.hint or hint_of(group.code), MESSAGE_SHOWN),
        suggestion=visible(group.suggestion),
        remedies=_remedies(group, report),
        values=tuple(
            Value(text, count, round(100 * count / most, 2))
            for text, (_, count) in zip(cells([text for text, _ in values]), values, strict=True)
        ),
        distinct=group.distinct if values else None,
        examples=tuple(
            Example(visible(one.where), value, message)
            for one, value, message in zip(
                examples,
                cells([one.value for one in examples]),
                messages(["" if says_the_same and not one.value else one.message for one in examples]),
                strict=True,
            )
        ),
        is_new=_is_new(group, report.news),
    )


def _is_new(group: ProblemGroup, news: Mapping[str, Any]) -> bool:
    """Tell whether earlier runs did not have this kind of problem; of a first run nothing is news."""
    kinds = news.get("kinds", ()) if news.get("known_kinds") else ()
    return any(one["new"] and (one["code"], one["field"]) == (group.code, group.field) for one in kinds)


def _remedies(group: ProblemGroup, report: RunReport) -> tuple[Paste, ...]:
    own = [
        one
        for one in report.remedies
        if (one.code, one.field) == (group.code, group.field) and group.record in {0, one.record}
    ]
    return tuple(_paste(one, report.view) for one in own[:2])


def other_remedies(report: RunReport, problems: Sequence[Problem]) -> tuple[Paste, ...]:
    """Return the lines for the mapping that stand at none of the problems."""
    shown = {(paste.where, paste.line) for problem in problems for paste in problem.remedies}
    pastes = [_paste(one, report.view) for one in report.remedies]
    return tuple(one for one in pastes if (one.where, one.line) not in shown)[:MOST_PROBLEMS]


def _paste(remedy: Remedy, view: View) -> Paste:
    mends = f"all {remedy.tried:,}" if remedy.mended == remedy.tried else f"{remedy.mended:,} of {remedy.tried:,}"
    verb = "leaves out" if remedy.line.startswith("when:") and remedy.code == "required" else "mends"
    where = Path(remedy.where).name if view is View.AGGREGATE else remedy.where
    return Paste(visible(where), remedy.line, f"{verb} {mends} of the cells it was tried on")


def answers_of(report: RunReport) -> tuple[Answer, ...]:
    """Return what the endpoint said of what it did not take, the most frequent first."""
    found = report.outcomes[:MOST_PROBLEMS]
    told = messages([message for _, _, message, _ in found])
    return tuple(Answer(status, code, text, count) for (status, code, _, count), text in zip(found, told, strict=True))
