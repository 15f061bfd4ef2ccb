"""Spreadsheets into SALESmanago: mapped, judged, dry-run, delivered, and every row accounted for.

    import etl
    report = etl.check("mappings/contacts.yaml", ["contacts.csv"])
    print(report.counts, report.issues)

The names below are the public ones; they load what they need when they are first used, so that `etl --help` is quick.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from etl.errors import (
        EtlError,
        GuardError,
        JournalError,
        MappingError,
        Problem,
        SettingsError,
        SourceError,
        TargetError,
    )
    from etl.first_rows import Preview, preview
    from etl.guards import Guards, Limit, parse_limit
    from etl.mapping import Mapping, load_mapping
    from etl.options import Options
    from etl.records import Status
    from etl.report import RunReport
    from etl.transforms.registry import Example, Outcome, transform
    from etl.verbs import check, resume, retry, run

_HOME = {
    "EtlError": "etl.errors",
    "Example": "etl.transforms.registry",
    "GuardError": "etl.errors",
    "Guards": "etl.guards",
    "JournalError": "etl.errors",
    "Limit": "etl.guards",
    "Mapping": "etl.mapping",
    "MappingError": "etl.errors",
    "Options": "etl.options",
    "Outcome": "etl.transforms.registry",
    "Preview": "etl.first_rows",
    "Problem": "etl.errors",
    "RunReport": "etl.report",
    "SettingsError": "etl.errors",
    "SourceError": "etl.errors",
    "Status": "etl.records",
    "TargetError": "etl.errors",
    "check": "etl.verbs",
    "load_mapping": "etl.mapping",
    "parse_limit": "etl.guards",
    "preview": "etl.first_rows",
    "resume": "etl.verbs",
    "retry": "etl.verbs",
    "run": "etl.verbs",
    "transform": "etl.transforms.registry",
}

__all__ = [
    "EtlError",
    "Example",
    "GuardError",
    "Guards",
    "JournalError",
    "Limit",
    "Mapping",
    "MappingError",
    "Options",
    "Outcome",
    "Preview",
    "Problem",
    "RunReport",
    "SettingsError",
    "SourceError",
    "Status",
    "TargetError",
    "check",
    "load_mapping",
    "parse_limit",
    "preview",
    "resume",
    "retry",
    "run",
    "transform",
]


def __dir__() -> list[str]:
    return __all__


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'etl' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value
