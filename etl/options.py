"""How a run is to be made: what flags are to the command, these are to the library."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from etl.guards import Guards
from etl.interrupt import Interrupt
from etl.load.loader import Timing
from etl.logs import LogWish
from etl.progress import Progress, Silent
from etl.sources.base import ROWS_PER_CHUNK
from etl.telemetry import Watch
from etl.view import View

Confirm = Callable[[int, str], bool]
"""Asked before contacts are deleted: how many, at which target; True: go on."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to run. `out`: the folder of the reports (None: a new one in ./etl-reports); `limit`: rows at most.

    `rate` (requests a second), `concurrency` and `canary` override the target's. `confirm` is asked before contacts are
    deleted; None: they are not deleted unless `yes`. `only_changed`: leave alone whose payload was confirmed before
    (None: as the mapping says); `all_again`: leave nobody alone; `revive`: bring back who was deleted through us.
    `accept_file`: take a file that is not what the mapping expects.
    `deadline`: Unix seconds; nothing more is begun then. `tell` hears, before anything is sent, how long that takes,
    `complain` at the end what else went wrong (a notification that could not be delivered).
    `timing`: clocks and chance, for tests. `rows_per_chunk`: rows judged at once; it changes the memory that is used,
    never the result. `reports`: words of `view.WORDS`, `view`: what they show of people (None: as etl.toml says).
    `log`: what a command asks of the log (None: what etl.toml says); `watch`: whom the verbs tell how the run goes.
    """

    out: Path | None = None
    sheet: str | None = None
    limit: int | None = None
    rate: float | None = None
    concurrency: int | None = None
    guards: Guards = field(default_factory=Guards)
    yes: bool = False
    confirm: Confirm | None = None
    only_changed: bool | None = None
    all_again: bool = False
    revive: bool = False
    accept_file: bool = False
    deadline: float | None = None
    canary: int | None = None
    tell: Callable[[str], None] = field(default=lambda _: None)
    complain: Callable[[str], None] = field(default=lambda _: None)
    progress: Progress = field(default_factory=Silent)
    interrupt: Interrupt = field(default_factory=Interrupt)
    timing: Timing = field(default_factory=Timing)
    rows_per_chunk: int = ROWS_PER_CHUNK
    reports: tuple[str, ...] | None = None
    view: View | None = None
    log: LogWish | None = None
    watch: Watch = field(default_factory=Watch)
