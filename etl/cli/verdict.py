"""A RunReport → at most fifteen lines: a sentence, the counts, the worst problems, what it costs, where to look."""

from __future__ import annotations

import shlex
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

from etl.cli.output import shown_path, visible
from etl.cli.problem_lines import fitted, groups_of, lines_of, pasted_in, problem_lines, remedy_lines, shown_remedies
from etl.cli.reading import how_all_were_read
from etl.wording import cost_sentences, next_step, plural, sentence, stop_sentence

if TYPE_CHECKING:
    from etl.report import Remedy, RunReport

MAX_LINES = 15
BLANK_LINES = 3
MOST_NOTE_LINES = 5
LEAST_ROOM = 4
MOST_OUTCOME_LINES = 2
"""Lines for one kind of answer: an endpoint may send a page."""
COLOURS = {
    "planned": "green",
    "delivered": "green",
    "invalid": "red",
    "rejected": "red",
    "failed": "red",
    "unknown": "yellow",
    "blocked": "yellow",
}
_LEFT_ALONE = "bright_black"
LABEL_CELLS = 8
_LEAST_WIDTH = 60
_MOST_WIDTH = 140
_BAR = 72
_OPENED_FIRST = ("report", "annotated", "to_fix")
"""The reports that a person looks at, by the stem of their name, the first of which is the one to open."""


def verdict_lines(report: RunReport, width: int, *, bar: bool = False) -> list[Text]:
    """Return the verdict, laid out for a terminal of `width` columns; paths and what is to be copied may be longer.

    `bar`: whether the counts are drawn as well, which colours alone can tell apart.
    """
    width = min(max(width, _LEAST_WIDTH), _MOST_WIDTH)
    head = [Text(line, style="bold") for line in _wrapped(sentence(report), width)]
    head += [Text(line, style="red") for line in _wrapped(stop_sentence(report), width)]
    counts, paths = _counts(report, width), [*_read_line(report, width), *path_lines(report, width)]
    room = MAX_LINES - len(head) - len(counts) - len(paths) - BLANK_LINES
    wanted = LEAST_ROOM
    if best := shown_remedies(report)[:1]:
        wanted = min(_wanted(report, width), LEAST_ROOM + 1) + lines_of(best, width) + 1
    for least in ("Sending", "Read"):
        # Where it is crowded, what is wrong is worth more than how quickly it went, and how the file was read.
        if room < wanted:
            kept = [line for line in paths if not line.plain.startswith(f"{least} ")]
            room, paths = room + len(paths) - len(kept), kept
    pasted = _pasted(report, width, room)
    if bar and room > LEAST_ROOM and len(_pasted(report, width, room - 1)) == len(pasted):
        counts, room = [*_bar(report, width), *counts], room - 1
    remedies = remedy_lines(report, pasted, width)
    told = _told(report, width, room - (lines_of(pasted, width) + 1 if pasted else 0), pasted)
    lines: list[Text] = []
    for part in filter(None, (head, counts, told, remedies, paths)):
        lines += [Text(""), *part] if lines else part
    return lines


def _pasted(report: RunReport, width: int, room: int) -> list[Remedy]:
    """Return the remedies to show: the best, where it leaves some room for the problems; more, where it leaves all."""
    wanted = _wanted(report, width)
    several = pasted_in(report, width, room - wanted - 1)
    return several or pasted_in(report, width, room - min(wanted, LEAST_ROOM) - 1)[:1]


def _wanted(report: RunReport, width: int) -> int:
    """Return how many lines it takes to tell of all problems, a line each, of all answers, and of the notes."""
    notes = sum(len(_wrapped(note, width)) for note in (*cost_sentences(report), *report.notes))
    return len(groups_of(report)) + MOST_OUTCOME_LINES * len(report.outcomes) + min(notes, MOST_NOTE_LINES)


def _told(report: RunReport, width: int, room: int, pasted: Sequence[Remedy]) -> list[Text]:
    """Return what the endpoint said, what is wrong, and what it costs, in `room` lines."""
    outcomes = _outcomes(report, width, (room + 1) // 2 if report.problems or report.notes else room)
    left = room - len(outcomes)
    notes = _notes(report, width, min(left // 2, MOST_NOTE_LINES))
    page = next((path.name for path in report.made if path.stem == _OPENED_FIRST[0]), "issues.csv")
    return outcomes + problem_lines(report, width, left - len(notes), pasted=pasted, more=page) + notes


def _read_line(report: RunReport, width: int) -> list[Text]:
    told = visible(how_all_were_read(report.files))
    line = _labelled("Read", told)
    if len(line) > width:
        line.truncate(width - 1)
        line.append("…")
    return [line] if told else []


def path_lines(report: RunReport, width: int = _MOST_WIDTH) -> list[Text]:
    """Return where the reports are, and the sandbox's database."""
    made = sorted(report.made, key=_opened)
    lines = []
    if made and _opened(made[0]) < len(_OPENED_FIRST):
        lines.append(_labelled("Open", shown_path(made.pop(0))))
    names = [path.name for path in (*made, report.results_path, report.issues_path, report.summary_path)]
    lines.append(_labelled("Reports", _listed(report, [*names, "missing.csv"] if report.missing else names, width)))
    if report.plan is not None:
        told = report.estimate.get("text") or "nothing to send"
        lines.append(_labelled("Plan", f"{shown_path(report.plan)}  ({told})"))
        lines.append(_labelled("Next", f"etl run --plan {shlex.quote(shown_path(report.plan))}"))
    delivery = report.delivery
    if delivery.get("requests"):
        lines.append(_labelled("Sending", _sending(report)))
    if step := next_step(report):
        lines.append(_labelled("Next", step))
    if "sandbox_database" in delivery:
        database = shown_path(delivery["sandbox_database"])
        lines.append(_labelled("Sandbox", f"{database}  (sqlite3 {database} '.tables')"))
    return lines


def _listed(report: RunReport, names: list[str], width: int) -> str:
    """Return the folder and what is in it, without the last names where the line would be too long."""
    shown, told = names, f"{shown_path(report.out)}: {', '.join(names)}"
    while len(told) > width - LABEL_CELLS and len(shown) > 1:
        shown = shown[:-1]
        told = f"{shown_path(report.out)}: {', '.join(shown)}, ..."
    return told


def _opened(path: Path) -> int:
    return next((place for place, stem in enumerate(_OPENED_FIRST) if path.stem == stem), len(_OPENED_FIRST))


def _sending(report: RunReport) -> str:
    delivery = report.delivery
    seconds = report.timings.get("sending", 0.0)
    told = [f"{delivery['requests']:,} {plural(delivery['requests'], 'request')} in {seconds:.1f} s"]
    if delivery.get("retries"):
        told.append(f"{delivery['retries']:,} of them retries")
    if delivery.get("throttled"):
        told.append(f"{delivery['throttled']:,} throttled")
    p95 = (delivery.get("latency_ms") or {}).get("p95")
    if p95 is not None:
        told.append(f"95% answered within {p95:,.0f} ms")
    return ", ".join(told)


def _labelled(label: str, text: str) -> Text:
    return Text.assemble((f"{label:{LABEL_CELLS}}", "dim"), visible(text))


def _bar(report: RunReport, width: int) -> list[Text]:
    """Return the counts as one line of colours; each status has a cell at least."""
    total = sum(report.counts.values())
    cells = min(width - 2, _BAR)
    if not total:
        return []
    line = Text("  ")
    ordered = sorted(report.counts.items(), key=lambda item: list(COLOURS).index(item[0]) if item[0] in COLOURS else 9)
    for status, count in ordered:
        line.append("━" * max(1, round(cells * count / total)), style=COLOURS.get(status, _LEFT_ALONE))
    return [line]


def _counts(report: RunReport, width: int) -> list[Text]:
    """Return the counts on a line, or on as many as they take: `312 planned   5 duplicate`."""
    lines: list[Text] = []
    for status, count in report.counts.items():
        part = Text.assemble((f"{count:,}", COLOURS.get(status, _LEFT_ALONE)), (f" {status}", "dim"))
        if lines and len(lines[-1]) + 3 + len(part) <= width:
            lines[-1].append("   ").append_text(part)
        else:
            lines.append(Text("  ").append_text(part))
    return lines


def _outcomes(report: RunReport, width: int, room: int) -> list[Text]:
    """Return what the endpoint said of what it did not take, the most frequent first, in at most `room` lines."""
    if not report.outcomes:
        return []
    numbers = max(len(f"{count:,}") for *_, count in report.outcomes)
    statuses = max(len(status) for status, *_ in report.outcomes)
    blocks = []
    for status, code, message, count in report.outcomes:
        prefix = f"  {count:>{numbers + 2},}  {status:{statuses}}  "
        texts = textwrap.wrap(
            visible(message or code), max(width - len(prefix), 20), max_lines=MOST_OUTCOME_LINES, placeholder=" ..."
        )
        first, *rest = texts or [""]
        line = Text(prefix + first)
        start = prefix.index(status)
        line.stylize(COLOURS.get(status, ""), start, start + len(status))
        blocks.append([line, *(Text(" " * len(prefix) + text) for text in rest)])
    return fitted(blocks, room, " " * (numbers + 6), "answer", "results.csv")


def _notes(report: RunReport, width: int, room: int) -> list[Text]:
    """Return what a run would cost, then the notes, in at most `room` lines."""
    blocks = [[Text(line, style="yellow") for line in _wrapped(text, width)] for text in cost_sentences(report)]
    for note in report.notes:
        texts = textwrap.wrap(visible(f"Note: {note}"), width, subsequent_indent="  ")
        blocks.append([Text(line, style="dim") for line in texts])
    return fitted(blocks, room, "", "note", "summary.json")


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(visible(text), width)
