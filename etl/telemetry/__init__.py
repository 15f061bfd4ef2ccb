"""What happens in a run → whoever is told of it: a log, OpenTelemetry, Prometheus' textfile.

`OBSERVERS` is the shelf: a new one is a module with `observer`, and its line here.
"""

from __future__ import annotations

from etl.telemetry.base import About
from etl.telemetry.watch import OBSERVERS, Watch, watching

__all__ = ["OBSERVERS", "About", "Watch", "watching"]
