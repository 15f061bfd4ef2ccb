"""Runs as the tests of report.html need them: figures, issues.csv and results.csv in a folder, without anything sent."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from etl.report import Example, FieldFill, ProblemGroup, Remedy, RunReport
from etl.reports import issues_csv, results_csv
from etl.reports.cells import inert
from etl.reports.csv_columns import CsvColumns
from etl.reports.material import Material
from etl.timeline import Moment, Timeline

FILE = "/home/anna/uploads/shop_autumn.xlsx"
SHEET = "Contacts"
SCRIPT = "<script>window.hit = 1</script>"
HOSTILE = (
    SCRIPT,
    "</script><script>window.hit = 1</script>",
    '"><img src=x onerror="window.hit = 1">',
    "<!-- <script> -->",
    "line\u2028and\u2029paragraph",
    "שלום \u202egpj.exe",
    "z" * 32_767,
    "👩‍👩‍👧‍👦 Zażółć",
    "=HYPERLINK(\"https://example.com\")",
    "'); window.hit = 1; //",
    "{{ 7 * 7 }}${7*7}",
    "a\x00b\x1bc",
)  # fmt: skip
"""Texts of cells that would harm a page which takes them for anything but text."""


def issue(row: int, **changed: Any) -> dict[str, Any]:
    """Return one line of issues.csv: a country that is none, unless `changed` says otherwise."""
    value = changed.get("value", "Polska")
    return {
        "file": FILE,
        "sheet": SHEET,
        "row": row,
        "cell": f"F{row}",
        "column": "Country",
        "field": "contact.address.country",
        "severity": "error",
        "code": "not-a-country",
        "value": value,
        "message": f"'{value[:80]}' is not a country",
        "hint": "write its name or its two-letter code, such as PL",
        **changed,
    }


def result(row: int, status: str, **changed: Any) -> dict[str, Any]:
    """Return one line of results.csv."""
    line = dict.fromkeys(results_csv.COLUMNS, "") | {"file": FILE, "sheet": SHEET, "action": "contact.upsert"}
    return line | {"row": row, "key": f"person{row}@example.com", "status": status, "record": 1, **changed}


def mixed_issues(count: int, first_row: int = 4) -> Iterator[dict[str, Any]]:
    """Yield issues of four kinds, in the order of the rows."""
    countries = ("Polska", "Niemcy", "Czechy (CZ)", "Holandia")
    for place in range(count):
        row = first_row + place * 3
        kind = place % 10
        if kind < 5:
            yield issue(row, value=countries[place // 10 % 4 if kind > 2 else 0])
        elif kind < 8:
            value = f"anna.nowak{place}@exmaple.com" if kind == 7 else f"anna.nowak{place}.at.example.com"
            yield issue(
                row, cell=f"B{row}", column="E-mail", field="contact.email", value=value,
                severity="warning" if kind == 7 else "error", code="email-typo" if kind == 7 else "email-syntax",
                message=f"'{value}' looks mistyped (did you mean example.com?)" if kind == 7
                else f"'{value}' is not an e-mail address: an email address must have an @-sign",
                hint="check the part after the @" if kind == 7 else "correct the address",
            )  # fmt: skip
        else:
            value = ("1.250,50 zł", "12", "-3.5", "n/a", "7")[place // 10 % 5]
            yield issue(
                row, cell=f"H{row}", column="Last spend", field="properties.last_spend", value=value,
                code="not-a-number", message=f"'{value}' is not a number", hint="write it like 1234.50",
            )  # fmt: skip


def a_timeline(moments: int = 90, seconds: float = 2.0) -> Timeline:
    """Return a sending that is throttled in its middle."""
    made = []
    for place in range(moments):
        trouble = math.exp(-((place - moments * 0.55) ** 2) / (moments * 0.6))
        delivered = round((92 + 8 * math.sin(place * 1.7)) * min(1, (place + 1) / 6) * (1 - 0.8 * trouble))
        retries = round(24 * trouble) if trouble > 0.1 else 0
        quiet = moments * 0.6 < place < moments * 0.64
        made.append(
            Moment(
                delivered=0 if quiet else delivered,
                other=round(9 * trouble),
                requests=delivered + retries,
                retries=retries,
                p50_ms=None if quiet else 38 + 6 * math.sin(place) + 210 * trouble,
                p95_ms=None if quiet else 95 + 20 * math.cos(place * 0.8) + 900 * trouble,
            )
        )
    return Timeline(started_at=1_763_982_000.0, seconds=seconds, moments=tuple(made))


GROUPS = (
    ProblemGroup(
        "not-a-country", "contact.address.country", "Country", "error", 3_120,
        hint="write its name or its two-letter code, such as PL",
        values=(("Polska", 2_604), ("Niemcy", 290), ("Czechy (CZ)", 131), ("Holandia", 64), ("UK?", 31)), distinct=17,
        examples=(
            Example("Contacts!F5", "Polska", "'Polska' is not a country"),
            Example("Contacts!F8", "Polska", "'Polska' is not a country"),
            Example("Contacts!F14", "Niemcy", "'Niemcy' is not a country"),
        ),
        suggestion="did you mean PL?", record=1,
    ),
    ProblemGroup(
        "email-syntax", "contact.email", "E-mail", "error", 86, hint="correct the address",
        values=(("anna.nowak.at.example.com", 2), ("brak", 2)), distinct=84,
        examples=(
            Example("Contacts!B19", "anna.nowak.at.example.com", "'anna.nowak.at.example.com' is not an e-mail address: an email address must have an @-sign"),
            Example("Contacts!B44", "brak", "'brak' is not an e-mail address: an email address must have an @-sign"),
        ),
        record=1,
    ),
    ProblemGroup(
        "required", "contact.email", "E-mail", "error", 41, hint="fill in the cell, or delete the row", distinct=0,
        examples=(Example("Contacts!B77", "", "a value is required and the cell is blank"),), record=1,
    ),
    ProblemGroup(
        "email-typo", "contact.email", "E-mail", "warning", 212, hint="check the part after the @",
        values=(("@gmial.com", 120), ("@exmaple.com", 92)), distinct=2,
        examples=(Example("Contacts!B31", "ola@gmial.com", "'ola@gmial.com' looks mistyped (did you mean gmail.com?)"),),
        record=1,
    ),
)  # fmt: skip

REPORT = RunReport(
    id="20261124-021500-91de",
    mapping="newsletter-contacts",
    mapping_fingerprint="f9dfefec7023f2a8da36bfe1fe7dd72a430b34f19a93165dbac9a22a7a3e055d",
    files=({"file": FILE, "bytes": 1_204_881, "sha256": "0" * 64, "tables": [{"sheet": SHEET, "header_row": 3}]},),
    target="production",
    wire="fields",
    dry_run=False,
    records=1,
    rows=18_204,
    spanned_rows=0,
    counts={"delivered": 13_871, "unchanged": 402, "duplicate": 118, "skipped": 530, "invalid": 3_247, "rejected": 9, "failed": 21, "unknown": 6},
    errors=3_247,
    warnings=212,
    deletes=0,
    clears={},
    problems=tuple((one.code, one.field, one.severity, one.count) for one in GROUPS),
    notes=("14 rows have 'Yes' in 'Consent' where the condition says 'yes'; the two are not the same",),
    out=Path(),
    timings={"checking": 4.2, "sending": 180.4, "total": 186.1},
    delivery={"requests": 14_260, "retries": 353, "throttled": 240, "latency_ms": {"p50": 41.2, "p95": 233.0, "p99": 905.0}},
    outcomes=(
        ("failed", "gateway-error", "Internal server error", 21),
        ("rejected", "http-400", "contact.phone: too long", 9),
        ("unknown", "no-answer", "no answer within 30 s", 6),
    ),
    remedies=(
        Remedy("mappings/newsletter.yaml:21", "contact.address.country: {column: Country, transform: [{map: {values: {Polska: PL, Niemcy: DE, Holandia: NL}, else: keep}}, country]}", 1, "contact.address.country", "not-a-country", 2_958, 3_120, 3_120),
    ),
    groups=GROUPS,
    fills=(
        FieldFill(1, "contact.upsert", "contact.email", "E-mail", ("strip", "lower"), 17_633, 17_674, required=True),
        FieldFill(1, "contact.upsert", "contact.name", "{First name} {Last name}", ("squeeze",), 17_120, 17_674),
        FieldFill(1, "contact.upsert", "contact.phone", "Mobile", ("phone: PL",), 9_033, 17_674),
        FieldFill(1, "contact.upsert", "contact.address.country", "Country", ("country",), 14_554, 17_674),
        FieldFill(1, "contact.upsert", "tags", "Segments", ("split: ;", "tag"), 6_310, 17_674),
        FieldFill(1, "contact.upsert", "properties.last_spend", "Last spend", ("number: decimal ,",), 0, 17_674),
    ),
    timeline=a_timeline(),
)  # fmt: skip


def write_lines(path: Path, columns: Sequence[str], lines: Sequence[dict[str, Any]]) -> None:
    """Write the lines as a run writes them: inert."""
    found = CsvColumns(path, columns)
    if lines:
        whole = {name: pa.array([line[name] for line in lines]) for name in columns}
        found.write({name: inert(one) if pa.types.is_string(one.type) else one for name, one in whole.items()})
    found.close()


def material_of(
    folder: Path,
    report: RunReport = REPORT,
    issues: Sequence[dict[str, Any]] = (),
    results: Sequence[dict[str, Any]] = (),
    **changed: Any,
) -> Material:
    """Return what the page is made of, with both files written into `folder`; `changed`: of the report."""
    folder.mkdir(parents=True, exist_ok=True)
    made = replace(report, out=folder, **changed)
    write_lines(made.issues_path, issues_csv.COLUMNS, issues)
    write_lines(made.results_path, results_csv.COLUMNS, results)
    return Material(
        report=made, tables=(), work=folder, shown=lambda texts: texts,
        begin=lambda *_: None, advance=lambda _: None, is_interrupted=lambda: False,
    )  # fmt: skip


def counted(issues: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return `problems`, `groups`, `errors` and `warnings` of a report with these issues alone."""
    counts: dict[tuple[str, str, str], int] = {}
    for one in issues:
        key = one["code"], one["field"], one["severity"]
        counts[key] = counts.get(key, 0) + 1
    errors = sum(count for (_, _, severity), count in counts.items() if severity == "error")
    return {
        "problems": tuple((*key, count) for key, count in counts.items()),
        "groups": (),
        "errors": errors,
        "warnings": len(issues) - errors,
    }
