"""report.html: the run on one page that asks nobody for anything: styles, script and lines are all in the file."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup, escape

from etl.reports.material import Material
from etl.reports.page_charts import HEIGHT, charts_of, short
from etl.reports.page_facts import (
    STATES,
    facts_of,
    files_of,
    fills_of,
    notes_of,
    shares_of,
    stages,
    state_of,
    steps_of,
    time,
)
from etl.reports.page_problems import MOST_PROBLEMS, answers_of, kinds_of_problems, other_remedies, problems_of
from etl.reports.page_rows import KINDS, Line, issues_in, lines_of, rows_not_arrived
from etl.view import View
from etl.wording import TITLES, plural, sentence

NAME = "report.html"
MAX_BYTES = 4_000_000
"""Of the lines in the page, as JSON: cells full of emoji are no reason for a page that no browser likes."""
STATIC_LINES = 100
"""Lines that stand in the page itself, so that it can be read without a script; the script shows as many at once."""
PRINTED_LINES = 40
"""Lines that are printed, as the style sheet says: the next sheets of paper would say little more."""
_ESCAPES = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def write(material: Material) -> Sequence[Path]:
    """Write report.html into the folder of the reports; return its path.

    The file is either the whole of it or not there; nobody interrupts it, since it is quick. Raises OSError.
    """
    path = material.out / NAME
    part = path.with_name(f"{NAME}.part")
    material.begin(f"writing {NAME}", None)
    try:
        # A name of a file may hold bytes that are no text.
        part.write_bytes(html_of(material).encode("utf-8", "replace"))
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return (path,)


def html_of(material: Material) -> str:
    """Return the page as text. Raises OSError."""
    report = material.report
    lines = [] if report.view is View.AGGREGATE else lines_of(material)
    packed, held = packed_lines(lines)
    problems, names = problems_of(report), files_of(report)
    style, script = _text("report.css"), _text("report.js")
    return (
        _environment()
        .get_template("report.html")
        .render(
            report=report,
            is_aggregate=report.view is View.AGGREGATE,
            sentence=sentence(report),
            state=state_of(report),
            states=STATES,
            facts=facts_of(report),
            stages=stages(report),
            shares=shares_of(report),
            steps=steps_of(report, [name for name, _ in names]),
            problems=problems,
            kinds_of_problems=kinds_of_problems(report),
            most_problems=MOST_PROBLEMS,
            remedies=other_remedies(report, problems),
            answers=answers_of(report),
            lines=lines[:STATIC_LINES],
            held=held,
            total=issues_in(report) + rows_not_arrived(report),
            issues=issues_in(report),
            not_arrived=rows_not_arrived(report),
            packed=Markup(packed),  # noqa: S704 - escaped by `packed_lines`
            charts=charts_of(report.timeline) if not report.dry_run else None,
            height=HEIGHT,
            fills=fills_of(report),
            notes=notes_of(report),
            files=names,
            style=Markup(style),  # noqa: S704 - ours
            script=Markup(script),  # noqa: S704 - ours
            policy=(
                f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
                "img-src data:; base-uri 'none'; form-action 'none'"
            ),
        )
    )


def packed_lines(lines: Sequence[Line], most_bytes: int = MAX_BYTES) -> tuple[str, int]:
    """Return the lines as JSON that may stand in a <script>, and how many it holds: the first ones that have room.

    Texts that repeat stand in lists of their own (`places`, `columns`, `fields`, `codes`, `hints`), and in `rows`
    their numbers: [row, place, cell, column, field, kind, code, value, message, hint].
    """
    texts: dict[str, dict[str, int]] = {name: {} for name in ("places", "columns", "fields", "codes", "hints")}
    rows: list[str] = []
    size = 0
    for line in lines:
        kept = [
            texts[name].setdefault(text, len(texts[name]))
            for name, text in zip(texts, (line.place, line.column, line.field, line.code, line.hint), strict=True)
        ]
        place, column, field, code, hint = kept
        kind = KINDS.index(line.kind)
        row = _json([line.row, place, line.cell, column, field, kind, code, line.value, line.message, hint])
        size += len(row.encode("utf-8", "replace"))
        if size > most_bytes:
            break
        rows.append(row)
    heads = {"kinds": KINDS, "titles": {code: TITLES[code] for code in texts["codes"] if code in TITLES}}
    heads |= {name: list(own) for name, own in texts.items()}
    return f'{_json(heads)[:-1]},"rows":[{",".join(rows)}]}}', len(rows)


def ticked(text: str) -> Markup:
    """Return a text of ours with what stands in `backticks` as code."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return escape(text)
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if place % 2 else escape(part) for place, part in enumerate(parts)
    )


def _json(value: Any) -> str:
    """Return JSON without what could end or turn the script in which it stands."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for sign, inert in _ESCAPES.items():
        text = text.replace(sign, inert)
    return text


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


@cache
def _text(name: str) -> str:
    return files("etl.reports").joinpath("templates", name).read_text(encoding="utf-8").strip()


@cache
def _environment() -> Environment:
    made = Environment(
        autoescape=True, loader=FunctionLoader(_text), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    made.filters |= {"number": lambda count: f"{count:,}", "time": time, "short": short, "ticked": ticked}
    made.globals |= {"plural": plural, "printed_lines": PRINTED_LINES}
    return made
