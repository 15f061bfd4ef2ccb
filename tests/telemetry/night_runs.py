"""Runs against a real sandbox whose log, spans and figures are looked at."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from support import Rig, write_csv

from etl.logs import LogWish
from etl.report import RunReport

WHO = "unmistakable.canary@example.com"
PHONE = "+48601234987"
TOKEN = "canary-token-of-the-target"
SECRET = "canary-secret-of-the-collector"
CANARIES = (WHO, "unmistakable", PHONE, PHONE[1:], TOKEN, SECRET, "Wyjatkowa")
PEOPLE = """\
version: 1
name: people
records:
  - action: contact.upsert
    fields:
      contact.email: E-mail
      contact.phone: Phone
      contact.name: Name
"""


def people(folder: Path, count: int = 3, *more: str) -> Path:
    """Write a sheet of `count` good rows, and `more` lines."""
    rows = [f"p{number}@example.com;;" for number in range(count)]
    return write_csv(folder / "sheet.csv", "\n".join(["E-mail;Phone;Name", *rows, *more]) + "\n")


def logged(path: Path) -> list[dict[str, Any]]:
    """Return the events of a log file."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def run_logged(server: Rig, file: Path, level: str = "debug", **options: Any) -> tuple[RunReport, list[dict[str, Any]]]:
    """Run, and return the report and the events."""
    path = server.folder / "log.jsonl"
    report = server.run(PEOPLE, file, log=LogWish(level, path), **options)
    return report, logged(path)


def named(events: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    """Return the events of one name."""
    return [event for event in events if event["event"] == name]
