"""Write mappings/REFERENCE.md and mappings/mapping.schema.json anew, from the contract, the catalogue and the codes."""

from __future__ import annotations

import json
from pathlib import Path

from etl.codes import CODES
from etl.contract import ACTIONS, Action, Field
from etl.mapping import json_schema
from etl.transforms import CATALOGUE
from etl.transforms.registry import Argument, Example, Transform

FOLDER = Path(__file__).parents[1] / "mappings"


def reference() -> str:
    """Return the page: fields of each action, transforms, codes of issues."""
    parts = [
        "# Reference",
        "Made by `make reference` from the code; do not edit. [Mapping in ten minutes](README.md) teaches the language.",
        "## Fields",
        *[_action(action) for action in ACTIONS.values()],
        "*extension*: not on the integration's page, version 3, but on later ones; sent only when mapped.",
        "## Transforms",
        (
            "Text in, text out, unless it says otherwise; on a list they work on each item. A blank cell passes through\n"
            "all but those that say so."
        ),
        *[_transform(transform) for _, transform in sorted(CATALOGUE.items())],
        NIGHTS,
        "## Reports",
        "`results.csv` has one line for each row and record, in file order; `issues.csv` one line for each issue.",
        _columns("results.csv", RESULTS),
        _columns("issues.csv", ISSUES),
        _columns("missing.csv", MISSING),
        "## Codes of issues",
        (
            "An error keeps the record from being sent, a warning does not. `checks: {code: warning}` in a mapping turns\n"
            "one into the other, except for those that are *fixed*."
        ),
        _codes(),
    ]
    return "\n\n".join(parts) + "\n"


RESULTS = {
    "file": "the file, as it was named",
    "sheet": "the workbook's sheet; blank for a text file",
    "row": "the sheet's row; in a text file the line on which the row starts",
    "action": "what this record of the row does",
    "key": "who or what it is about: the record's key, as sent; blank where the row was skipped",
    "status": (
        "what became of it: planned, delivered, unchanged, duplicate, skipped, invalid, rejected, failed, unknown or blocked"
    ),
    "http_status": "the endpoint's last answer",
    "attempts": "how often it was sent",
    "request_id": "the endpoint's name for the request, to quote when reporting a problem there",
    "field": "the field of the first issue",
    "code": "the code of the first issue, or why it was not delivered",
    "message": "all issues of the row, or the endpoint's own words",
    "payload_sha256": "the fingerprint of the exact bytes that were planned or sent",
    "sent_at": "when it was last sent (UTC)",
    "duration_ms": "how long the last answer took, in milliseconds",
    "record": "which record of the mapping, from 1",
}
ISSUES = {
    "file": "the file, as it was named",
    "sheet": "the workbook's sheet; blank for a text file",
    "row": "the sheet's row; in a text file the line on which the row starts",
    "cell": "the cell or cells, as a spreadsheet names them",
    "column": "the column's name in the header",
    "field": "the field that it feeds",
    "severity": "error (not sent) or warning (sent anyway)",
    "code": "the kind of issue, from the table below",
    "value": "what stands there",
    "message": "what is wrong with it",
    "hint": "what to do",
}


MISSING = {
    "key": "who is missing; a token that stands for them where the journal keeps hashes of keys",
    "confirmed_at": "when they were last delivered (UTC)",
    "run": "by which run",
    "file": "from which file of that run",
    "sheet": "from which sheet of it",
    "row": "from which row of it",
    "status": "what became of their deletion, as in results.csv; blank with `missing: report`",
    "http_status": "the endpoint's answer to it",
    "attempts": "how often it was sent",
    "request_id": "the endpoint's name for the request",
    "code": "why they were not deleted",
    "message": "the same in words",
    "payload_sha256": "the fingerprint of the exact bytes that were planned or sent",
    "sent_at": "when it was last sent (UTC)",
    "duration_ms": "how long the last answer took, in milliseconds",
    "record": "the record of the mapping that says `missing`, from 1",
}
NIGHTS = """\
## What earlier runs have delivered

The journal remembers, for each target, what was last delivered of each key. These rules use it:

| where | rule | what it does |
|---|---|---|
| the mapping | `only_changed: true` | a row whose payload was confirmed before is `unchanged`, and not sent; `--only-changed` says so for one run, `--all` sends everything again |
| `contact.upsert` | `revive: true` | whoever was deleted through us may come back by a row of this record; else the row is `blocked` (`--revive` for one run) |
| `contact.upsert` | `missing: report` | the file is a full export: contacts delivered before that it lacks are listed in `missing.csv` |
| `contact.upsert` | `missing: delete` | the same, and they are deleted, after all rows and within `--max-deletes`; needs the e-mail as key, and `keys = "plain"` under `[journal]` |

- Where a file sends more than one request about a contact (`duplicates: all`, two records, a deletion and an upsert), none of them is
  `unchanged`: what the others would do to the contact is not known. With one record whose key is the e-mail this does not happen.
- An event that was created before is not created again, whatever the flags but `--all`: the same payload is `unchanged`, other fields under
  the same key are a `duplicate`. Its key is `externalId` or what `key` says; an event without one is known by all its fields.
- A contact can be missing from the file of the mapping (by its name) that delivered it last, no other. The keys of skipped and invalid rows
  are in the file. Nobody is deleted where a row's key cannot be read, where no row has one, or with `--limit`."""


def _columns(report: str, columns: dict[str, str]) -> str:
    rows = "\n".join(f"| `{name}` | {meaning} |" for name, meaning in columns.items())
    return f"### {report}\n\n| column | what it says |\n|---|---|\n{rows}"


def _action(action: Action) -> str:
    rows = "\n".join(_field(field) for field in action.fields)
    request = f"{action.endpoint.method} {action.endpoint.path}"
    return (
        f"### {action.name}\n\n{request}: {action.description}.\n\n"
        f"| field | type | limit | what it is |\n|---|---|---:|---|\n{rows}"
    )


def _field(field: Field) -> str:
    limit = f"{field.max_length:,}" if field.max_length else ""
    notes = [field.description]
    notes += ["**required**"] if field.required else []
    notes += ["*extension*"] if field.extension else []
    notes += ["one of " + ", ".join(field.values)] if field.values else []
    return f"| `{field.path}` | {field.type.value} | {limit} | {'; '.join(notes)} |"


def _transform(transform: Transform) -> str:
    lines = [f"### {transform.name}", "", transform.summary]
    kinds = f"Takes {_kind(transform.takes)}, gives {_kind(transform.gives)}."
    notes = [kinds] if (transform.takes, transform.gives) != ("text", "text") else []
    notes += ["Sees blank cells."] if transform.sees_blanks else []
    notes += [f"A value that it cannot convert is `{transform.code}`."] if transform.code else []
    lines += ["", " ".join(notes)] if notes else []
    if transform.arguments:
        lines += ["", "Arguments: " + ", ".join(_argument(argument) for argument in transform.arguments) + "."]
    lines += ["", *[_example(transform.name, example) for example in transform.examples]]
    return "\n".join(lines)


def _kind(kind: str) -> str:
    return "a list" if kind == "list" else "text"


def _argument(argument: Argument) -> str:
    return f"`{argument.name}`" + (" (required)" if argument.required else "")


def _example(name: str, example: Example) -> str:
    written = json.dumps(dict(example.arguments), ensure_ascii=False)
    call = f"{{{name}: {written}}}" if example.arguments else name
    return f"- `{call}`: {_code(example.given)} → {_code(example.result)}"


def _code(value: str | list[str]) -> str:
    return f"`{json.dumps(value, ensure_ascii=False)}`"


def _codes() -> str:
    rows = [
        f"| `{code.name}` | {code.severity.value}{', *fixed*' if code.fixed else ''} | {_plain(code.message)} | {_plain(code.hint)} |"
        for code in CODES.values()
    ]
    return "| code | severity | message | hint |\n|---|---|---|---|\n" + "\n".join(rows)


def _plain(text: str) -> str:
    return text.replace("{value}", "…").replace("{detail}", "…").replace("|", "\\|")


def main() -> None:
    """Write both files."""
    (FOLDER / "REFERENCE.md").write_text(reference(), encoding="utf-8")
    schema = json.dumps(json_schema(), indent=1, ensure_ascii=False)
    (FOLDER / "mapping.schema.json").write_text(schema + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
