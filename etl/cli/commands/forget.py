"""`etl forget`: remove a person from the journal and from kept reports."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from etl.cli import options, output
from etl.cli.remembering import remembered
from etl.errors import GuardError
from etl.wording import plural

if TYPE_CHECKING:
    from etl.forgetting import Forgotten, Found

_SHOWN_AWAY = 3


@click.command(
    epilog="""\b
Examples:
  etl forget someone@example.com
  etl forget someone@example.com --yes --json
"""
)
@click.argument("key")
@click.option("--yes", is_flag=True, help="Remove without asking.")
@click.option("--entirely", is_flag=True, help="Remove the note too that they were deleted through us.")
@options.as_json
@options.config
def command(key: str, *, yes: bool, entirely: bool, as_json: bool, config: Path | None) -> int:
    """Remove whoever has KEY (an e-mail address, or an event's externalId) from journal and kept reports.

    Lines of reports stay, so that counts add up; the person's key, values and messages in them become "(forgotten)".
    Workbooks and pages made of them (annotated.xlsx, to_fix, report.html) are removed where the person stands in them.
    Where they were deleted through us, a keyed hash of the address is kept, so that no old file brings them back;
    --entirely removes that too. Nothing is sent: a contact is deleted by a mapping with contact.delete.
    """
    from etl.forgetting import forget, look

    with remembered(config) as (settings, journal):
        if not yes:
            _ask(look(journal, settings, key))
        done = forget(journal, settings, key, entirely=entirely)
    if as_json:
        output.say_json(_as_dict(done, entirely=entirely))
        return 0
    for line in _told(done, entirely=entirely):
        output.say_text(line + "\n")
    for note in _notes(done):
        output.tell_note(note)
    return 0


def _ask(found: Found) -> None:
    """Return if somebody says yes. Raises GuardError."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise GuardError(
            "a person would be removed for good, and nobody is here to confirm it", code="not-confirmed",
            where="etl forget", hint="add --yes if that is right",
        )  # fmt: skip
    deliveries, folders = len(found.sent), len(found.folders)
    sys.stderr.write(
        f"The journal knows {_deliveries(deliveries)} of this key; "
        f"{folders:,} {plural(folders, 'folder')} of reports will be looked through.\n"
        "Remove this person there, for good? [y/N] "
    )
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
        raise GuardError("nothing was removed: it was not confirmed", code="not-confirmed", where="etl forget")


def _told(done: Forgotten, *, entirely: bool) -> list[str]:
    """Return what was removed, and where."""
    deliveries, confirmed = done.journal.get("deliveries", 0), done.journal.get("confirmed", 0)
    erased, lines = done.journal.get("erased", 0), sum(done.files.values())
    if not (deliveries or confirmed or erased or lines or done.removed):
        told = ["Nothing was known of this key, neither in the journal nor in the reports."]
    else:
        states = f"{confirmed:,} confirmed {plural(confirmed, 'state')} removed"
        changed = f"{lines:,} {plural(lines, 'line')} in {len(done.files):,} {plural(len(done.files), 'file')} changed"
        through = f"{len(done.folders):,} {plural(len(done.folders), 'folder')} looked through"
        told = [f"Journal: {_deliveries(deliveries)} made anonymous, {states}.", f"Reports: {changed}; {through}."]
        told += [f"  {count:>7,}  {output.visible(output.shown_path(path))}" for path, count in done.files.items()]
        told += [f"  removed  {output.visible(output.shown_path(path))}" for path in done.removed]
    if entirely:
        told.append(f"The note of a deletion: {'removed' if erased else 'there was none'}.")
    else:
        told.append("Kept: the note of a deletion through us, if there was one (--entirely removes it too).")
    return told


def _notes(done: Forgotten) -> list[str]:
    """Return what else may hold the person."""
    notes = [f"{output.shown_path(path)} is not rewritten and may hold the person; remove it" for path in done.left]
    notes += [
        f"{output.shown_path(path)} is the copy of a spreadsheet that held the person, kept for `etl resume`; "
        "remove it if the run need not go on"
        for path in done.copies
    ]
    notes += [
        f"a check may be under way in {output.shown_path(path)}, which was not touched; do this again when it has ended"
        for path in done.busy
    ]
    if done.away:
        more = f" and {len(done.away) - _SHOWN_AWAY} more" if len(done.away) > _SHOWN_AWAY else ""
        notes.append(
            f"reports on other machines were not looked through: {', '.join(done.away[:_SHOWN_AWAY])}{more}; do this "
            "there too"
        )
    return notes


def _deliveries(count: int) -> str:
    return f"{count:,} {'delivery' if count == 1 else 'deliveries'}"


def _as_dict(done: Forgotten, *, entirely: bool) -> dict[str, object]:
    return {
        "journal": dict(done.journal),
        "reports": {str(path): count for path, count in done.files.items()},
        "removed": [str(path) for path in done.removed],
        "folders": [str(path) for path in done.folders],
        "deletion_note": ("removed" if done.journal.get("erased") else "none") if entirely else "kept",
        "not_rewritten": [str(path) for path in done.left],
        "copies": [str(path) for path in done.copies],
        "checks_under_way": [str(path) for path in done.busy],
        "other_machines": list(done.away),
    }
