"""`etl mapping test`: the examples that are written in a mapping."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.text import Text

from etl.cli import options, output
from etl.cli.choosing import is_table, mapping_there
from etl.errors import MappingError, SettingsError
from etl.wording import plural

if TYPE_CHECKING:
    from etl.trial import Difference, Trial

_SHOWN = 120
"""Characters of a value that are shown."""


@click.command(
    "test",
    epilog="""\b
Examples:
  etl mapping test mappings/contacts.yaml
  etl mapping test mappings/*.yaml --json

\b
In a mapping:
  examples:
    - row: {E-mail: " Anna@example.com ", Name: Anna}
      gives: {contact.email: anna@example.com, contact.name: Anna}
    - {row: {E-mail: anna}, issue: email-syntax}
    - {row: {E-mail: anna@example.com, Consent: "no"}, skipped: true}
""",
)
@click.argument("mappings", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="MAPPING...")
@options.as_json
def command(mappings: tuple[Path, ...], *, as_json: bool) -> int:
    """Try the examples of each MAPPING: 0 if all are right, 1 if one is wrong, 2 if a mapping is.

    A column that an example does not name is blank. `gives` holds everything that is sent, no more and no less: of
    several records a list, in the order in which they are sent.
    """
    found: list[dict[str, Any]] = []
    code = 0
    for path in mappings:
        if is_table(path):
            raise SettingsError(
                "this is a spreadsheet, and no mapping", code="usage", where=str(path), hint="etl mapping test MAPPING"
            )
    for path in mappings:
        try:
            trials = _trials(path)
        except MappingError as error:
            # One broken mapping keeps no other from being tried.
            output.complain(str(error))
            found.append({"mapping": str(path), "right": None, "wrong": None, "examples": []})
            code = 2
            continue
        wrong = [trial for trial in trials if not trial.is_right]
        code = max(code, 1 if wrong else 0)
        found.append(_plain(path, trials))
        if not as_json:
            _show(path, trials, wrong)
    if as_json:
        output.say_json(found)
    return code


def _trials(path: Path) -> tuple[Trial, ...]:
    # They load pandas, which takes a second; whoever asks for help need not wait for it.
    from etl.mapping import load_mapping
    from etl.trial import try_examples

    return try_examples(load_mapping(mapping_there(path)))


def _plain(path: Path, trials: tuple[Trial, ...]) -> dict[str, Any]:
    right = sum(trial.is_right for trial in trials)
    examples = [asdict(trial) | {"is_right": trial.is_right} for trial in trials]
    return {"mapping": str(path), "right": right, "wrong": len(trials) - right, "examples": examples}


def _show(path: Path, trials: tuple[Trial, ...], wrong: list[Trial]) -> None:
    if not trials:
        output.tell_note(f"{path} has no examples: write some under `examples:` (etl mapping test --help)")
        return
    lines: list[Text] = []
    for trial in wrong:
        lines += _lines(path, trial)
    right = len(trials) - len(wrong)
    total = f"{len(trials):,} {plural(len(trials), 'example')} of {path.name}: "
    if not wrong:
        lines.append(Text.assemble(total, ("all right" if right > 1 else "right", "green")))
    else:
        lines.append(Text.assemble(total, f"{right:,} right, ", (f"{len(wrong):,} wrong", "red")))
    output.say_lines(lines)


def _lines(path: Path, trial: Trial) -> list[Text]:
    """Return what is wrong with an example: its place first, then one line a field."""
    at = Text.assemble((f"{path}:{trial.line}:{trial.column}: ", "bold"), f"example {trial.number}: ")
    if trial.reasons:
        return [at.append(output.visible("; ".join(trial.reasons)))]
    fields = len(trial.differences)
    at.append(f"{fields:,} {plural(fields, 'field')} {'differs' if fields == 1 else 'differ'}")
    several = len({one.record for one in trial.differences}) > 1
    names = [f"record {one.record}, {one.path}" if several else one.path for one in trial.differences]
    width = max(map(len, names))
    return [at, *(_line(f"{name:{width}}", one) for name, one in zip(names, trial.differences, strict=True))]


def _line(name: str, one: Difference) -> Text:
    return Text.assemble(
        f"  {output.visible(name)}  ", ("expected ", "dim"), (_shown(one.expected), "green"),
        (", got ", "dim"), (_shown(one.got), "red"),
    )  # fmt: skip


def _shown(value: str | tuple[str, ...] | None) -> str:
    return output.quoted(value, longest=_SHOWN, absent="nothing")
