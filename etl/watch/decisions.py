"""What `etl watch` decides: which files are finished, whose they are, and where each goes after its run. Acts nowhere.

Names of files are texts as the system gives them; times are seconds of a clock that never jumps, unless they say so.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from fnmatch import fnmatchcase
from itertools import count

from etl.settings.watch import WatchRule

WORK = ".etl-watch"
"""The watcher's own folder in the watched one: its lock, and the reports of the run under way."""
WHY = "why.txt"
"""Beside an archived file of which there are no reports: why."""
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 10.0, 900.0
_UNFINISHED = (
    ".*", "~$*", "*~", "*.part", "*.partial", "*.filepart", "*.tmp", "*.temp", "*.crdownload", "*.download", "*.swp",
)  # fmt: skip
"""How programs name a file while they write it, or beside one that is open; LibreOffice's `.~lock.x#` is hidden."""
_MOST_NAME_BYTES = 120
"""Of a file's name in that of its folder: 255 are allowed, and a date and a number stand beside it."""


class Outcome(StrEnum):
    """The folder a file goes to after its run, by its exit code: 0, 1, 2, 3."""

    DONE = "done"
    ATTENTION = "attention"
    REFUSED = "refused"
    STOPPED = "stopped"


CHECKED = "checked"
"""Where a dry run leaves its reports."""
FOLDERS = (*Outcome, CHECKED)


class Next(StrEnum):
    """What becomes of a file that is not archived.

    `wait`: something is wrong that would befall the next file as well; after a pause its run goes on. `anew`: it was
    changed under the run's eyes, and is looked at again as if it had just come. `stay`: it is left to a person, or to
    the next start.
    """

    WAIT = "wait"
    ANEW = "anew"
    STAY = "stay"


OF_ALL = "surroundings"
"""Code of an error that is not about one file: settings, mapping, journal, the watched folder."""
_OF_ALL = {
    OF_ALL, "endpoint-down", "run-under-way", "forgetting-under-way", "lock-lost", "reports-not-written",
    "unauthorized", "session-expired", "wrong-keys", "forbidden", "wrong-address", "clock", "tls",
}  # fmt: skip
"""Codes of what is not about one file: the next one would end the same way, and a person, or time, mends it."""
CANNOT_GO_ON = {
    "file-changed", "copy-gone", "mapping-changed", "settings-changed", "no-mapping-file", "plan-differs",
    "unknown-run",
}  # fmt: skip
"""Codes with which a run is not resumed: the file is run anew. What was confirmed is not sent twice by that."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A file as it was seen: its name in the folder, bytes, time of change in nanoseconds, inode."""

    name: str
    size: int
    mtime_ns: int
    inode: int


Sightings = Mapping[str, tuple[Arrival, float]]
"""By name: the file as it is, and since when it has been so."""


def may_be_taken(name: str, marker: str | None) -> bool:
    """Tell whether a file of this name may be taken at all; `marker`: what is added to a name to say it is whole."""
    if marker is not None and name.endswith(marker):
        return False
    return not any(fnmatchcase(name.lower(), pattern) for pattern in _UNFINISHED)


def sighted(arrivals: Iterable[Arrival], before: Sightings, now: float) -> Sightings:
    """Return since when each file has been as it is. Only files that are there are kept in mind."""
    found: dict[str, tuple[Arrival, float]] = {}
    for arrival in arrivals:
        known = before.get(arrival.name)
        found[arrival.name] = known if known is not None and known[0] == arrival else (arrival, now)
    return found


def finished(
    sightings: Sightings, now: float, settle_seconds: float, marker: str | None, names: Collection[str]
) -> list[Arrival]:
    """Return the files that nobody writes to any more, in order of arrival: by time of change, then by name.

    Without a marker that is what has not changed for `settle_seconds` of *our* clock: a share's own clock, or a copy
    that keeps the old time of change, would make any comparison with `mtime` lie. With one, what `names` (all there
    are) holds a marker of.
    """
    ripe = [
        arrival
        for arrival, since in sightings.values()
        if (now - since >= settle_seconds if marker is None else f"{arrival.name}{marker}" in names)
    ]
    return sorted(ripe, key=lambda arrival: (arrival.mtime_ns, arrival.name))


def rule_of(name: str, rules: Sequence[WatchRule]) -> WatchRule | None:
    """Return the first rule whose pattern matches; capitals and the two ways to write `é` make no difference."""
    plain = _plain(name)
    return next((rule for rule in rules if fnmatchcase(plain, _plain(rule.pattern))), None)


def after_run(exit_code: int, code: str) -> Outcome | Next:
    """Return what becomes of a file whose run ended so; `code`: of the stop or of the error, "" for neither."""
    if exit_code in {0, 1}:
        return Outcome.DONE if exit_code == 0 else Outcome.ATTENTION
    if exit_code == 4 or exit_code > 128:
        return Next.STAY
    if code == "file-changed":
        return Next.ANEW
    if code in _OF_ALL or code.startswith("journal-"):
        return Next.WAIT
    return Outcome.REFUSED if exit_code == 2 else Outcome.STOPPED


def pause_seconds(failures: int) -> float:
    """Return how long to wait after so many (from 1) failures one after the other: 10 s, twice that, ..., 15 min."""
    return float(min(FIRST_PAUSE_SECONDS * 2 ** min(failures - 1, 20), LONGEST_PAUSE_SECONDS))


def folder_name(name: str, now: datetime, is_taken: Callable[[str], bool]) -> str:
    """Return `20261124-020000-contacts.csv`, with a number behind where that is taken; a long name is cut."""
    cut = name.encode("utf-8", "surrogateescape")[:_MOST_NAME_BYTES].decode("utf-8", "ignore")
    return _free(f"{now:%Y%m%d-%H%M%S}-{cut}", "", is_taken)


def kept_name(name: str, taken: Collection[str]) -> str:
    """Return the name of a file in the folder of its reports: its own, unless one of them has it."""
    # A file system may take two names that differ in capitals for one.
    known = {one.casefold() for one in taken}
    stem, dot, ending = name.rpartition(".")
    return _free(stem or name, f"{dot}{ending}" if stem else "", lambda one: one.casefold() in known)


def _free(stem: str, ending: str, is_taken: Callable[[str], bool]) -> str:
    names = (f"{stem}{f'-{number}' if number > 1 else ''}{ending}" for number in count(1))
    return next(name for name in names if not is_taken(name))


def _plain(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()
