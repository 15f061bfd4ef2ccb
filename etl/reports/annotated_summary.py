"""The first sheet of the annotated workbook: what became of the file, what is wrong with it, and what to do next."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from etl.records import Severity, Status
from etl.release import PROGRAM, program_version
from etl.reports.advice import readable
from etl.reports.workbook_style import (
    A4,
    BAND,
    BARS,
    DARK,
    FONT,
    FONT_SIZE,
    INK,
    LINE,
    LINE_HEIGHT,
    MONOSPACED,
    PAPER,
    QUIET_INK,
    TONES,
    Styles,
    Tone,
    lines_of,
)
from etl.view import View
from etl.wording import MEANINGS, TITLES, cost_sentences, hint_of, mending, next_step, plural, sentence, stop_sentence

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

    from etl.report import ProblemGroup, RunReport

NAME = "Summary"
SHOWN_PROBLEMS, SHOWN_VALUES, SHOWN_REMEDIES, SHOWN_NOTES = 10, 3, 3, 8
LONGEST_VALUE = 60
_FIRST, _LAST = 1, 6
"""Columns B to G hold everything; A is the margin."""
_WIDTHS = (2.5, 24, 11, 11, 42, 46, 34)
_CHART_ROWS = 5
_ROW, _EDGE = 19, 5
"""Points: of a row of a table, and what a row of several lines has above and below them."""


@dataclass(frozen=True, slots=True)
class SheetFacts:
    """What the first sheet tells of another one. `name`: as the workbook has it; `notes`: what it does not show."""

    name: str
    file: str
    rows: int
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Problem:
    count: int
    column: str
    what: str
    how: str
    examples: str
    tone: Tone


class SummarySheet:
    """Writes the sheet from the top to the bottom. A workbook that holds one row at a time lets nobody go back."""

    def __init__(self, book: Workbook, sheet: Worksheet, styles: Styles, report: RunReport) -> None:
        self._book, self._sheet, self._styles, self._report = book, sheet, styles, report
        self._row = 0
        self._shows_values = report.view is not View.AGGREGATE

    def write(self, sheets: Sequence[SheetFacts]) -> None:
        """Write all of it; `sheets`: those that follow, none where nobody may see rows."""
        self._set_up()
        self._head()
        self._counts()
        self._next(sheets)
        self._problems()
        if len(sheets) > 1 or any(one.notes for one in sheets):
            self._sheets(sheets)
        if sheets:
            self._colours()
        self._about()

    def _set_up(self) -> None:
        sheet = self._sheet
        sheet.hide_gridlines(2)
        for column, width in enumerate(_WIDTHS):
            sheet.set_column(column, column, width)
        sheet.set_landscape()
        sheet.set_paper(A4)
        sheet.fit_to_pages(1, 0)
        sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
        sheet.set_footer(f"&L&8{PROGRAM}&R&8&P / &N")
        sheet.set_tab_color(DARK)
        self._next_row(_EDGE)

    def _head(self) -> None:
        report = self._report
        names = list(dict.fromkeys(Path(str(one["file"])).name for one in report.files))
        title = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        self._line(title or report.mapping, height=34, font_size=20, bold=True, font_color=DARK)
        self._line(sentence(report), font_size=14, font_color=INK)
        if stop := stop_sentence(report):
            self._line(stop, font_size=12, bold=True, font_color=Tone.ERROR.ink)
        for cost in cost_sentences(report):
            self._line(cost, font_size=12, bold=True, font_color=Tone.WARNING.ink)
        kind = "A dry run: nothing was sent" if report.dry_run else f"Sent to {report.target}"
        self._line(" · ".join(filter(None, (kind, f"mapping {report.mapping}", self._date()))), font_color=QUIET_INK)

    def _date(self) -> str:
        started = self._report.started_at
        return f"{datetime.fromtimestamp(started).astimezone():%Y-%m-%d %H:%M}" if started else ""

    def _counts(self) -> None:
        report = self._report
        noun = "rows" if report.records == 1 else "records"
        self._section(f"What became of the {noun}")
        self._header(("Status", noun.capitalize(), "Share", "What it means"))
        first, total = self._row, sum(report.counts.values())
        for name, count in report.counts.items():
            tone, row = TONES[Status(name)], self._next_row(_ROW)
            self._text(row, 1, name, self._cell(bg_color=tone.fill, font_color=tone.ink, bold=True, indent=1))
            self._sheet.write_number(row, 2, count, self._cell(num_format=3, align="right", indent=1))
            self._sheet.write_number(
                row, 3, count / total, self._cell(num_format="0.0%", align="right", indent=1, font_color=QUIET_INK)
            )
            self._text(row, 4, MEANINGS[Status(name)], self._cell(font_color=QUIET_INK, indent=1))
        if report.counts:
            self._chart(first, self._row - 1, noun)
        while self._row < first + _CHART_ROWS:
            self._next_row(_ROW)

    def _cell(self, **look: Any) -> Format:
        """Return the format of a table's cell: a line below it, and the text from the top."""
        usual = {"valign": "vcenter", "align": "left", "font_color": INK, "bottom": 1, "bottom_color": LINE}
        return self._styles.of(**usual | look)

    def _chart(self, first: int, last: int, noun: str) -> None:
        """Put bars beside the counts: their lengths say what a column of numbers does not."""
        names = list(self._report.counts)
        chart = self._book.add_chart({"type": "bar"})
        chart.add_series({
            "name": noun,
            "categories": [NAME, first, 1, last, 1],
            "values": [NAME, first, 2, last, 2],
            "categories_data": names,
            "values_data": list(self._report.counts.values()),
            "points": [{"fill": {"color": BARS[Status(name)]}} for name in names],
            "gap": 55,
            "data_labels": {"value": True, "num_format": "#,##0", "font": {"name": FONT, "size": 10, "color": INK}},
        })  # fmt: skip
        text = {"name": FONT, "size": 10, "color": INK}
        chart.set_y_axis({"reverse": True, "num_font": text, "line": {"none": True}, "major_tick_mark": "none"})
        chart.set_x_axis({"visible": False, "major_gridlines": {"visible": False}, "min": 0})
        chart.set_legend({"none": True})
        chart.set_title({"none": True})
        chart.set_chartarea({"border": {"none": True}, "fill": {"none": True}})
        chart.set_plotarea({"fill": {"none": True}})
        rows = max(_CHART_ROWS, last - first + 1)
        chart.set_size({"width": 500, "height": round((rows + 1) * _ROW * 4 / 3)})
        told = f"{noun} by status: " + ", ".join(f"{name} {count:,}" for name, count in self._report.counts.items())
        self._sheet.insert_chart(
            first - 1, 5, chart, {"object_position": 2, "description": told, "x_offset": 24, "y_offset": 2}
        )

    def _next(self, sheets: Sequence[SheetFacts]) -> None:
        steps = self._steps(sheets)
        if not steps:
            return
        self._section("What to do next")
        for number, (text, command) in enumerate(steps, 1):
            self._line(f"{number}.  {text}", indent=1)
            if command:
                self._line(command, indent=4, font_name=MONOSPACED, bg_color=BAND)

    def _steps(self, sheets: Sequence[SheetFacts]) -> list[tuple[str, str]]:
        report, counts = self._report, self._report.counts
        steps = []
        bad = [name for name in ("invalid", "rejected") if counts.get(name)]
        if bad and sheets:
            words = " and ".join(f"'{word}'" for word in bad)
            them = "the sheet that follows" if len(sheets) == 1 else "the sheets that follow"
            steps.append((f"In {them}, filter the first column by {words}: the second one says what to mend.", ""))
            steps.append((mending(report, [path.name for path in report.out.glob("to_fix*")]), ""))
        elif bad:
            steps.append((mending(report, ()), ""))
        elif report.warnings:
            steps.append(("Look at the warnings: these rows are sent as they are.", ""))
        for remedy in report.remedies[:SHOWN_REMEDIES] if self._shows_values else ():
            mends = "all" if remedy.mended == remedy.tried else f"{remedy.mended:,} of the {remedy.tried:,}"
            what = TITLES.get(remedy.code, remedy.code)
            steps.append((f"Or change the mapping: this line mends {mends} cells tried ({what}).", str(remedy)))
        if step := next_step(report):
            steps.append(("What was not delivered is sent again by this command.", step))
        return steps

    def _problems(self) -> None:
        problems = self._all_problems()
        if not problems:
            return
        shown = problems[:SHOWN_PROBLEMS]
        self._section("What is wrong" if len(shown) == len(problems) else f"The {len(shown)} most frequent problems")
        self._header(("Column", "How often", "", "What is wrong", "How to mend it", "Examples"))
        for one in shown:
            texts = {1: one.column, 4: one.what, 5: one.how, 6: one.examples}
            lines = max(lines_of(text, _WIDTHS[column] - 1) for column, text in texts.items())
            row = self._next_row(max(_ROW, lines * LINE_HEIGHT + 2 * _EDGE))
            look: dict[str, Any] = {"text_wrap": True, "indent": 1}
            self._sheet.write_number(row, 2, one.count, self._cell(num_format=3, align="right", indent=1))
            word = {Tone.ERROR: "error", Tone.WARNING: "warning"}.get(one.tone, "answer")
            self._text(row, 3, word, self._cell(font_color=one.tone.ink, bg_color=one.tone.fill, align="center"))
            for column, text in texts.items():
                own = {"bold": column == 1, "font_color": QUIET_INK if column == _LAST else INK}
                self._text(row, column, text, self._cell(**look | own))
        if len(problems) > len(shown):
            rest = len(problems) - len(shown)
            self._line(f"and {rest} more {plural(rest, 'kind')}: see issues.csv", font_color=QUIET_INK, indent=1)

    def _all_problems(self) -> list[_Problem]:
        """Return what the endpoint answered, the errors and the warnings, the most frequent of each first."""
        report = self._report
        found = [
            _Problem(
                count, "(the endpoint)", f"{status}: {message or code}" if self._shows_values else f"{status}: {code}",
                "", "", TONES[Status(status)],
            )
            for status, code, message, count in report.outcomes
        ]  # fmt: skip
        groups = [self._of_group(one) for one in report.groups] or [
            _Problem(count, field or "the row", TITLES.get(code, code), hint_of(code), "", _tone(severity))
            for code, field, severity, count in report.problems
        ]
        found += groups
        return sorted(found, key=lambda one: (one.tone is Tone.WARNING, -one.count))

    def _of_group(self, group: ProblemGroup) -> _Problem:
        values = [
            f"{_short(text)}{f'  × {count:,}' if count > 1 else ''}"
            for text, count in group.values[:SHOWN_VALUES]
            if text.strip()
        ]
        how = ". ".join(filter(None, (_capital(group.hint), _capital(group.suggestion))))
        return _Problem(
            count=group.count,
            column=group.column or group.field or "the row",
            what=_capital(TITLES.get(group.code, group.code)),
            how=how if self._shows_values else _capital(hint_of(group.code)),
            examples="\n".join(values) if self._shows_values else "",
            tone=_tone(group.severity),
        )

    def _sheets(self, sheets: Sequence[SheetFacts]) -> None:
        self._section("The sheets")
        for one in sheets:
            rows = f"{one.rows:,} {plural(one.rows, 'row')}"
            source = "" if one.file == one.name else f" of {one.file}"
            self._line(f"{one.name}{source}: {rows}", indent=1, bold=True)
            for note in one.notes:
                self._line(note, indent=3, font_color=QUIET_INK)

    def _colours(self) -> None:
        self._section("The colours in the sheets")
        rows = (
            (Tone.ERROR, "error", "This cell keeps its row from being sent. A comment on it says how to mend it."),
            (Tone.WARNING, "warning", "The row is sent as it is, but look at this cell."),
            (Tone.REJECTED, "rejected", "The endpoint refused the row; no cell is to blame for certain."),
            (Tone.WAITING, "failed, unknown, blocked", "Nothing is wrong with the row: it did not go through."),
            (Tone.GOOD, "planned, delivered", "All is well."),
            (Tone.QUIET, "unchanged, duplicate, skipped", "Rightly left alone."),
        )
        for tone, word, text in rows:
            row = self._next_row(_ROW)
            look = self._styles.of(
                bg_color=tone.fill,
                font_color=tone.ink,
                align="left",
                indent=1,
                valign="vcenter",
                top=5,
                top_color=PAPER,
            )
            self._sheet.merge_range(row, 1, row, 3, "", look)
            self._text(row, 1, word, look)
            self._text(row, 4, text, self._styles.of(font_color=INK, align="left", indent=1, valign="vcenter"))

    def _about(self) -> None:
        report = self._report
        self._section("About this run")
        facts = [
            ("Run", report.id),
            ("Mapping", f"{report.mapping} (version {report.mapping_fingerprint[:12]})"),
            ("Target", "none: a dry run" if report.dry_run else str(report.target)),
            ("Rows read", f"{report.rows:,}"),
            *(("File", f"{one['file']} (SHA-256 {str(one['sha256'])[:12]})") for one in report.files),
            ("Written by", f"{PROGRAM} {program_version()}".strip()),
            *(("Note", note) for note in report.notes[:SHOWN_NOTES] if self._shows_values),
        ]
        width = sum(_WIDTHS[2 : _LAST + 1])
        for name, text in facts:
            row = self._next_row(max(_ROW - 2, lines_of(text, width) * LINE_HEIGHT + 4))
            self._text(row, 1, name, self._styles.of(font_color=QUIET_INK, align="left", indent=1, valign="top"))
            look = self._styles.of(font_color=INK, text_wrap=True, valign="top", align="left")
            self._sheet.merge_range(row, 2, row, _LAST, "", look)
            self._text(row, 2, text, look)

    def _section(self, title: str) -> None:
        self._next_row(_ROW)
        self._line(title, height=24, bold=True, font_size=13, font_color=DARK, bottom=2, bottom_color=DARK)
        self._next_row(_EDGE)

    def _header(self, names: Sequence[str]) -> None:
        row = self._next_row(_ROW)
        for column, name in enumerate(names, _FIRST):
            place = {"align": "right", "indent": 1} if column in (2, 3) else {"indent": 1}
            self._text(row, column, name, self._cell(bold=True, font_color=QUIET_INK, **place))

    def _line(self, text: str, *, height: float = 0, **look: Any) -> None:
        """Write a text over the whole width, as high as its lines need."""
        size = look.get("font_size", FONT_SIZE)
        width = sum(_WIDTHS[_FIRST : _LAST + 1]) - 2 * look.get("indent", 0)
        row = self._next_row(height or lines_of(text, width, size) * size * 1.3 + 4)
        style = self._styles.of(text_wrap=True, valign="vcenter", align="left", **look)
        self._sheet.merge_range(row, _FIRST, row, _LAST, "", style)
        self._text(row, _FIRST, text, style)

    def _text(self, row: int, column: int, text: str, look: Any) -> None:
        if text:
            self._sheet.write_string(row, column, readable(text), look)
        else:
            self._sheet.write_blank(row, column, None, look)

    def _next_row(self, points: float) -> int:
        self._sheet.set_row(self._row, min(points, 400))
        self._row += 1
        return self._row - 1


def _tone(severity: str) -> Tone:
    return Tone.ERROR if severity == Severity.ERROR else Tone.WARNING


def _short(text: str) -> str:
    text = re.sub(r"\s+", " ", text).strip()
    return f"{text[: LONGEST_VALUE - 1]}…" if len(text) > LONGEST_VALUE else text


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
