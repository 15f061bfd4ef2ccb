"""Which version of this program it is."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

PROGRAM = "salesmanago-etl"


def program_version() -> str:
    """Return the version of this program, "" for a copy that is not installed."""
    try:
        return version(PROGRAM)
    except PackageNotFoundError:
        return ""
