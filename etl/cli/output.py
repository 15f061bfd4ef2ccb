"""Text → the terminal: results on stdout, everything else on stderr; calm, without colour where nobody would see it."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import sys
import textwrap
from pathlib import Path
from typing import Any, TextIO

from rich.console import Console, RenderableType
from rich.text import Text

OFF_TERMINAL_WIDTH = 100
_TRAILING = re.compile(r"[ ]+$", re.MULTILINE)


def console(stream: TextIO) -> Console:
    """Return a console on `stream` that guesses nothing: no markup, no emoji, no highlighting."""
    width = None if stream.isatty() or "COLUMNS" in os.environ else OFF_TERMINAL_WIDTH
    return _Console(file=stream, width=width, markup=False, emoji=False, highlight=False)


def draws(screen: Console) -> bool:
    """Whether a line of colours can be seen on `screen`: on a terminal that has them, and the sign for a line."""
    return screen.is_terminal and not screen.no_color and bool(screen.color_system) and screen.encoding == "utf-8"


class _Console(Console):
    """A console that leaves a closed pipe to its caller: rich ends the process with exit code 1."""

    def on_broken_pipe(self) -> None:
        """Let the caller decide."""
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))


def say(*parts: RenderableType) -> None:
    """Print on stdout, wrapped at its width. Quiet from then on if nobody reads it."""
    with _quiet_pipe():
        screen = console(sys.stdout)
        with screen.capture() as captured:
            for part in parts:
                screen.print(part)
        # Tables are filled up with blanks to their width, which would wrap in a narrower window.
        sys.stdout.write(_TRAILING.sub("", captured.get()))
        sys.stdout.flush()


def say_lines(lines: list[Text]) -> None:
    """Print lines that were laid out already, as they are: a path is not broken."""
    with _quiet_pipe():
        screen = console(sys.stdout)
        for line in lines:
            screen.print(line, soft_wrap=True)


def say_json(value: Any) -> None:
    """Print `value` as JSON on stdout, in letters that its encoding has."""
    plain = (sys.stdout.encoding or "").lower().replace("-", "") not in {"utf8", "utf8sig"}
    with _quiet_pipe():
        sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=plain) + "\n")
        sys.stdout.flush()


def say_text(text: str) -> None:
    """Print `text` as it is on stdout: something to be kept in a file."""
    with _quiet_pipe():
        sys.stdout.write(text)
        sys.stdout.flush()


def tell(text: str | Text) -> None:
    """Print a line on stderr; what nobody can read there is no reason to end otherwise than told."""
    with contextlib.suppress(OSError):
        console(sys.stderr).print(visible(text) if isinstance(text, str) else text, soft_wrap=True)


def tell_note(text: str) -> None:
    """Print a note on stderr; on a terminal it is wrapped between words."""
    note = visible(f"Note: {text}")
    lines = textwrap.wrap(note, console(sys.stderr).width, subsequent_indent="  ") if sys.stderr.isatty() else [note]
    tell_lines([Text(line) for line in lines])


def tell_lines(lines: list[Text]) -> None:
    """Print lines that were laid out already on stderr."""
    for line in lines:
        tell(line)


def complain(message: str) -> None:
    """Print an error on stderr; its hints are dimmed on a terminal."""
    for line in message.splitlines():
        tell(Text(visible(line), style="dim" if line.startswith("  hint: ") else ""))


def visible(text: str) -> str:
    """Return `text` with what does not print written as an escape, so that no cell can steer the terminal."""
    return "".join(sign if sign.isprintable() or sign == "\n" else _escape(sign) for sign in text)


def shown_path(path: Path | str) -> str:
    """Return a path as a person would type it: relative to the current directory where it lies below."""
    with contextlib.suppress(ValueError):
        return str(Path(path).resolve().relative_to(Path.cwd()))
    return str(path)


def is_gone(error: OSError) -> bool:
    """Tell whether the reader of our output is gone: a pipe that is closed, or a terminal."""
    return error.errno in {errno.EPIPE, errno.EIO}


def abandon_stdout() -> None:
    """Let what is still written to stdout go nowhere: its reader is gone."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def quoted(value: str | tuple[str, ...] | None, *, longest: int, absent: str) -> str:
    """Return a value of a payload for a line of text: in quotes (a list in brackets), cut to `longest` signs."""
    if value is None:
        return absent
    text = f"'{value}'" if isinstance(value, str) else f"[{', '.join(value)}]"
    text = visible(text).replace("\n", "\\n")
    return text if len(text) <= longest else f"{text[:longest]}…"


def _escape(sign: str) -> str:
    code = ord(sign)
    return f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


@contextlib.contextmanager
def _quiet_pipe() -> Any:
    try:
        yield
    except OSError as error:
        if not is_gone(error):
            raise
        abandon_stdout()
