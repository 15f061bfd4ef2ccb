"""Exceptions that stop a run. A fault of one row is an `Issue`, never an exception.

    EtlError                what, where, what to do, code        exit 2
    ├── MappingError        every problem of a mapping at once   exit 2
    ├── SourceError         a file cannot be read                exit 2
    ├── SettingsError       etl.toml, environment, arguments     exit 2
    ├── TargetError         the endpoint or its credentials      exit 2
    ├── JournalError        the memory between runs              exit 2
    └── GuardError          a limit stopped the run              exit 3

All fields stand in `args`, so that an error crosses a process border whole.
This module imports nothing from etl.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

_ADDRESS = re.compile(r"[^\s@\"'<>(){}:,;]+@[^\s@\"'<>(){}:,;]+")
_LONG_NUMBER = re.compile(r"(?!20[0-9]{2}-[01][0-9]-[0-3][0-9]\b)\+?[0-9][0-9 ()-]{5,}[0-9]")


class EtlError(Exception):
    """What is wrong, where, and what to do; `str()` gives all three.

    `code` is kebab-case and stable; `where` is `file:line:column` or `file, sheet, row, column`; `hint` says what
    to do next.
    """

    exit_code = 2

    def __init__(self, message: str, *, code: str, where: str = "", hint: str = "") -> None:
        super().__init__(message, code, where, hint)
        self.message = message
        self.code = code
        self.where = where
        self.hint = hint

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.message, self.code, self.where, self.hint))

    def __str__(self) -> str:
        return render(self.message, self.code, self.where, self.hint)


class SourceError(EtlError):
    """A file cannot be read, or is not what its name says."""


class SettingsError(EtlError):
    """etl.toml, an environment variable or an argument is wrong."""


class TargetError(EtlError):
    """The endpoint cannot be used: its address, its wire form or its credentials."""


class JournalError(EtlError):
    """The journal cannot be used, or does not know what it is asked for."""


class GuardError(EtlError):
    """A limit that somebody set stopped the run before it sent anything (further)."""

    exit_code = 3


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in a mapping. `line` and `column` count from 1; 0 where no place is known."""

    message: str
    code: str
    line: int = 0
    column: int = 0
    hint: str = ""

    def render(self, file: str) -> str:
        """Return the problem as text, its place first: `contacts.yaml:14:9: ...`."""
        where = f"{file}:{self.line}:{self.column}" if self.line else file
        return render(self.message, self.code, where, self.hint)


class MappingError(EtlError):
    """Every mistake of one mapping file, in the order in which they stand there."""

    def __init__(self, file: str, problems: tuple[Problem, ...]) -> None:
        self.file = file
        self.problems = tuple(sorted(problems, key=lambda p: (p.line, p.column)))
        super().__init__(f"{len(self.problems)} problem(s) in the mapping", code="mapping", where=file, hint="")

    def __reduce__(self) -> tuple[object, ...]:
        return (MappingError, (self.file, self.problems))

    def __str__(self) -> str:
        """Return all problems; a hint that several in a row share is said once, below the last of them."""
        following = [problem.hint for problem in self.problems[1:]] + [""]
        return "\n".join(
            (replace(problem, hint="") if problem.hint == after else problem).render(self.file)
            for problem, after in zip(self.problems, following, strict=True)
        )


def render(message: str, code: str, where: str, hint: str) -> str:
    """Return `where: message`, then `  hint: ...   [code]` on a line of its own where there is a hint."""
    first = f"{where}: {message}" if where else message
    if hint:
        return f"{first}\n  hint: {hint}   [{code}]"
    return f"{first}   [{code}]"


def impersonal(text: str) -> str:
    """Return somebody else's words (an endpoint's, a library's) without addresses and long numbers, for logs."""
    return _LONG_NUMBER.sub("(number)", _ADDRESS.sub("(address)", text))


def _rebuild(kind: type[EtlError], message: str, code: str, where: str, hint: str) -> EtlError:
    return kind(message, code=code, where=where, hint=hint)
