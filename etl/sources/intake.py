"""What is given (`file.csv`, ...) → SourceFile*: the regular files to read, each with the name that reports use."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from etl.errors import SourceError
from etl.sources.fingerprint import Fingerprint, fingerprint, is_unchanged, is_untouched

Given = str | os.PathLike[str]


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file to be read.

    `name`: as reports and messages call it, never with a secret. `path`: the regular file that holds its bytes: itself,
    or a copy in a spool. `origin`: the local file that was given (an archive, where `path` is one of its members); None
    for what came from elsewhere and cannot change any more. `fingerprint`: of the origin, else of `path`.
    """

    name: str
    path: Path
    origin: Path | None
    fingerprint: Fingerprint

    def is_untouched(self) -> bool:
        """Whether the origin's size and time of change are what they were: quick, and blind to a clock set back."""
        return self.origin is None or is_untouched(self.origin, self.fingerprint)

    def is_unchanged(self) -> bool:
        """Whether the origin's content is what it was; reads it whole."""
        return self.origin is None or is_unchanged(self.origin, self.fingerprint)

    @contextmanager
    def named(self) -> Iterator[None]:
        """Let a SourceError that is raised within speak of `name` where it names `path`."""
        try:
            yield
        except SourceError as error:
            if self.name == str(self.path) or not error.where.startswith(str(self.path)):
                raise
            where = self.name + error.where.removeprefix(str(self.path))
            raise SourceError(error.message, code=error.code, where=where, hint=error.hint) from error


def take_in(given: Sequence[Given]) -> list[SourceFile]:
    """Return the files that `given` means, in order. Raises SourceError: none, missing, or no regular file."""
    if not given:
        raise SourceError("no file is given", code="no-file", hint="name the spreadsheet after the mapping")
    paths = [Path(one) for one in given]
    return [SourceFile(str(path), path, path, fingerprint(path)) for path in paths]
