"""One call of run, resume or retry, from its first line to its end, however it ends: what those who listen are told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Literal

from etl.journal.model import Condition
from etl.news import Ending, News
from etl.settings import Settings

if TYPE_CHECKING:
    from etl.journal.news import NewsBook
    from etl.report import RunReport

Verb = Literal["run", "resume", "retry"]


@dataclass(slots=True)
class Night:
    """What is known of it so far; what is not known is "" or None.

    `wall`: gives Unix seconds; `tell`: puts a note on stderr, `log` in the log; `settings`: None until they are read;
    `mapping`: its name; `given`: the files as they were named, without secrets; `is_silent`: an answer to a person who
    asked for something that is not there, of which nobody else is told; `is_known`: the journal knows the run.

    Known at the end: `report`, or the `error` that came instead of one; `ending`; `news`; `before` and `now`: how the
    mapping was at this target, and how it is; `book`: the journal's news, None where there is no journal. `beside`:
    what still tells somebody of the beginning.
    """

    verb: Verb
    wall: Callable[[], float]
    began_at: float
    tell: Callable[[str], None] = field(default=lambda _: None)
    log: Callable[[str], None] = field(default=lambda _: None)
    settings: Settings | None = None
    target: str = ""
    mapping: str = ""
    given: tuple[str, ...] = ()
    run_id: str = ""
    out: Path | None = None
    is_silent: bool = False
    is_known: bool = False
    report: RunReport | None = None
    error: BaseException | None = None
    ended_at: float = 0.0
    ending: Ending = field(default_factory=lambda: Ending(0))
    news: News = field(default_factory=News)
    before: Condition | None = None
    now: Condition | None = None
    book: NewsBook | None = None
    beside: list[Thread] = field(default_factory=list)
    on_begin: Callable[[Night], None] = field(default=lambda _: None)

    def begin(self, settings: Settings, target: str | None) -> None:
        """Say that the settings are read: from here on it is known who listens."""
        self.settings = settings
        self.target = target or settings.default_target or ""
        self.on_begin(self)

    def end(self, report: RunReport) -> RunReport:
        """Say what it came to; return the report."""
        self.report = report
        return report
