"""`etl init`: draft a mapping from a file's headers and values."""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from etl.cli import options, output
from etl.cli.choosing import chosen
from etl.cli.reading import how_read
from etl.errors import SettingsError
from etl.wording import plural

if TYPE_CHECKING:
    from etl.mapping.suggest import Draft
    from etl.sources import SourceFile
    from etl.sources.base import Table

SAMPLE_ROWS = 2_000


@click.command(
    epilog="""\b
Examples:
  etl init contacts.csv
  etl init contacts.csv --out mappings/contacts.yaml
  etl init orders.xlsx --sheet May --action event.create -o orders.yaml
  etl init contacts.csv --json | jq '.columns[] | {column, path, confidence}'
"""
)
@click.argument("file")
@click.option(
    "--action", metavar="ACTION", help="What a row becomes (etl fields lists them).  [default: by the columns]"
)
@click.option(
    "--out", "-o", type=click.Path(path_type=Path), metavar="FILE", help="Write the draft there.  [default: print it]"
)
@click.option("--force", is_flag=True, help="Overwrite the file that --out names.")
@options.sheet
@options.as_json
def command(file: str, *, action: str | None, out: Path | None, force: bool, sheet: str | None, as_json: bool) -> int:
    """Draft a mapping for FILE, from its headers and its first 2,000 rows.

    Each line of the draft says how sure it is, and why. Read it, then run `etl check`.
    """
    from etl.contract import ACTIONS
    from etl.sources.addresses import shown_name

    if action is not None:
        chosen("action", action, ACTIONS)
    if out is not None and out.exists() and not force:
        raise SettingsError(
            "there is such a file already", code="exists", where=str(out), hint="choose another name, or add --force"
        )
    taken = _taken(file)
    table = _table(taken, action, sheet)
    draft = _draft(table, taken, action)
    if out is not None:
        _write(out, draft.yaml)
    if as_json:
        output.say_json(_as_data(draft, table))
    elif out is None:
        output.say_text(draft.yaml)
    output.tell(f"Read {how_read(table)}")
    _tell(draft, shown_name(file), out)
    _tell_notes(draft, table)
    return 0


def _as_data(draft: Draft, table: Table) -> dict[str, Any]:
    """Return the draft for programs: how the file was read, what is said of each column, and the mapping's text."""
    return {
        "file": {"header_row": table.header_row, "sheet": table.ref.sheet, **table.facts},
        "action": draft.action,
        "why": draft.why,
        "columns": [asdict(one) for one in draft.suggestions],
        "missing": draft.missing,
        "mapping": draft.yaml,
    }


def _taken(file: str) -> SourceFile:
    """Return the one file that is meant. It is kept while its rows are read: a copy in a spool is gone with it."""
    from etl.settings import load_settings
    from etl.sources import take_in
    from etl.sources.addresses import is_url, shown_name

    allow_private = is_url(file) and load_settings(None, os.environ, Path.cwd()).sources.allow_private
    taken, *others = take_in([file], allow_private=allow_private)
    if others:
        raise SettingsError(
            f"a draft is made from one file, and these are {len(others) + 1:,}", code="usage", where=shown_name(file),
            hint="name one of them; unpack it first where it lies in an archive",
        )  # fmt: skip
    return taken


def _table(taken: SourceFile, action: str | None, sheet: str | None) -> Table:
    from etl.mapping.usual_names import usual_names_score
    from etl.sources import open_tables
    from etl.sources.base import SourceOptions

    options = SourceOptions(sheets=(sheet,) if sheet else None, header_score=usual_names_score(action))
    return open_tables(taken, options, 0)[0]


def _draft(table: Table, taken: SourceFile, action: str | None) -> Draft:
    from etl.mapping.suggest import suggest
    from etl.sources import list_sheets

    chunk = next(iter(table.chunks(range(len(table.header)), limit=SAMPLE_ROWS, rows_per_chunk=SAMPLE_ROWS)), None)
    source: dict[str, Any] = {}
    if len(list_sheets(taken)) > 1:
        source["sheet"] = table.ref.sheet
    cells = chunk.cells if chunk is not None else _no_rows(len(table.header))
    # `may.csv` of `orders.zip/may.csv`, `orders` of `orders.csv.gz`.
    name = Path(taken.name.removesuffix(".gz").removesuffix(".zst")).stem
    return suggest(table.header, cells, name, action, source=source)


def _no_rows(columns: int) -> Any:
    import pandas as pd

    from etl.records import text_series

    return pd.DataFrame({place: text_series([]) for place in range(columns)})


def _write(path: Path, text: str) -> None:
    part = path.with_name(f"{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise SettingsError(
            f"the draft cannot be written: {error.strerror}", code="out", where=str(path),
            hint="name a file in a folder that you may write to",
        ) from error  # fmt: skip


def _tell(draft: Draft, file: str, out: Path | None) -> None:
    """Say on stderr what the draft comes to, and what to do next."""
    uses = Counter(suggestion.use.name for suggestion in draft.suggestions)
    used = uses["FIELD"] + uses["PART"]
    where = f"wrote {out}: " if out else ""
    output.tell(f"{where}{draft.action}; {used} of {len(draft.suggestions)} columns are mapped")
    target = out or Path("mappings") / f"{draft.name}.yaml"
    if out is None:
        output.tell(f"keep it:  etl init {file} --out {target}")
    for path in draft.missing:
        output.tell(f"incomplete: no column serves as {path}, which every record needs: add it under `fields`")
    if not draft.missing:
        output.tell(f"next:     etl check {target} {file}")


def _tell_notes(draft: Draft, table: Table) -> None:
    """Say on stderr what nobody should miss."""
    from etl.mapping.suggest import looks_like_data

    if table.header_row and looks_like_data(table.header):
        row = f"row {table.header_row:,}"
        output.tell_note(f"{row} looks like data: no header? write `source: {{header_row: none}}` in the mapping")
    for condition in draft.conditions:
        if not condition.leaves_out:
            continue
        count = condition.leaves_out
        what = "consent" if condition.keeps else "a list of people who left"
        say = f"{'does' if count == 1 else 'do'} not say yes" if condition.keeps else f"say{'s' * (count == 1)} so"
        output.tell_note(
            f"'{condition.column}' looks like {what}; {count:,} {plural(count, 'row')} of the sample {say} and "
            f"would be sent: uncomment `when:` in line {draft.line_of(condition)}"
        )
