"""Events of a run → JSON lines in a file and on stderr, or lines to read on a terminal.

structlog's own configuration is left alone: a host of ours (Airflow) has one. Each run has a logger of its own, and its
id stands on each of its events, because it is bound to the logger: what follows a context would not follow into the
threads that send. What may be logged is a list (`_FIELDS`): whatever else an event holds is left out.
"""

from __future__ import annotations

import contextlib
import io
import json
import logging
import os
import re
import threading
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO, cast

import orjson
import structlog
from structlog.typing import FilteringBoundLogger

from etl.errors import SettingsError, impersonal
from etl.settings.log import LogSettings, anchored

Event = MutableMapping[str, Any]
Write = Callable[[str], None]
HOSTS = logging.getLogger("etl")
"""Where a program that uses us as a library hears of events; ours is the event as JSON."""
# Nobody who does not listen is told: else Python prints warnings by itself.
HOSTS.addHandler(logging.NullHandler())

_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}
_NOBODY = 100
_ADDRESS = re.compile(r"[^\s@\"'<>(){}:,;]+@[^\s@\"'<>(){}:,;]+")
_PLAIN = re.compile(r"[\w./:+%-]+")
_REQUEST_ID = re.compile(r"[A-Za-z0-9_=.:+/-]{1,100}")
_MOST = 500
"""Characters of a text that are logged."""


@dataclass(frozen=True, slots=True)
class LogWish:
    """What a command asks for; of what is None, etl.toml decides.

    `stream`: where events are shown, None: nowhere; `write`: what puts a line there, None: the stream does; `is_quiet`:
    nothing is shown there. `now`: the time of day, with its zone.
    """

    level: str | None = None
    file: Path | None = None
    stream: TextIO | None = None
    write: Write | None = None
    is_quiet: bool = False
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))


@dataclass(frozen=True, slots=True)
class Sink:
    """One place where events end. `level`: the least that is taken; `is_shown`: a person reads complaints there too."""

    level: int
    render: Callable[[Event], str]
    write: Write
    is_shown: bool = False


class Log:
    """The logger of one run, or of a command, and the file that it holds open."""

    def __init__(self, sinks: Sequence[Sink], now: Callable[[], datetime], close: Callable[[], None]) -> None:
        self.least = min((sink.level for sink in sinks), default=_NOBODY)
        self._close = close
        logger: Any = structlog.wrap_logger(
            _Fan(sinks),
            processors=[_with_time(now), redacted, _handed_on],
            wrapper_class=structlog.make_filtering_bound_logger(min(self.least, 50)),
        )
        self.logger: FilteringBoundLogger = logger.bind()

    def wants(self, level: str) -> bool:
        """Whether events of this level end anywhere."""
        return self.least <= _LEVELS[level]

    def bind(self, **fields: Any) -> None:
        """Put `fields` on each event from now on."""
        self.logger = self.logger.bind(**fields)

    def close(self) -> None:
        """Close the file."""
        self._close()


def open_log(wish: LogWish, settings: LogSettings, folder: Path) -> Log:
    """Return the log that flags and etl.toml (in `folder`) ask for. Raises SettingsError: its file cannot be opened."""
    sinks: list[Sink] = []
    asked = wish.level or settings.level
    if wish.stream is not None and not wish.is_quiet:
        sinks.append(_shown(wish, settings, asked))
    path = wish.file or (anchored(settings.file, folder) if settings.file else None)
    close: Callable[[], None] = _nothing
    if path is not None:
        file = _opened(path)
        close = file.close
        sinks.append(Sink(_LEVELS[asked or "info"], as_json, _appending(file)))
    if wish.stream is None and HOSTS.isEnabledFor(logging.WARNING):
        sinks.append(Sink(max(HOSTS.getEffectiveLevel(), _LEVELS[asked or "debug"]), _told_host, _nowhere))
    return Log(sinks, wish.now, close)


def note_after(wish: LogWish | None, settings: LogSettings, folder: Path, run: str, reason: str) -> None:
    """Log a sentence about a run whose own log is closed already: as a warning, named `note`."""
    with contextlib.suppress(SettingsError), contextlib.closing(open_log(wish or LogWish(), settings, folder)) as log:
        log.logger.warning("note", run=run or None, reason=reason)


def shown_log(stream: TextIO, write: Write | None = None, now: Callable[[], datetime] | None = None) -> Log:
    """Return a log of a command that has no settings of its own for it: on `stream` alone."""
    wish = LogWish(stream=stream, write=write)
    return Log([_shown(wish, LogSettings(), None)], now or wish.now, _nothing)


def redacted(_: Any, level: str, event: Event) -> Event:
    """Return the event with what may be logged, and nothing else: the last processor before it is written."""
    return {"time": event["time"], "level": level, "event": event["event"]} | loggable(event)


def loggable(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return of `fields` what may stand in a log, or in a trace: those of the list, without addresses."""
    return {name: _FIELDS[name](value) for name, value in fields.items() if name in _FIELDS and value is not None}


def as_json(event: Event) -> str:
    """Return one line."""
    return orjson.dumps(event).decode()


def as_text(event: Event) -> str:
    """Return one line for a person: the time of day here, the event, and its fields."""
    moment = datetime.fromisoformat(event["time"]).astimezone()
    fields = " ".join(f"{name}={_readable(value)}" for name, value in event.items() if name not in _HEAD)
    level = "" if event["level"] == "info" else f"{event['level']} "
    return f"{moment:%H:%M:%S} {level}{event['event']} {fields}".rstrip()


_HEAD = {"time", "level", "event"}


def _readable(value: Any) -> str:
    if isinstance(value, Mapping):
        return ",".join(f"{name}:{count}" for name, count in value.items()) or "-"
    if isinstance(value, list):
        return ",".join(map(_readable, value))
    text = str(value)
    return text if _PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=not text.isprintable())


def _number(value: Any) -> Any:
    return value if isinstance(value, bool | int | float) else "(not a number)"


def _word(value: Any) -> str:
    # The name of a file may hold bytes that are no text.
    # Twice what is logged, so that no address is cut in half: the pattern takes long over long texts.
    text = str(value)[: 2 * _MOST].encode("utf-8", "backslashreplace").decode()
    return (_ADDRESS.sub("(address)", text) if "@" in text else text)[:_MOST]


def _sentence(value: Any) -> str:
    return impersonal(_word(value))[:_MOST]


def _request_id(value: Any) -> str:
    return str(value) if _REQUEST_ID.fullmatch(str(value)) else "(unusual)"


def _words(value: Any) -> list[str]:
    return [_word(one) for one in value]


def _counts(value: Any) -> dict[str, int]:
    return {_word(name): count for name, count in value.items() if isinstance(count, int)}


_FIELDS: Mapping[str, Callable[[Any], Any]] = {
    "run": _word, "verb": _word, "mapping": _word, "target": _word, "file": _word, "files": _words,
    "stage": _word, "rows": _number, "rows_estimated": _number, "total": _number, "rows_per_second": _number,
    "seconds_left": _number, "counts": _counts, "seconds": _number, "exit_code": _number, "code": _word,
    "reason": _sentence, "problems": _number, "requests": _number, "retries": _number, "throttled": _number,
    "action": _word, "endpoint": _word, "row": _number, "table": _number, "record": _number, "attempt": _number,
    "http_status": _number, "outcome": _word, "duration_ms": _number, "request_id": _request_id,
    "openings": _number, "refused": _number, "rate": _number, "status": _word, "part": _word,
    "spans": _number, "lost": _number, "place": _word,
}  # fmt: skip
"""What may be logged: numbers; words of ours and names (without addresses); sentences, which may quote others."""


class _Fan:
    """Hands an event to each sink that takes its level."""

    def __init__(self, sinks: Sequence[Sink]) -> None:
        self._sinks = tuple(sinks)

    def msg(self, event: Event, *, is_complained: bool) -> None:
        level = _LEVELS[event["level"]]
        for sink in self._sinks:
            # What a complaint or a verdict says to a person is not said to them twice.
            if level >= sink.level and not (is_complained and sink.is_shown):
                sink.write(sink.render(event))

    debug = info = warning = error = msg


def _with_time(now: Callable[[], datetime]) -> Callable[[Any, str, Event], Event]:
    def add(_: Any, __: str, event: Event) -> Event:
        event["time"] = now().isoformat(timespec="milliseconds")
        return event

    return add


def _handed_on(_: Any, __: str, event: Event) -> tuple[tuple[Event], dict[str, Any]]:
    is_complained = event["event"] == COMPLAINED
    return (event,), {"is_complained": is_complained}


COMPLAINED = "run-refused"
"""The event of a run that ended before it began: whoever sees stderr reads the complaint itself."""


def _shown(wish: LogWish, settings: LogSettings, asked: str | None) -> Sink:
    stream = cast(TextIO, wish.stream)
    is_read = stream.isatty() if settings.format == "auto" else settings.format == "console"
    least = asked or ("warning" if stream.isatty() else "info")
    return Sink(_LEVELS[least], as_text if is_read else as_json, wish.write or _writing(stream), is_shown=True)


def _writing(stream: TextIO) -> Write:
    lock = threading.Lock()

    def write(line: str) -> None:
        # Where nobody reads the log, or its disk is full, the run goes on.
        with contextlib.suppress(OSError, ValueError), lock:
            stream.write(f"{line}\n")
            stream.flush()

    return write


def _opened(path: Path) -> io.FileIO:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # O_APPEND: several runs may share a file, and each line stays whole.
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_NONBLOCK", 0), 0o640)
        return io.FileIO(descriptor, "a")
    except OSError as error:
        raise SettingsError(
            f"the log cannot be written: {error.strerror}", code="log-file", where=str(path),
            hint="name a file that you may write to: --log-file, or `file` in [log] of etl.toml",
        ) from error  # fmt: skip


def _appending(file: io.FileIO) -> Write:
    def write(line: str) -> None:
        # Closed: a thread that was given up writes after the end.
        with contextlib.suppress(OSError, ValueError):
            file.write(f"{line}\n".encode())

    return write


def _told_host(event: Event) -> str:
    HOSTS.log(_LEVELS[event["level"]], "%s", as_json(event))
    return ""


def _nowhere(_: str) -> None:
    return None


def _nothing() -> None:
    return None
