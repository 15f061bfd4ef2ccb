"""`etl run` in a process of its own, whose processor time and peak memory are counted."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from hostile_files import put
from support import CONTACT

# Started from a small process, since a child begins with the peak memory of the one that starts it.
LAUNCHER = """
import json, os, sys
child = os.posix_spawn(sys.argv[2], sys.argv[2:], os.environ)
_, status, used = os.wait4(child, 0)
with open(sys.argv[1], "w") as file:
    json.dump([os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime, used.ru_maxrss / 1024], file)
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a process came to: its exit code, what it took, what it said, and the reports that it left."""

    code: int
    cpu_seconds: float
    peak_mb: float
    said: str
    reports: tuple[str, ...]


def command_on(folder: Path, sheet: str | Path, port: int) -> list[str]:
    """Return the words of `etl run` in `folder`, on a sheet, with an endpoint at `port`."""
    put(folder / "etl.toml", f'[targets.test]\nurl = "http://127.0.0.1:{port}"\n'.encode())
    put(folder / "mapping.yaml", CONTACT.encode())
    return ["run", "mapping.yaml", str(sheet), "--target", "test", "--config", "etl.toml", "--out", "out"]


def run_on(folder: Path, sheet: str | Path, port: int) -> Outcome:
    """Run `etl run`, in a process of its own, on a sheet, with an endpoint at `port`."""
    command = [sys.executable, "-S", "-c", LAUNCHER, "used.json", sys.executable, "-m", "etl"]
    command += command_on(folder, sheet, port)
    path = os.pathsep.join([str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": path}, check=True
    )
    out = folder / "out"
    reports = tuple(sorted(path.name for path in out.iterdir())) if out.exists() else ()
    code, cpu_seconds, peak_mb = json.loads((folder / "used.json").read_text())
    return Outcome(code, cpu_seconds, peak_mb, done.stdout + done.stderr, reports)


def is_untouched(listener: socket.socket) -> bool:
    """Whether nobody has connected."""
    try:
        listener.accept()[0].close()
    except BlockingIOError:
        return True
    return False
