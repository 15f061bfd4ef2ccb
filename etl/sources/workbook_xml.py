"""XML parts of a workbook, parsed piece by piece; a document type, which could multiply itself, is refused."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from xml.parsers import expat

from etl.errors import SourceError
from etl.sources.workbook_parts import Container, damaged, hostile

Start = Callable[[str, dict[str, str]], object]
MOST_BYTES_OF_TEXT = 8 << 20
"""From one tag to the next. A cell of Excel holds 32,767 characters, 200 KB however they are written; what is longer
than the million characters that a cell of a CSV may have is made to exhaust who reads it."""


def new_parser(path: Path) -> Any:
    """Return an expat parser that raises SourceError at a document type or an entity."""
    parser = expat.ParserCreate()

    def refuse(*_declaration: object) -> None:
        raise hostile(path, "its XML declares a document type, which no spreadsheet program writes")

    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    return parser


def xml_blocks(container: Container, part: str) -> Iterator[bytes]:
    """Yield the bytes of a part. Raises SourceError: see `Container.inflate`, and text beyond MOST_BYTES_OF_TEXT."""
    text = 0
    for block in container.inflate(part):
        tag = block.rfind(b"<")
        text = text + len(block) if tag < 0 else len(block) - tag
        if text > MOST_BYTES_OF_TEXT:
            raise long_text(container.path, f"the part {part}")
        yield block


def feed(container: Container, part: str, parser: Any) -> None:
    """Parse a part to its end. Raises SourceError where it is missing, damaged or not well-formed."""
    with feeding(container, part):
        for block in xml_blocks(container, part):
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


def refuse_long_texts(container: Container, part: str, item: str, piece: str) -> None:
    """Look through a part of texts, each an `item` that may come in `piece`s with a form of their own.

    Raises SourceError where one takes more than MOST_BYTES_OF_TEXT, or the part is damaged.
    """
    if container.parts[part].file_size <= MOST_BYTES_OF_TEXT:
        parse(container, part, None)
        return
    parser = new_parser(container.path)
    first = 0

    def start(name: str, _attributes: dict[str, str]) -> None:
        nonlocal first
        kind = local_name(name)
        if kind == item:
            first = parser.CurrentByteIndex
        elif kind == piece and parser.CurrentByteIndex - first > MOST_BYTES_OF_TEXT:
            raise long_text(container.path, f"the part {part}")

    parser.StartElementHandler = start
    feed(container, part, parser)


def long_text(path: Path, where: str) -> SourceError:
    """Return the SourceError for a text that is made to exhaust who reads it."""
    return hostile(path, f"{where} has a text of more than {MOST_BYTES_OF_TEXT >> 20} MB")


def targets_of(container: Container, links: str) -> dict[str, str]:
    """Return identifier → part of the workbook's relationships, which stand in the part `links`. Raises SourceError."""
    targets: dict[str, str] = {}

    def start(name: str, attributes: dict[str, str]) -> None:
        if local_name(name) == "Relationship":
            target = attributes.get("Target", "").replace("\\", "/")
            whole = target.lstrip("/") if target.startswith("/") else posixpath.normpath(f"xl/{target}")
            if targets.setdefault(attributes.get("Id", ""), whole) != whole:
                raise hostile(container.path, "two of its relationships have one name")

    parse(container, links, start)
    return targets


def local_name(name: str) -> str:
    """Return an element's or attribute's name without its prefix."""
    return name.rpartition(":")[2]
