"""What `run` and `check` have in common: flags → Options, signals, progress, the verdict, the exit code."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from etl.cli import bars, output, signals
from etl.cli.choosing import MAPPING_ENDINGS, is_table, mapping_there, shown_table
from etl.cli.deadline import parse_deadline
from etl.errors import EtlError, SettingsError
from etl.guards import Guards, parse_limit
from etl.interrupt import Interrupt
from etl.view import View
from etl.wording import plural, stop_sentence

if TYPE_CHECKING:
    from etl.logs import LogWish
    from etl.mapping import Mapping
    from etl.options import Options
    from etl.progress import Progress
    from etl.report import RunReport

_CLOCK_GRAIN_SECONDS = 0.1
"""File systems stamp a little in arrears."""


def carry_out(
    verb: Literal["run", "check", "plan"], mapping: Path, files: Sequence[str], flags: dict[str, Any], **more: Any
) -> int:
    """Run, check or plan, show what it came to, and return the exit code. `more`: for the verb. Raises EtlError."""
    refuse_swapped(verb, mapping, files)
    _guards(flags)

    def begin(stopper: signals.Stopper, options: Options) -> RunReport:
        from etl import verbs

        stopper.last_word = _last_word(verb, flags["out"], options.progress)
        wanted = replace(
            options, out=flags["out"], sheet=flags["sheet"], limit=flags["limit"], only_changed=flags["only_changed"],
            all_again=flags["only_changed"] is False, revive=flags["revive"],
        )  # fmt: skip
        known: dict[str, Callable[..., RunReport]] = {"run": verbs.run, "check": verbs.check, "plan": verbs.plan}
        return known[verb](loaded, files, target=flags["target"], config=flags["config"], options=wanted, **more)

    loaded = _loaded(verb, mapping, files, flags)
    return _carried_out(begin, flags)


def _loaded(verb: str, path: Path, files: Sequence[str], flags: dict[str, Any]) -> Mapping:
    """Return the mapping. Raises MappingError, of which whoever waits for the run is told."""
    from etl.finishing import finishing
    from etl.mapping import load_mapping

    if verb != "run":
        return load_mapping(mapping_there(path))
    options = options_of(flags, _guards(flags), Interrupt())
    with finishing("run", options, config=flags["config"], mapping=path, target=flags["target"], given=files):
        try:
            return load_mapping(mapping_there(path))
        except EtlError as error:
            from etl.observed import refused

            refused(error, path, target=flags["target"], config=flags["config"], options=options)
            raise


def carry_on(verb: Literal["resume", "retry"], run_id: str, flags: dict[str, Any]) -> int:
    """Go on with a run, show what it came to, and return the exit code. Raises EtlError."""

    def begin(stopper: signals.Stopper, options: Options) -> RunReport:
        from etl import verbs

        stopper.last_word = _last_word("run", None, options.progress)
        carry: Callable[..., RunReport] = {"resume": verbs.resume, "retry": verbs.retry}[verb]
        return carry(run_id, config=flags["config"], options=options)

    return _carried_out(begin, flags)


def _carried_out(begin: Callable[[signals.Stopper, Options], RunReport], flags: dict[str, Any]) -> int:
    guards = _guards(flags)
    interrupt = Interrupt()
    with signals.stopping(interrupt) as stopper:
        report = _report(begin, flags, guards=guards, stopper=stopper)
    if report is None:
        output.complain("interrupted while reading; nothing was sent   [interrupted]")
        return 128 + (interrupt.number or 2)
    _show(report, flags)
    return report.exit_code


def _view(flags: dict[str, Any]) -> View | None:
    """Return what reports are to show of people, None where no flag says so. Raises SettingsError."""
    if flags["redact"] and flags["view"] == View.FULL:
        raise SettingsError(
            "--redact and --view full exclude each other", code="usage", where="etl", hint="leave out one"
        )
    if flags["view"]:
        return View(flags["view"])
    return View.PSEUDONYMOUS if flags["redact"] else None


def options_of(flags: dict[str, Any], guards: Guards, interrupt: Interrupt) -> Options:
    """Return what the flags ask of any run: its pace, its limits, its reports. Raises SettingsError."""
    from etl.options import Options

    return Options(
        rate=flags["rate"],
        concurrency=flags["concurrency"],
        canary=flags["canary"],
        guards=guards,
        tell=(lambda _: None) if flags["quiet"] else output.tell,
        complain=output.tell_note,
        yes=flags["yes"],
        accept_file=flags.get("accept_file", False),
        reports=flags["reports"],
        view=_view(flags),
        log=_log(flags),
        interrupt=interrupt,
    )


def _log(flags: dict[str, Any]) -> LogWish:
    from etl.logs import LogWish

    write = bars.beside_bars(sys.stderr) if sys.stderr.isatty() else None
    return LogWish(flags["log_level"], flags["log_file"], sys.stderr, write, is_quiet=flags["quiet"])


def _guards(flags: dict[str, Any]) -> Guards:
    """Return the limits. Raises SettingsError."""
    return Guards(
        fail_over=parse_limit(flags["fail_over"], "--fail-over"),
        max_deletes=parse_limit(flags["max_deletes"], "--max-deletes"),
        max_clears=parse_limit(flags["max_clears"], "--max-clears"),
    )


def refuse_swapped(command: str, mapping: Path, files: Sequence[str]) -> None:
    """Raise SettingsError where mapping and file stand in each other's place, or no mapping is given."""
    if not is_table(mapping):
        return
    from etl.sources.addresses import shown_name

    table = shown_table(mapping)
    swapped = [file for file in files if file.lower().endswith(MAPPING_ENDINGS)]
    if swapped:
        raise SettingsError(
            "the mapping comes first, then the files", code="usage", where=f"etl {command}",
            hint=f"etl {command} {shown_name(swapped[0])} {table}",
        )  # fmt: skip
    raise SettingsError(
        "the mapping is missing", code="usage", where=f"etl {command}",
        hint=f"etl {command} MAPPING {' '.join([table, *map(shown_name, files)])}",
    )  # fmt: skip


def _report(
    begin: Callable[[signals.Stopper, Options], RunReport],
    flags: dict[str, Any],
    *,
    guards: Guards,
    stopper: signals.Stopper,
) -> RunReport | None:
    # It loads pandas, which takes a second; whoever asks for help need not wait for it.
    from etl.survey import InterruptedRun

    deadline = parse_deadline(flags["deadline"], time.time())
    progress = bars.bars_on(sys.stderr, quiet=flags["quiet"])
    options = replace(
        options_of(flags, guards, stopper.interrupt),
        deadline=deadline,
        confirm=_confirm(stopper) if sys.stdin.isatty() and sys.stderr.isatty() else None,
        progress=progress,
    )
    try:
        return begin(stopper, options)
    except (InterruptedRun, KeyboardInterrupt):
        return None
    finally:
        progress.end()


def _confirm(stopper: signals.Stopper) -> Callable[[int, str], bool]:
    def confirm(count: int, target: str) -> bool:
        ask = f"Type {count:,} to delete {'it' if count == 1 else 'them'}, anything else to stop: "
        try:
            with stopper.question():
                typed = _answer(f"This deletes {count:,} {plural(count, 'contact')} at {target}.\n{ask}")
                if typed and not _is_number(typed, count):
                    typed = _answer(f"That was not {count:,}. {ask}")
        except KeyboardInterrupt:
            sys.stderr.write("\n")
            raise
        return _is_number(typed, count)

    return confirm


def _answer(question: str) -> str:
    """Return the line that is typed, with its end; "" where nobody types any more."""
    sys.stderr.write(question)
    sys.stderr.flush()
    return sys.stdin.readline()


def _is_number(typed: str, count: int) -> bool:
    return typed.strip().replace(",", "") == str(count)


def _last_word(verb: str, out: Path | None, progress: Progress) -> Callable[[], str]:
    """Return what is to be done and said where a run is ended at once."""
    from etl.settings import REPORTS_FOLDER
    from etl.sources.spool import remove_all

    started = time.time() - _CLOCK_GRAIN_SECONDS

    def last_word() -> str:
        if isinstance(progress, bars.Bars):
            progress.echo.restore()
        remove_all()
        written = [out / "results.csv"] if out else Path(REPORTS_FOLDER).glob("*/results.csv")
        fresh = [path for path in written if path.exists() and path.stat().st_mtime >= started]
        if verb != "run" or not fresh:
            return "ended at once; nothing was sent   [interrupted]"
        # Another run may write beside this one.
        known = fresh[0] if len(fresh) == 1 else Path(REPORTS_FOLDER)
        return f"ended at once; what is known so far is in {known}, what was in flight is unknown   [interrupted]"

    return last_word


def _show(report: RunReport, flags: dict[str, Any]) -> None:
    from etl.cli import verdict
    from etl.reports.summary_json import as_dict

    if flags["as_json"]:
        output.say_json(as_dict(report))
    if flags["quiet"]:
        if report.stop is not None:
            output.complain(stop_sentence(report))
        if not flags["as_json"]:
            paths = (report.results_path, report.issues_path, report.summary_path, *report.made, report.plan)
            output.say_text("".join(f"{path}\n" for path in paths if path is not None))
        return
    stream = sys.stderr if flags["as_json"] else sys.stdout
    screen = output.console(stream)
    lines = verdict.verdict_lines(report, screen.width, bar=output.draws(screen))
    (output.tell_lines if flags["as_json"] else output.say_lines)(lines)
