"""A fault of ours → a log file with the traceback and the versions; no values of anybody's rows in it."""

from __future__ import annotations

import os
import platform
import tempfile
import traceback
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from etl.errors import impersonal

LIBRARIES = (
    "salesmanago-etl",
    "click",
    "pandas",
    "pandera",
    "pyarrow",
    "numpy",
    "pydantic",
    "requests",
    "urllib3",
    "tqdm",
)
MAX_MESSAGE = 400


def write_fault(error: BaseException, command: str) -> Path | None:
    """Write down what happened; return the file: in ./.etl/faults, else in the temporary directory; None: nowhere.

    Of the error's own text at most 400 characters are kept, without e-mail addresses and long numbers, since other
    libraries quote whole columns (pandera's messages hold every value that failed).
    """
    text = _text(error, command)
    name = f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{os.getpid()}.log"
    for folder in (Path(".etl") / "faults", Path(tempfile.gettempdir()) / "etl-faults"):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            path = folder / name
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
                file.write(text)
        except OSError:
            continue
        return path
    return None


def _text(error: BaseException, command: str) -> str:
    lines = [
        f"time: {datetime.now(UTC).isoformat(timespec='seconds')}",
        f"command: etl {command}".rstrip(),
        f"python: {platform.python_version()} on {platform.platform()}",
        *(f"{name}: {_version(name)}" for name in LIBRARIES),
        "",
    ]
    is_discreet = getattr(error, "is_discreet", False)
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        lines += [
            "Traceback (most recent call last):",
            *_frames(current),
            f"{_name(current)}: {_redacted(str(current)) if not is_discreet else '(not shown: the run was redacted)'}",
            "",
        ]
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
        if current is not None:
            lines.append("It came out of:")
    return "\n".join(lines) + "\n"


def _frames(error: BaseException) -> list[str]:
    return [line.rstrip("\n") for line in traceback.format_tb(error.__traceback__)]


def _name(error: BaseException) -> str:
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _redacted(text: str) -> str:
    cut = text if len(text) <= MAX_MESSAGE else f"{text[:MAX_MESSAGE]}... ({len(text):,} characters)"
    return impersonal(cut)


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
