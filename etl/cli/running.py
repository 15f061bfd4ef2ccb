"""What `run` and `check` have in common: flags → Options, signals, progress, the verdict, the exit code."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from etl.cli import bars, output, signals
from etl.cli.wording import plural, stop_sentence
from etl.errors import SettingsError
from etl.guards import Guards, parse_limit
from etl.interrupt import Interrupt

if TYPE_CHECKING:
    from etl.report import RunReport

_TABLE_ENDINGS = frozenset({".csv", ".tsv", ".txt", ".xlsx", ".xlsm", ".xls"})
_MAPPING_ENDINGS = frozenset({".yaml", ".yml"})


def carry_out(verb: Literal["run", "check"], mapping: Path, files: Sequence[Path], flags: dict[str, Any]) -> int:
    """Run or check, show what it came to, and return the exit code. Raises EtlError."""
    guards = Guards(
        fail_over=parse_limit(flags["fail_over"], "--fail-over"),
        max_deletes=parse_limit(flags["max_deletes"], "--max-deletes"),
        max_clears=parse_limit(flags["max_clears"], "--max-clears"),
    )
    refuse_swapped(verb, mapping, files)
    interrupt = Interrupt()
    with signals.stopping(interrupt) as stopper:
        report = _report(verb, mapping, files, flags, guards, stopper)
    if report is None:
        output.complain("interrupted while reading; nothing was sent   [interrupted]")
        return 128 + (interrupt.number or 2)
    _show(report, flags)
    return report.exit_code


def refuse_swapped(command: str, mapping: Path, files: Sequence[Path]) -> None:
    """Raise SettingsError where mapping and file stand in each other's place."""
    swapped = [file for file in files if file.suffix.lower() in _MAPPING_ENDINGS]
    if mapping.suffix.lower() in _TABLE_ENDINGS and swapped:
        raise SettingsError(
            "the mapping comes first, then the files", code="usage", where=f"etl {command}",
            hint=f"etl {command} {swapped[0]} {mapping}",
        )  # fmt: skip


def _report(
    verb: str,
    mapping: Path,
    files: Sequence[Path],
    flags: dict[str, Any],
    guards: Guards,
    stopper: signals.Stopper,
) -> RunReport | None:
    # They load pandas, which takes a second; whoever asks for help need not wait for it.
    from etl.mapping import load_mapping
    from etl.survey import InterruptedRun
    from etl.verbs import Options, check, run

    loaded = load_mapping(mapping)
    progress = bars.progress_on(sys.stderr, quiet=flags["quiet"], records=len(loaded.records))
    options = Options(
        out=flags["out"],
        sheet=flags["sheet"],
        limit=flags["limit"],
        rate=flags["rate"],
        concurrency=flags["concurrency"],
        guards=guards,
        yes=flags["yes"],
        confirm=_confirm(stopper) if sys.stdin.isatty() and sys.stderr.isatty() else None,
        progress=progress,
        interrupt=stopper.interrupt,
    )
    verbs: dict[str, Callable[..., RunReport]] = {"run": run, "check": check}
    try:
        return verbs[verb](loaded, files, target=flags["target"], config=flags["config"], options=options)
    except (InterruptedRun, KeyboardInterrupt):
        return None
    finally:
        progress.end()


def _confirm(stopper: signals.Stopper) -> Callable[[int, str], bool]:
    def confirm(count: int, target: str) -> bool:
        contacts = plural(count, "contact")
        try:
            with stopper.question():
                sys.stderr.write(f"This deletes {count:,} {contacts} at {target}. Type the number to go on: ")
                sys.stderr.flush()
                typed = sys.stdin.readline()
        except KeyboardInterrupt:
            sys.stderr.write("\n")
            raise
        return typed.strip().replace(",", "") == str(count)

    return confirm


def _show(report: RunReport, flags: dict[str, Any]) -> None:
    from etl.cli import verdict
    from etl.reports.summary_json import as_dict

    if flags["as_json"]:
        output.say_json(as_dict(report))
    if flags["quiet"]:
        if report.stop is not None:
            output.complain(stop_sentence(report))
        if not flags["as_json"]:
            output.say_text(
                "".join(f"{path}\n" for path in (report.results_path, report.issues_path, report.summary_path))
            )
        return
    stream = sys.stderr if flags["as_json"] else sys.stdout
    lines = verdict.verdict_lines(report, output.console(stream).width)
    (output.tell_lines if flags["as_json"] else output.say_lines)(lines)
