"""A RunReport → at most fifteen lines: a sentence, the counts, the worst problems, what it costs, where to look.

Below them, where there are any, the lines that would mend the mapping, to be pasted.
"""

from __future__ import annotations

import shlex
import textwrap
from typing import TYPE_CHECKING

from rich.text import Text

from etl.cli.output import shown_path, visible
from etl.cli.reading import how_all_were_read
from etl.cli.wording import TITLES, cost_sentences, hint_of, next_step, plural, sentence, stop_sentence

if TYPE_CHECKING:
    from etl.report import Remedy, RunReport

MAX_LINES = 15
BLANK_LINES = 3
MOST_NOTE_LINES = 5
LEAST_ROOM = 4
SHOWN_REMEDIES = 3
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
_LEAST_WIDTH = 60
_MOST_WIDTH = 140


def verdict_lines(report: RunReport, width: int) -> list[Text]:
    """Return the verdict, laid out for a terminal of `width` columns; paths alone may be longer."""
    width = min(max(width, _LEAST_WIDTH), _MOST_WIDTH)
    head = [Text(line, style="bold") for line in _wrapped(sentence(report), width)]
    head += [Text(line, style="red") for line in _wrapped(stop_sentence(report), width)]
    counts, paths = _counts(report, width), [*_read_line(report, width), *path_lines(report)]
    room = MAX_LINES - len(head) - len(counts) - len(paths) - BLANK_LINES
    for least in ("Sending", "Read"):
        # Where it is crowded, what is wrong is worth more than how quickly it went, and how the file was read.
        if room < LEAST_ROOM:
            kept = [line for line in paths if not line.plain.startswith(f"{least} ")]
            room, paths = room + len(paths) - len(kept), kept
    outcomes = _outcomes(report, width, (room + 1) // 2 if report.problems or report.notes else room)
    room -= len(outcomes)
    notes = _notes(report, width, min(room // 2, MOST_NOTE_LINES))
    problems = _problems(report, width, room - len(notes))
    lines: list[Text] = []
    for part in filter(None, (head, counts, outcomes + problems + notes, paths, remedy_lines(report))):
        lines += [Text(""), *part] if lines else part
    return lines


def remedy_lines(report: RunReport) -> list[Text]:
    """Return the lines to paste into the mapping, the most useful first; never wrapped: they are to be copied."""
    if not report.remedies:
        return []
    lines = [Text("To paste into the mapping, tried on the cells:")]
    for remedy in report.remedies[:SHOWN_REMEDIES]:
        lines.append(Text(f"  {visible(str(remedy))}", style="green"))
        mends = f"all {remedy.tried:,}" if remedy.mended == remedy.tried else f"{remedy.mended:,} of {remedy.tried:,}"
        verb = "leaves out" if remedy.line.startswith("when:") and remedy.code == "required" else "mends"
        lines.append(Text(f"    {verb} {mends} of them: {_title_of(remedy)}", style="dim"))
    rest = len(report.remedies) - SHOWN_REMEDIES
    if rest > 0:
        lines.append(Text(f"  and {rest} more in summary.json", style="dim"))
    return lines


def _title_of(remedy: Remedy) -> str:
    if remedy.code == "near-miss":
        return "a word that differs from the condition's in capital letters"
    return f"{TITLES.get(remedy.code, remedy.code)}, in {visible(remedy.field)}"


def _read_line(report: RunReport, width: int) -> list[Text]:
    told = visible(how_all_were_read(report.files))
    line = _labelled("Read", told)
    if len(line) > width:
        line.truncate(width - 1)
        line.append("…")
    return [line] if told else []


def path_lines(report: RunReport) -> list[Text]:
    """Return where the reports are, and the sandbox's database."""
    folder = shown_path(report.out)
    names = [path.name for path in (report.results_path, report.issues_path, report.summary_path)]
    files = ", ".join([*names, "missing.csv"] if report.missing else names)
    lines = [_labelled("Reports", f"{folder}: {files}")]
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
    return Text.assemble((f"{label:8}", "dim"), visible(text))


def _counts(report: RunReport, width: int) -> list[Text]:
    """Return a table on its side: names above, numbers below; in two or more parts where it is too wide."""
    lines: list[Text] = []
    names, numbers = Text("  "), Text("  ")
    for status, count in report.counts.items():
        cells = max(len(status), len(f"{count:,}"))
        if len(names) + cells > width and len(names.plain.strip()):
            lines += [names, numbers]
            names, numbers = Text("  "), Text("  ")
        names.append(f"{status:>{cells}}   ", style="dim")
        numbers.append(f"{count:>{cells},}   ", style=COLOURS.get(status, ""))
    lines += [names, numbers] if len(names.plain.strip()) else []
    for line in lines:
        line.rstrip()
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
    return _fitted(blocks, room, " " * (numbers + 6), "answer", "results.csv")


def _problems(report: RunReport, width: int, room: int) -> list[Text]:
    """Return the kinds of issues in at most `room` lines: errors before warnings, the most frequent first."""
    found = sorted(report.problems, key=lambda problem: problem[2] == "warning")
    if not found:
        return []
    numbers = max(len(f"{count:,}") for *_, count in found)
    fields = min(max(len(field or "the row") for _, field, _, _ in found), width // 3)
    blocks = []
    for code, field, severity, count in found:
        prefix = f"  {count:>{numbers + 2},}  {severity:7}  {_cut(field or 'the row', fields):{fields}}  "
        told = f"{TITLES.get(code, code)}: {hint_of(code)}" if hint_of(code) else TITLES.get(code, code)
        first, *rest = textwrap.wrap(visible(told), max(width - len(prefix), 20))
        hanging = [Text(" " * len(prefix) + line) for line in rest]
        blocks.append([_problem_line(prefix, first, severity), *hanging])
    return _fitted(blocks, room, " " * (numbers + 6), "kind", "issues.csv")


def _fitted(blocks: list[list[Text]], room: int, indent: str, noun: str, where: str) -> list[Text]:
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


def _problem_line(prefix: str, text: str, severity: str) -> Text:
    line = Text(prefix + text)
    start = prefix.find(severity)
    if start >= 0:
        line.stylize("red" if severity == "error" else "yellow", start, start + len(severity))
    return line


def _notes(report: RunReport, width: int, room: int) -> list[Text]:
    """Return what a run would cost, then the notes, in at most `room` lines."""
    blocks = [[Text(line, style="yellow") for line in _wrapped(text, width)] for text in cost_sentences(report)]
    for note in report.notes:
        texts = textwrap.wrap(visible(f"Note: {note}"), width, subsequent_indent="  ")
        blocks.append([Text(line, style="dim") for line in texts])
    return _fitted(blocks, room, "", "note", "summary.json")


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(visible(text), width)


def _cut(text: str, cells: int) -> str:
    """Return `text`, without its middle where it is longer than `cells`; the end of a path says most."""
    shown = visible(text)
    if len(shown) <= cells:
        return shown
    head = (cells - 1) // 3
    return f"{shown[:head]}…{shown[len(shown) - (cells - 1 - head) :]}"
