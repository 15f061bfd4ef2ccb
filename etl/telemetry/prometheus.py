"""How a run ended → a file for the textfile collector of Prometheus' node exporter.

The file is replaced as a whole (github.com/prometheus/node_exporter, "Textfile Collector"), so that a scrape never
reads half of one. Where several mappings share one, the figures of the others stay.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from etl.logs import Log
from etl.records import Status
from etl.settings.log import anchored
from etl.telemetry.base import About, Event, RunEnded

if sys.platform != "win32":
    import fcntl

if TYPE_CHECKING:
    from prometheus_client import Metric
    from prometheus_client.samples import Sample

    from etl.report import RunReport
    from etl.settings import Settings

ENDING = ".prom"
"""What the collector reads; any other name is a folder."""
SUCCESS = "etl_last_success_timestamp_seconds"
REQUESTS = "etl_requests_total"
_FIGURES = {
    "etl_last_run_timestamp_seconds": ("gauge", "When the last run of this mapping to this target ended."),
    SUCCESS: ("gauge", "When the last run ended whose every row was delivered or rightly left alone (exit code 0)."),
    "etl_run_duration_seconds": ("gauge", "How long the last run took."),
    "etl_run_exit_code": ("gauge", "The last run's exit code: 0 good, 1 bad rows, 2 and 3 stopped, 4 a fault of ours."),
    "etl_rows": ("gauge", "Source rows that the last run read."),
    "etl_records": ("gauge", "Records of the last run by what became of them."),
    "etl_requests": ("counter", "Requests, of all runs since the file was first written."),
    "etl_retries": ("gauge", "Requests of the last run that repeated one."),
    "etl_throttled": ("gauge", "Requests of the last run that the endpoint refused for their rate."),
    "etl_latency_seconds": ("summary", "How long requests of the last run took."),
    "etl_problems": ("gauge", "Issues that the last run found in the rows."),
}
"""Type and help of each metric."""
_OTHER = re.compile(r"[^A-Za-z0-9_.-]+")
_PLACES = ("{mapping}", "{target}")


def observer(about: About, settings: Settings, log: Log) -> Textfile | None:
    """Return what writes the file, None where etl.toml names none, or nothing is to be sent."""
    if settings.telemetry.textfile is None or not about.sends:
        return None
    return Textfile(settings.telemetry.textfile, settings.folder, log)


class Textfile:
    """Writes the figures of a run at its end. `name`: as it stands in etl.toml, `folder`: what it starts from."""

    per_request = False

    def __init__(self, name: str, folder: Path, log: Log) -> None:
        self._name, self._folder, self._log = name, folder, log

    def see(self, event: Event) -> None:
        """Write the file once the run has ended; that it can't be written is a warning."""
        if not isinstance(event, RunEnded):
            return
        path = path_of(self._name, self._folder, event.about)
        try:
            write(path, event)
        except OSError as error:
            self._log.logger.warning("textfile-not-written", file=str(path), reason=error.strerror)

    def close(self) -> None:
        """Do nothing: it is written at once."""


def path_of(name: str, folder: Path, about: About) -> Path:
    """Return the file for a mapping and a target: `name` if it ends in .prom, else one of our own in that folder."""
    mapping, target = (_OTHER.sub("_", word) or "unknown" for word in (about.mapping, about.target))
    path = anchored(name.replace(_PLACES[0], mapping).replace(_PLACES[1], target), folder)
    return path if path.suffix == ENDING else path / f"etl_{mapping}_{target}{ENDING}"


def write(path: Path, ended: RunEnded) -> None:
    """Write the figures in place of those of the same mapping and target; what else the file holds stays.

    Raises OSError.
    """
    from prometheus_client import generate_latest

    with _alone(path.parent):
        before = _samples(path)
        own = {"mapping": ended.about.mapping, "target": ended.about.target}
        kept = {one.name: one.value for one in before if own.items() <= one.labels.items()}
        families: dict[str, Metric] = {}
        for name, labels, value in _figures(ended, kept):
            _family(families, name).add_sample(name, own | labels, value)
        for one in before:
            if not own.items() <= one.labels.items():
                _family(families, one.name).add_sample(one.name, one.labels, one.value)
        _replace(path, generate_latest(_Collected(families.values())))


class _Collected:
    """What the exposition asks for: metrics, as they are."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        """Return them."""
        return self._families


_Figure = tuple[str, dict[str, str], float]


def _figures(ended: RunEnded, kept: dict[str, float]) -> Iterator[_Figure]:
    """Yield each figure with its labels; `kept`: what the file said of this mapping and target before."""
    yield "etl_last_run_timestamp_seconds", {}, ended.at
    success = ended.at if ended.exit_code == 0 else kept.get(SUCCESS)
    if success is not None:
        yield SUCCESS, {}, success
    yield "etl_run_duration_seconds", {}, round(ended.seconds, 3)
    yield "etl_run_exit_code", {}, ended.exit_code
    report = ended.report
    requests = report.delivery.get("requests", 0) if report is not None else 0
    yield REQUESTS, {}, kept.get(REQUESTS, 0) + requests
    if report is not None:
        yield from _of_report(report)


def _of_report(report: RunReport) -> Iterator[_Figure]:
    yield "etl_rows", {}, report.rows
    for status in Status:
        yield "etl_records", {"status": status.value}, report.counts.get(status.value, 0)
    for name in ("retries", "throttled"):
        yield f"etl_{name}", {}, report.delivery.get(name, 0)
    for quantile, milliseconds in report.delivery.get("latency_ms", {}).items():
        if milliseconds is not None:
            yield "etl_latency_seconds", {"quantile": f"{int(quantile[1:]) / 100:g}"}, round(milliseconds / 1000, 6)
    problems: Counter[tuple[str, str]] = Counter()
    for code, _, severity, count in report.problems:
        problems[code, severity] += count
    for (code, severity), count in problems.items():
        yield "etl_problems", {"code": code, "severity": severity}, count


def _family(families: dict[str, Metric], sample: str) -> Metric:
    """Return the metric that a sample belongs to, made where it is not there yet."""
    from prometheus_client import Metric

    name = sample.removesuffix("_total")
    if name not in families:
        kind, told = _FIGURES.get(name, ("unknown", "Not of this program."))
        families[name] = Metric(name, told, kind)
    return families[name]


def _samples(path: Path) -> list[Sample]:
    """Return what the file holds of ours; nothing where there is none yet, or it is damaged."""
    from prometheus_client.parser import text_string_to_metric_families

    try:
        families = list(text_string_to_metric_families(path.read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, KeyError, IndexError):
        return []
    return [sample for family in families for sample in family.samples if family.name in _FIGURES]


def _replace(path: Path, text: bytes) -> None:
    descriptor, name = tempfile.mkstemp(prefix=".etl-", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(text)
            # The exporter is another user.
            Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep other runs from writing there meanwhile, where the system can."""
    if sys.platform == "win32":
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
