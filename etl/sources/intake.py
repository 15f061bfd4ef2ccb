"""What is given (a path, a pattern, `-`, a URL, an archive) → SourceFile*: regular files, named as in reports.

All of it is taken in before a row is read, so that one bad file of several stops a run before anything is sent.
"""

from __future__ import annotations

import glob
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from etl.errors import SourceError
from etl.sources.addresses import is_url, shown_name
from etl.sources.archives import archive_kind, unpack
from etl.sources.fingerprint import Fingerprint, fingerprint, is_unchanged, is_untouched, speaking_of
from etl.sources.spool import BLOCK_BYTES, Spool

Given = str | os.PathLike[str]
"""A text may be a path, a pattern, a URL, or `-`; any other path is a path and nothing else."""
STANDARD_INPUT = "-"
STANDARD_INPUT_NAME = "standard input"


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file to be read.

    `name`: as reports and messages call it, never with a secret; a member of an archive is `orders.zip/may.csv`.
    `path`: the regular file that holds its bytes: itself, or a copy in a spool. `origin`: the local file that was
    given, where `path` is that file; None for a copy (a member, standard input, a remote file), which nobody can
    change. `fingerprint`: of what was given: the file, the archive as a whole, the bytes that were fetched.
    `spool`: what keeps the copy there, as long as this object lives.
    """

    name: str
    path: Path
    origin: Path | None
    fingerprint: Fingerprint
    spool: Spool | None = field(default=None, repr=False, compare=False)

    def is_untouched(self) -> bool:
        """Whether the origin's size and time of change are what they were: quick, and blind to a clock set back."""
        return self.origin is None or is_untouched(self.origin, self.fingerprint)

    def is_unchanged(self) -> bool:
        """Whether the origin's content is what it was; reads it whole."""
        return self.origin is None or is_unchanged(self.origin, self.fingerprint)

    def named(self) -> AbstractContextManager[None]:
        """Let a SourceError that is raised within speak of `name` where it names `path`."""
        return speaking_of(self.path, self.name)


def take_in(
    given: Sequence[Given],
    *,
    allow_private: bool = False,
    standard_input: BinaryIO | None = None,
    spool_in: Path | None = None,
) -> list[SourceFile]:
    """Return the files that `given` means, in order; those of a pattern sorted, those of an archive in its order.

    `allow_private`: whether https:// may lead to private addresses. `standard_input`: what `-` reads; None: the
    process's own. `spool_in`: the folder for copies of what is no file here; None: among temporary files.
    Raises SourceError: none, missing, no regular file, the same one twice, an archive that is damaged or hostile, an
    address that cannot be read.
    """
    if not given:
        raise SourceError("no file is given", code="no-file", hint="name the spreadsheet after the mapping")
    known: set[object] = set()
    found: list[SourceFile] = []
    for one in given:
        if isinstance(one, str) and (one == STANDARD_INPUT or is_url(one)):
            _require_first(one, shown_name(one), known)
            found += _fetched(one, Spool(spool_in), allow_private, standard_input)
            continue
        for path in _paths(one):
            found += _local(path, known, spool_in)
    return found


def _local(path: Path, known: set[object], spool_in: Path | None) -> list[SourceFile]:
    print_ = fingerprint(path)
    status = path.stat()
    _require_first((status.st_dev, status.st_ino), str(path), known)
    return _opened(str(path), path, print_, lambda: Spool(spool_in)) or [SourceFile(str(path), path, path, print_)]


def _fetched(given: str, spool: Spool, allow_private: bool, standard_input: BinaryIO | None) -> list[SourceFile]:
    if given == STANDARD_INPUT:
        copies = [(STANDARD_INPUT_NAME, spool.write(_standard_input(standard_input), STANDARD_INPUT_NAME))]
    else:
        from etl.sources.remote import fetch

        copies = fetch(given, spool, allow_private=allow_private)
    found: list[SourceFile] = []
    for name, path in copies:
        print_ = fingerprint(path)
        found += _opened(name, path, print_, lambda: spool) or [SourceFile(name, path, None, print_, spool)]
    return found


def _opened(name: str, path: Path, print_: Fingerprint, spool: Callable[[], Spool]) -> list[SourceFile]:
    """Return what the archive holds; nothing where it is none. A copy that was unpacked is removed."""
    with speaking_of(path, name):
        kind = archive_kind(path)
        if kind is None:
            return []
        target = spool()
        members = unpack(path, kind, name, target)
    if path.parent == target.folder:
        path.unlink()
    return [SourceFile(member.name, member.path, None, print_, target) for member in members]


def _paths(given: Given) -> list[Path]:
    path = Path(given)
    if not isinstance(given, str) or os.path.lexists(path) or not glob.has_magic(given):
        return [path]
    matches = [Path(one) for one in sorted(glob.glob(given, recursive=True))]  # noqa: PTH207 - as it was typed
    files = [one for one in matches if not one.is_dir() and not _is_behind_link(one, given)]
    if not files:
        raise SourceError(
            f"no file matches '{given}'",
            code="file-missing",
            hint="check the folder and the pattern; `**` is any folder",
        )
    return files


def _is_behind_link(path: Path, pattern: str) -> bool:
    """Whether a folder that the pattern's wildcards stand for is a link: it may lead anywhere, or in circles."""
    parts = Path(pattern).parts
    fixed = next(place for place, part in enumerate(parts) if glob.has_magic(part))
    return any(Path(*path.parts[: end + 1]).is_symlink() for end in range(fixed, len(path.parts) - 1))


def _require_first(identity: object, name: str, known: set[object]) -> None:
    if identity in known:
        raise SourceError("this file is given twice", code="file-twice", where=name, hint="name each file once")
    known.add(identity)


def _standard_input(stream: BinaryIO | None) -> Iterator[bytes]:
    source = stream if stream is not None else getattr(sys.stdin, "buffer", None)
    if source is None or source.isatty():
        raise SourceError(
            "nothing is piped in: standard input is a terminal",
            code="no-standard-input",
            where=STANDARD_INPUT_NAME,
            hint="pipe the file in: cat FILE | etl check MAPPING -",
        )
    while block := source.read(BLOCK_BYTES):
        yield block
