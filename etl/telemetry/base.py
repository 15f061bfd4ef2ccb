"""What happens in a run, as values, and who is told: an observer sees each event, and changes nothing.

An observer is called from the threads of the run, several at once where requests are concerned. It neither raises
(what it raises is taken for its end: `etl.telemetry.watch`) nor waits for a network.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from etl.records import Outcome

if TYPE_CHECKING:
    from etl.report import RunReport


@dataclass(frozen=True, slots=True)
class About:
    """Whose run it is. `verb`: run, check, plan, resume, retry; `mapping`: its name, as far as it is known."""

    verb: str
    mapping: str
    target: str

    @property
    def sends(self) -> bool:
        """Whether it is a run, and no dry one."""
        return self.verb in {"run", "resume", "retry"}


@dataclass(frozen=True, slots=True)
class RunBegan:
    """The files were opened. `files`: their names; `rows`: about how many, None where no file says so."""

    run: str
    about: About
    files: tuple[str, ...]
    rows: int | None


@dataclass(frozen=True, slots=True)
class StageBegan:
    """A stage begins, of `total` rows, None where that is not known; `records`: of each row."""

    stage: str
    total: int | None
    records: int


@dataclass(frozen=True, slots=True)
class StageMoved:
    """`rows` more are done; `counts`: records by status so far."""

    rows: int
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class StageEnded:
    """The stage that is under way has ended."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Requests that have ended, each with its outcome; `attempt` and the like are the receipt's."""

    outcomes: Sequence[Outcome]


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something about an endpoint, or the whole sending, that a person may want to know at once.

    `name`: slowed-down, breaker-opened, breaker-closed, endpoint-given-up, stopped; `facts`: numbers and words, none of
    them a person's.
    """

    name: str
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RunEnded:
    """The run has ended, however. `report`: None where an error ended it; `code`: the stop's or the error's, "": none.

    `began`: whether `RunBegan` was told; `at`: Unix seconds; `seconds`: since the command began.
    """

    about: About
    exit_code: int
    seconds: float
    at: float
    began: bool
    code: str = ""
    reason: str = ""
    report: RunReport | None = None


Event = RunBegan | StageBegan | StageMoved | StageEnded | Asked | Trouble | RunEnded


class Observer(Protocol):
    """Told of a run. `per_request`: whether `Asked` is for it."""

    @property
    def per_request(self) -> bool:
        """Whether it wants to be told of each request."""

    def see(self, event: Event) -> None:
        """Take note of an event; returns soon."""

    def close(self) -> None:
        """End what it holds, within seconds. Called once, after `RunEnded`."""
