"""XML parts of a workbook, parsed piece by piece; a document type, which could multiply itself, is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from xml.parsers import expat

from etl.sources.workbook_parts import Container, damaged, hostile

Start = Callable[[str, dict[str, str]], object]


def new_parser(path: Path) -> Any:
    """Return an expat parser that raises SourceError at a document type or an entity."""
    parser = expat.ParserCreate()

    def refuse(*_declaration: object) -> None:
        raise hostile(path, "its XML declares a document type, which no spreadsheet program writes")

    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    return parser


def feed(container: Container, part: str, parser: Any) -> None:
    """Parse a part to its end. Raises SourceError where it is missing, damaged or not well-formed."""
    with feeding(container, part):
        for block in container.inflate(part):
            parser.Parse(block, False)
        parser.Parse(b"", True)


@contextmanager
def feeding(container: Container, part: str) -> Iterator[None]:
    """Let what a parser raises at XML that is not well-formed become SourceError."""
    try:
        yield
    except (expat.ExpatError, ValueError, LookupError) as error:  # LookupError: an encoding nobody knows
        raise damaged(container.path, f"the part {part} is not well-formed XML") from error


def parse(container: Container, part: str, start: Start | None) -> None:
    """Call `start(name, attributes)` for each element of a part; None: look only whether it is well-formed.

    Raises SourceError.
    """
    parser = new_parser(container.path)
    parser.StartElementHandler = start
    feed(container, part, parser)


def local_name(name: str) -> str:
    """Return an element's or attribute's name without its prefix."""
    return name.rpartition(":")[2]
