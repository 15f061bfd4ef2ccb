"""Problems and remedies → lines of a terminal: grouped, so that a million bad rows are as few lines as ten."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from etl.cli.output import visible
from etl.report import ProblemGroup
from etl.view import View
from etl.wording import TITLES, common_value, hint_of, plural, said_of

if TYPE_CHECKING:
    from etl.report import Remedy, RunReport

_COLOURS = {"error": "red", "warning": "yellow"}
_LONGEST_PLACE = 16
_LONGEST_VALUE = 40
_MOST_LINES = 2
_INDENT = " " * 8
SHOWN_REMEDIES = 3
_LEAST_TEXT = 30
_QUOTING = ("{map:", "{blank_if:", "when:")
"""In a remedy's line: words of the table's cells follow."""


def groups_of(report: RunReport) -> list[ProblemGroup]:
    """Return the groups as they are told: errors before warnings, the most frequent first.

    A report that has none is told by the kinds of its problems.
    """
    plain = [
        ProblemGroup(code, field, "", severity, count, hint_of(code))
        for code, field, severity, count in report.problems
    ]
    return sorted(report.groups or plain, key=lambda group: group.severity == "warning")


def problem_lines(
    report: RunReport, width: int, room: int, *, pasted: Sequence[Remedy] = (), more: str = "issues.csv"
) -> list[Text]:
    """Return the groups in at most `room` lines. `pasted`: the remedies that are shown; `more`: where the rest stands.

    Each has a line; a second one, where it takes that to say what to do, as long as there is room.
    """
    groups = groups_of(report)
    if not groups:
        return []
    labels = [_label(group) for group in groups]
    cells = max(map(len, labels))
    blocks: list[list[Text]] = []
    longer: list[list[Text]] = []
    for label, group in zip(labels, groups, strict=True):
        said, tail = _told(report, group, pasted)
        for made, most in ((blocks, 1), (longer, _MOST_LINES)):
            made.append(_block(label, group.severity, _texts(said, tail, width - cells - 4, most), cells))
    left = room - len(blocks)
    for place, block in enumerate(longer):
        if len(block) - 1 <= left:
            left -= len(block) - 1
            blocks[place] = block
    return fitted(blocks, room, " " * (cells + 4), "kind", more)


def _label(group: ProblemGroup) -> str:
    """Return how many rows it is, or which one."""
    if group.count == 1 and group.examples:
        place = group.examples[0].where.partition(", column")[0]
        if len(place) <= _LONGEST_PLACE:
            return place
    return f"{group.count:,} {plural(group.count, 'row')}"


def _told(report: RunReport, group: ProblemGroup, pasted: Sequence[Remedy]) -> tuple[str, str]:
    """Return what is wrong, and what to do."""
    is_full = report.view is View.FULL
    value = common_value(group) if is_full else ""
    said = said_of(group, _short(value))
    if report.records > 1 and group.record:
        said = f"record {group.record}: {said}"
    if group.severity == "warning":
        said += " (warning)"
    if is_full and group.suggestion.startswith("did you mean") and (value or not _is_of_one(group)):
        return said, group.suggestion
    mending = next((one for one in shown_remedies(report) if _is_for(one, group)), None)
    if mending is None or (pasted and mending not in pasted):
        return said, group.hint or hint_of(group.code)
    where = "the line below" if mending in pasted else "a line in summary.json"
    return said, f"{where} {_mends(mending)}"


def _is_of_one(group: ProblemGroup) -> bool:
    """Whether the suggestion speaks of one value, that was not to be shown."""
    return group.code != "email-typo" and '"' not in group.suggestion


def _is_for(remedy: Remedy, group: ProblemGroup) -> bool:
    return (remedy.record, remedy.field, remedy.code) == (group.record, group.field, group.code)


def _short(value: str) -> str:
    return value if len(value) <= _LONGEST_VALUE else f"{value[: _LONGEST_VALUE - 1]}…"


def _texts(said: str, tail: str, width: int, most: int) -> list[str]:
    """Return the sentence in at most `most` lines; of one line that is too short for both, what is wrong alone."""
    whole = visible(f"{said}; {tail}" if tail else said).replace("\n", "\\n")
    if most == 1 and len(whole) > width:
        whole = visible(said).replace("\n", "\\n")
    found = textwrap.wrap(whole, max(width, _LEAST_TEXT), max_lines=most, placeholder=" …", break_on_hyphens=False)
    return found or [""]


def _block(label: str, severity: str, texts: Sequence[str], cells: int) -> list[Text]:
    first, *rest = texts
    line = Text.assemble("  ", (f"{label:>{cells}}", _COLOURS.get(severity, "")), ": ", first)
    return [line, *(Text(" " * (cells + 4) + text) for text in rest)]


# ---- remedies


def shown_remedies(report: RunReport) -> list[Remedy]:
    """Return the remedies that the report's view lets be shown: those with words of the table in the full one alone."""
    if report.view is View.FULL:
        return list(report.remedies)
    return [one for one in report.remedies if not any(word in one.line for word in _QUOTING)]


def pasted_in(report: RunReport, width: int, room: int) -> list[Remedy]:
    """Return the most useful remedies, as many as `room` lines of a terminal hold."""
    chosen: list[Remedy] = []
    for remedy in shown_remedies(report):
        if len(chosen) == SHOWN_REMEDIES or lines_of([*chosen, remedy], width) > room:
            break
        chosen.append(remedy)
    return chosen


def lines_of(remedies: Sequence[Remedy], width: int) -> int:
    """Return how many lines of a terminal the remedies take."""
    return sum(1 - (-len(_INDENT + one.line) // width) for one in remedies)


def remedy_lines(report: RunReport, chosen: Sequence[Remedy], width: int) -> list[Text]:
    """Return the chosen lines to paste into the mapping; they are never wrapped: they are to be copied."""
    lines: list[Text] = []
    for remedy in chosen:
        label = "" if lines else "Paste"
        caption = f"{visible(remedy.where)} {_mends(remedy)}: {_title_of(remedy)}"
        lines.append(Text.assemble((f"{label:8}", "dim"), caption))
        lines.append(Text(f"{_INDENT}{visible(remedy.line)}", style="green"))
    rest = len(shown_remedies(report)) - len(chosen)
    if lines and rest:
        more = f"  (and {rest} more: see summary.json)"
        short = f"  ({len(chosen)} of {len(chosen) + rest})"
        lines[0].append(more if len(lines[0]) + len(more) <= width else short, style="dim")
    for caption_line in lines[::2]:
        caption_line.truncate(width, overflow="ellipsis")
    return lines


def _mends(remedy: Remedy) -> str:
    mended = f"all {remedy.tried:,}" if remedy.mended == remedy.tried else f"{remedy.mended:,} of {remedy.tried:,}"
    verb = "leaves out" if remedy.line.startswith("when:") and remedy.code == "required" else "mends"
    return f"{verb} {mended}"


def _title_of(remedy: Remedy) -> str:
    if remedy.code == "near-miss":
        return "a word that differs from the condition's in capital letters"
    return f"{TITLES.get(remedy.code, remedy.code)}, in {visible(remedy.field)}"


# ---- both


def fitted(blocks: list[list[Text]], room: int, indent: str, noun: str, where: str) -> list[Text]:
    """Return as many whole blocks as `room` lines hold; the last line says how many more there are, and where."""
    if sum(map(len, blocks)) <= room:
        return [line for block in blocks for line in block]
    lines: list[Text] = []
    for place, block in enumerate(blocks):
        if len(lines) + len(block) + 1 > room:
            if not lines and room > 1:
                lines = [*block[: room - 2], Text(f"{block[room - 2].plain[:-4]} ...")]
                place += 1
            rest = len(blocks) - place
            if rest == 1 and lines and room > len(lines):
                # A line that says "1 more" would say less than the one itself.
                last = blocks[-1]
                return [*lines, last[0] if len(last) == 1 else Text(f"{last[0].plain[:-4]} ...")]
            more = f"{'and ' if lines else ''}{rest} {'more ' if lines else ''}{plural(rest, noun)}: see {where}"
            return [*lines, Text(indent + more, style="dim")] if room > 0 else []
        lines += block
    raise AssertionError("BUG: all blocks fit, although they do not")
